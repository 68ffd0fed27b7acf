/*
 * log_limit.h - how many log lines one cause may write. log.h uses it: see
 * log_may().
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_LIMIT_H
#define EXECUTOR_SERVER_LOG_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The limit of a cause that is not a function's: lines a second, and at once. */
#define LOG_LIMIT_PER_SECOND 10
#define LOG_LIMIT_BURST 100

/*
 * One cause may write @burst lines at once, then @per_second. Lines beyond that are
 * counted, and a second after the first of them the log's thread logs the count.
 * Any thread; most lines take no lock.
 */
struct log_limit {
	unsigned per_second, burst; /* 1 or more */
	const char *cause;	    /* in words; static */
	const char *function;	    /* whose, or NULL; borrowed */

	_Atomic uint64_t until_ns; /* when a whole burst may come again */
	_Atomic uint64_t lost;	   /* and not logged */
	struct log_limit *next;	   /* the log's: the next that has lost lines */
};

#define LOG_LIMIT_OF(what)                                                    \
	{                                                                     \
		.per_second = LOG_LIMIT_PER_SECOND, .burst = LOG_LIMIT_BURST, \
		.cause = (what)                                               \
	}

/* Takes one line at @now_ns, and returns true, if there is one left. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ns);

#endif
