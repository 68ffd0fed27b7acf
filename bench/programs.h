/*
 * programs.h - programs of Debian, and samples of thaw's, that some rows run: as functions,
 * as processes, and as processes in bubblewrap.
 */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include <stddef.h>

struct bench_program {
	const char *path; /* a relative one starts where thaw's own file is */
	/* Both end with NULL; the first is the program's name. */
	const char *const *arguments;
	/* of the process, if the function asks for its requests at /dev/thaw */
	const char *const *process_arguments;
	const char *input;
	size_t repeat; /* the input is so many times that text */
};

extern const struct bench_program bench_awk, bench_bash, bench_gawk, bench_jq,
	bench_lua, bench_perl, bench_primes, bench_python, bench_sqlite3,
	bench_stock;

/* The most bytes that an input has. */
#define BENCH_INPUT_MAX 4096

/* Writes the program's input to @to; returns its size. */
size_t bench_program_input(const struct bench_program *program,
			   char to[static BENCH_INPUT_MAX]);

#endif
