/* table_bits.c - see table_bits.h. table_bits_look() is on the hot path. */
#include "vm/table_bits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vm/arch.h"

/* In an entry, on every architecture. */
#define PRESENT 1u
/* How an address is shifted for the entries of the directory. */
#define DIRECTORY_SHIFT 21

#define TABLE_BYTES (TABLE_BITS_ENTRIES * sizeof(uint64_t))

static uint64_t *table_in(uint8_t *memory, uint64_t gpa)
{
	return (uint64_t *)(void *)(memory + gpa);
}

static size_t count_regions(size_t memory_size)
{
	return (memory_size + TABLE_BITS_REGION - 1) / TABLE_BITS_REGION;
}

/* Of an entry of the directory. */
static bool is_in_use(uint64_t entry)
{
	return (entry & PRESENT) && (entry & arch_entry_accessed);
}

/*
 * The table of which each entry is for a region, from address 0 on; NULL: there is none,
 * or a table on the way to it is not in memory.
 */
static uint64_t *find_directory(uint8_t *memory, size_t memory_size,
				uint64_t root)
{
	uint64_t gpa = root;

	for (unsigned shift = arch_root_shift;; shift -= 9) {
		uint64_t entry;

		if (gpa > memory_size - TABLE_BYTES)
			return NULL;
		if (shift <= DIRECTORY_SHIFT)
			return table_in(memory, gpa);
		entry = *table_in(memory, gpa);
		if (!(entry & PRESENT))
			return NULL;
		gpa = arch_entry_gpa(entry);
	}
}

int table_bits_init(struct table_bits *bits, uint8_t *memory,
		    size_t memory_size, uint64_t root)
{
	*bits = (struct table_bits){
		.memory = memory,
		.memory_size = memory_size,
		.directory = find_directory(memory, memory_size, root),
		.region_count = count_regions(memory_size),
	};
	if (!bits->directory || bits->region_count > TABLE_BITS_ENTRIES)
		return -EINVAL;
	bits->seen = calloc(bits->region_count, TABLE_BYTES);
	return bits->seen ? 0 : -ENOMEM;
}

void table_bits_done(struct table_bits *bits)
{
	free(bits->seen);
	*bits = (struct table_bits){ 0 };
}

const uint64_t *table_bits_look(struct table_bits *bits, size_t region)
{
	const uint64_t entry =
		__atomic_load_n(&bits->directory[region], __ATOMIC_RELAXED);
	uint64_t *seen = bits->seen + region * TABLE_BITS_ENTRIES;
	const uint64_t *table;

	if (!is_in_use(entry))
		return NULL;
	table = table_in(bits->memory, arch_entry_gpa(entry));
	if (!memcmp(seen, table, TABLE_BYTES))
		return NULL;
	/* what the caller looks at is what will be compared: no bit is passed over */
	memcpy(seen, table, TABLE_BYTES);
	return seen;
}

static void clear_entry(uint64_t *entry, uint64_t bit)
{
	if (__atomic_load_n(entry, __ATOMIC_RELAXED) & bit)
		__atomic_fetch_and(entry, ~bit, __ATOMIC_SEQ_CST);
}

/* Clears what is set in the region's table, and then what says that it is in use. */
static void clear_region(uint8_t *memory, uint64_t *directory, size_t region)
{
	uint64_t *table = table_in(memory, arch_entry_gpa(directory[region]));

	for (unsigned i = 0; i < TABLE_BITS_ENTRIES; i++)
		clear_entry(&table[i], arch_entry_dirty);
	clear_entry(&directory[region], arch_entry_accessed);
}

void table_bits_clear(uint8_t *memory, size_t memory_size, uint64_t root)
{
	uint64_t *directory = find_directory(memory, memory_size, root);

	for (size_t region = 0;
	     directory && region < count_regions(memory_size); region++)
		if (is_in_use(directory[region]))
			clear_region(memory, directory, region);
}

/*
 * Bits are cleared first: what is cached after that, before KVM drops it, is dropped as
 * well. KVM unmaps what the host takes the right to write from, whatever kind of paging
 * it has, and has the CPU flush all that it has cached of the vm: else the guest could
 * go on writing to memory that is not its own any more.
 */
int table_bits_forget(struct table_bits *bits)
{
	for (size_t region = 0; region < bits->region_count; region++) {
		if (!is_in_use(bits->directory[region]))
			continue;
		clear_region(bits->memory, bits->directory, region);
		/* a bit that is set again is to differ from what was seen */
		memset(bits->seen + region * TABLE_BITS_ENTRIES, 0,
		       TABLE_BYTES);
	}
	if (mprotect(bits->memory, bits->memory_size, PROT_READ) ||
	    mprotect(bits->memory, bits->memory_size, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

bool table_bits_match(const uint8_t *tables, const uint8_t *others, size_t size)
{
	const uint64_t marks = arch_entry_accessed | arch_entry_dirty;

	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t one, other;

		memcpy(&one, tables + at, sizeof(one));
		memcpy(&other, others + at, sizeof(other));
		if ((one ^ other) & ~marks)
			return false;
	}
	return true;
}
