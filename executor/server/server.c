/*
 * server.c - starts a server, listens to signals, drains, ends. See server.h.
 *
 * The main thread is a worker for the admin listener. It starts: sockets bound,
 * workers up, all listeners open, while functions are booted on threads of their
 * own. It ends: boots are stopped, no new connections, what is under way ends,
 * each worker says that it is idle, all are told to stop.
 */
#include "executor/server/server.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/thread.h"
#include "executor/server/connection.h"
#include "executor/server/invocation_log.h"
#include "executor/server/log/log.h"
#include "executor/server/notify.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"
#include "vm/watchdog.h"

/* Exit status after a second signal to end, as after the signal itself. */
#define EXIT_SIGNALLED 143
/* And when what was under way did not end in time. */
#define EXIT_UNFINISHED 125

void server_options_init(struct server_options *options)
{
	*options = (struct server_options){
		.max_buffered = SERVER_BUFFERED_DEFAULT,
		.vm_idle_ns = SERVER_VM_IDLE_DEFAULT,
		.head_timeout_ns = SERVER_HEAD_TIMEOUT_DEFAULT,
		.body_timeout_ns = SERVER_BODY_TIMEOUT_DEFAULT,
		.idle_timeout_ns = SERVER_IDLE_TIMEOUT_DEFAULT,
		.send_timeout_ns = SERVER_SEND_TIMEOUT_DEFAULT,
		.events_max = SERVER_EVENTS_DEFAULT,
		.event_retries = SERVER_EVENT_RETRIES_DEFAULT,
		.event_max_age_ns = SERVER_EVENT_AGE_DEFAULT,
		.drain_timeout_ns = SERVER_DRAIN_TIMEOUT_DEFAULT,
	};
}

static void on_command(struct io_message *message)
{
	struct worker_command *command = (struct worker_command *)message;

	command->call(command->worker);
}

/* Has @to, a worker or the main thread, make the @call that is @worker's @order. */
static void tell(struct worker *to, struct worker *worker,
		 enum worker_order order, void (*call)(struct worker *worker))
{
	struct worker_command *command = &worker->commands[order];

	command->message.deliver = on_command;
	command->worker = to;
	command->call = call;
	io_post(to->io, NULL, &command->message);
}

static void tell_all(struct server *server, enum worker_order order,
		     void (*call)(struct worker *worker))
{
	for (unsigned i = 0; i < server->worker_count; i++) {
		struct worker *worker = &server->workers[i];

		if (worker->io)
			tell(worker, worker, order, call);
	}
}

static void stop(struct worker *worker)
{
	worker->stopping = true;
}

/* On the main thread: a worker has come up. */
static void on_up(struct worker *main)
{
	main->server->starting--;
}

static void pin(unsigned index)
{
	cpu_set_t allowed, one;
	int at = (int)index;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	at %= CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !at--)
			CPU_SET(cpu, &one);
	/* where it is forbidden, so be it */
	(void)!sched_setaffinity(0, sizeof(one), &one);
}

static void *run_worker(void *cookie)
{
	struct worker *worker = cookie;
	struct server *server = worker->server;

	if (server->options.pin)
		pin(worker->index);
	worker_run(worker);
	sem_post(&server->left);
	/* who has told it to stop may not have done with its io */
	while (sem_wait(&server->leave))
		;
	worker_done(worker);
	return NULL;
}

/* What a worker's thread begins with; then it tells the main thread. */
static void *start_worker(void *cookie)
{
	struct worker *worker = cookie;
	struct server *server = worker->server;
	struct error err;

	thread_be_prompt("thaw-worker");
	if (worker_init(worker, server, worker->index, &err)) {
		server->failure = err;
		server->result = -EIO;
		tell(&server->main, worker, WORKER_IS_UP, on_up);
		sem_post(&server->left);
		return NULL;
	}
	worker->generation = generation_hold(server->main.generation);
	tell(&server->main, worker, WORKER_IS_UP, on_up);
	return run_worker(worker);
}

static int start_workers(struct server *server, struct error *err)
{
	sigset_t blocked, old;

	watch_signals(&blocked);
	for (unsigned i = 0; i < server->worker_count; i++) {
		struct worker *worker = &server->workers[i];
		int r;

		worker->server = server;
		worker->index = i;
		server->starting++;
		pthread_sigmask(SIG_SETMASK, &blocked, &old);
		r = pthread_create(&worker->thread, NULL, start_worker, worker);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (r) {
			server->starting--;
			worker->server = NULL;
			error_set(&server->failure, -r, "starting a worker: %s",
				  strerror(r));
			server->result = -r;
			break;
		}
	}
	/* those that have begun come up, or say why not */
	while (server->starting)
		worker_turn(&server->main, UINT64_MAX);
	if (server->result)
		return error_set(err, server->result, "%s",
				 server->failure.message);
	return 0;
}

/* None of them runs anything any more, nor gives anything back. */
static void wait_for_workers(struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i].server)
			while (sem_wait(&server->left))
				;
}

static void join_workers(struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		sem_post(&server->leave);
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i].server)
			pthread_join(server->workers[i].thread, NULL);
}

static void hard_end(struct server *server, int status, const char *why)
{
	log_write(status ? THAW_LOG_WARN : THAW_LOG_INFO, why,
		  LOG_NUMBER("connections",
			     metrics_get(&server->metrics.connections)),
		  LOG_NUMBER("events_dropped", atomic_load(&server->events)));
	server_unlink(server);
	log_stop();
	_exit(status);
}

static void on_drain_timeout(struct timer *timer)
{
	hard_end(container_of(timer, struct server, drain_timer),
		 EXIT_UNFINISHED,
		 "the drain timeout is over: ends with requests under way");
}

static void drain_workers(struct server *server)
{
	server->drains = true;
	/* who waits for a function that is not there yet waits in vain */
	generation_cancel(server->main.generation, NULL);
	server->drain_timer.fire = on_drain_timeout;
	timer_set(&server->main.timers, &server->drain_timer,
		  clock_now_ns() + server->options.drain_timeout_ns);
	tell_all(server, WORKER_DRAIN, worker_drain);
}

static void on_drain_delay(struct timer *timer)
{
	drain_workers(container_of(timer, struct server, drain_timer));
}

void server_drain(struct server *server)
{
	int serving = SERVER_SERVING;

	if (!atomic_compare_exchange_strong(&server->state, &serving,
					    SERVER_DRAINING)) {
		/* before it serves there is nothing to wait for */
		if (serving == SERVER_STARTING)
			hard_end(server, 0, "told to end while it started");
		return;
	}
	log_write(THAW_LOG_INFO, "draining");
	notify("STOPPING=1\nSTATUS=draining");
	server->drain_timer.fire = on_drain_delay;
	if (server->options.drain_delay_ns)
		timer_set(&server->main.timers, &server->drain_timer,
			  clock_now_ns() + server->options.drain_delay_ns);
	else
		drain_workers(server);
}

static void on_idle(struct worker *main)
{
	if (++main->server->idle_workers == main->server->worker_count)
		main->stopping = true;
}

void server_worker_idle(struct worker *worker)
{
	if (worker->said_idle)
		return;
	worker->said_idle = true;
	tell(&worker->server->main, worker, WORKER_IS_IDLE, on_idle);
}

static void on_signal(struct io_poll *poll)
{
	struct server *server = container_of(poll, struct server, signals);
	struct signalfd_siginfo info;

	while (read(poll->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			server_reload(server, NULL);
		else if (atomic_load(&server->state) == SERVER_DRAINING)
			hard_end(server, EXIT_SIGNALLED,
				 "told to end once more: ends at once");
		else
			server_drain(server);
	}
}

/* Before any thread starts, so that all inherit it. */
static int take_signals(struct server *server, struct error *err)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	server->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->signals.fd < 0)
		return error_set(err, -errno, "signalfd: %s", strerror(errno));
	server->signals.ready = on_signal;
	return 0;
}

static void on_watchdog(struct timer *timer)
{
	struct server *server =
		container_of(timer, struct server, notify_timer);

	notify("WATCHDOG=1");
	timer_set(&server->main.timers, timer,
		  clock_now_ns() + notify_watchdog_ns());
}

/* As many files as one may have, and connections to match. */
static void set_connections(struct server *server)
{
	struct server_options *options = &server->options;
	struct rlimit limit;
	uint64_t most, left;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		getrlimit(RLIMIT_NOFILE, &limit);
	most = limit.rlim_cur > 2 * SERVER_FILES_RESERVED ?
		       (limit.rlim_cur - SERVER_FILES_RESERVED) / 2 :
		       SERVER_FILES_RESERVED / 2;
	if (!options->max_connections)
		options->max_connections = most < SERVER_CONNECTIONS_DEFAULT ?
						   most :
						   SERVER_CONNECTIONS_DEFAULT;
	else if (options->max_connections + SERVER_FILES_RESERVED >
		 limit.rlim_cur)
		log_write(THAW_LOG_WARN,
			  "connections may take the files that vms need: raise "
			  "the limit of open files or lower --max-connections",
			  LOG_NUMBER("max_connections",
				     options->max_connections),
			  LOG_NUMBER("files", limit.rlim_cur));
	/* vms: what connections and we ourselves do not need, or their half */
	left = options->max_connections + SERVER_FILES_RESERVED;
	left = limit.rlim_cur > left ? limit.rlim_cur - left : 0;
	server->memory.budget.vms_max =
		(left > most ? left : most) / SERVER_FILES_PER_VM;
}

static int prepare(struct server *server, struct error *err)
{
	struct generation_changes changes;
	int r = take_signals(server, err);

	server->worker_count = server->options.workers ?
				       (unsigned)server->options.workers :
				       (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (server->worker_count > SERVER_WORKERS_MAX)
		server->worker_count = SERVER_WORKERS_MAX;
	deployment_set_workers(server->worker_count);
	if (!r)
		r = generation_load(server->options.catalog, NULL, err,
				    &server->main.generation, &changes);
	if (!r && server->options.echo)
		r = generation_add_echo(server->main.generation,
					server->options.echo, err);
	if (r)
		return r;
	server->function_options = (struct function_options){
		.log = invocation_log_init_line,
		.dirty = DIRTY_AUTO,
		/* see admit(): also those wait whose vm is being restored */
		.any_queue = true,
		.memory = &server->memory.budget,
	};
	memory_admit(&server->memory, server->main.generation);
	server->workers =
		calloc(server->worker_count, sizeof(*server->workers));
	if (!server->workers)
		return error_set(err, -ENOMEM, "no memory for workers");
	budget_init(&server->buffers, server->options.max_buffered,
		    server->worker_count);
	set_connections(server);
	return server_bind(server, err);
}

/* On a thread of the boots. */
static void on_booted(void *cookie)
{
	struct server *server = cookie;

	atomic_store(&server->has_booted, true);
	server_wake(server);
}

static int start_threads(struct server *server, struct error *err)
{
	const struct boots_config boots = {
		.options = &server->function_options,
		.ended = on_booted,
		.cookie = server,
	};
	struct offload_config builders = {
		.threads = SERVER_BUILDERS_MAX,
		.per_share = SERVER_BUILDERS_PER_FUNCTION,
		.name = "thaw-builder",
		.nice = SERVER_OFFLOAD_NICE,
	};
	struct offload_config runs = {
		.threads = (unsigned)server->options.offload_threads,
		.name = "thaw-offload",
		.nice = SERVER_OFFLOAD_NICE,
	};
	int r;

	if (!runs.threads)
		runs.threads = SERVER_OFFLOAD_PER_CPU *
			       (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	watch_signals(&runs.blocked);
	watch_signals(&builders.blocked);
	runs.per_share = (runs.threads + 1) / 2;
	r = offload_pool_create(&runs, err, &server->offload);
	if (!r)
		r = offload_pool_create(&builders, err, &server->builders);
	if (!r)
		r = boots_create(&boots, err, &server->boots);
	return r;
}

/* Admin first: it says how the start is going. */
static int start(struct server *server, struct error *err)
{
	/* before those that it would inherit a higher niceness from */
	int r = watch_start(err);

	if (!r)
		r = start_threads(server, err);
	if (!r)
		deployment_set_reaper(server->builders);
	if (!r)
		r = worker_init(&server->main, server, server->worker_count,
				err);
	if (r)
		return r;
	io_poll_open(server->main.io, &server->signals, server->signals.fd);
	memory_set_generation(&server->memory, server->main.generation);
	memory_start(&server->memory, server->builders, server->main.io);
	r = start_workers(server, err);
	if (!r)
		r = server_listen_admin(server, err);
	/* before: what changes meanwhile is not missed */
	if (!r && server->options.watch)
		r = server_watch(server, err);
	if (r)
		return r;
	server_boot(server, NULL);
	return server_listen(server, err);
}

/* Those of the catalog that are in @state by now. */
static uint64_t count_functions(const struct generation *generation,
				enum function_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += atomic_load(&generation->deployments[i]->state) ==
			 (int)state;
	return count;
}

static void serve(struct server *server)
{
	const uint64_t watchdog_ns = notify_watchdog_ns();
	int starting = SERVER_STARTING;

	tell_all(server, WORKER_OPEN, server_open_doors);
	atomic_compare_exchange_strong(&server->state, &starting,
				       SERVER_SERVING);
	log_write(THAW_LOG_INFO, "serving",
		  LOG_NUMBER("functions", server->main.generation->count),
		  LOG_NUMBER("booting", count_functions(server->main.generation,
							FUNCTION_PENDING)),
		  LOG_NUMBER("failed", count_functions(server->main.generation,
						       FUNCTION_FAILED)),
		  LOG_NUMBER("workers", server->worker_count),
		  LOG_FIELD("io", io_name(server->main.io)));
	if (*io_fallback(server->main.io))
		log_write(THAW_LOG_WARN, "no io_uring: epoll is used",
			  LOG_FIELD("reason", io_fallback(server->main.io)));
	notify("READY=1\nSTATUS=serving %zu functions",
	       server->main.generation->count);
	server->notify_timer.fire = on_watchdog;
	if (watchdog_ns)
		timer_set(&server->main.timers, &server->notify_timer,
			  clock_now_ns() + watchdog_ns);
	server_reload_again(server);
	server_settle(server);
	while (!server->main.stopping || server_is_unsettled(server)) {
		worker_turn(&server->main, UINT64_MAX);
		server_settle(server);
	}
}

/* The server that ends; for signals, which the main loop takes no more. */
static struct server *_Atomic ending;

/* Calls only what a handler may call. */
static void on_ending_signal(int number)
{
	const struct server *server = atomic_load(&ending);

	if (server)
		server_unlink(server);
	_exit(number == SIGALRM ? EXIT_UNFINISHED : EXIT_SIGNALLED);
}

/*
 * From here on it is threads that end. One that does not is not to keep the server:
 * the drain timeout holds, and another signal ends it at once, as before.
 */
static void bound_end(struct server *server)
{
	const struct sigaction action = { .sa_handler = on_ending_signal };
	const struct timer *timer = &server->drain_timer;
	const uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = server->options.drain_timeout_ns;
	sigset_t set;

	if (timer->link && timer->at_ns > now_ns)
		left_ns = timer->at_ns - now_ns;
	atomic_store(&ending, server);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm((unsigned)(left_ns / NS_PER_S) + 1);
}

/* Nothing is left that could take long. */
static void end_is_near(void)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	alarm(0);
	atomic_store(&ending, NULL);
}

static void done(struct server *server)
{
	bound_end(server);
	if (server->workers) {
		tell_all(server, WORKER_STOP, stop);
		wait_for_workers(server);
	}
	memory_stop(&server->memory);
	/* what the last jobs gave back the makers free; all speak to workers */
	if (server->main.generation)
		generation_cancel(server->main.generation, NULL);
	boots_free(server->boots);
	offload_pool_free(server->offload);
	deployment_set_reaper(NULL);
	offload_pool_free(server->builders);
	if (server->workers)
		join_workers(server);
	/* what they were about to say to the main thread is dropped there */
	if (server->main.io)
		worker_turn(&server->main, 0);
	if (server->main.io)
		worker_done(&server->main);
	else
		generation_release(server->main.generation);
	if (server->signals.fd > 0)
		close(server->signals.fd);
	if (server->changes.fd > 0)
		close(server->changes.fd);
	end_is_near();
	server_close(server);
	memory_done(&server->memory);
	free(server->workers);
	clients_done(&server->clients);
	pthread_mutex_destroy(&server->readiness_lock);
	sem_destroy(&server->leave);
	sem_destroy(&server->left);
}

static void init_memory(struct server *server)
{
	const struct memory_config config = {
		.max = server->options.max_memory,
		.idle_ns = server->options.vm_idle_ns,
		.root = "",
		.timers = &server->main.timers,
		.metrics = &server->metrics,
		.buffers = &server->buffers,
	};

	memory_init(&server->memory, &config);
}

int server_run(const struct server_options *options, struct error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set(err, -ENOMEM, "no memory for a server");
	sem_init(&server->leave, 0, 0);
	sem_init(&server->left, 0, 0);
	pthread_mutex_init(&server->readiness_lock, NULL);
	server->options = *options;
	clients_init(&server->clients);
	init_memory(server);
	server->start_ns = clock_now_ns();
	server->start_unix_ms = clock_read_ns(CLOCK_REALTIME) / NS_PER_MS;
	metrics_add(&server->metrics.last_reload_ok, 1);
	metrics_add(&server->metrics.last_reload_unix_s,
		    server->start_unix_ms / 1000);
	r = prepare(server, err);
	if (!r)
		r = start(server, err);
	if (!r)
		serve(server);
	else
		log_write(THAW_LOG_ERROR, "cannot serve",
			  LOG_FIELD("reason", err->message));
	done(server);
	log_write(THAW_LOG_INFO, "ended");
	free(server);
	return r;
}
