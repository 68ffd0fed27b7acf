/*
 * neighbours.h - `thaw bench --neighbours`: how a hostile function affects the
 * reply times of a good one, for each kind of hostile function.
 *
 * Each kind has its own server, which may use all CPUs. The good function does
 * nothing. One client invokes it every millisecond, first alone, then while
 * other clients invoke the hostile function as often as they can.
 */
#ifndef BENCH_NEIGHBOURS_H
#define BENCH_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BENCH_NEIGHBOURS_MAX 16

/* A kind of hostile function: see neighbours.c. */
struct bench_hostile;

/* The good function's times, without and with the hostile one. */
struct bench_neighbour {
	const struct bench_hostile *hostile;
	const char *kind;
	double idle_p50_us, idle_p99_us; /* without the hostile function */
	uint64_t count; /* samples with the hostile function, errors included */
	uint64_t failed; /* errors among them */
	double p50_us, p99_us, max_us;
	uint64_t attacks; /* replies of the hostile function */
	unsigned status;  /* status of most of them; 0: there are none */
};

struct bench_neighbours {
	struct bench_neighbour kinds[BENCH_NEIGHBOURS_MAX];
	size_t count;
};

/*
 * Chooses the kinds that @only (@only_count names) lists, or all if it is
 * empty. -ENOENT: there is no such kind.
 */
int bench_neighbours_choose(const char *const *only, size_t only_count,
			    struct error *err,
			    struct bench_neighbours *ret_neighbours);

/*
 * Measures the chosen kinds, for about @duration_ns in all. Kinds for which no
 * server starts are removed, with a warning. Returns 0 or -errno.
 */
int bench_neighbours_measure(uint64_t duration_ns, struct error *err,
			     struct bench_neighbours *neighbours);

/*
 * Returns the upper bound of the p99 with the hostile function: three times the
 * p99 without it, and one inline budget, which the hostile function may use
 * first.
 */
double bench_neighbour_bound_us(const struct bench_neighbour *neighbour);

/* Whether the p99 is within the bound and all replies were good. */
bool bench_neighbour_holds(const struct bench_neighbour *neighbour);

#endif
