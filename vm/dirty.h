/*
 * dirty.h - which pages of a vm's memory may differ from the snapshot.
 *
 * KVM reports the guest's writes, in a ring in shared memory or in a bitmap.
 * These pages make a set. A page in the set stays in it, whether or not KVM
 * reports it again, until dirty_forget() has protected everything: so the set
 * always covers every page that the guest may have written since.
 *
 * What the host writes it reports itself (dirty_note). That is known to the
 * byte, and so put back to the byte, until the next restore.
 *
 * Pages are counted in the host's page size. A tracker belongs to its vm and
 * to the thread that runs it.
 */
#ifndef VM_DIRTY_H
#define VM_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct kvm_host;

enum dirty_backend {
	DIRTY_AUTO, /* the ring where it can hold every page, else the bitmap */
	DIRTY_RING,
	DIRTY_BITMAP,
	DIRTY_NONE, /* not tracked: boot */
};

/* More ranges than one invocation has; further ones are noted as pages. */
#define DIRTY_WRITTEN_MAX 4

struct dirty {
	enum dirty_backend backend;
	int vm_fd;
	size_t page_count;

	/* the set: a bit for each page, and the pages in order of arrival */
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

	/* cooling, for snapshot/restore.c: which pages are not written any more */
	uint8_t *idle;	   /* of each page: looks that found it equal */
	size_t cold;	   /* pages found equal often enough to leave */
	size_t last_count; /* of the set that was last cooled */
	unsigned patience; /* doublings of the looks it takes */
	unsigned turn;	   /* restores so far */

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
};

/*
 * How many entries the ring of a vm with so much memory has, on a host with pages
 * of that size.
 */
size_t dirty_ring_entries(size_t memory_size, size_t page_size);

/* Whether DIRTY_AUTO would choose the ring for so much memory. */
bool dirty_ring_fits(const struct kvm_host *host, size_t memory_size);

/*
 * Chooses a backend and prepares the vm for it; before any memslot or vcpu
 * exists. -EOPNOTSUPP if a backend asked for by name is not there.
 */
int dirty_init(struct dirty *dirty, const struct kvm_host *host, int vm_fd,
	       size_t memory_size, enum dirty_backend backend,
	       struct error *err);

/* Maps the ring, once the vcpu exists. */
int dirty_attach(struct dirty *dirty, int vcpu_fd, struct error *err);

void dirty_done(struct dirty *dirty);

/* Installs guest memory at @memory as the memslot, with its writes tracked. */
int dirty_set_memslot(struct dirty *dirty, const uint8_t *memory,
		      size_t memory_size, struct error *err);

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

/* Notes what the host has written: @size bytes, not 0, at @gpa, in memory. */
void dirty_note(struct dirty *dirty, uint64_t gpa, uint64_t size);

/*
 * Adds what the guest has written since the last call. The vcpu does not run.
 * Returns 0 or -errno.
 */
int dirty_collect(struct dirty *dirty);

/*
 * Empties the set and has KVM report every page again. The memory must equal
 * the snapshot by now. Returns 0 or -errno.
 */
int dirty_forget(struct dirty *dirty);

/*
 * Takes the pages for which idle[page] >= @looks out of the set, where KVM can
 * protect some pages and not others; else all of them. What is taken out must
 * equal the snapshot. idle[] and cold start anew. Returns 0 or -errno.
 */
int dirty_cool(struct dirty *dirty, unsigned looks);

/*
 * Makes room in a full ring (KVM_EXIT_DIRTY_RING_FULL): collects, and lets KVM
 * use the entries again. The set keeps its pages.
 */
int dirty_drain(struct dirty *dirty);

#endif
