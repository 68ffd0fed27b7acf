/*
 * cmd_bench.c - `thaw bench`: measures the cost of invocations on this machine,
 * and the least that they could cost. bench/ measures and reports; this file
 * chooses what to measure, and turns the verdict into an exit code.
 */
#include <errno.h>
#include <string.h>

#include "bench/bench.h"
#include "executor/cli/bench_options.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/request_data.h"
#include "executor/cli/verbs.h"
#include "executor/protocol/frame.h"

/* Returns what `thaw invoke` would exit with. */
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

static int unanswered_code(const struct bench_end *end)
{
	if (!end->status)
		return CLI_CONNECT;
	return end->is_http ? http_code(end->status) : frame_code(end->status);
}

static int bench_failure_code(const struct bench_end *end)
{
	switch (end->verdict) {
	case BENCH_BAD_FILE:
		return end->result == -EINVAL ? CLI_USAGE :
						cli_open_code(end->result);
	case BENCH_BAD_LOAD:
		return CLI_USAGE;
	case BENCH_NO_SERVER:
		return CLI_CONNECT;
	case BENCH_UNABLE:
		return CLI_ENVIRONMENT;
	default:
		return CLI_INTERNAL;
	}
}

/* Prints the message, if there is one, and returns the exit code. */
static int bench_exit_code(const struct bench_end *end)
{
	switch (end->verdict) {
	case BENCH_OK:
		return CLI_OK;
	case BENCH_REGRESSION:
		return CLI_REGRESSION;
	case BENCH_UNANSWERED:
		return unanswered_code(end);
	case BENCH_MISUSE:
		return bench_usage_error(end->error.message);
	case BENCH_NO_KVM:
		return cli_no_kvm(&end->error);
	default:
		cli_error("%s", end->error.message);
		return bench_failure_code(end);
	}
}

static int bench_put_load(const struct bench_arguments *my)
{
	struct request_data data;
	struct bench_end end;
	int code = request_data_read(my->data, &data);
	const struct bench_load load = {
		.function = my->function,
		.url = my->url,
		.socket = my->socket,
		.connections = my->connections,
		.threads = (unsigned)my->threads,
		.rate = my->rate,
		.is_poisson = my->arrivals && !strcmp(my->arrivals, "poisson"),
		.warm_up_ns = my->warm_up_ns,
		.data = data.data,
		.size = data.size,
		.content_type = my->content_type,
	};

	if (code == CLI_GO_ON) {
		bench_run_load(&my->options, &load, &end);
		code = bench_exit_code(&end);
	}
	request_data_done(&data);
	return code;
}

static int bench_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct bench_arguments my;
	struct bench_end end;
	int code = bench_arguments_parse(verb, argc, argv, &my);

	if (code != CLI_GO_ON)
		return code;
	if (my.function)
		return bench_put_load(&my);
	if (my.density)
		bench_run_density(&my.options, &end);
	else if (my.waterfall)
		bench_run_waterfall(&my.options, &end);
	else if (my.neighbours)
		bench_run_neighbours(&my.options, &end);
	else if (my.rates)
		bench_run_rates(&my.options, &end);
	else if (my.merge.count)
		bench_run_merge(&my.options, &my.merge, &end);
	else
		bench_run_rows(&my.options, &end);
	return bench_exit_code(&end);
}

const struct cli_verb cmd_bench = {
	.name = "bench",
	.operand = "[NAME]",
	.summary = "measure invocations here, or put load on a server",
	.about = bench_about,
	.examples = bench_examples,
	.options = bench_option_table,
	.run = bench_run,
};
