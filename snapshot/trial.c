/* trial.c - see trial.h */
#include "snapshot/trial.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "vm/run.h"

/* Several regions of page tables; see table_bits.h. */
#define MEMORY_SIZE (16u << 20)

int trial_begin(enum dirty_backend tracker, enum layout_control control,
		enum vm_gate gate, struct trial *ret_trial)
{
	const struct snapshot_options options = {
		.layout = { .memory_size = MEMORY_SIZE,
			    .stack_size = LAYOUT_MEMORY_UNIT,
			    .request_size = THAW_PAGE_SIZE,
			    .reply_size = THAW_PAGE_SIZE,
			    .control = control },
		.dirty = tracker,
	};
	struct trial trial;
	int r = snapshot_create_bare(&options, NULL, &trial.snapshot);

	if (r)
		return r;
	if (gate != VM_GATE_NONE)
		snapshot_set_gate(trial.snapshot, gate,
				  &POLL_RULE_ALWAYS(POLL_WAIT_MAX_NS));
	r = snapshot_start(trial.snapshot, false, NULL, &trial.vm);
	if (r) {
		snapshot_free(trial.snapshot);
		return r;
	}
	for (size_t i = 0; i < TRIAL_PAGES; i++) {
		const struct layout_range *heap = &trial.snapshot->layout.heap;
		const uint64_t at = heap->size / TRIAL_PAGES * i;

		trial.pages[i] =
			heap->start + at - at % trial.snapshot->page_size;
	}
	*ret_trial = trial;
	return 0;
}

void trial_end(struct trial *trial)
{
	vm_free(trial->vm);
	snapshot_free(trial->snapshot);
}

int trial_put(const struct trial *trial, uint64_t list, size_t pages,
	      uint64_t done)
{
	const struct {
		uint64_t place, what;
	} info[] = {
		{ offsetof(struct thaw_info, request_start), list },
		{ offsetof(struct thaw_info, done), done },
	};
	uint64_t entries[TRIAL_PAGES + 1] = { pages };
	int r;

	for (size_t i = 0; i < pages; i++)
		entries[pages - i] = trial->pages[i];
	/* nothing is restored here; more notes would count as written pages */
	vm_dirty(trial->vm)->written_count = 0;
	r = vm_write(trial->vm, list, entries, sizeof(entries));
	for (size_t i = 0; i < sizeof(info) / sizeof(*info) && !r; i++)
		r = vm_write(trial->vm, THAW_GPA_INFO + info[i].place,
			     &info[i].what, sizeof(info[i].what));
	if (!r)
		r = vm_set_state(trial->vm, trial->snapshot->state, NULL);
	if (!r)
		vm_enter_touch(trial->vm);
	return r;
}

int trial_run(const struct trial *trial, uint64_t *ret_ns)
{
	const uint64_t start_ns = clock_now_ns();
	struct vm_exit exit;
	int r = vm_run(trial->vm, start_ns + TRIAL_STEP_NS, &exit);

	*ret_ns = clock_now_ns() - start_ns;
	if (r)
		return r;
	return exit.kind == VM_EXIT_DOORBELL && exit.bell == THAW_BELL_DONE ?
		       0 :
		       -EPROTO;
}

int trial_look(const struct trial *trial)
{
	struct dirty *dirty = vm_dirty(trial->vm);
	int r = dirty_collect(dirty);

	for (size_t i = 0; i < TRIAL_PAGES && !r; i++)
		if (!dirty_has(dirty,
			       trial->pages[i] / trial->snapshot->page_size))
			r = -ENODATA;
	return r;
}
