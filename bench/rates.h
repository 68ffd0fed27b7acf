/*
 * rates.h - `thaw bench --rates`: the time of invocations at given rates, for
 * each way of dispatching them.
 *
 * The rate does not depend on the invocations, as with clients that do not wait
 * for each other. An invocation that starts late, because earlier ones took
 * long, counts from when it should have started.
 */
#ifndef BENCH_RATES_H
#define BENCH_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BENCH_MODES 4
#define BENCH_RATES 7

/* One function at one rate. */
struct bench_rate {
	const char *mode;
	uint64_t rate;	   /* invocations per second */
	bool is_saturated; /* the rate cannot be kept: there are no figures */
	uint64_t count;
	double p50_us, p99_us; /* until the reply */
	double cpu_us; /* of this process per invocation, without the client's wait */
};

struct bench_rates {
	struct bench_rate points[BENCH_MODES * BENCH_RATES];
	size_t count;
};

/*
 * Measures for about @duration_ns; @restore is as in struct engine_options. Modes
 * for which this machine has no gate are left out, with a warning. Returns 0 or
 * -errno.
 */
int bench_rates_measure(const char *restore, uint64_t duration_ns,
			struct error *err, struct bench_rates *ret_rates);

#endif
