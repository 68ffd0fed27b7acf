/* threads.h - what threads.c and threads_raw.c share. */
#ifndef TESTS_LINUX_THREADS_H
#define TESTS_LINUX_THREADS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ends the program, from any thread, with a reply that says what was wrong. */
#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			fflush(stdout);                              \
			_exit(0);                                    \
		}                                                    \
	} while (0)

struct command {
	const char *name;
	void (*run)(void);
};

/* System calls about threads, made as no C library makes them. */
extern const struct command raw_commands[];
extern const size_t raw_command_count;

#endif
