/* connection.c - the common part of connections. See connection.h. */
#include "executor/server/connection.h"

#include <unistd.h>

#include "base/clock.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/metrics.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

static void on_closed(struct io_stream *stream)
{
	struct connection *connection = (struct connection *)stream;
	struct worker *worker = connection->worker;

	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	worker->connection_count--;
	metrics_subtract(&worker->server->metrics.connections, 1);
	connection->free(connection);
}

/* Whoever administers is let in though the others have taken all places. */
static bool is_full(struct worker *worker)
{
	struct server *server = worker->server;
	uint64_t most = server->options.max_connections;

	if (worker == &server->main)
		most += SERVER_ADMIN_CONNECTIONS;
	return metrics_get(&server->metrics.connections) >= most;
}

void connection_open_account(struct connection *connection,
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
	clients_leave(&connection->worker->server->clients, connection->client);
	connection->client = NULL;
}

bool connection_open(struct connection *connection, struct worker *worker,
		     int fd)
{
	struct metrics_server *metrics = &worker->server->metrics;

	metrics_add(&metrics->connections_total, 1);
	if (is_full(worker)) {
		metrics_add(&metrics->connections_refused, 1);
		close(fd);
		return false;
	}
	metrics_add(&metrics->connections, 1);
	connection->worker = worker;
	connection->next = worker->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	connection->link = &worker->connections;
	worker->connections = connection;
	worker->connection_count++;
	connection->client = clients_enter(&worker->server->clients, fd);
	connection_open_account(connection, &connection->account);
	connection->stream.account = &connection->account;
	connection->stream.closed = on_closed;
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

void connection_limit(struct connection *connection, uint64_t limit_ns)
{
	if (connection->closing)
		return;
	timer_set(&connection->worker->timers, &connection->timer,
		  clock_now_ns() + limit_ns);
}
