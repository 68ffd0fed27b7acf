/*
 * neighbours.h - `thaw bench --neighbours`: what a hostile function does to
 * the reply times of a good one, for each kind of hostile function.
 *
 * Each kind has a server of its own, which has all CPUs. The good function does
 * nothing; one client asks it every millisecond, first alone, then while other
 * clients ask the hostile one as often as they can.
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

/* The good function's times, and the hostile one's part in them. */
struct bench_neighbour {
	const struct bench_hostile *hostile;
	const char *kind;
	double idle_p50_us, idle_p99_us; /* without it */
	uint64_t count;			 /* samples, beside it, and errors */
	uint64_t failed;		 /* of these, errors */
	double p50_us, p99_us, max_us;
	uint64_t attacks; /* replies of the hostile one */
	unsigned status;  /* of most of them; 0: there are none */
};

struct bench_neighbours {
	struct bench_neighbour kinds[BENCH_NEIGHBOURS_MAX];
	size_t count;
};

/*
 * Chooses the kinds that @only (@only_count names) has; all if there are none.
 * -ENOENT: there is no such kind.
 */
int bench_neighbours_choose(const char *const *only, size_t only_count,
			    struct error *err,
			    struct bench_neighbours *ret_neighbours);

/*
 * Measures the chosen ones, for about @duration_ns in all. Those for which no
 * server can be had are taken out, and standard error says why. 0 or -errno.
 */
int bench_neighbours_measure(uint64_t duration_ns, struct error *err,
			     struct bench_neighbours *neighbours);

/*
 * What the p99 may be beside one hostile function: three times what it is
 * without, and one inline budget, which the hostile one may have before it.
 */
double bench_neighbour_bound_us(const struct bench_neighbour *neighbour);

/* Whether it is, and all replies were good. */
bool bench_neighbour_holds(const struct bench_neighbour *neighbour);

#endif
