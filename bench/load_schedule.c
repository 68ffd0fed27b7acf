/* load_schedule.c - see load_schedule.h. */
#include "bench/load_schedule.h"

#include "base/clock.h"

void load_schedule_start(struct load_schedule *schedule,
			 enum load_arrivals arrivals, uint64_t rate,
			 uint64_t start_ns, unsigned part, unsigned parts)
{
	*schedule = (struct load_schedule){
		.arrivals = arrivals,
		.start_ns = start_ns,
		.rate = rate,
		.index = part,
		.step = parts,
		.random = start_ns ^ ((uint64_t)part << 48),
	};
}

/* Returns a number from 0 to less than 1, of 53 bits of splitmix64. */
static double any_fraction(struct load_schedule *schedule)
{
	uint64_t x = schedule->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return (double)(x >> 11) * 0x1p-53;
}

/*
 * Returns an exponential gap with the mean 1: von Neumann's comparison method (Devroye,
 * Non-Uniform Random Variate Generation, IV.2). It needs no logarithm, and so no thaw
 * loads libm when it starts.
 */
static double any_gap(struct load_schedule *schedule)
{
	for (double whole = 0;; whole++) {
		const double first = any_fraction(schedule);
		double last = first, next;
		unsigned falls = 0;

		while ((next = any_fraction(schedule)) < last) {
			last = next;
			falls++;
		}
		if (falls % 2 == 0)
			return whole + first;
	}
}

uint64_t load_schedule_next(struct load_schedule *schedule)
{
	if (schedule->arrivals == LOAD_POISSON) {
		/*
		 * each part is a Poisson process of its share of the rate, and
		 * so is their sum
		 */
		schedule->offset_ns += any_gap(schedule) * (double)NS_PER_S *
				       (double)schedule->step /
				       (double)schedule->rate;
		return schedule->start_ns + (uint64_t)schedule->offset_ns;
	}
	/* count from the start each time, so that errors do not add up */
	__uint128_t offset_ns =
		(__uint128_t)schedule->index * NS_PER_S / schedule->rate;

	schedule->index += schedule->step;
	return schedule->start_ns + (uint64_t)offset_ns;
}
