/*
 * restore.c - makes a vm equal to its snapshot again: the hot path. Runs on
 * the thread that owns the vm.
 *
 * A page the guest has written joins the vm's hot set (dirty.h) and stays
 * writable: every restore copies it back without asking, so writing it again
 * causes no fault and no report. What the host has written it knows to the byte.
 *
 * So that one heavy invocation does not tax the light ones after it, pages
 * leave the set again. Each restore looks at a few of them before it copies,
 * every page in turn; one that has equalled the snapshot at several looks is
 * cold. Once cold pages are many, they are protected and leave; with the ring,
 * which can only protect everything, the whole set is learned anew. If it comes
 * back as large as it was, the next time takes more patience.
 */
#include "snapshot/restore.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "snapshot/hot_set.h"
#include "snapshot/snapshot_internal.h"

/*
 * Every page of the hot set is looked at once in this many restores: a prime, so
 * as not to keep step with invocations that come at regular intervals.
 */
#define LOOK_EVERY 17
/*
 * Of a set of more than so many bytes, more often: what one heavy invocation has
 * written is soon more trouble than it is worth. Looking costs no more than
 * copying.
 */
#define LOOK_EVERY_OF_MANY 3
#define MANY_BYTES ((size_t)4 << 20)
/* A page is cold after this many looks that found it equal, */
#define PATIENCE 4
/* doubled this often at the most. */
#define PATIENCE_DOUBLINGS_MAX 5
/* Cold pages are let go when they are this many, and half of the set. */
#define COLD_PAGES_MIN 16
/* Of those, so many side by side are worth a system call to give them back. */
#define GIVE_BACK_RUN 16
/* After this many restores a vm's hot set is fit to be other vms' first. */
#define LEARN_AFTER 16

_Static_assert(PATIENCE << PATIENCE_DOUBLINGS_MAX < UINT8_MAX, "fits idle[]");

static unsigned looks_until_cold(const struct dirty *dirty)
{
	return PATIENCE << dirty->patience;
}

/* Copies a page back if it differs, notes and returns whether it did. */
static bool look_at_page(struct dirty *dirty, uint32_t page, uint8_t *memory,
			 const uint8_t *pristine, size_t page_size)
{
	unsigned looks = looks_until_cold(dirty);
	uint8_t *idle = &dirty->idle[page];

	if (memcmp(memory, pristine, page_size) != 0) {
		memcpy(memory, pristine, page_size);
		if (*idle >= looks)
			dirty->cold--;
		*idle = 0;
		return true;
	}
	if (*idle < looks && ++*idle == looks)
		dirty->cold++;
	return false;
}

/* Puts back what the host has written. */
static void copy_written(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);

	for (unsigned i = 0; i < dirty->written_count; i++)
		memcpy(vm_memory(vm) + dirty->written[i].gpa,
		       snapshot->pristine + dirty->written[i].gpa,
		       dirty->written[i].size);
	dirty->written_count = 0;
}

/* Copies the hot set back; returns the number of pages copied. */
static size_t copy_back(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);
	const size_t page_size = snapshot->page_size;
	const uint8_t *pristine = snapshot->pristine;
	uint8_t *memory = vm_memory(vm);
	const size_t every = dirty->count * page_size > MANY_BYTES ?
				     LOOK_EVERY_OF_MANY :
				     LOOK_EVERY;
	const size_t look = dirty->turn++ % every;
	size_t equal = 0;

	for (size_t n = 0; n < dirty->count; n++) {
		/* backward every other time: what was last is in the cache */
		size_t i = dirty->turn % 2 ? n : dirty->count - 1 - n;
		size_t offset = dirty->pages[i] * page_size;

		if (i % every == look)
			equal += !look_at_page(dirty, dirty->pages[i],
					       memory + offset,
					       pristine + offset, page_size);
		else
			memcpy(memory + offset, pristine + offset, page_size);
	}
	return dirty->count - equal;
}

static bool is_idle(const struct dirty *dirty, size_t page, unsigned looks)
{
	return dirty_has(dirty, page) && dirty->idle[page] >= looks;
}

/*
 * Gives pages of the hot set that have been found equal at @looks looks back to
 * the kernel, if @run_min of them are side by side: each run is a system call.
 */
static int give_back_pages(const struct snapshot *snapshot, struct vm *vm,
			   unsigned looks, size_t run_min)
{
	const struct dirty *dirty = vm_dirty(vm);
	const size_t page_size = snapshot->page_size;
	uint8_t *memory = vm_memory(vm);
	size_t first = 0;

	while (first < dirty->page_count) {
		size_t end = first;

		while (end < dirty->page_count && is_idle(dirty, end, looks))
			end++;
		if (end - first >= run_min &&
		    madvise(memory + first * page_size,
			    (end - first) * page_size, MADV_DONTNEED))
			return -errno;
		first = end + 1;
	}
	return 0;
}

/*
 * Lets cold pages go once they are many. Those of one heavy invocation leave
 * together: when half of them have had their last look, the others lack one.
 * The vm's own copies of them go, too.
 */
static int cool_hot_set(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);
	unsigned looks = looks_until_cold(dirty);
	bool came_back = dirty->count >= dirty->last_count / 4 * 3;
	int r;

	if (dirty->cold < COLD_PAGES_MIN || dirty->cold < dirty->count / 2)
		return 0;
	if (!dirty->last_count || !came_back)
		dirty->patience = 0;
	else if (dirty->patience < PATIENCE_DOUBLINGS_MAX)
		dirty->patience++;
	dirty->last_count = dirty->count;
	/* what leaves the set must equal the snapshot, and stay so */
	if (poll_distrust(vm)) {
		r = dirty_collect(dirty);
		if (r)
			return r;
		copy_back(snapshot, vm);
	}
	r = give_back_pages(snapshot, vm, looks - 1, GIVE_BACK_RUN);
	return r ? r : dirty_cool(dirty, looks - 1);
}

/* Gives all written pages back to the kernel; protects all again. */
static int remap(const struct snapshot *snapshot, struct vm *vm)
{
	int r = give_back_pages(snapshot, vm, 0, 1);

	return r ? r : dirty_forget(vm_dirty(vm));
}

static int restore_vm(struct snapshot *snapshot, struct vm *vm, bool clean,
		      struct restore_stats *ret_stats)
{
	struct dirty *dirty = vm_dirty(vm);
	struct restore_stats stats = { 0 };
	int r;

	/*
	 * First, since it finishes an exit that is still pending, and KVM may
	 * write guest memory in that.
	 */
	if (!clean) {
		r = vm_set_state(vm, snapshot->state, NULL);
		if (r)
			return r;
	}
	r = dirty_collect(dirty);
	if (r)
		return r;
	stats.hot_pages = dirty->count;
	stats.dirty_pages = dirty->count - dirty->old_count;
	copy_written(snapshot, vm);
	if (snapshot->remap) {
		poll_distrust(vm);
		r = remap(snapshot, vm);
	} else {
		stats.copied_pages = copy_back(snapshot, vm);
		if (dirty->turn == LEARN_AFTER)
			hot_set_learn(snapshot, vm);
		r = cool_hot_set(snapshot, vm);
	}
	if (r)
		return r;
	dirty->old_count = dirty->count;
	if (ret_stats)
		*ret_stats = stats;
	if (clean)
		vm_enter(vm);
	return 0;
}

int snapshot_restore(struct snapshot *snapshot, struct vm *vm, bool clean,
		     struct restore_stats *ret_stats)
{
	int r;

	if (vm_spoiled(vm))
		return -ESTALE;
	r = restore_vm(snapshot, vm, clean, ret_stats);
	/* what it has forgotten already may be written, and not be tracked */
	if (r)
		vm_spoil(vm);
	return r;
}
