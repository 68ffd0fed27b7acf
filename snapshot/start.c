/*
 * start.c - makes vms of a snapshot, and gives them the hot set that others have
 * learned. See start.h. Runs on whichever thread makes the vm; then go to
 * vm/run.c.
 *
 * A page can be written without a fault once the guest itself has written it. So a
 * new vm, before it is handed out, runs a few instructions of the entry stub's page.
 * They write to each page of the hot set what it holds already. For few pages, and a
 * request that waits already, that run would cost more than it saves.
 */
#include "snapshot/start.h"

#include <errno.h>

#include "base/clock.h"
#include "snapshot/hot_set.h"
#include "snapshot/restore.h"
#include "snapshot/snapshot_internal.h"
#include "vm/run.h"

/* Far more than touching every page takes. */
#define WARM_TIMEOUT_NS (10 * NS_PER_S)

/* So many pages cost less to fault in than a run of the vm that touches them. */
#define TOUCH_PAGES_MIN 16

/*
 * Makes the pages of the hot set writable in @vm, which is new and has not run, so
 * that its first invocation does not fault them in. 0 or -errno.
 */
static int touch_pages(struct snapshot *snapshot, struct vm *vm,
		       const uint64_t *hot)
{
	struct vm_exit exit;
	int r;

	r = vm_write(vm, snapshot->layout.request.start, hot,
		     (hot[0] + 1) * sizeof(*hot));
	if (r)
		return r;
	vm_enter_touch(vm);
	r = vm_run(vm, clock_now_ns() + WARM_TIMEOUT_NS, &exit);
	if (r)
		return r;
	if (exit.kind != VM_EXIT_DOORBELL || exit.bell != THAW_BELL_DONE)
		return -EIO;
	return snapshot_restore(snapshot, vm, true, NULL);
}

static int warm_up_vm(struct snapshot *snapshot, struct vm *vm, bool is_awaited)
{
	const uint64_t *hot = hot_set_get(snapshot);

	hot_set_own(snapshot, vm);
	if (!hot)
		return 0;
	if (is_awaited && hot[0] < TOUCH_PAGES_MIN)
		return 0;
	return touch_pages(snapshot, vm, hot);
}

struct vm_config snapshot_vm_config(const struct snapshot *snapshot)
{
	return (struct vm_config){
		.memory_size = snapshot->layout.memory_size,
		.memory_fd = snapshot->memory_fd,
		.memory_offset = snapshot->memory_offset,
		.owner = snapshot->id,
		.holes = snapshot->holes,
		.layer = snapshot->layer,
		.dirty = snapshot->dirty,
		.tables = snapshot->layout.tables.start,
		.control = snapshot->layout.control != LAYOUT_CONTROL_NONE,
		.gate = snapshot->gate,
		.is_program = snapshot->layout.is_program,
	};
}

int snapshot_start(struct snapshot *snapshot, bool is_awaited,
		   struct error *err, struct vm **ret_vm)
{
	const struct vm_config config = snapshot_vm_config(snapshot);
	struct vm *vm;
	int r;

	r = vm_create(&config, err, &vm);
	if (r)
		return r;
	if (snapshot->gate != VM_GATE_NONE && poll_attach(vm, &snapshot->rule))
		r = error_set(err, -ENOMEM, "no memory for polling a vm");
	if (!r)
		r = vm_set_state(vm, snapshot->state, err);
	if (!r && warm_up_vm(snapshot, vm, is_awaited))
		r = error_set(err, -EIO, "warming up a new vm failed");
	if (r) {
		vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}
