/* tracker.c - see tracker.h. Runs on the thread that deploys. */
#include "snapshot/tracker.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/gate.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/trial.h"
#include "vm/run.h"

/* How often all is tried, each time after the bits were cleared. */
#define ROUNDS 8

/* Clears all bits. What is in the set by now was seen. */
static int forget(const struct trial *trial)
{
	int r = dirty_collect(vm_dirty(trial->vm));

	return r ? r : dirty_forget(vm_dirty(trial->vm));
}

/* Writes pages in several runs; the page with the list is read before it is written. */
static int try_pages(const struct trial *trial)
{
	const uint64_t done = vm_done_address(trial->vm, false);
	uint64_t ns;
	int r = forget(trial);

	for (size_t pages = TRIAL_PAGES / 2; pages <= TRIAL_PAGES && !r;
	     pages += TRIAL_PAGES / 2) {
		r = trial_put(trial, trial->pages[0], pages, done);
		if (!r)
			r = trial_run(trial, &ns);
	}
	return r ? r : trial_look(trial);
}

/* Has the CPU itself write, in supervisor mode: the frame of a fault. */
static int try_frame(const struct trial *trial)
{
	struct vm_exit exit;
	int r = forget(trial);

	/* nothing is mapped where it jumps */
	if (!r)
		r = trial_put(trial, trial->pages[0], TRIAL_PAGES, 0);
	if (!r)
		r = vm_run(trial->vm, clock_now_ns() + TRIAL_STEP_NS, &exit);
	if (!r && exit.kind != VM_EXIT_FAULT)
		r = -EPROTO;
	if (!r)
		r = trial_look(trial);
	if (!r && !dirty_has(vm_dirty(trial->vm),
			     THAW_GPA_FAULT / trial->snapshot->page_size))
		r = -ENODATA;
	return r;
}

static int try_tables(void)
{
	struct trial trial;
	int r = trial_begin(DIRTY_TABLES, LAYOUT_CONTROL_NONE, VM_GATE_NONE,
			    &trial);

	if (r)
		return r;
	for (int round = 0; round < ROUNDS && !r; round++) {
		r = try_pages(&trial);
		if (!r)
			r = try_frame(&trial);
	}
	trial_end(&trial);
	return r;
}

/* What has been found out. */
static struct {
	pthread_mutex_t lock;
	bool is_known;
	int result;
} tables = { .lock = PTHREAD_MUTEX_INITIALIZER };

int tracker_try_tables(struct error *err)
{
	int r;

	pthread_mutex_lock(&tables.lock);
	if (!tables.is_known) {
		tables.result = try_tables();
		/* other failures, such as a lack of memory, may pass */
		tables.is_known = !tables.result || tables.result == -ENODATA ||
				  tables.result == -EOPNOTSUPP;
	}
	r = tables.result;
	pthread_mutex_unlock(&tables.lock);
	if (r == -EOPNOTSUPP)
		return error_set(err, r,
				 "page tables do not tell on this architecture "
				 "what was written");
	if (r == -ENODATA)
		return error_set(err, -EOPNOTSUPP,
				 "page tables do not tell on this machine of "
				 "all that was written");
	return r ? error_set(err, -EOPNOTSUPP,
			     "trying whether page tables tell what was "
			     "written: %s",
			     strerror(-r)) :
		   0;
}

static bool has_gate(enum dirty_backend tracker,
		     const struct layout_config *layout)
{
	struct gate_facts facts;

	return !gate_try(tracker, layout->memory_size,
			 layout->control == LAYOUT_CONTROL_USER, NULL, &facts);
}

/* Whether it can be polled with page tables only. */
static bool needs_tables(const struct layout_config *layout)
{
	return layout->control != LAYOUT_CONTROL_NONE &&
	       !has_gate(DIRTY_RING, layout) && !tracker_try_tables(NULL) &&
	       has_gate(DIRTY_TABLES, layout);
}

int tracker_choose(enum dirty_backend wanted,
		   const struct layout_config *layout, bool is_program,
		   struct error *err, enum dirty_backend *ret_tracker)
{
	*ret_tracker = wanted;
	if (wanted == DIRTY_TABLES && is_program)
		return error_set(err, -EOPNOTSUPP,
				 "the page tables of Linux programs change, so "
				 "they do not tell what was written: use the "
				 "ring or the bitmap");
	if (wanted == DIRTY_TABLES)
		return tracker_try_tables(err);
	if (wanted == DIRTY_AUTO && !is_program && needs_tables(layout))
		*ret_tracker = DIRTY_TABLES;
	return 0;
}
