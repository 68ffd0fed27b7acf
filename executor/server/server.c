/*
 * server.c - starts a server, turns its main thread, and ends it. See server.h.
 *
 * The main thread is a worker for the admin listener. The server starts: sockets
 * are bound, workers come up, all listeners are opened, while functions are booted
 * on threads of their own. It ends (drain.c): boots are stopped, no connections are
 * accepted any more, what is under way ends, each worker says that it is idle, and
 * all are told to stop.
 */
#include "executor/server/server.h"
#include "executor/server/callee.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/function_store.h"
#include "executor/invoke_init.h"
#include "executor/server/admin_routes.h"
#include "executor/server/drain.h"
#include "executor/server/invocation_echo.h"
#include "executor/server/invocation_log.h"
#include "executor/server/listeners.h"
#include "executor/server/log/log.h"
#include "executor/server/memory_admit.h"
#include "executor/server/notify.h"
#include "executor/server/reload.h"
#include "executor/server/routes.h"
#include "executor/server/server_limits.h"
#include "executor/server/server_state.h"
#include "executor/server/workers.h"
#include "vm/fresh_shells.h"
#include "vm/poll_cores.h"
#include "vm/watchdog.h"

static void server_on_signal(struct io_poll *poll)
{
	struct server *server = container_of(poll, struct server, signals);
	struct signalfd_siginfo info;

	while (read(poll->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload_begin(server, NULL);
		else if (atomic_load(&server->shared.state) == SERVER_DRAINING)
			drain_now(server);
		else
			drain_begin(server);
	}
}

/* Before any thread starts, so that all inherit the mask. */
static int server_take_signals(struct server *server, struct error *err)
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
	server->signals.ready = server_on_signal;
	return 0;
}

static void server_on_watchdog(struct timer *timer)
{
	struct server *server =
		container_of(timer, struct server, notify_timer);

	notify("WATCHDOG=1");
	timer_set(&server->main.timers, timer,
		  clock_now_ns() + notify_watchdog_ns());
}

/* How many mappings the process may have. */
static uint64_t server_read_mappings(void)
{
	unsigned long long value = SERVER_MAPPINGS_DEFAULT;
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

	if (!file)
		return value;
	if (fscanf(file, "%llu", &value) != 1)
		value = SERVER_MAPPINGS_DEFAULT;
	fclose(file);
	return value;
}

/* How many functions may be loaded, and vms be there, of @files for both. */
static void server_share_files(struct server *server, uint64_t files)
{
	const uint64_t mappings = server_read_mappings();
	const uint64_t vms = (mappings - mappings / SERVER_MAPPINGS_PART) /
			     SERVER_MAPPINGS_PER_VM;
	uint64_t max =
		mappings / SERVER_LOADED_PART / SERVER_MAPPINGS_PER_FUNCTION;

	if (max > files / SERVER_LOADED_PART)
		max = files / SERVER_LOADED_PART;
	if (max > SERVER_LOADED_MAX)
		max = SERVER_LOADED_MAX;
	server->shared.host.loaded_max = max ? (unsigned)max : 1;
	server->shared.host.crowded = reload_crowded;
	if (server->shared.options.state_dir)
		files -= server->shared.host.loaded_max;
	max = files / SERVER_FILES_PER_VM;
	server->shared.memory.budget.vms_max = max < vms ? max : vms;
}

/* Those that the server keeps for itself; the first shells are among them. */
static uint64_t reserved_files(uint64_t shells)
{
	const uint64_t more = shells > SERVER_SHELLS_DEFAULT ?
				      shells - SERVER_SHELLS_DEFAULT :
				      0;

	return SERVER_FILES_RESERVED + more * SERVER_FILES_PER_VM;
}

/* Allows as many open files as possible, and connections to match. */
static void server_set_connections(struct server *server)
{
	struct server_options *options = &server->shared.options;
	uint64_t reserved = reserved_files(options->shells);
	struct rlimit limit;
	uint64_t most, left;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < SERVER_FILES_SHELLS * reserved) {
		options->shells = 0;
		reserved = reserved_files(0);
	}
	most = limit.rlim_cur > 2 * reserved ? (limit.rlim_cur - reserved) / 2 :
					       reserved / 2;
	if (!options->max_connections)
		options->max_connections = most < SERVER_CONNECTIONS_DEFAULT ?
						   most :
						   SERVER_CONNECTIONS_DEFAULT;
	else if (options->max_connections + reserved > limit.rlim_cur)
		log_write(THAW_LOG_WARN,
			  "connections may take the files that vms need: raise "
			  "the limit of open files or lower --max-connections",
			  LOG_NUMBER("max_connections",
				     options->max_connections),
			  LOG_NUMBER("files", limit.rlim_cur));
	/* vms get what is left of them, or half if that is more */
	left = options->max_connections + reserved;
	left = limit.rlim_cur > left ? limit.rlim_cur - left : 0;
	left = left > most ? left : most;
	server_share_files(server, left);
}

static const struct listener_handlers listener_handlers = {
	.of = {
		[LISTENER_HTTP] = &routes_handler,
		[LISTENER_ADMIN] = &admin_routes_handler,
		[LISTENER_METRICS] = &metrics_routes_handler,
	},
};

/* Snapshots that could not be written, or are damaged; on the store's threads. */
static void server_on_store(void *cookie, const char *function,
			    enum thaw_level level, const char *text,
			    size_t size)
{
	static struct log_limit limit = {
		.per_second = SERVER_BOOT_LINES_PER_SECOND,
		.burst = SERVER_STORE_LINES_BURST,
		.cause = "troubles of the store",
	};

	(void)cookie;
	(void)size;
	if (log_may(&limit, level))
		log_write(level, "store of snapshots",
			  LOG_FIELD("function", function),
			  LOG_FIELD("reason", text));
}

/* Without a state directory that can be used, functions are booted. */
static void server_open_store(struct server *server)
{
	const struct server_options *options = &server->shared.options;

	int r = 0;

	if (options->state_dir)
		r = function_store_open(options->state_dir, options->state_max,
					server_on_store, NULL,
					&server->no_store, &server->store);
	if (!r && server->store)
		r = function_store_scrub(server->store, SERVER_SCRUB_INTERVAL,
					 &server->no_store);
	if (r) {
		function_store_close(server->store, true);
		server->store = NULL;
		log_write(THAW_LOG_WARN, "no store of snapshots",
			  LOG_FIELD("reason", server->no_store.message));
		server->function_options.no_store = server->no_store.message;
	}
	server->function_options.store = server->store;
}

static int server_prepare(struct server *server, struct error *err)
{
	struct generation_changes changes;
	int r = server_take_signals(server, err);

	server->shared.worker_count =
		server->shared.options.workers ?
			(unsigned)server->shared.options.workers :
			(unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (server->shared.worker_count > SERVER_WORKERS_MAX)
		server->shared.worker_count = SERVER_WORKERS_MAX;
	server->shared.host.workers = server->shared.worker_count;
	poll_cores_reserve(server->shared.worker_count);
	server->watch.catalog = server->shared.options.catalog;
	catalog_watch_note(&server->watch);
	if (!r)
		r = generation_load(&server->shared.host,
				    server->shared.options.catalog, NULL, err,
				    &server->main.generation, &changes);
	if (!r && server->shared.options.echo)
		r = generation_add_echo(server->main.generation,
					server->shared.options.echo,
					invocation_echo, err);
	if (r)
		return r;
	server->function_options = (struct function_options){
		.log = invocation_log_init_line,
		.dirty = DIRTY_AUTO,
		/* admission counts those too whose vm is being restored */
		.any_queue = true,
		.memory = &server->shared.memory.budget,
		.invoker = { .invoke = callee_invoke },
		.answer_init = invoke_init,
	};
	server_open_store(server);
	memory_admit(&server->shared.memory, server->main.generation);
	server->shared.workers = calloc(server->shared.worker_count,
					sizeof(*server->shared.workers));
	if (!server->shared.workers)
		return error_set(err, -ENOMEM, "no memory for workers");
	budget_init(&server->shared.buffers,
		    server->shared.options.max_buffered,
		    server->shared.worker_count);
	server_set_connections(server);
	return listeners_bind(server, &listener_handlers, err);
}

/* On a thread of the boots. */
static void server_on_booted(void *cookie)
{
	struct server *server = cookie;

	atomic_store(&server->has_booted, true);
	reload_wake(server);
}

static int server_start_threads(struct server *server, struct error *err)
{
	const struct boots_config boots = {
		.options = &server->function_options,
		.ended = server_on_booted,
		.cookie = server,
	};
	struct offload_config builders = {
		.threads = SERVER_BUILDERS_MAX,
		.per_share = SERVER_BUILDERS_PER_FUNCTION,
		.name = "thaw-builder",
		.nice = SERVER_OFFLOAD_NICE,
	};
	struct offload_config runs = {
		.threads = (unsigned)server->shared.options.offload_threads,
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
	r = offload_pool_create(&runs, err, &server->shared.offload);
	if (!r)
		r = offload_pool_create(&builders, err,
					&server->shared.builders);
	if (!r)
		r = boots_create(&boots, err, &server->boots);
	return r;
}

static void server_on_change(struct catalog_watch *watch)
{
	reload_begin(container_of(watch, struct server, watch), NULL);
}

static int server_watch(struct server *server, struct error *err)
{
	server->watch.timers = &server->main.timers;
	server->watch.changed = server_on_change;
	return catalog_watch_open(&server->watch, server->main.io,
				  server->main.generation, err);
}

/* The admin listener first: it says how the start is going. */
static int server_start(struct server *server, struct error *err)
{
	/* first: a thread inherits the niceness of the one that starts it */
	int r = watch_start(err);

	if (!r)
		r = server_start_threads(server, err);
	if (!r)
		atomic_store(&server->shared.host.reaper,
			     server->shared.builders);
	if (!r)
		r = worker_init(&server->main, &server->shared, &workers_calls,
				server->shared.worker_count, err);
	if (r)
		return r;
	r = io_poll_open(server->main.io, &server->signals, server->signals.fd);
	if (r)
		return error_set(err, r, "signals: %s", strerror(-r));
	memory_set_generation(&server->shared.memory, server->main.generation);
	memory_start(&server->shared.memory, server->shared.builders,
		     server->main.io);
	r = workers_start(server, err);
	if (!r)
		r = listeners_start_main(server, err);
	/* before the boots read the images, so no change is missed */
	if (!r && server->shared.options.watch)
		r = server_watch(server, err);
	if (r)
		return r;
	fresh_shells_keep((unsigned)server->shared.options.shells);
	reload_boot(server, NULL);
	return listeners_start(server, err);
}

/* How many functions of the catalog are in @state. */
static uint64_t server_count_functions(const struct generation *generation,
				       enum function_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < generation->count; i++)
		count += atomic_load(&generation->deployments[i]->state) ==
			 (int)state;
	return count;
}

static void server_serve(struct server *server)
{
	const uint64_t watchdog_ns = notify_watchdog_ns();
	int starting = SERVER_STARTING;

	workers_tell(server, WORKER_OPEN, listeners_open);
	atomic_compare_exchange_strong(&server->shared.state, &starting,
				       SERVER_SERVING);
	log_write(THAW_LOG_INFO, "serving",
		  LOG_NUMBER("functions", server->main.generation->count),
		  LOG_NUMBER("booting",
			     server_count_functions(server->main.generation,
						    FUNCTION_PENDING)),
		  LOG_NUMBER("failed",
			     server_count_functions(server->main.generation,
						    FUNCTION_FAILED)),
		  LOG_NUMBER("workers", server->shared.worker_count),
		  LOG_FIELD("io", io_name(server->main.io)));
	if (*io_fallback(server->main.io))
		log_write(THAW_LOG_WARN, "no io_uring: epoll is used",
			  LOG_FIELD("reason", io_fallback(server->main.io)));
	notify("READY=1\nSTATUS=serving %zu functions",
	       server->main.generation->count);
	server->notify_timer.fire = server_on_watchdog;
	if (watchdog_ns)
		timer_set(&server->main.timers, &server->notify_timer,
			  clock_now_ns() + watchdog_ns);
	reload_again(server);
	reload_settle(server);
	while (!server->main.stopping || reload_is_unsettled(server)) {
		worker_turn(&server->main, UINT64_MAX);
		reload_settle(server);
	}
}

/* All functions have told it what was learned. */
static void server_close_store(struct server *server)
{
	const unsigned unwritten = function_store_close(server->store, true);

	/* `thaw snapshot create` writes them; else the next server boots them */
	if (unwritten)
		log_write(THAW_LOG_INFO, "snapshots not written",
			  LOG_NUMBER("functions", unwritten));
}

static void server_done(struct server *server)
{
	drain_bound(server);
	if (server->shared.workers) {
		workers_stop(server);
	}
	memory_stop(&server->shared.memory);
	fresh_shells_keep(0);
	/* the builders free what the last runs release; all post to workers */
	if (server->main.generation)
		generation_cancel(server->main.generation, NULL);
	boots_free(server->boots);
	offload_pool_free(server->shared.offload);
	atomic_store(&server->shared.host.reaper, NULL);
	offload_pool_free(server->shared.builders);
	if (server->shared.workers)
		workers_join(server);
	/* takes the messages of workers that have ended */
	if (server->main.io)
		worker_turn(&server->main, 0);
	if (server->main.io)
		worker_done(&server->main);
	else
		generation_release(server->main.generation);
	memory_set_generation(&server->shared.memory, NULL);
	server_close_store(server);
	if (server->signals.fd > 0)
		close(server->signals.fd);
	catalog_watch_close(&server->watch);
	drain_unbound();
	listeners_close(server);
	memory_done(&server->shared.memory);
	free(server->shared.workers);
	clients_done(&server->shared.clients);
	pthread_mutex_destroy(&server->shared.readiness_lock);
	sem_destroy(&server->leave);
	sem_destroy(&server->left);
}

static void server_init_memory(struct server *server)
{
	const struct memory_config config = {
		.max = server->shared.options.max_memory,
		.idle_ns = server->shared.options.vm_idle_ns,
		.root = "",
		.timers = &server->main.timers,
		.metrics = &server->shared.metrics,
		.buffers = &server->shared.buffers,
	};

	memory_init(&server->shared.memory, &config);
}

int server_run(const struct server_options *options, struct error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set(err, -ENOMEM, "no memory for a server");
	sem_init(&server->leave, 0, 0);
	sem_init(&server->left, 0, 0);
	pthread_mutex_init(&server->shared.readiness_lock, NULL);
	server->shared.options = *options;
	clients_init(&server->shared.clients);
	server_init_memory(server);
	server->shared.start_ns = clock_now_ns();
	server->shared.start_unix_ms =
		clock_read_ns(CLOCK_REALTIME) / NS_PER_MS;
	metrics_add(&server->shared.metrics.last_reload_ok, 1);
	metrics_add(&server->shared.metrics.last_reload_unix_s,
		    server->shared.start_unix_ms / 1000);
	r = server_prepare(server, err);
	if (!r)
		r = server_start(server, err);
	if (!r)
		server_serve(server);
	else
		log_write(THAW_LOG_ERROR, "cannot serve",
			  LOG_FIELD("reason", err->message));
	server_done(server);
	log_write(THAW_LOG_INFO, "ended");
	free(server);
	return r;
}
