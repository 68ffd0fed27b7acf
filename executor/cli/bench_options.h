/*
 * bench_options.h - the command line of `thaw bench`: its options, its help,
 * and which options exclude each other.
 */
#ifndef EXECUTOR_CLI_BENCH_OPTIONS_H
#define EXECUTOR_CLI_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/bench.h"
#include "executor/cli/options.h"

/* NULL, 0 or false: the option was not given. */
struct bench_arguments {
	struct bench_options options;
	struct bench_texts merge;
	bool rates;
	bool neighbours;
	bool waterfall;
	bool density;

	/* Load on a server. */
	const char *function; /* the operand; NULL: measure the rows */
	const char *url, *socket;
	uint64_t connections, threads, rate;
	uint64_t warm_up_ns;
	const char *arrivals;
	const char *data, *content_type;
};

/* Prints @message and where to find help. Returns CLI_USAGE. */
int bench_usage_error(const char *message);

/*
 * Reads the command line of @verb, which is cmd_bench, and refuses options that
 * exclude each other. Returns CLI_GO_ON, or an exit code after a message.
 */
int bench_arguments_parse(const struct cli_verb *verb, int argc, char **argv,
			  struct bench_arguments *ret_arguments);

/* The parts of the verb that its help is made of. */
extern const struct cli_option bench_option_table[];
extern const char bench_about[];
extern const char bench_examples[];

#endif
