/* worker.c - a thread that serves. See worker.h. */
#include "executor/server/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "executor/io/listen.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"

int worker_init(struct worker *worker, struct shared *shared,
		const struct worker_calls *calls, unsigned index,
		struct error *err)
{
	int r;

	worker->shared = shared;
	worker->calls = calls;
	worker->index = index;
	/* administration is not refused because others use all memory */
	if (!worker_is_main(worker))
		worker->purse.budget = &shared->buffers;
	worker->last_event = &worker->events;
	atomic_store(&worker->oldest_event_ns, UINT64_MAX);
	r = io_create(shared->options.io, err, &worker->io);
	/* this machine is at fault, not the user */
	return r == -EPERM ? -EOPNOTSUPP : r;
}

static void worker_on_accepted(struct io_listener *io, int fd)
{
	struct listener *listener = (struct listener *)io;

	listener->open(listener, fd);
}

static void worker_on_accept_failed(struct io_listener *io, int error)
{
	struct listener *listener = (struct listener *)io;
	struct shared *shared = listener->worker->shared;

	/* another worker may have shut down a socket that they share */
	if (atomic_load(&shared->state) == SERVER_DRAINING)
		return;
	metrics_add(&shared->metrics.accept_errors_total, 1);
	/* it fails again and again while it lasts: each worker says so once */
	if (!listener->failed)
		log_write(THAW_LOG_WARN, "cannot accept connections",
			  LOG_FIELD("reason", strerror(-error)),
			  LOG_FIELD("hint", "raise the limit of open files, or "
					    "lower --max-connections"));
	listener->failed = true;
}

void worker_listen(struct worker *worker, struct listener *listener)
{
	listener->worker = worker;
	listener->io.accepted = worker_on_accepted;
	listener->io.failed = worker_on_accept_failed;
	listener->next_open = worker->listeners;
	worker->listeners = listener;
	io_listener_open(worker->io, &listener->io, listener->fd);
}

/* bench/waterfall_served.c finds the turns of a worker. */
HOT NOINLINE void worker_turn(struct worker *worker, uint64_t until_ns)
{
	uint64_t next_ns = timers_next(&worker->timers);

	io_wait(worker->io, until_ns < next_ns ? until_ns : next_ns);
	timers_fire(&worker->timers, clock_now_ns());
}

bool worker_is_idle(const struct worker *worker)
{
	for (const struct listener *listener = worker->listeners; listener;
	     listener = listener->next_open)
		if (listener->io.internal.accepting)
			return false;
	return !worker->half_open.link && !worker->connection_count &&
	       !worker->event_count && !worker->invocation_count &&
	       !worker->queue.count && !worker->polled;
}

HOT void worker_run(struct worker *worker)
{
	bool busy = false;

	while (!worker->stopping) {
		worker_turn(worker, busy ? 0 : UINT64_MAX);
		busy = worker->calls->run(worker);
		if (worker->draining && worker_is_idle(worker))
			worker->calls->idle(worker);
	}
}

/*
 * Accepts what has connected already; from then on nobody can connect. But for one that
 * @may_wait for who is half connected: they are accepted later.
 */
static void worker_shut_down(struct listener *listener, bool may_wait)
{
	/* before accept(), so that nobody is between the two */
	const bool is_awaited = may_wait && listen_is_awaited(listener->fd);
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		listener->open(listener, fd);
	if (is_awaited)
		return;
	shutdown(listener->fd, SHUT_RDWR);
	listener->is_shut = true;
}

/* Shuts listeners down that have stopped; again later where somebody is half connected. */
static void worker_shut_all_down(struct worker *worker)
{
	const uint64_t now_ns = clock_now_ns();
	const bool may_wait = now_ns < worker->half_open_until_ns;
	bool is_done = true;

	for (struct listener *listener = worker->listeners; listener;
	     listener = listener->next_open) {
		if (listener->inherited || listener->is_shut)
			continue;
		worker_shut_down(listener, may_wait);
		is_done &= listener->is_shut;
	}
	if (!is_done)
		timer_set(&worker->timers, &worker->half_open,
			  now_ns + SERVER_HALF_OPEN_LOOK_NS);
}

static void worker_on_half_open(struct timer *timer)
{
	worker_shut_all_down(container_of(timer, struct worker, half_open));
}

void worker_drain(struct worker *worker)
{
	uint64_t wait_ns = worker->shared->options.drain_timeout_ns / 2;

	if (wait_ns > SERVER_HALF_OPEN_NS)
		wait_ns = SERVER_HALF_OPEN_NS;
	for (struct listener *listener = worker->listeners; listener;
	     listener = listener->next_open) {
		io_listener_close(&listener->io);
		if (!listener->inherited)
			listen_stop(listener->fd);
	}
	worker->half_open.fire = worker_on_half_open;
	worker->half_open_until_ns = clock_now_ns() + wait_ns;
	worker_shut_all_down(worker);
	worker->draining = true;
	worker->calls->drain(worker);
}

static void worker_on_command(struct io_message *message)
{
	struct worker_command *command = (struct worker_command *)message;

	command->call(command->worker);
}

void worker_tell(struct worker *to, struct worker *worker,
		 enum worker_order order, void (*call)(struct worker *worker))
{
	struct worker_command *command = &worker->commands[order];

	command->message.deliver = worker_on_command;
	command->worker = to;
	command->call = call;
	io_post(to->io, NULL, &command->message);
}

void worker_done(struct worker *worker)
{
	if (!worker->io)
		return;
	worker->calls->close(worker);
	budget_purse_done(&worker->purse);
	io_free(worker->io);
	generation_release(worker->generation);
	worker->io = NULL;
}
