/*
 * burst.c - burst: 64 requests at once for a function that has one warm vm, over as many
 * connections. A sample is one of the 64, from before the first is sent until its reply
 * is there. Each burst has a server of its own, so that there is one vm. See row.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/client.h"
#include "bench/row.h"
#include "bench/server.h"

#define REQUESTS 64

/* The server's shells are made ahead meanwhile. */
#define PREPARE_US 300000

#define CATALOG "{\"functions\":[" BENCH_SERVER_ENTRY("64") "]}\n"

struct burst_state {
	struct bench_server *server;
	struct bench_client clients[REQUESTS];
	unsigned count; /* clients that are open */
	uint64_t times_ns[REQUESTS];
	unsigned left; /* of these, for samples to come */
};

static void leave(struct burst_state *state)
{
	while (state->count)
		bench_client_close(&state->clients[--state->count]);
	bench_server_close(state->server);
	state->server = NULL;
}

static int gather(const struct bench_setup *setup, struct burst_state *state,
		  struct error *err)
{
	const struct bench_server_options options = { .catalog = CATALOG };
	int r = bench_server_open(setup, &options, err, &state->server);

	while (!r && state->count < REQUESTS)
		r = bench_client_open(&state->clients[state->count++],
				      bench_server_path(state->server,
							LOAD_HTTP),
				      LOAD_HTTP, BENCH_SERVER_FUNCTION, err);
	if (!r)
		usleep(PREPARE_US);
	return r;
}

/* Receives replies in the order in which they come. */
static int receive_all(struct burst_state *state, uint64_t start_ns,
		       struct error *err)
{
	struct pollfd polls[REQUESTS];
	unsigned waiting = REQUESTS;
	int r = 0;

	for (unsigned i = 0; i < REQUESTS; i++)
		polls[i] = (struct pollfd){ .fd = state->clients[i].fd,
					    .events = POLLIN };
	while (!r && waiting && poll(polls, REQUESTS, -1) > 0)
		for (unsigned i = 0; i < REQUESTS && !r; i++) {
			if (polls[i].fd < 0 || !polls[i].revents)
				continue;
			r = bench_client_receive(&state->clients[i], err);
			state->times_ns[--waiting] = clock_now_ns() - start_ns;
			polls[i].fd = -1;
		}
	if (!r && waiting)
		r = error_set(err, -EIO, "waiting for a burst of replies");
	return r;
}

static int burst(const struct bench_setup *setup, struct burst_state *state,
		 struct error *err)
{
	uint64_t start_ns;
	int r = gather(setup, state, err);

	start_ns = clock_now_ns();
	for (unsigned i = 0; i < REQUESTS && !r; i++)
		r = bench_client_send(&state->clients[i], err);
	if (!r)
		r = receive_all(state, start_ns, err);
	leave(state);
	state->left = r ? 0 : REQUESTS;
	return r;
}

static int open_burst(struct bench_row *row, struct error *err)
{
	row->state = calloc(1, sizeof(struct burst_state));
	return row->state ? 0 : error_set(err, -ENOMEM, "no memory");
}

static int once(struct bench_row *row, struct error *err, uint64_t *ret_ns)
{
	struct burst_state *state = row->state;
	int r = state->left ? 0 : burst(row->setup, state, err);

	if (!r)
		*ret_ns = state->times_ns[--state->left];
	return r;
}

static void close_burst(struct bench_row *row)
{
	free(row->state);
}

const struct bench_kind bench_burst = {
	.open = open_burst,
	.once = once,
	.close = close_burst,
};
