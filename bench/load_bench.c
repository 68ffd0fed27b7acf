/* load_bench.c - see load_bench.h. */
#include "bench/load_bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/request_data.h"
#include "executor/protocol/frame.h"

static int error_code(int result, const struct error *error)
{
	cli_error("%s", error->message);
	switch (result) {
	case -EINVAL:
		return CLI_USAGE;
	case -ENOMEM:
		return CLI_INTERNAL;
	case -EMFILE:
		return CLI_ENVIRONMENT;
	default:
		return CLI_CONNECT;
	}
}

/* The status that most replies have. */
static unsigned most_frequent(const struct load_tally *tally)
{
	unsigned most = 0;

	for (unsigned i = 0; i < LOAD_STATUS_MAX; i++)
		if (tally->statuses[i] > tally->statuses[most])
			most = i;
	return most;
}

/* What `thaw invoke` would exit with. */
static int http_code(unsigned status)
{
	switch (status) {
	case 404:
		return CLI_NOT_FOUND;
	case 413:
		return CLI_USAGE;
	case 429:
		return CLI_THROTTLED;
	case 504:
		return CLI_TIMEOUT;
	default:
		return CLI_FUNCTION;
	}
}

static int frame_code(unsigned status)
{
	switch (status) {
	case FRAME_FAULT:
		return CLI_FAULT;
	case FRAME_TIMEOUT:
		return CLI_TIMEOUT;
	case FRAME_BAD_REQUEST:
	case FRAME_TOO_LARGE:
		return CLI_USAGE;
	case FRAME_NOT_FOUND:
		return CLI_NOT_FOUND;
	case FRAME_THROTTLED:
		return CLI_THROTTLED;
	case FRAME_FAILED:
		return CLI_INTERNAL;
	default:
		return CLI_FUNCTION;
	}
}

/* Of a run in which nothing went well. */
static int failure_code(const struct load_options *options,
			const struct load_tally *tally)
{
	const enum load_protocol protocol = options->target->protocol;
	const unsigned status = most_frequent(tally);
	char text[LOAD_STATUS_TEXT_MAX];

	if (!tally->errors) {
		cli_error("%s: no reply to any request", options->target->text);
		return CLI_CONNECT;
	}
	cli_error("%s: no request went well: of %" PRIu64 " replies, %" PRIu64
		  " say: %s",
		  options->target->text, tally->errors, tally->statuses[status],
		  load_status_text(protocol, status, text));
	return protocol == LOAD_HTTP ? http_code(status) : frame_code(status);
}

/* What would go unnoticed in the figures. */
static void warn(const struct load_options *options,
		 const struct load_result *result)
{
	if (result->connections < options->connections)
		cli_error("only %zu of %zu connections could be opened: %s",
			  result->connections, options->connections,
			  strerror(result->connect_error ?
					   -result->connect_error :
					   ETIMEDOUT));
	if (result->tally.unsent)
		cli_error("the rate was not kept: %" PRIu64
			  " requests were due, but no connection was free "
			  "until the end; they are in no percentile",
			  result->tally.unsent);
}

/* The row, with one round. */
static int put_results(struct bench_results *results,
		       const struct load_result *result)
{
	struct bench_result *row = &results->rows[0];

	results->runs = 1;
	if (!result->tally.ok) {
		free(row->histogram);
		free(row->round_p50_ns);
		results->count = 0;
		return 0;
	}
	*row->histogram = result->tally.latency;
	row->cpu_ns = result->cpu_ns;
	if (bench_results_add_round(results))
		return -ENOMEM;
	row->round_p50_ns[0] =
		(double)histogram_percentile(row->histogram, 0.50);
	return 0;
}

static int run_load(const struct bench_options *options,
		    const struct load_options *load,
		    struct bench_results *results, struct json_t **ret_load,
		    int *ret_outcome)
{
	struct load_result *result;
	struct error error;
	int r = load_run(load, &error, &result);

	if (r)
		return error_code(r, &error);
	warn(load, result);
	*ret_load = bench_load_json(options, load, result);
	r = put_results(results, result);
	*ret_outcome = result->tally.ok ? CLI_OK :
					  failure_code(load, &result->tally);
	load_result_free(result);
	if (*ret_load && !r)
		return CLI_GO_ON;
	cli_error("no memory for the results");
	return CLI_INTERNAL;
}

static struct load_options load_options_of(const struct bench_options *my)
{
	struct load_options load = {
		.connections = my->connections ? my->connections : 1,
		.threads = my->threads ? (unsigned)my->threads : 1,
		.rate = my->rate,
		.warm_up_ns = my->warm_up_ns,
		.duration_ns = my->duration_ns,
		.drain_ns = LOAD_DRAIN_NS,
	};

	if (my->arrivals && !strcmp(my->arrivals, "poisson"))
		load.arrivals = LOAD_POISSON;
	if (load.threads > load.connections)
		load.threads = (unsigned)load.connections;
	return load;
}

static int make_request(const struct bench_options *options,
			const struct load_target *target,
			struct load_request *request)
{
	struct request_data data;
	int code = request_data_read(options->data, &data), r;

	if (code != CLI_GO_ON)
		return code;
	r = load_request_make(request, target, options->function,
			      options->content_type, data.data, data.size);
	request_data_done(&data);
	if (!r)
		return CLI_GO_ON;
	if (r == -ENOMEM) {
		cli_error("no memory for the request");
		return CLI_INTERNAL;
	}
	cli_error("\"%s\", or the content type, is nothing that can be sent",
		  options->function);
	return CLI_USAGE;
}

int bench_load(const struct bench_options *options,
	       struct bench_results *results, struct json_t **ret_load,
	       int *ret_outcome)
{
	struct load_options load = load_options_of(options);
	struct load_request request;
	struct load_target target;
	struct error error;
	int code, r;

	r = options->url ?
		    load_target_find_url(options->url, &error, &target) :
		    load_target_find_socket(options->socket, &error, &target);
	if (r)
		return error_code(r, &error);
	code = make_request(options, &target, &request);
	if (code != CLI_GO_ON)
		return code;
	load.target = &target;
	load.request = &request;
	code = run_load(options, &load, results, ret_load, ret_outcome);
	load_request_done(&request);
	return code;
}
