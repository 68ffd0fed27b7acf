/* worker.c - a thread that serves. See worker.h. */
#include "executor/server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "executor/server/connection.h"
#include "executor/server/event.h"
#include "executor/server/exchange.h"
#include "executor/server/log/log.h"
#include "executor/server/server_internal.h"

int worker_init(struct worker *worker, struct server *server, unsigned index,
		struct error *err)
{
	int r;

	worker->server = server;
	worker->index = index;
	/* administration is not refused for what others use */
	if (worker != &server->main)
		worker->purse.budget = &server->buffers;
	worker->last_event = &worker->events;
	atomic_store(&worker->oldest_event_ns, UINT64_MAX);
	r = io_create(server->options.io, err, &worker->io);
	/* not what the user has asked for is at fault, but the machine */
	return r == -EPERM ? -EOPNOTSUPP : r;
}

static void on_accepted(struct io_listener *listener, int fd)
{
	struct door *door = (struct door *)listener;

	door->open(door, fd);
}

static void on_accept_failed(struct io_listener *listener, int error)
{
	struct door *door = (struct door *)listener;
	struct metrics_server *metrics = &door->worker->server->metrics;

	/* another worker may have closed a door that they share */
	if (atomic_load(&door->worker->server->state) == SERVER_DRAINING)
		return;
	metrics_add(&metrics->accept_errors_total, 1);
	/* it comes again and again while it lasts: said once a worker */
	if (!door->failed)
		log_write(THAW_LOG_WARN, "cannot accept connections",
			  LOG_FIELD("reason", strerror(-error)),
			  LOG_FIELD("hint", "raise the limit of open files, or "
					    "lower --max-connections"));
	door->failed = true;
}

int worker_listen(struct worker *worker, int fd, bool inherited,
		  void (*open)(struct door *door, int fd), struct error *err)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door)
		return error_set(err, -ENOMEM, "no memory for a listener");
	door->worker = worker;
	door->inherited = inherited;
	door->open = open;
	door->checks_hosts = server_checks_hosts(&worker->server->options, fd);
	door->listener.accepted = on_accepted;
	door->listener.failed = on_accept_failed;
	door->next = worker->doors;
	worker->doors = door;
	io_listener_open(worker->io, &door->listener, fd);
	return 0;
}

void worker_turn(struct worker *worker, uint64_t until_ns)
{
	uint64_t next_ns = timers_next(&worker->timers);

	io_wait(worker->io, until_ns < next_ns ? until_ns : next_ns);
	timers_fire(&worker->timers, clock_now_ns());
}

void worker_run(struct worker *worker)
{
	bool busy = false;

	while (!worker->stopping) {
		worker_turn(worker, busy ? 0 : UINT64_MAX);
		busy = invocations_run(worker);
		if (worker->draining && worker_is_idle(worker))
			server_worker_idle(worker);
	}
}

bool worker_is_idle(const struct worker *worker)
{
	for (const struct door *door = worker->doors; door; door = door->next)
		if (door->listener.internal.accepting)
			return false;
	return !worker->connection_count && !worker->event_count &&
	       !worker->invocation_count && !worker->queue.count &&
	       !worker->polled;
}

/* What has connected before the door closes is let in; then nobody can. */
static void close_door(struct door *door)
{
	int fd;

	while ((fd = accept4(door->listener.fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		door->open(door, fd);
	shutdown(door->listener.fd, SHUT_RDWR);
}

void worker_drain(struct worker *worker)
{
	struct connection *connection, *next;

	for (struct door *door = worker->doors; door; door = door->next) {
		io_listener_close(&door->listener);
		if (!door->inherited)
			close_door(door);
	}
	worker->draining = true;
	events_hurry(worker);
	for (connection = worker->connections; connection; connection = next) {
		next = connection->next;
		if (!connection->closing)
			connection->drain(connection);
	}
}

/* Turns until nobody uses the connections' memory any more. */
static void close_all(struct worker *worker)
{
	const uint64_t until_ns = clock_now_ns() + NS_PER_S;

	for (struct connection *c = worker->connections; c; c = c->next)
		connection_close(c);
	while (worker->connection_count && clock_now_ns() < until_ns)
		worker_turn(worker, clock_now_ns() + NS_PER_MS);
}

void worker_done(struct worker *worker)
{
	if (!worker->io)
		return;
	close_all(worker);
	events_drop_all(worker);
	exchange_free_all(worker);
	frame_free_calls(worker);
	budget_purse_done(&worker->purse);
	io_free(worker->io);
	while (worker->doors) {
		struct door *door = worker->doors;

		worker->doors = door->next;
		free(door);
	}
	generation_release(worker->generation);
	worker->io = NULL;
}
