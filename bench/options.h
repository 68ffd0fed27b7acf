/*
 * options.h - the command line of `thaw bench`.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/cli/cli.h"

/* An option that may be repeated may be given so often. */
#define BENCH_REPEATED_MAX 64

struct bench_texts {
	const char *values[BENCH_REPEATED_MAX];
	size_t count;
};

/* NULL, 0 and false where an option was not given. */
struct bench_options {
	struct bench_texts only, merge, fail_if;
	uint64_t duration_ns;
	const char *restore;
	const char *save;
	const char *plot;
	const char *baseline;
	bool json;
	bool rates;
	bool neighbours;

	/* Load on a server. */
	const char *function; /* the operand; NULL: measure the rows */
	const char *url, *socket;
	uint64_t connections, threads, rate;
	uint64_t warm_up_ns;
	const char *arrivals;
	const char *data, *content_type;
};

/* Prints @message, and where to find help. Returns CLI_USAGE. */
int bench_usage_error(const char *message);

/*
 * Reads the command line of @verb, which is cmd_bench, and refuses what does
 * not go together. CLI_GO_ON, or an exit code.
 */
int bench_options_parse(const struct cli_verb *verb, int argc, char **argv,
			struct bench_options *ret_options);

/* The parts of the verb that its help is made of. */
extern const struct cli_option bench_option_table[];
extern const char bench_about[];
extern const char bench_examples[];

#endif
