/*
 * table_bits.h - the bits by which the CPU marks entries of a vm's page tables: an
 * entry that it has used is accessed, and one through which it has written is dirty.
 *
 * Only host and CPU write the tables, and the CPU clears no bit. So a page whose entry
 * is not dirty has not been written since the host has cleared the bits. Which tables
 * there is something to see in, the entries above them say: those that lead to tables
 * that were not used are not accessed. Of all bits, the host clears and looks at these
 * two kinds.
 *
 * A CPU may have cached that an entry is dirty. It then writes without setting the bit
 * again. So whoever clears bits has KVM drop what the CPU, or KVM, has cached:
 * table_bits_forget().
 *
 * For vms in which every page is mapped at its own address, and whose tables the host
 * does not change. On the thread that owns the vm.
 */
#ifndef VM_TABLE_BITS_H
#define VM_TABLE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for which one table of the last level has the entries. */
#define TABLE_BITS_REGION (2u << 20)
#define TABLE_BITS_ENTRIES 512

struct table_bits {
	uint8_t *memory; /* borrowed: the vm's */
	size_t memory_size;
	uint64_t *directory; /* of its entries, each is for a region */
	size_t region_count;
	uint64_t *seen; /* the tables of all regions, as of the last look */
};

/*
 * Prepares to look at the tables at @root of the vm that has @memory. Their bits are
 * clear. 0; -ENOMEM; or -EINVAL: there are no tables, or they are not in memory. Beyond
 * those that lead to the regions' entries, tables are trusted. table_bits_done() frees it.
 */
int table_bits_init(struct table_bits *bits, uint8_t *memory,
		    size_t memory_size, uint64_t root);

/* Frees @bits; all zero is fine. */
void table_bits_done(struct table_bits *bits);

/*
 * The entries of @region, TABLE_BITS_ENTRIES of them, if one has changed since the last
 * look; else NULL. They are a copy, valid until the next call. On the hot path.
 */
const uint64_t *table_bits_look(struct table_bits *bits, size_t region);

/*
 * Clears the bits, and has KVM drop all that is cached. Every write that follows sets
 * its bit. The vcpu is not in guest mode, not even at a gate: for an instant, the CPU may
 * not write to the vm's memory, and so not to the tables. 0 or -errno; then the vm must
 * not be run, nor its memory written.
 */
int table_bits_forget(struct table_bits *bits);

/*
 * Clears the bits of the tables at @root in @memory, in which no vcpu will run that has
 * run there before.
 */
void table_bits_clear(uint8_t *memory, size_t memory_size, uint64_t root);

/* Whether tables of @size bytes are the same, but for bits that a CPU sets. */
bool table_bits_match(const uint8_t *tables, const uint8_t *others,
		      size_t size);

#endif
