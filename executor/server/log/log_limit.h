/*
 * log_limit.h - how many log lines one cause may write. log.h uses it: see
 * log_may().
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_LIMIT_H
#define EXECUTOR_SERVER_LOG_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Lines of one cause, if it is not a function's: in a second, and at once. */
#define LOG_LIMIT_PER_SECOND 10
#define LOG_LIMIT_BURST 100

/*
 * How many lines of one cause are written: @burst at once, then @per_second.
 * Those beyond are counted, and the log's thread tells their number a second
 * after the first of them. Any thread; takes no lock for most of the lines.
 */
struct log_limit {
	unsigned per_second, burst; /* 1 or more */
	const char *cause;	    /* in words; static */
	const char *function;	    /* whose, or NULL; borrowed */

	_Atomic uint64_t until_ns; /* when a whole burst may come again */
	_Atomic uint64_t lost;	   /* and not told */
	struct log_limit *next;	   /* the log's, of those with lost lines */
};

#define LOG_LIMIT_OF(what)                                                    \
	{                                                                     \
		.per_second = LOG_LIMIT_PER_SECOND, .burst = LOG_LIMIT_BURST, \
		.cause = (what)                                               \
	}

/* Takes one line of @limit, at @now_ns, if there is one left. Any thread. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ns);

#endif
