/*
 * restore.c - makes a vm equal to its snapshot again: the hot path. Runs on
 * the thread that owns the vm.
 *
 * A page that the guest has written joins the vm's hot set (dirty.h) and stays
 * writable. Every restore copies it back without asking whether it was written, so
 * writing it again causes no fault and no report. What the host has written is known
 * to the byte.
 *
 * Pages leave the set again, so that one heavy invocation does not slow down the
 * light ones after it. Each restore compares a few pages, in turn, before it copies
 * them back. A page that several such looks have found equal to the snapshot is
 * cold. Once many pages are cold, they are protected and leave the set. The ring can
 * protect only everything: with it, the whole set is emptied and learned anew. If
 * the set has come back as large as it was, the next cooling takes more looks.
 */
#include "snapshot/restore.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hot.h"
#include "snapshot/hot_set.h"
#include "snapshot/learned.h"
#include "snapshot/snapshot_internal.h"
#include "vm/tables.h"

/*
 * Each page of the hot set is looked at once in this many restores. It is a prime,
 * lest the looks keep step with invocations of a regular pattern.
 */
#define LOOK_EVERY 17
/*
 * Each page of a set of more than MANY_BYTES is looked at more often, since copying
 * what one heavy invocation has written soon costs more than learning the set anew.
 * Looking costs no more than copying.
 */
#define LOOK_EVERY_OF_MANY 3
#define MANY_BYTES ((size_t)4 << 20)
/* A page is cold after this many looks in a row that have found it equal. */
#define PATIENCE 4
/* That number is doubled this often at most. */
#define PATIENCE_DOUBLINGS_MAX 5
/* Cold pages leave the set when they are at least this many, and half of it. */
#define COLD_PAGES_MIN 16
/* Fewer bytes are not worth a look at the holes. */
#define CLEAR_MIN 1024
/* So many cold pages side by side are worth the system call that frees them. */
#define GIVE_BACK_RUN 16
/* After this many restores other vms may begin with the hot set of a vm. */
#define LEARN_AFTER 16

_Static_assert(PATIENCE << PATIENCE_DOUBLINGS_MAX < UINT8_MAX, "fits idle[]");

static unsigned looks_until_cold(const struct dirty *dirty)
{
	return PATIENCE << dirty->patience;
}

/* What the snapshot has at @offset. In a hole, a file would get a page of zeros. */
HOT static const uint8_t *pristine_page(const struct snapshot *snapshot,
					size_t offset)
{
	static const uint8_t zeros[LAYOUT_MEMORY_UNIT];

	if (snapshot->stored_bytes && snapshot->page_size <= sizeof(zeros) &&
	    holes_cover(&snapshot->holes, offset, snapshot->page_size))
		return zeros;
	return snapshot->pristine + offset;
}

/* Copies a page back if it differs. Notes, and returns, whether it did. */
HOT static bool look_at_page(struct dirty *dirty, uint32_t page,
			     uint8_t *memory, const uint8_t *pristine,
			     size_t page_size)
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

/* What is put back may be code of a program. */
static void restore_code(const struct snapshot *snapshot, struct vm *vm,
			 uint64_t gpa, uint64_t size)
{
	if (snapshot->layout.is_program)
		vm_restore_code(vm, &snapshot->layout, gpa, size);
}

static void restore_pages_code(const struct snapshot *snapshot, struct vm *vm)
{
	const struct dirty *dirty = vm_dirty(vm);

	/* other functions may have many pages, and pay for none of this */
	if (!snapshot->layout.is_program)
		return;
	for (size_t i = 0; i < dirty->count; i++)
		restore_code(snapshot, vm,
			     dirty->pages[i] * snapshot->page_size,
			     snapshot->page_size);
}

/* Puts bytes back. To clear many takes half of the time that copying zeros takes. */
HOT static void copy_or_clear(const struct snapshot *snapshot, uint8_t *memory,
			      size_t offset, size_t size)
{
	if (size >= CLEAR_MIN && holes_cover(&snapshot->holes, offset, size))
		memset(memory + offset, 0, size);
	else
		memcpy(memory + offset, snapshot->pristine + offset, size);
}

/* Puts back what the host has written. */
HOT static void copy_written(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);

	for (unsigned i = 0; i < dirty->written_count; i++) {
		const struct dirty_range *range = &dirty->written[i];

		copy_or_clear(snapshot, vm_memory(vm), range->gpa, range->size);
		restore_code(snapshot, vm, range->gpa, range->size);
	}
	dirty->written_count = 0;
}

/* Copies the hot set back. Returns the number of pages that were copied. */
HOT static size_t copy_back(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);
	const size_t page_size = snapshot->page_size;
	uint8_t *memory = vm_memory(vm);
	const size_t count = dirty->count;
	/* pages whose index leaves @look, divided by @every, are looked at */
	const bool is_many = count * page_size > MANY_BYTES;
	const size_t every = is_many ? LOOK_EVERY_OF_MANY : LOOK_EVERY;
	const size_t look = is_many ? dirty->turn % LOOK_EVERY_OF_MANY :
				      dirty->turn % LOOK_EVERY;
	/* backward every other time: the last pages are in the cache */
	const bool is_backward = ++dirty->turn % 2 == 0;
	size_t equal = 0, next = look;

	if (is_backward && count > look)
		next = look + (count - 1 - look) / every * every;
	for (size_t n = 0; n < count; n++) {
		size_t i = is_backward ? count - 1 - n : n;
		size_t offset = dirty->pages[i] * page_size;

		if (i != next) {
			copy_or_clear(snapshot, memory, offset, page_size);
			continue;
		}
		next = is_backward ? next - every : next + every;
		equal += !look_at_page(dirty, dirty->pages[i], memory + offset,
				       pristine_page(snapshot, offset),
				       page_size);
	}
	return count - equal;
}

static bool is_idle(const struct dirty *dirty, size_t page, unsigned looks)
{
	return dirty_has(dirty, page) && dirty->idle[page] >= looks;
}

/*
 * Gives pages of the hot set back to the kernel: those that @looks looks have found
 * equal, if at least @run_min of them are side by side. Each run of them takes a
 * system call.
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

/* Has the vcpu leave the gate if pages cannot be protected, or bits cleared, else. */
static void hold_vcpu(struct vm *vm)
{
	if (vm_dirty(vm)->backend == DIRTY_TABLES)
		poll_stop(vm);
}

/*
 * Takes cold pages out of the set once they are many, and frees the vm's own copies
 * of them. All pages of one heavy invocation leave together: when half of them have
 * had their last look, the others lack only one, so one look less is enough.
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
	/* what leaves the set must equal the snapshot, and remain equal */
	if (poll_distrust(vm)) {
		r = dirty_collect(dirty);
		if (r)
			return r;
		copy_back(snapshot, vm);
	}
	hold_vcpu(vm);
	r = give_back_pages(snapshot, vm, looks - 1, GIVE_BACK_RUN);
	return r ? r : dirty_cool(dirty, looks - 1);
}

/* Gives all written pages back to the kernel and protects all again. */
static int remap(const struct snapshot *snapshot, struct vm *vm)
{
	int r = give_back_pages(snapshot, vm, 0, 1);

	return r ? r : dirty_forget(vm_dirty(vm));
}

HOT static int restore_vm(struct snapshot *snapshot, struct vm *vm, bool clean,
			  struct restore_stats *ret_stats)
{
	struct dirty *dirty = vm_dirty(vm);
	struct restore_stats stats = { 0 };
	int r;

	/*
	 * This comes first: it finishes an exit that is still pending, in which
	 * KVM may write guest memory.
	 */
	if (!clean) {
		r = vm_set_state(vm, snapshot->state, NULL);
		if (r)
			return r;
	}
	r = dirty_collect(dirty);
	if (!r)
		r = vm_restore_tables(vm, &snapshot->layout,
				      snapshot->pristine);
	if (r)
		return r;
	stats.hot_pages = dirty->count;
	stats.dirty_pages = dirty->count - dirty->old_count;
	copy_written(snapshot, vm);
	if (snapshot->remap) {
		/* what it has written since then */
		r = poll_distrust(vm) ? dirty_collect(dirty) : 0;
		hold_vcpu(vm);
		if (!r)
			r = remap(snapshot, vm);
	} else {
		stats.copied_pages = copy_back(snapshot, vm);
		restore_pages_code(snapshot, vm);
		if (dirty->turn == LEARN_AFTER && hot_set_learn(snapshot, vm))
			learned_tell(snapshot, vm);
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

HOT int snapshot_restore(struct snapshot *snapshot, struct vm *vm, bool clean,
			 struct restore_stats *ret_stats)
{
	int r;

	if (vm_spoiled(vm))
		return -ESTALE;
	r = restore_vm(snapshot, vm, clean, ret_stats);
	/* pages that have left the set may be written, with nobody tracking */
	if (r)
		vm_spoil(vm);
	return r;
}

/*
 * Gives back what is the vm's own and not in the set: requests, which the host has written, and
 * pages of the hot set of others that this vm has not written.
 */
static int give_back_others(const struct snapshot *snapshot, struct vm *vm)
{
	const struct layout_range *request = &snapshot->layout.request;
	const size_t unit = snapshot->page_size;
	const size_t start = (request->start + unit - 1) / unit * unit;
	const size_t end = (request->start + request->size) / unit * unit;

	if (start < end &&
	    madvise(vm_memory(vm) + start, end - start, MADV_DONTNEED))
		return -errno;
	return hot_set_disown(snapshot, vm);
}

int snapshot_shrink(const struct snapshot *snapshot, struct vm *vm)
{
	struct dirty *dirty = vm_dirty(vm);
	int r;

	/* it may have written where it waits; nor does it wait any more */
	poll_stop(vm);
	r = vm_spoiled(vm) ? -ESTALE : dirty_collect(dirty);
	if (!r)
		r = give_back_others(snapshot, vm);
	if (!r)
		r = remap(snapshot, vm);
	dirty->old_count = dirty->count;
	/* what it has taught so far is gone */
	dirty->turn = 0;
	dirty->is_shrunk = true;
	if (r)
		vm_spoil(vm);
	return r;
}

void snapshot_refill(const struct snapshot *snapshot, struct vm *vm)
{
	vm_dirty(vm)->is_shrunk = false;
	hot_set_own(snapshot, vm);
}
