/* connection.c - the common part of connections. See connection.h. */
#include "executor/server/connection.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/metrics.h"
#include "executor/server/server_limits.h"

static void connection_on_closed(struct io_stream *stream)
{
	struct connection *connection = (struct connection *)stream;
	struct worker *worker = connection->worker;
	struct listener_limit *limit = connection->listener->limit;

	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	worker->connection_count--;
	if (limit)
		limit->count--;
	metrics_subtract(&worker->shared->metrics.connections, 1);
	connection->free(connection);
}

/* The admin listener has places left when the others have taken all of theirs. */
static bool connections_are_full(const struct listener *listener)
{
	const struct listener_limit *limit = listener->limit;
	const struct worker *worker = listener->worker;
	uint64_t most = worker->shared->options.max_connections;

	if (worker_is_main(worker))
		most += SERVER_ADMIN_CONNECTIONS;
	return (limit && limit->count >= limit->max) ||
	       metrics_get(&worker->shared->metrics.connections) >= most;
}

HOT void connection_open_account(struct connection *connection,
				 struct budget_account *account)
{
	budget_open(account, &connection->worker->purse);
	if (connection->client)
		budget_join(account, BUDGET_OF_CLIENT,
			    &connection->client->share);
}

void connection_done(struct connection *connection)
{
	budget_close(&connection->account);
	clients_leave(&connection->worker->shared->clients, connection->client);
	connection->client = NULL;
}

/* Puts it among the worker's. */
static void connection_link(struct connection *connection,
			    struct worker *worker)
{
	connection->worker = worker;
	connection->next = worker->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	connection->link = &worker->connections;
	worker->connections = connection;
	worker->connection_count++;
}

static void connection_on_timer(struct timer *timer)
{
	struct connection *connection =
		container_of(timer, struct connection, timer);

	/* it has been set to a later time meanwhile */
	if (connection->until_ns > timer->at_ns) {
		if (connection->until_ns != UINT64_MAX)
			connection_limit_to(connection, connection->until_ns);
		return;
	}
	connection->until_ns = UINT64_MAX;
	connection->expired(connection);
}

bool connection_open(struct connection *connection, struct listener *listener,
		     int fd)
{
	struct worker *worker = listener->worker;
	struct metrics_server *metrics = &worker->shared->metrics;

	metrics_add(&metrics->connections_total, 1);
	if (connections_are_full(listener)) {
		metrics_add(&metrics->connections_refused, 1);
		close(fd);
		return false;
	}
	metrics_add(&metrics->connections, 1);
	if (listener->limit)
		listener->limit->count++;
	connection->listener = listener;
	connection_link(connection, worker);
	connection->client = clients_enter(&worker->shared->clients, fd);
	connection_open_account(connection, &connection->account);
	connection->stream.account = &connection->account;
	connection->stream.closed = connection_on_closed;
	connection->timer.fire = connection_on_timer;
	connection->until_ns = UINT64_MAX;
	io_stream_open(worker->io, &connection->stream, fd);
	if (worker->draining)
		connection->drain(connection);
	return true;
}

void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	timer_clear(&connection->worker->timers, &connection->timer);
	io_stream_close(&connection->stream);
}

HOT void connection_limit_to(struct connection *connection, uint64_t until_ns)
{
	struct timer *timer = &connection->timer;

	if (connection->closing)
		return;
	connection->until_ns = until_ns;
	if (!timer->link || until_ns < timer->at_ns)
		timer_set(&connection->worker->timers, timer, until_ns);
}

HOT void connection_limit(struct connection *connection, uint64_t limit_ns)
{
	connection_limit_to(connection, clock_now_ns() + limit_ns);
}

HOT void connection_limit_none(struct connection *connection)
{
	connection->until_ns = UINT64_MAX;
}

void connections_drain(struct worker *worker)
{
	struct connection *connection, *next;

	for (connection = worker->connections; connection; connection = next) {
		next = connection->next;
		if (!connection->closing)
			connection->drain(connection);
	}
}

void connections_close(struct worker *worker)
{
	const uint64_t until_ns = clock_now_ns() + NS_PER_S;

	for (struct connection *connection = worker->connections; connection;
	     connection = connection->next)
		connection_close(connection);
	while (worker->connection_count && clock_now_ns() < until_ns)
		worker_turn(worker, clock_now_ns() + NS_PER_MS);
}
