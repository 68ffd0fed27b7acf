/*
 * rates.h - `thaw bench --rates`: how long invocations take that come at
 * a rate, for each way of dispatching them.
 *
 * The rate is kept whatever becomes of the invocations, as by clients that do
 * not wait for each other: one that starts late because those before it took
 * long counts from when it should have started.
 */
#ifndef BENCH_RATES_H
#define BENCH_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BENCH_RATE_MODES 4
#define BENCH_RATE_RATES 7

/* One function at one rate. */
struct bench_rate {
	const char *mode;
	uint64_t rate;	   /* invocations in a second */
	bool is_saturated; /* so many cannot be made: there are no figures */
	uint64_t count;
	double p50_us, p99_us; /* until the reply */
	double cpu_us; /* of this process for one, without the client's wait */
};

struct bench_rates {
	struct bench_rate points[BENCH_RATE_MODES * BENCH_RATE_RATES];
	size_t count;
};

/*
 * Measures for about @duration_ns; @restore as in struct engine_options. Modes
 * for which this machine has no gate are left out, and standard error says why.
 * 0 or -errno.
 */
int bench_rates_measure(const char *restore, uint64_t duration_ns,
			struct error *err, struct bench_rates *ret_rates);

#endif
