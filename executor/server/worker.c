/* worker.c - a thread that serves. See worker.h. */
#include "executor/server/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "executor/server/log/log.h"

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

void worker_turn(struct worker *worker, uint64_t until_ns)
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
	return !worker->connection_count && !worker->event_count &&
	       !worker->invocation_count && !worker->queue.count &&
	       !worker->polled;
}

void worker_run(struct worker *worker)
{
	bool busy = false;

	while (!worker->stopping) {
		worker_turn(worker, busy ? 0 : UINT64_MAX);
		busy = worker->calls->run(worker);
		if (worker->draining && worker_is_idle(worker))
			worker->calls->idle(worker);
	}
}

/* Accepts what has connected already; from then on nobody can connect. */
static void worker_shut_down(struct listener *listener)
{
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		listener->open(listener, fd);
	shutdown(listener->fd, SHUT_RDWR);
}

void worker_drain(struct worker *worker)
{
	for (struct listener *listener = worker->listeners; listener;
	     listener = listener->next_open) {
		io_listener_close(&listener->io);
		if (!listener->inherited)
			worker_shut_down(listener);
	}
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
