/*
 * dirty.c - dirty tracking by KVM's ring or bitmap, or by page tables. See dirty.h.
 * dirty_note() and dirty_collect() are on the hot path. Runs on the thread that owns the
 * vm. The ring is described in Documentation/virt/kvm/api.rst under
 * KVM_CAP_DIRTY_LOG_RING.
 */
#include "vm/dirty.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hot.h"
#include "vm/arch.h"
#include "vm/kvm.h"

/*
 * Where in the vcpu's mapping the ring is, in pages: at 64 wherever a ring exists.
 * The arm64 headers of Linux 6.1 define it as 0, which is the place of kvm_run.
 */
#define RING_PAGE_OFFSET 64

/* KVM refuses a ring smaller than a page, and keeps 64 of the entries in reserve. */
#define RING_ENTRIES_MIN 1024u

static size_t host_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Every page fits twice. Some KVMs run many instructions between two looks at the
 * ring and would write past the end of a smaller one; and a page may be reported
 * more than once.
 */
size_t dirty_ring_entries(size_t memory_size, size_t page_size)
{
	size_t entries = RING_ENTRIES_MIN;

	while (entries < 2 * (memory_size / page_size) ||
	       entries * sizeof(struct kvm_dirty_gfn) < page_size)
		entries *= 2;
	return entries;
}

bool dirty_ring_fits(const struct kvm_host *host, size_t memory_size)
{
	size_t entries = dirty_ring_entries(memory_size, host_page_size());

	return host->has_dirty_ring &&
	       entries * sizeof(struct kvm_dirty_gfn) <= host->dirty_ring_bytes;
}

static int enable_ring(struct dirty *dirty, const struct kvm_host *host,
		       size_t entries)
{
	struct kvm_enable_cap cap = {
		.cap = (uint32_t)host->dirty_ring_cap,
		.args = { entries * sizeof(struct kvm_dirty_gfn) },
	};

	if (ioctl(dirty->vm_fd, KVM_ENABLE_CAP, &cap))
		return -errno;
	dirty->backend = DIRTY_RING;
	dirty->ring_entries = (uint32_t)entries;
	dirty->ring_bytes = entries * sizeof(struct kvm_dirty_gfn);
	return 0;
}

static int enable_bitmap(struct dirty *dirty, struct error *err)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE },
	};

	dirty->backend = DIRTY_BITMAP;
	if (ioctl(dirty->vm_fd, KVM_ENABLE_CAP, &cap))
		return error_set(err, -errno,
				 "KVM_ENABLE_CAP manual dirty log protection: "
				 "%s",
				 strerror(errno));
	return 0;
}

int dirty_init(struct dirty *dirty, const struct kvm_host *host, int vm_fd,
	       size_t memory_size, enum dirty_backend backend,
	       struct error *err)
{
	size_t entries;

	*dirty = (struct dirty){
		.backend = DIRTY_NONE,
		.vm_fd = vm_fd,
	};
	if (backend == DIRTY_NONE)
		return 0;
	if (backend == DIRTY_TABLES && !arch_entry_dirty)
		return error_set(err, -EOPNOTSUPP,
				 "page tables do not tell on this architecture "
				 "what was written: use the ring or the bitmap");
	if (backend == DIRTY_TABLES) {
		dirty->backend = DIRTY_TABLES;
		return 0;
	}

	entries = dirty_ring_entries(memory_size, host_page_size());
	if (backend != DIRTY_BITMAP && dirty_ring_fits(host, memory_size) &&
	    !enable_ring(dirty, host, entries))
		return 0;
	if (backend == DIRTY_RING)
		return error_set(err, -EOPNOTSUPP,
				 "this KVM has no dirty ring for %zu pages: "
				 "use the bitmap",
				 memory_size / host_page_size());
	return enable_bitmap(dirty, err);
}

size_t dirty_mapping_size(const struct dirty *dirty, size_t run_size)
{
	return dirty->backend == DIRTY_RING ?
		       RING_PAGE_OFFSET * host_page_size() + dirty->ring_bytes :
		       run_size;
}

void dirty_attach(struct dirty *dirty, void *mapping)
{
	const size_t offset = RING_PAGE_OFFSET * host_page_size();

	if (dirty->backend == DIRTY_RING)
		dirty->ring = (void *)((uint8_t *)mapping + offset);
}

static int set_memslot(const struct dirty *dirty, uint64_t size,
		       bool is_tracked)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 0,
		.flags = is_tracked ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = 0,
		.memory_size = size,
		.userspace_addr = dirty->memory,
	};

	return ioctl(dirty->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) ? -errno :
									0;
}

/* Allocates what there is for each page. */
static int allocate_set(struct dirty *dirty)
{
	const size_t words = (dirty->page_count + 63) / 64;

	dirty->bits = calloc(words, sizeof(uint64_t));
	dirty->pages = calloc(dirty->page_count, sizeof(*dirty->pages));
	dirty->idle = calloc(dirty->page_count, sizeof(*dirty->idle));
	if (!dirty->bits || !dirty->pages || !dirty->idle)
		return -ENOMEM;
	if (dirty->backend != DIRTY_BITMAP)
		return 0;
	dirty->log = calloc(words, sizeof(uint64_t));
	return dirty->log ? 0 : -ENOMEM;
}

int dirty_add_memory(struct dirty *dirty, const uint8_t *memory,
		     size_t memory_size, bool is_tracked, struct error *err)
{
	int r;

	dirty->page_count = memory_size / host_page_size();
	if (allocate_set(dirty))
		return error_set(err, -ENOMEM,
				 "no memory for a dirty page set");
	dirty->memory = (uintptr_t)memory;
	r = set_memslot(dirty, memory_size,
			is_tracked && (dirty->backend == DIRTY_RING ||
				       dirty->backend == DIRTY_BITMAP));
	if (r)
		return error_set(err, r, "KVM_SET_USER_MEMORY_REGION: %s",
				 strerror(-r));
	dirty->memory_size = memory_size;
	return 0;
}

int dirty_track(struct dirty *dirty, bool is_tracked)
{
	return set_memslot(dirty, dirty->memory_size, is_tracked);
}

int dirty_remove_memory(struct dirty *dirty)
{
	int r = set_memslot(dirty, 0, false);

	return r || !dirty->ring ? r : dirty_drain(dirty);
}

void dirty_forget_memory(struct dirty *dirty)
{
	table_bits_done(&dirty->tables);
	free(dirty->log);
	free(dirty->bits);
	free(dirty->pages);
	free(dirty->idle);
	*dirty = (struct dirty){
		.backend = dirty->backend,
		.vm_fd = dirty->vm_fd,
		.ring = dirty->ring,
		.ring_bytes = dirty->ring_bytes,
		.ring_entries = dirty->ring_entries,
		.ring_head = dirty->ring_head,
	};
}

int dirty_set_tables(struct dirty *dirty, uint64_t root, struct error *err)
{
	uint8_t *memory = (uint8_t *)(uintptr_t)dirty->memory;
	int r = table_bits_init(&dirty->tables, memory, dirty->memory_size,
				root);

	if (r == -ENOMEM)
		return error_set(err, r, "no memory for a copy of page tables");
	return r ? error_set(err, r, "there are no page tables at %#llx",
			     (unsigned long long)root) :
		   0;
}

HOT void dirty_note(struct dirty *dirty, uint64_t gpa, uint64_t size)
{
	size_t page_size;

	if (dirty->written_count < DIRTY_WRITTEN_MAX) {
		dirty->written[dirty->written_count++] =
			(struct dirty_range){ gpa, size };
		return;
	}
	page_size = host_page_size();
	for (size_t page = gpa / page_size;
	     page <= (gpa + size - 1) / page_size; page++)
		dirty_add(dirty, page);
}

HOT static int collect_ring(struct dirty *dirty)
{
	for (;;) {
		struct kvm_dirty_gfn *entry =
			&dirty->ring[dirty->ring_head % dirty->ring_entries];

		/* pairs with KVM's release in kvm_dirty_gfn_set_dirtied() */
		if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) &
		      KVM_DIRTY_GFN_F_DIRTY))
			return 0;
		if (entry->slot == 0 && entry->offset < dirty->page_count)
			dirty_add(dirty, entry->offset);
		/* pairs with KVM's acquire in kvm_dirty_gfn_harvested() */
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET,
				 __ATOMIC_RELEASE);
		dirty->ring_head++;
	}
}

static int collect_bitmap(struct dirty *dirty)
{
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = dirty->log };
	size_t words = (dirty->page_count + 63) / 64;

	if (ioctl(dirty->vm_fd, KVM_GET_DIRTY_LOG, &log))
		return -errno;
	for (size_t i = 0; i < words; i++) {
		uint64_t fresh = dirty->log[i] & ~dirty->bits[i];

		while (fresh) {
			dirty_add(dirty,
				  i * 64 + (size_t)__builtin_ctzll(fresh));
			fresh &= fresh - 1;
		}
	}
	return 0;
}

static void collect_tables(struct dirty *dirty)
{
	struct table_bits *tables = &dirty->tables;
	const size_t page = host_page_size();

	for (size_t region = 0; region < tables->region_count; region++) {
		const uint64_t *entries = table_bits_look(tables, region);

		for (size_t i = 0; entries && i < TABLE_BITS_ENTRIES; i++)
			if (entries[i] & arch_entry_dirty)
				dirty_add(dirty,
					  arch_entry_gpa(entries[i]) / page);
	}
}

HOT int dirty_collect(struct dirty *dirty)
{
	switch (dirty->backend) {
	case DIRTY_RING:
		return collect_ring(dirty);
	case DIRTY_BITMAP:
		return collect_bitmap(dirty);
	case DIRTY_TABLES:
		collect_tables(dirty);
		return 0;
	default:
		return 0;
	}
}

int dirty_drain(struct dirty *dirty)
{
	int r = dirty_collect(dirty);

	if (r || dirty->backend != DIRTY_RING)
		return r;
	return ioctl(dirty->vm_fd, KVM_RESET_DIRTY_RINGS, 0) < 0 ? -errno : 0;
}

/*
 * Empties the ring and protects every page, by switching the tracking off and on.
 * KVM_RESET_DIRTY_RINGS protects pages as well, but not reliably: a pending signal
 * ends it early and leaves pages unprotected that it has counted.
 */
static int protect_all_ring(struct dirty *dirty)
{
	int r;

	if (ioctl(dirty->vm_fd, KVM_RESET_DIRTY_RINGS, 0) < 0)
		return -errno;
	r = dirty_track(dirty, false);
	return r ? r : dirty_track(dirty, true);
}

/* Protects the pages whose bits are set in the log. */
static int protect_logged(struct dirty *dirty)
{
	struct kvm_clear_dirty_log clear = {
		.slot = 0,
		.num_pages = (uint32_t)dirty->page_count,
		.first_page = 0,
		.dirty_bitmap = dirty->log,
	};

	return ioctl(dirty->vm_fd, KVM_CLEAR_DIRTY_LOG, &clear) ? -errno : 0;
}

/* Fills the log with the pages to protect; the others stay in the set. */
static int cool_bitmap(struct dirty *dirty, unsigned looks)
{
	size_t words = (dirty->page_count + 63) / 64, kept = 0;

	memset(dirty->log, 0, words * sizeof(*dirty->log));
	for (size_t i = 0; i < dirty->count; i++) {
		uint32_t page = dirty->pages[i];
		uint64_t bit = UINT64_C(1) << (page % 64);

		if (dirty->idle[page] >= looks) {
			dirty->log[page / 64] |= bit;
			dirty->bits[page / 64] &= ~bit;
		} else {
			dirty->pages[kept++] = page;
		}
		dirty->idle[page] = 0;
	}
	dirty->count = kept;
	dirty->cold = 0;
	return protect_logged(dirty);
}

int dirty_cool(struct dirty *dirty, unsigned looks)
{
	if (dirty->backend == DIRTY_BITMAP)
		return cool_bitmap(dirty, looks);
	return dirty_forget(dirty);
}

int dirty_forget(struct dirty *dirty)
{
	for (size_t i = 0; i < dirty->count; i++) {
		dirty->bits[dirty->pages[i] / 64] = 0;
		dirty->idle[dirty->pages[i]] = 0;
	}
	dirty->count = 0;
	dirty->cold = 0;
	if (dirty->backend == DIRTY_BITMAP)
		return protect_logged(dirty);
	if (dirty->backend == DIRTY_RING)
		return protect_all_ring(dirty);
	if (dirty->backend == DIRTY_TABLES)
		return table_bits_forget(&dirty->tables);
	return 0;
}
