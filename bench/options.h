/*
 * options.h - what a run of `thaw bench` is to do, and how it ended. See bench.h.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Most values of an option that may be repeated. */
#define BENCH_REPEATED_MAX 64

/* Upper limits of a load: connections, threads, requests per second. */
#define BENCH_CONNECTIONS_MAX 10000
#define BENCH_THREADS_MAX 64
#define BENCH_RATE_MAX 10000000

/* The values of an option that may be repeated; borrowed. */
struct bench_texts {
	const char *values[BENCH_REPEATED_MAX];
	size_t count;
};

/*
 * What to measure, and what becomes of the figures. All texts are borrowed;
 * NULL, 0 and false mean the default.
 */
struct bench_options {
	uint64_t duration_ns;	 /* of the whole measurement; default 10 s */
	struct bench_texts only; /* rows, or kinds of hostile functions */
	const char *restore;	 /* "copy", the default, or "remap" */

	bool json;		    /* the report's form: JSON, not a table */
	const char *save;	    /* file for all that was measured */
	const char *plot;	    /* directory for pictures */
	const char *baseline;	    /* file of a report to compare with */
	struct bench_texts fail_if; /* limits, as limit.h has them */
};

/* The load that bench_run_load() puts on a server. All texts are borrowed. */
struct bench_load {
	const char *function;
	const char *url;    /* the server's, of HTTP; or */
	const char *socket; /* its path, of the socket protocol */
	size_t connections; /* default 1 */
	unsigned threads;   /* default 1 */
	uint64_t rate;	    /* requests per second; 0: each waits for a reply */
	bool is_poisson;    /* the requests of a rate come at random */
	uint64_t warm_up_ns; /* of load that does not count */
	const void *data;    /* the request, of so many bytes */
	size_t size;
	const char *content_type; /* default none */
};

enum bench_verdict {
	BENCH_OK = 0,
	/* The report is complete, and standard error says what is wrong. */
	BENCH_REGRESSION, /* a limit does not hold */
	BENCH_UNANSWERED, /* no request of the load went well */
	/* Otherwise bench_end.error says what is wrong. */
	BENCH_MISUSE,	 /* there is no such row, kind, or limit */
	BENCH_BAD_FILE,	 /* a file cannot be read, used or made: see result */
	BENCH_BAD_LOAD,	 /* no such address, or no such request can be sent */
	BENCH_NO_SERVER, /* nothing accepts connections there */
	BENCH_NO_KVM,
	BENCH_UNABLE, /* this machine cannot measure, or not draw */
	BENCH_FAILED,
};

/* How a run ended. */
struct bench_end {
	enum bench_verdict verdict;
	struct error error;
	int result; /* of BENCH_BAD_FILE: -errno; -EINVAL: its contents */

	/* Of BENCH_UNANSWERED: the status of most replies; 0: there were none */
	bool is_http; /* it is a status of HTTP, not enum frame_status */
	unsigned status;
};

#endif
