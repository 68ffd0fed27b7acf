/* fds_common.h - what the files of fds.c have in common. */
#ifndef TESTS_LINUX_FDS_COMMON_H
#define TESTS_LINUX_FDS_COMMON_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)

#define FAILS(call, error) expect_error((long)(call), error, __LINE__)

/* Of the request. */
extern long number;

/* Ends the program if @result is not that of a call which fails with @error. */
void expect_error(long result, int error, int line);

void do_timer(void);
void do_epoll(void);
void do_edge(void);
void do_nested(void);
void do_masks(void);
void do_threads(void);
void do_cut(void);
void do_limits(void);
void do_refused(void);

#endif
