/* drain.c - how a server ends. See drain.h. */
#include "executor/server/drain.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/server/listeners.h"
#include "executor/server/log/log.h"
#include "executor/server/notify.h"
#include "executor/server/workers.h"

/* Exit status after a second signal to end, as after the signal itself. */
#define EXIT_SIGNALLED 143
/* Exit status when what was under way did not end in time. */
#define EXIT_UNFINISHED 125

static struct server *drain_server_of(struct timer *timer)
{
	return container_of(timer, struct server, drain_timer);
}

static void drain_end_at_once(struct server *server, int status,
			      const char *why)
{
	log_write(status ? THAW_LOG_WARN : THAW_LOG_INFO, why,
		  LOG_NUMBER("connections",
			     metrics_get(&server->shared.metrics.connections)),
		  LOG_NUMBER("events_dropped",
			     atomic_load(&server->shared.events)));
	listeners_unlink(server);
	log_stop();
	_exit(status);
}

static void drain_on_timeout(struct timer *timer)
{
	drain_end_at_once(
		drain_server_of(timer), EXIT_UNFINISHED,
		"the drain timeout is over: ends with requests under way");
}

static void drain_start(struct server *server)
{
	/* no boot ends from here on, but for those that invocations wait for */
	generation_cancel_pending(server->main.generation);
	server->drain_timer.fire = drain_on_timeout;
	timer_set(&server->main.timers, &server->drain_timer,
		  clock_now_ns() + server->shared.options.drain_timeout_ns);
	workers_tell(server, WORKER_DRAIN, worker_drain);
}

static void drain_on_delay(struct timer *timer)
{
	drain_start(drain_server_of(timer));
}

void drain_begin(struct server *server)
{
	int serving = SERVER_SERVING;

	if (!atomic_compare_exchange_strong(&server->shared.state, &serving,
					    SERVER_DRAINING)) {
		/* before it serves, there is nothing to wait for */
		if (serving == SERVER_STARTING)
			drain_end_at_once(server, 0,
					  "told to end while it started");
		return;
	}
	log_write(THAW_LOG_INFO, "draining");
	notify("STOPPING=1\nSTATUS=draining");
	server->drain_timer.fire = drain_on_delay;
	if (server->shared.options.drain_delay_ns)
		timer_set(&server->main.timers, &server->drain_timer,
			  clock_now_ns() +
				  server->shared.options.drain_delay_ns);
	else
		drain_start(server);
}

void drain_now(struct server *server)
{
	drain_end_at_once(server, EXIT_SIGNALLED,
			  "told to end once more: ends at once");
}

/* The server that ends, for signals, which the main loop takes no more. */
static struct server *_Atomic ending;

/* Calls only what a signal handler may call. */
static void drain_on_signal(int number)
{
	const struct server *server = atomic_load(&ending);

	if (server)
		listeners_unlink(server);
	_exit(number == SIGALRM ? EXIT_UNFINISHED : EXIT_SIGNALLED);
}

void drain_bound(struct server *server)
{
	const struct sigaction action = { .sa_handler = drain_on_signal };
	const struct timer *timer = &server->drain_timer;
	const uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = server->shared.options.drain_timeout_ns;
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

void drain_unbound(void)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	alarm(0);
	atomic_store(&ending, NULL);
}
