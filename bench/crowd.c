/*
 * crowd.c - http.crowd: the server's CPU time for a good reply while 4,096
 * clients have a request under way, each on its own connection. served.c
 * measures the same with eight clients. See row.h.
 *
 * The server may refuse a request. That is no error of the row, but it takes
 * CPU time and gives no good reply, so a server that refuses many requests has
 * a worse figure.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/client.h"
#include "bench/row.h"
#include "bench/served.h"
#include "bench/server.h"

#define CROWD 4096

/*
 * Limit of open files that the row needs: the server uses half of its limit,
 * less a reserve, for connections.
 */
#define CROWD_FILES 10000

struct crowd_state {
	/* the request and the reply; fd is set to each connection in turn */
	struct bench_client client;
	unsigned count; /* connections that are open */
	int fds[CROWD];
};

/* The server raises its own limit in the same way. */
static int crowd_allow_files(struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return error_set(err, -errno, "cannot read RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max >= CROWD_FILES && !setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	return error_set(err, -EOPNOTSUPP,
			 "%d connections, and the server's, take a limit of "
			 "%d open files: raise it (ulimit -Hn)",
			 CROWD, CROWD_FILES);
}

/*
 * Connects one after the other: connect() waits while the server's backlog is
 * full.
 */
static int connect_all(struct crowd_state *state,
		       const struct bench_server *server, struct error *err)
{
	const char *path = bench_server_path(server, LOAD_HTTP);
	int r = bench_client_open(&state->client, path, LOAD_HTTP,
				  BENCH_SERVER_FUNCTION, err);

	if (!r)
		state->fds[state->count++] = state->client.fd;
	while (!r && state->count < CROWD) {
		r = bench_client_connect(path, LOAD_HTTP, err,
					 &state->fds[state->count]);
		if (!r)
			state->count++;
	}
	return r;
}

static int open_crowd(struct bench_row *row, struct error *err)
{
	struct crowd_state *state;
	int r = crowd_allow_files(err);

	if (!r)
		r = bench_served_find_server(row->setup, err);
	if (r)
		return r;
	state = calloc(1, sizeof(*state));
	if (!state)
		return error_set(err, -ENOMEM, "no memory");
	state->client.fd = -1;
	row->state = state;
	return connect_all(state, row->setup->shared->server, err);
}

static void close_crowd(struct bench_row *row)
{
	struct crowd_state *state = row->state;

	for (unsigned i = 0; i < state->count; i++)
		close(state->fds[i]);
	state->client.fd = -1;
	bench_client_close(&state->client);
	free(state);
}

static int send_all(struct crowd_state *state, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < CROWD && !r; i++) {
		state->client.fd = state->fds[i];
		r = bench_client_send(&state->client, err);
	}
	return r;
}

static bool is_refused(unsigned status)
{
	return status == 429 || status == 503;
}

static int receive_all(struct crowd_state *state, struct error *err,
		       unsigned *ret_good)
{
	struct bench_client *client = &state->client;
	int r = 0;

	*ret_good = 0;
	for (unsigned i = 0; i < CROWD && !r; i++) {
		client->fd = state->fds[i];
		r = bench_client_take(client, err);
		if (r || is_refused(client->reply.status))
			continue;
		r = bench_client_judge(client, err);
		++*ret_good;
	}
	if (!r && !*ret_good)
		r = error_set(err, -EPROTO, "the server refuses all of %d",
			      CROWD);
	return r;
}

static int once_crowd(struct bench_row *row, struct error *err,
		      uint64_t *ret_ns)
{
	const struct bench_server *server = row->setup->shared->server;
	const uint64_t start_ns = bench_server_cpu_ns(server);
	unsigned good;
	int r = send_all(row->state, err);

	if (!r)
		r = receive_all(row->state, err, &good);
	if (!r)
		*ret_ns = (bench_server_cpu_ns(server) - start_ns) / good;
	return r;
}

const struct bench_kind bench_http_crowd = {
	.open = open_crowd,
	.begin = bench_served_begin,
	.once = once_crowd,
	.end = bench_served_end,
	.close = close_crowd,
	.many = CROWD,
};
