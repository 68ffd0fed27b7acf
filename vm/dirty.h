/*
 * dirty.h - which pages of a vm's memory may differ from the snapshot.
 *
 * KVM reports the guest's writes, in a ring in shared memory or in a bitmap; or the CPU
 * does, in the guest's page tables. The reported pages form a set, the hot set. A page
 * stays in the set, whether or not it is reported again, until it has been made sure
 * that the next write to it is. So the set always covers every page that the guest may
 * have written.
 *
 * The host reports its own writes by dirty_note(). They are known to the byte, and
 * the next restore puts them back to the byte.
 *
 * Pages have the host's page size. A tracker belongs to its vm and to the thread
 * that owns the vm.
 */
#ifndef VM_DIRTY_H
#define VM_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/table_bits.h"

struct kvm_host;

enum dirty_backend {
	DIRTY_AUTO, /* the ring where it can hold every page, else the bitmap */
	DIRTY_RING,
	DIRTY_BITMAP,
	DIRTY_TABLES, /* the CPU's own bits: table_bits.h */
	DIRTY_NONE,   /* none: for tests */
};

/* More ranges than one invocation has; further ones are noted as pages. */
#define DIRTY_WRITTEN_MAX 4

struct dirty {
	enum dirty_backend backend;
	int vm_fd;
	size_t page_count;

	/* the set: a bit for each page, and its pages in order of arrival */
	uint64_t *bits;
	uint32_t *pages;
	size_t count;
	size_t old_count; /* at the end of the last restore */

	/* what the host has written since then */
	struct dirty_range {
		uint64_t gpa;
		uint64_t size; /* bytes */
	} written[DIRTY_WRITTEN_MAX];
	unsigned written_count;

	/* for snapshot/restore.c, to find pages that are written no more */
	uint8_t *idle;	   /* for each page: looks that found it equal */
	size_t cold;	   /* pages that enough looks have found equal */
	size_t last_count; /* pages in the set that was last cooled */
	unsigned patience; /* how often the number of looks was doubled */
	unsigned turn;	   /* restores so far */
	bool is_shrunk;	   /* the set is empty as its pages were given back */

	/* the memslot */
	uint64_t memory;
	uint64_t memory_size;

	/* ring */
	struct kvm_dirty_gfn *ring;
	size_t ring_bytes;
	uint32_t ring_entries;
	uint32_t ring_head;

	/* bitmap */
	unsigned long *log;

	/* tables */
	struct table_bits tables;
};

/*
 * The number of entries in the ring of a vm that has @memory_size bytes, on a host
 * with pages of @page_size bytes.
 */
size_t dirty_ring_entries(size_t memory_size, size_t page_size);

/* Whether DIRTY_AUTO would choose the ring for so much memory. */
bool dirty_ring_fits(const struct kvm_host *host, size_t memory_size);

/*
 * Chooses a backend and prepares the vm for it, before any memslot or vcpu exists.
 * -EOPNOTSUPP: this KVM does not have the backend that was asked for by name.
 */
int dirty_init(struct dirty *dirty, const struct kvm_host *host, int vm_fd,
	       size_t memory_size, enum dirty_backend backend,
	       struct error *err);

/*
 * Bytes to map of the vcpu's file for kvm_run, which takes the first @run_size, and the
 * ring behind it: one mapping for both, since KVM_CREATE_VM locks every mapping of the
 * process.
 */
size_t dirty_mapping_size(const struct dirty *dirty, size_t run_size);

/* Finds the ring in @mapping, which is of that size and outlives the tracker. */
void dirty_attach(struct dirty *dirty, void *mapping);

/*
 * Installs guest memory at @memory as the memslot, with an empty set; its writes are
 * tracked if @is_tracked. On failure dirty_forget_memory() frees what there is.
 */
int dirty_add_memory(struct dirty *dirty, const uint8_t *memory,
		     size_t memory_size, bool is_tracked, struct error *err);

/*
 * Has KVM track the guest's writes or not. KVM protects every page when this begins. 0
 * or -errno.
 */
int dirty_track(struct dirty *dirty, bool is_tracked);

/*
 * Removes the memslot, and with it all that KVM knows of the memory, and empties the
 * ring. The vcpu does not run, and the memory is mapped still. 0 or -errno; then the vm
 * is of no further use.
 */
int dirty_remove_memory(struct dirty *dirty);

/* Frees the set. There is no memslot any more, or soon no vm. */
void dirty_forget_memory(struct dirty *dirty);

/*
 * For DIRTY_TABLES, once there is the memslot: the guest's page tables are at @root of
 * it, with no bit set.
 */
int dirty_set_tables(struct dirty *dirty, uint64_t root, struct error *err);

static inline bool dirty_has(const struct dirty *dirty, size_t page)
{
	return dirty->bits[page / 64] >> (page % 64) & 1;
}

/* Adds a page. */
static inline void dirty_add(struct dirty *dirty, size_t page)
{
	uint64_t bit = UINT64_C(1) << (page % 64);

	if (dirty->bits[page / 64] & bit)
		return;
	dirty->bits[page / 64] |= bit;
	dirty->pages[dirty->count++] = (uint32_t)page;
}

/* Notes that the host has written @size bytes, not 0, at @gpa, inside of memory. */
void dirty_note(struct dirty *dirty, uint64_t gpa, uint64_t size);

/*
 * Adds what the guest has written since the last call. The vcpu does not run.
 * Returns 0 or -errno.
 */
int dirty_collect(struct dirty *dirty);

/*
 * Empties the set, and has every page reported again that is written from now on: for
 * that, KVM protects all pages, or the bits are cleared. The memory must equal the
 * snapshot; with DIRTY_TABLES, the vcpu is not in guest mode, not even at a gate. Returns
 * 0 or -errno.
 */
int dirty_forget(struct dirty *dirty);

/*
 * Takes pages out of the set and protects them: those for which idle[page] >=
 * @looks, if KVM can protect single pages; otherwise all, as dirty_forget() does. They
 * must equal the snapshot. idle[] and cold are cleared. Returns 0 or -errno.
 */
int dirty_cool(struct dirty *dirty, unsigned looks);

/*
 * Makes room in a full ring (KVM_EXIT_DIRTY_RING_FULL): collects its entries and
 * lets KVM use them again. The set keeps its pages. Returns 0 or -errno.
 */
int dirty_drain(struct dirty *dirty);

#endif
