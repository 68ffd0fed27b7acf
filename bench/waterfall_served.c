/* waterfall_served.c - see waterfall_served.h. */
#include "bench/waterfall_served.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "bench/client.h"
#include "bench/files.h"
#include "bench/measure.h"
#include "bench/row.h"
#include "bench/rows.h"
#include "bench/server.h"
#include "bench/warn.h"

/* Requests until all that is learned has been learned; then what is counted. */
#define WARM_UP 100
#define COUNTED_ROUNDS 12

/*
 * One instruction at a time, a run takes longer than a worker gives it by default.
 */
#define CATALOG                                                                        \
	"{\"defaults\":{\"inline_budget\":\"1s\"},\"functions\":[" BENCH_SERVER_ENTRY( \
		"4") "]}\n"

static enum load_protocol protocol_of(enum bench_served_way way)
{
	return way == BENCH_SERVED_HTTP ? LOAD_HTTP : LOAD_FRAMES;
}

/* A client with one request at a time. */
struct asking {
	struct bench_client client;
	bool is_under_way;
};

/* Sends the next request once the reply to the last one is there. */
static int ask_next(void *cookie, struct error *err)
{
	struct asking *asking = cookie;
	struct pollfd reply = { .fd = asking->client.fd, .events = POLLIN };
	int r = 0;

	if (asking->is_under_way && poll(&reply, 1, 0) < 1)
		return 0;
	if (asking->is_under_way)
		r = bench_client_receive(&asking->client, err);
	if (!r)
		r = bench_client_send(&asking->client, err);
	asking->is_under_way = !r;
	return r ? r : 1;
}

static int ask_ahead(struct bench_client *client, struct error *err)
{
	int r = 0;

	for (int i = 0; i < WARM_UP && !r; i++) {
		r = bench_client_send(client, err);
		if (!r)
			r = bench_client_receive(client, err);
	}
	return r;
}

static int count_requests(const struct bench_server *server,
			  struct asking *asking, unsigned rounds,
			  struct error *err,
			  struct instructions *ret_instructions)
{
	struct instructions_thread thread = {
		.mark = "worker_turn",
		.at_mark = ask_next,
		.cookie = asking,
		.rounds = rounds,
		.step = bench_served_step_of,
	};
	int r = ask_ahead(&asking->client, err);

	if (!r)
		r = bench_server_find_worker(server, err, &thread.process,
					     &thread.thread);
	return r ? r :
		   instructions_count_thread(&thread, err, ret_instructions);
}

static int count_at_server(const struct bench_server *server,
			   enum bench_served_way way, unsigned rounds,
			   struct error *err,
			   struct instructions *ret_instructions)
{
	const enum load_protocol protocol = protocol_of(way);
	struct asking asking = { .is_under_way = false };
	int r = bench_client_open(&asking.client,
				  bench_server_path(server, protocol), protocol,
				  BENCH_SERVER_FUNCTION, err);

	if (!r)
		r = count_requests(server, &asking, rounds, err,
				   ret_instructions);
	bench_client_close(&asking.client);
	return r;
}

int bench_served_count(enum bench_served_way way, unsigned rounds,
		       struct error *err, struct instructions *ret_instructions)
{
	static const struct bench_server_options options = {
		.catalog = CATALOG,
		.has_one_cpu = true,
	};
	struct bench_setup setup = { .options = { .restore = NULL } };
	struct bench_server *server = NULL;
	int r = bench_files_open(&setup, err);

	if (!r)
		r = bench_server_open(&setup, &options, err, &server);
	if (!r)
		r = count_at_server(server, way, rounds, err, ret_instructions);
	bench_server_close(server);
	bench_files_close(&setup);
	return r;
}

static void count_way(enum bench_served_way way,
		      struct bench_served_count *count)
{
	struct instructions *counted = malloc(sizeof(*counted));
	struct error err = { "no memory" };

	if (!counted ||
	    bench_served_count(way, COUNTED_ROUNDS, &err, counted)) {
		bench_warn("instructions of requests are not counted: %s",
			   err.message);
		free(counted);
		return;
	}
	for (size_t i = 0; i < counted->count; i++)
		count->instructions[counted->functions[i].step] +=
			(double)counted->functions[i].count / counted->rounds;
	count->calls = (double)counted->calls / counted->rounds;
	count->code_pages = counted->pages;
	count->code_lines = counted->lines;
	free(counted);
}

static double median_ns(const struct bench_results *results, const char *name)
{
	const struct bench_result *result = bench_results_find(results, name);

	return result ? bench_result_us(result, 0.5) * 1000 : 0;
}

static int time_rows(uint64_t duration_ns, struct error *err,
		     struct bench_served *served)
{
	static const char *const names[] = { "floor.run",     "invoke.warm",
					     "http.echo.cpu", "http.throughput",
					     "socket.echo",   "socket.rtt" };
	const size_t count = sizeof(names) / sizeof(*names);
	struct bench_results results = { .count = 0 };
	struct bench_rows rows;
	int r = bench_rows_choose(names, count, err, &rows);

	if (r)
		return r;
	r = bench_rows_open(&rows, NULL, err);
	for (size_t i = 0; i < rows.count && !r; i++)
		r = bench_results_add_row(&results, rows.rows[i].name);
	if (!r)
		r = bench_measure(&rows, duration_ns, err, &results);
	bench_rows_done(&rows);
	served->floor_ns = median_ns(&results, "floor.run");
	served->warm_ns = median_ns(&results, "invoke.warm");
	served->echo_ns[BENCH_SERVED_HTTP] =
		median_ns(&results, "http.echo.cpu");
	served->whole_ns[BENCH_SERVED_HTTP] =
		median_ns(&results, "http.throughput");
	served->echo_ns[BENCH_SERVED_SOCKET] =
		median_ns(&results, "socket.echo");
	served->whole_ns[BENCH_SERVED_SOCKET] =
		median_ns(&results, "socket.rtt");
	bench_results_done(&results);
	return r;
}

int bench_served_measure(uint64_t duration_ns, struct error *err,
			 struct bench_served *ret_served)
{
	*ret_served = (struct bench_served){ .floor_ns = 0 };
	for (unsigned way = 0; way < BENCH_SERVED_WAYS; way++)
		count_way(way, &ret_served->counts[way]);
	return time_rows(duration_ns, err, ret_served);
}
