/*
 * trial.h - vms in which is tried what works on this machine, and which are then thrown
 * away. No function's code runs in them. What runs is the part of the entry stub's page
 * that touches the pages of a list and is then done, as a function is.
 *
 *	trial_begin(DIRTY_RING, LAYOUT_CONTROL_NONE, VM_GATE_NONE, &trial)
 *	trial_put(&trial, trial.snapshot->layout.request.start, TRIAL_PAGES, done)
 *	trial_run(&trial, &ns)
 *	trial_look(&trial)
 *	trial_end(&trial)
 *
 * On one thread, for each trial.
 */
#ifndef SNAPSHOT_TRIAL_H
#define SNAPSHOT_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "vm/dirty.h"
#include "vm/layout.h"
#include "vm/vm.h"

/* So many pages are touched, which are far from one another. */
#define TRIAL_PAGES 8
/* Far more time than any step takes. */
#define TRIAL_STEP_NS (1 * NS_PER_S)

struct trial {
	struct snapshot *snapshot;
	struct vm *vm;
	uint64_t pages[TRIAL_PAGES]; /* addresses on the heap */
};

/* Makes a vm with @tracker and @gate. 0 or -errno; if 0, trial_end() frees it. */
int trial_begin(enum dirty_backend tracker, enum layout_control control,
		enum vm_gate gate, struct trial *ret_trial);
void trial_end(struct trial *trial);

/*
 * Has the next run read a list at @list that names the first @pages pages, last one
 * first, touch each of these, and jump to @done. 0 or -errno.
 */
int trial_put(const struct trial *trial, uint64_t list, size_t pages,
	      uint64_t done);

/* Runs it. 0: it has rung DONE, after *@ret_ns; -EPROTO: something else; or -errno. */
int trial_run(const struct trial *trial, uint64_t *ret_ns);

/* 0: all pages are reported as written; -ENODATA: not all are; or -errno. */
int trial_look(const struct trial *trial);

#endif
