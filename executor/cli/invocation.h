/*
 * invocation.h - invokes a function for a person: what `invoke` and `run` have
 * in common, wherever the function runs.
 */
#ifndef EXECUTOR_CLI_INVOCATION_H
#define EXECUTOR_CLI_INVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/cli/options.h"
#include "executor/cli/request_http.h"
#include "executor/engine.h"
#include "executor/libthaw.h"

/* Most invocations of one command, which keeps 8 bytes for each time. */
#define INVOCATION_REPEAT_MAX 1000000

struct invocation_options {
	const char *data; /* for request_data_read() */
	const char *content_type;
	struct request_http http;
	const char *output; /* file of the reply; NULL or "-": stdout */
	uint64_t timeout_ns;
	uint64_t repeat; /* 0: once, and no summary */
	bool include;	 /* print metadata before the reply */
	bool verbose;	 /* print metadata on standard error */
	bool trace;	 /* print on standard error where the time went */

	const char *polling_cores; /* a number; NULL: the library's default */

	/* `thaw run` has a program behave as if it ran without thaw */
	bool is_program;
	bool strace; /* print its system calls on standard error */

	/* for the library: see struct engine_options */
	const char *dirty;
	const char *restore;
	bool verify;
	struct cli_state state;
};

/* The options both verbs have, for their tables. */
/* clang-format off */
#define INVOCATION_OPTION(letter, name, argument, help, set, type, member, max)\
	{ letter, name, argument, help, set,                                  \
	  offsetof(type, invocation.member), max }
#define INVOCATION_OPTIONS(type)                                              \
	INVOCATION_OPTION('d', "data", "DATA",                                \
		"the request: DATA itself, @FILE for a file's\n"              \
		"contents, - for standard input; default empty",              \
		cli_set_text, type, data, 0),                                 \
	INVOCATION_OPTION('t', "content-type", "TYPE",                        \
		"the request's content type; default none",                   \
		cli_set_text, type, content_type, 0),                         \
	INVOCATION_OPTION(0, "method", "METHOD",                              \
		"the request's method in HTTP; default POST",                 \
		request_set_method, type, http, 0),                           \
	INVOCATION_OPTION(0, "path", "PATH",                                  \
		"the path after the function's name, such as\n" \
		"/users/42",                                                  \
		request_set_path, type, http, 0),                             \
	INVOCATION_OPTION(0, "query", "NAME=VALUE",                           \
		"the query of the URL; may be repeated",          \
		request_set_query, type, http, 0),                            \
	INVOCATION_OPTION(0, "header", "'NAME: VALUE'",                       \
		"a header of the request; may be repeated",                   \
		request_set_header, type, http, 0),                           \
	INVOCATION_OPTION(0, "repeat", "N",                                   \
		"invoke N times (up to 1000000), check that all\n" \
		"replies are the same, print the last one; print\n" \
		"times and memory on standard error",                               \
		cli_set_count, type, repeat, INVOCATION_REPEAT_MAX),          \
	INVOCATION_OPTION('i', "include", NULL,                               \
		"print metadata before the reply",                            \
		cli_set_flag, type, include, 0),                              \
	INVOCATION_OPTION('o', "output", "FILE",                              \
		"write the reply to FILE; - is standard output,\n" \
		"even if it is a terminal and the reply is not text",           \
		cli_set_text, type, output, 0),                               \
	INVOCATION_OPTION('v', "verbose", NULL,                               \
		"print metadata on standard error",                           \
		cli_set_flag, type, verbose, 0),                              \
	INVOCATION_OPTION(0, "trace", NULL,                                   \
		"print where the time went, on standard error",               \
		cli_set_flag, type, trace, 0),                                \
	INVOCATION_OPTION(0, "strace", NULL,                                  \
		"print a Linux program's system calls, on standard\n" \
		"error",                                                      \
		cli_set_flag, type, strace, 0),                               \
	CLI_OPTIONS_STATE(type, invocation.state.directory,                   \
			  invocation.state.max),                              \
	INVOCATION_OPTION(0, "polling-cores", "N",                            \
		"keep at most N CPUs busy with polled functions;\n" \
		"0 is none; default half of the CPUs",                       \
		invocation_set_cores, type, polling_cores, 0),                \
	INVOCATION_OPTION(0, "dirty", "auto|ring|bitmap|tables",              \
		"how to track writes of the guest",                       \
		cli_set_text, type, dirty, 0),                                \
	INVOCATION_OPTION(0, "restore", "copy|remap",                         \
		"how to restore memory: copy, or, for comparison,\n" \
		"remap",                                                \
		cli_set_text, type, restore, 0),                              \
	INVOCATION_OPTION(0, "verify", NULL,                                  \
		"compare all memory after each restore; slow",                \
		cli_set_flag, type, verify, 0)
/* clang-format on */

struct answer;
struct request_data;

/* Invokes functions in one of the ways. */
struct invoker {
	/*
	 * Invokes once. Returns CLI_OK and the answer, or an exit code after a
	 * message. The answer is valid until end() or the next invocation.
	 */
	int (*invoke)(void *cookie, const char *function,
		      const struct thaw_invoke_request *request,
		      struct answer *ret_answer);
	/* Releases the answer; @last: it was shown. May be NULL. */
	void (*end)(void *cookie, bool last);
	void *cookie;
	bool remote; /* a server runs them */
};

/* Added to the exit status of a program, to tell it from other exit codes. */
#define INVOCATION_ENDED 256

/*
 * Invokes as @options say, and prints. Returns the exit code; if @options->is_program,
 * and the program has ended, its exit status and INVOCATION_ENDED.
 */
int invocation_perform(const struct invoker *invoker, const char *function,
		       const struct request_data *data,
		       const struct invocation_options *options);

/* Sets --polling-cores: a cli_set_fn. */
int invocation_set_cores(const struct cli_option *option, const char *value,
			 void *target);

#endif
