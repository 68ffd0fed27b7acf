/* rates.c - invokes at rates. See rates.h. */
#include "bench/rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bench/files.h"
#include "bench/histogram.h"
#include "bench/invoke.h"
#include "bench/warn.h"
#include "vm/poll.h"

/* The client sleeps until a request is due if that takes longer than this. */
#define SLEEP_MIN_NS (200 * NS_PER_US)
/* It spins for the last part, because sleepers wake late. */
#define SPIN_NS (100 * NS_PER_US)

/*
 * A rate is not kept when a request is later than this, or than half of the
 * time per rate.
 */
#define BEHIND_NS (100 * NS_PER_MS)

/* Invocations at each rate that do not count: dispatch adapts to the rate. */
#define WARM_UP 16

static const struct mode {
	const char *name;
	struct bench_function function;
} modes[BENCH_MODES] = {
	{ "exit",
	  { .entry = "empty",
	    .vms = 1,
	    .dispatch = "exit",
	    .isolation = "strict" } },
	{ "polled",
	  { .entry = "empty",
	    .vms = 1,
	    .dispatch = "polled",
	    .isolation = "strict" } },
	{ "polled.coop",
	  { .entry = "empty",
	    .vms = 1,
	    .dispatch = "polled",
	    .isolation = "cooperative" } },
	{ "auto",
	  { .entry = "empty",
	    .vms = 1,
	    .dispatch = "auto",
	    .isolation = "strict" } },
};

static const uint64_t all_rates[BENCH_RATES] = { 100,	300,   1000,  3000,
						 10000, 30000, 100000 };

static const char request[BENCH_REQUEST_SIZE];

/* What is invoked at all rates of one mode. */
struct sweep {
	struct thaw *thaw;
	uint64_t point_ns;  /* for each rate */
	uint64_t behind_ns; /* a rate is not kept when a request is so late */
	struct histogram *histogram; /* of one rate */
	uint64_t spun_ns;	     /* by the client, at one rate */
};

/* Waits, and adds up the CPU time that the client itself spends on waiting. */
static void wait_until(uint64_t due_ns, struct sweep *sweep)
{
	const uint64_t wake_ns = due_ns - SPIN_NS;
	const struct timespec wake = {
		.tv_sec = (time_t)(wake_ns / NS_PER_S),
		.tv_nsec = (long)(wake_ns % NS_PER_S),
	};
	uint64_t now_ns = clock_now_ns(), start_ns;

	if (due_ns > now_ns + SLEEP_MIN_NS) {
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
		now_ns = clock_now_ns();
	}
	start_ns = now_ns;
	while (now_ns < due_ns)
		now_ns = clock_now_ns();
	sweep->spun_ns += now_ns - start_ns;
}

/* Invokes once. The time counts from when the request was due to its reply. */
static int invoke_at(struct sweep *sweep, uint64_t due_ns, struct error *err,
		     uint64_t *ret_ns)
{
	struct thaw_reply reply;
	int r;

	wait_until(due_ns, sweep);
	r = bench_thaw_invoke(sweep->thaw, request, err, &reply);
	if (r)
		return r;
	*ret_ns = clock_now_ns() - due_ns;
	thaw_reply_release(&reply);
	return 0;
}

static int invoke_all(struct sweep *sweep, struct error *err,
		      struct bench_rate *point)
{
	const uint64_t start_ns = clock_now_ns();
	const uint64_t count = point->count + WARM_UP;

	for (uint64_t i = 0; i < count && !point->is_saturated; i++) {
		uint64_t ns;
		int r = invoke_at(sweep, start_ns + i * NS_PER_S / point->rate,
				  err, &ns);

		if (r)
			return r;
		if (i >= WARM_UP)
			histogram_add(sweep->histogram, ns);
		point->is_saturated = ns > sweep->behind_ns;
	}
	return 0;
}

/*
 * Measures one rate. The CPU time includes the invocations that do not count,
 * because the time of vcpu threads is known only while they sleep, before and
 * after.
 */
static int measure_point(struct sweep *sweep, struct error *err,
			 struct bench_rate *point)
{
	const struct timespec pause = { .tv_nsec = 2 * POLL_WAIT_MAX_NS };
	const struct histogram *histogram = sweep->histogram;
	const uint64_t start_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	double cpu_ns;
	int r;

	memset(sweep->histogram, 0, sizeof(*sweep->histogram));
	sweep->spun_ns = 0;
	point->count = 1 + point->rate * sweep->point_ns / NS_PER_S;
	r = invoke_all(sweep, err, point);
	if (r)
		return r;
	nanosleep(&pause, NULL);
	cpu_ns = (double)(clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns) -
		 (double)sweep->spun_ns;
	point->p50_us = (double)histogram_percentile(histogram, 0.50) /
			(double)NS_PER_US;
	point->p99_us = (double)histogram_percentile(histogram, 0.99) /
			(double)NS_PER_US;
	/*
	 * if others had the CPU, the client has spun for less than it counted
	 */
	point->cpu_us = cpu_ns < 0 ? 0 :
				     cpu_ns / (double)(point->count + WARM_UP) /
					     (double)NS_PER_US;
	return 0;
}

/* Opens libthaw for a mode. -EOPNOTSUPP: there is no gate for it. */
static int open_mode(const struct bench_setup *setup, const struct mode *mode,
		     struct error *err, struct thaw **ret_thaw)
{
	struct thaw_reply reply;
	int r = bench_thaw_open(setup, &mode->function, err, ret_thaw);

	if (!r && strcmp(mode->function.dispatch, "exit") != 0)
		r = bench_thaw_require_gate(*ret_thaw, err);
	if (!r)
		r = bench_thaw_invoke(*ret_thaw, request, err, &reply);
	if (!r)
		thaw_reply_release(&reply);
	return r;
}

static int measure_mode(struct sweep *sweep, const struct mode *mode,
			struct error *err, struct bench_rates *rates)
{
	for (size_t i = 0; i < BENCH_RATES; i++) {
		struct bench_rate *point = &rates->points[rates->count++];
		int r;

		*point = (struct bench_rate){ .mode = mode->name,
					      .rate = all_rates[i] };
		r = measure_point(sweep, err, point);
		if (r)
			return r;
		/* higher rates cannot be kept either */
		if (point->is_saturated)
			break;
	}
	return 0;
}

static int measure_modes(const struct bench_setup *setup, struct sweep *sweep,
			 struct error *err, struct bench_rates *rates)
{
	for (size_t i = 0; i < BENCH_MODES; i++) {
		int r;

		sweep->thaw = NULL;
		r = open_mode(setup, &modes[i], err, &sweep->thaw);
		if (!r)
			r = measure_mode(sweep, &modes[i], err, rates);
		thaw_close(sweep->thaw);
		if (r == -EOPNOTSUPP)
			bench_warn("%s is skipped: %s", modes[i].name,
				   err->message);
		else if (r)
			return error_prefix(err, r, "%s", modes[i].name);
	}
	return 0;
}

int bench_rates_measure(const char *restore, uint64_t duration_ns,
			struct error *err, struct bench_rates *ret_rates)
{
	struct bench_setup setup = {
		.options.restore = restore,
		.guest_fd = -1,
		.program_fd = -1,
	};
	struct sweep sweep = { .point_ns = duration_ns / BENCH_MODES /
					   BENCH_RATES };
	int r;

	ret_rates->count = 0;
	sweep.behind_ns = sweep.point_ns / 2 < BEHIND_NS ? sweep.point_ns / 2 :
							   BEHIND_NS;
	sweep.histogram = calloc(1, sizeof(*sweep.histogram));
	if (!sweep.histogram)
		return error_set(err, -ENOMEM, "no memory for a histogram");
	r = bench_files_open(&setup, err);
	if (!r)
		r = measure_modes(&setup, &sweep, err, ret_rates);
	bench_files_close(&setup);
	free(sweep.histogram);
	return r;
}
