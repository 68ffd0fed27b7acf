/*
 * served.c - rows that ask a server. socket.rtt and http.rtt: a function's
 * reply over a unix socket; socket.echo and http.echo: the server's own reply,
 * without a vm; http.throughput and http.echo.cpu: the server's CPU time per
 * request, with many under way. See row.h and served.h; http.crowd is in
 * crowd.c.
 *
 * All of them use one server, which sleeps between their turns. Client and
 * server share a CPU. Waking an idle CPU takes time that depends on how long it
 * was idle, on a virtual machine as much as an invocation takes, and it would
 * differ between a function and an echo.
 */
#include "bench/served.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/client.h"
#include "bench/server.h"

/* Connections of a row that uses many. */
#define CLIENTS_MAX 8

struct served_state {
	unsigned count; /* clients that are open */
	struct bench_client clients[CLIENTS_MAX];
};

int bench_served_find_server(const struct bench_setup *setup, struct error *err)
{
	static const struct bench_server_options options = {
		.catalog = "{\"functions\":[" BENCH_SERVER_ENTRY("4") "]}\n",
		.has_one_cpu = true,
	};
	struct bench_shared *shared = setup->shared;

	if (!shared->server && !shared->server_result)
		shared->server_result = bench_server_open(setup, &options,
							  &shared->server_error,
							  &shared->server);
	if (shared->server_result)
		*err = shared->server_error;
	return shared->server_result;
}

static const struct bench_server *served_server_of(const struct bench_row *row)
{
	return row->setup->shared->server;
}

static int served_open(struct bench_row *row, enum load_protocol protocol,
		       const char *function, unsigned count, struct error *err)
{
	struct served_state *state;
	const char *path;
	int r = bench_served_find_server(row->setup, err);

	if (r)
		return r;
	state = calloc(1, sizeof(*state));
	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	row->state = state;
	path = bench_server_path(served_server_of(row), protocol);
	while (state->count < count && !r)
		r = bench_client_open(&state->clients[state->count++], path,
				      protocol, function, err);
	return r;
}

static int open_socket_rtt(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_FRAMES, BENCH_SERVER_FUNCTION, 1, err);
}

static int open_socket_echo(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_FRAMES, BENCH_SERVER_ECHO, 1, err);
}

static int open_http_rtt(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_HTTP, BENCH_SERVER_FUNCTION, 1, err);
}

static int open_http_echo(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_HTTP, BENCH_SERVER_ECHO, 1, err);
}

static int open_many_rtt(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_HTTP, BENCH_SERVER_FUNCTION, CLIENTS_MAX,
			   err);
}

static int open_many_echo(struct bench_row *row, struct error *err)
{
	return served_open(row, LOAD_HTTP, BENCH_SERVER_ECHO, CLIENTS_MAX, err);
}

/* Client and server share a CPU from here */
int bench_served_begin(struct bench_row *row, struct error *err)
{
	(void)err;
	bench_server_share_cpu(served_server_of(row), true);
	return 0;
}

/* to here. */
void bench_served_end(struct bench_row *row)
{
	bench_server_share_cpu(served_server_of(row), false);
}

static int once_rtt(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	struct served_state *state = row->state;
	const uint64_t start_ns = clock_now_ns();
	int r = bench_client_send(&state->clients[0], err);

	if (!r)
		r = bench_client_receive(&state->clients[0], err);
	*ret_ns = clock_now_ns() - start_ns;
	return r;
}

/* Begins as above; then each client has a request under way, */
static int begin_many(struct bench_row *row, struct error *err)
{
	struct served_state *state = row->state;
	int r = bench_served_begin(row, err);

	for (unsigned i = 0; i < state->count && !r; i++)
		r = bench_client_send(&state->clients[i], err);
	return r;
}

/* to here. */
static void end_many(struct bench_row *row)
{
	struct served_state *state = row->state;

	for (unsigned i = 0; i < state->count; i++)
		bench_client_receive(&state->clients[i], NULL);
	bench_served_end(row);
}

/*
 * Serves the clients in turn. One that has its reply early waits, but meanwhile
 * the server has the others' requests to work on.
 */
static int answer_many(struct served_state *state, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < state->count && !r; i++) {
		struct bench_client *client = &state->clients[i];

		r = bench_client_receive(client, err);
		if (!r)
			r = bench_client_send(client, err);
	}
	return r;
}

/*
 * Measures the server's CPU time for one request: the time of a worker that has
 * a CPU to itself. The server's clock is exact here, because it cannot run
 * while this thread does.
 */
static int once_many(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	const struct bench_server *server = served_server_of(row);
	const uint64_t start_ns = bench_server_cpu_ns(server);
	int r = answer_many(row->state, err);

	*ret_ns = (bench_server_cpu_ns(server) - start_ns) / CLIENTS_MAX;
	return r;
}

static void served_close(struct bench_row *row)
{
	struct served_state *state = row->state;

	for (unsigned i = 0; i < state->count; i++)
		bench_client_close(&state->clients[i]);
	free(state);
}

#define RTT(how)                                                              \
	{                                                                     \
		.open = (how), .begin = bench_served_begin, .once = once_rtt, \
		.end = bench_served_end, .close = served_close,               \
	}

#define MANY(how)                                                            \
	{                                                                    \
		.open = (how), .begin = begin_many, .once = once_many,       \
		.end = end_many, .close = served_close, .many = CLIENTS_MAX, \
	}

const struct bench_kind bench_socket_rtt = RTT(open_socket_rtt);
const struct bench_kind bench_socket_echo = RTT(open_socket_echo);
const struct bench_kind bench_http_rtt = RTT(open_http_rtt);
const struct bench_kind bench_http_echo = RTT(open_http_echo);

const struct bench_kind bench_http_throughput = MANY(open_many_rtt);
const struct bench_kind bench_http_echo_cpu = MANY(open_many_echo);
