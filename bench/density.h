/*
 * density.h - `thaw bench --density`: what warm vms take of a process and of the
 * kernel, and what functions take of a server that nobody invokes.
 *
 * Each number of vms is measured in a child process of its own, so that nothing is left
 * of another. All vms are of one function, each has had one invocation, and its reply is
 * still held. What they take is compared with the same process before it had deployed
 * the function. So a single vm's share has the function's snapshot in it, too.
 *
 * The kernel's memory is of the whole machine, so other programs add noise, which is
 * the smaller the more vms there are.
 */
#ifndef BENCH_DENSITY_H
#define BENCH_DENSITY_H

#include <stddef.h>

#include "base/error.h"
#include "bench/footprint.h"

#define BENCH_DENSITY_STEPS 4

/* So many vms in one process. */
struct bench_density_step {
	unsigned vms;
	struct bench_footprint each; /* for one of them */
};

struct bench_density {
	struct bench_density_step steps[BENCH_DENSITY_STEPS];
	size_t count;	    /* of steps, from the fewest vms on */
	double vms_per_gib; /* of the last step; 0: not known */
	/*
	 * What each stored function takes of a server, beyond the first. The kernel's
	 * memory is not measured.
	 */
	unsigned functions; /* so many; 0: they were not measured */
	struct bench_footprint idle;
};

/*
 * Measures all. Numbers of vms that the machine's limits do not allow are left out, with
 * a warning, and so are the functions if the server cannot be started. 0 or -errno
 * after a message. The process has one thread and no vms.
 */
int bench_density_measure(struct error *err, struct bench_density *ret_density);

#endif
