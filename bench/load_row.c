/* load_row.c - see load_row.h. */
#include "bench/load_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/load_report.h"
#include "bench/warn.h"

static enum bench_verdict load_failed(int result)
{
	switch (result) {
	case -EINVAL:
		return BENCH_BAD_LOAD;
	case -ENOMEM:
		return BENCH_FAILED;
	case -EMFILE:
		return BENCH_UNABLE;
	default:
		return BENCH_NO_SERVER;
	}
}

/* Returns the status of most replies. */
static unsigned most_frequent(const struct load_tally *tally)
{
	unsigned most = 0;

	for (unsigned i = 0; i < LOAD_STATUS_MAX; i++)
		if (tally->statuses[i] > tally->statuses[most])
			most = i;
	return most;
}

/* Warns that no request went well, and says what most replies were. */
static void tell_unanswered(const struct load_options *options,
			    const struct load_tally *tally,
			    struct bench_end *end)
{
	const enum load_protocol protocol = options->target->protocol;
	const unsigned status = most_frequent(tally);
	char text[LOAD_STATUS_TEXT_MAX];

	if (!tally->errors) {
		bench_warn("%s: no reply to any request",
			   options->target->text);
		return;
	}
	bench_warn("%s: no request went well: of %" PRIu64 " replies, %" PRIu64
		   " say: %s",
		   options->target->text, tally->errors,
		   tally->statuses[status],
		   load_status_text(protocol, status, text));
	end->is_http = protocol == LOAD_HTTP;
	end->status = status;
}

/* Warns of what the figures do not show. */
static void warn(const struct load_options *options,
		 const struct load_result *result)
{
	if (result->connections < options->connections)
		bench_warn("only %zu of %zu connections could be opened: %s",
			   result->connections, options->connections,
			   strerror(result->connect_error ?
					    -result->connect_error :
					    ETIMEDOUT));
	if (result->tally.unsent)
		bench_warn("the rate was not kept: %" PRIu64
			   " requests were due, but no connection was free "
			   "until the end; they are in no percentile",
			   result->tally.unsent);
}

/* Fills the row, with one round. */
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

static enum bench_verdict measure_load(const struct bench_load *what,
				       const struct load_options *options,
				       struct bench_results *results,
				       struct json_t **ret_load,
				       struct bench_end *end)
{
	struct load_result *result;
	int r = load_run(options, &end->error, &result);

	if (r)
		return load_failed(r);
	warn(options, result);
	*ret_load = bench_load_json(what->function, options, result);
	r = put_results(results, result);
	if (!result->tally.ok)
		tell_unanswered(options, &result->tally, end);
	load_result_free(result);
	if (*ret_load && !r)
		return BENCH_OK;
	error_set(&end->error, -ENOMEM, "no memory for the results");
	return BENCH_FAILED;
}

static struct load_options load_options_of(const struct bench_load *what,
					   uint64_t duration_ns)
{
	struct load_options options = {
		.connections = what->connections ? what->connections : 1,
		.threads = what->threads ? what->threads : 1,
		.rate = what->rate,
		.arrivals = what->is_poisson ? LOAD_POISSON : LOAD_UNIFORM,
		.warm_up_ns = what->warm_up_ns,
		.duration_ns = duration_ns,
		.drain_ns = LOAD_DRAIN_NS,
	};

	if (options.threads > options.connections)
		options.threads = (unsigned)options.connections;
	return options;
}

static enum bench_verdict make_request(const struct bench_load *what,
				       const struct load_target *target,
				       struct bench_end *end,
				       struct load_request *request)
{
	int r = load_request_make(request, target, what->function,
				  what->content_type, what->data, what->size);

	if (!r)
		return BENCH_OK;
	if (r == -ENOMEM) {
		error_set(&end->error, r, "no memory for the request");
		return BENCH_FAILED;
	}
	error_set(&end->error, r,
		  "\"%s\", or the content type, is nothing that can be sent",
		  what->function);
	return BENCH_BAD_LOAD;
}

enum bench_verdict bench_load_measure(const struct bench_load *what,
				      uint64_t duration_ns,
				      struct bench_results *results,
				      struct json_t **ret_load,
				      struct bench_end *end)
{
	struct load_options options = load_options_of(what, duration_ns);
	enum bench_verdict verdict;
	struct load_request request;
	struct load_target target;
	int r;

	r = what->url ?
		    load_target_find_url(what->url, &end->error, &target) :
		    load_target_find_socket(what->socket, &end->error, &target);
	if (r)
		return load_failed(r);
	verdict = make_request(what, &target, end, &request);
	if (verdict)
		return verdict;
	options.target = &target;
	options.request = &request;
	verdict = measure_load(what, &options, results, ret_load, end);
	load_request_done(&request);
	return verdict;
}
