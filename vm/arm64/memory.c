/*
 * memory.c (arm64) - what the CPU reads from guest memory: page tables, and
 * thaw's stub and vectors.
 *
 * Reference: Arm ARM (DDI 0487), D8.3 (descriptors of VMSAv8-64).
 */
#include <string.h>

#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_shim.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/arm64/translation.h"
#include "vm/layout.h"

#define PTE_VALID 0x1ull
#define PTE_TABLE 0x3ull
#define PTE_PAGE 0x3ull
#define PTE_ATTRIBUTES(index) ((index) << 2)
#define PTE_USER (1ull << 6)
#define PTE_READ_ONLY (1ull << 7)
#define PTE_INNER_SHAREABLE (3ull << 8)
/* Preset, so that no access faults only to set it. */
#define PTE_ACCESSED (1ull << 10)
#define PTE_NO_EXECUTE_SUPERVISOR (1ull << 53)
#define PTE_NO_EXECUTE_USER (1ull << 54)
#define PTE_NO_EXECUTE (PTE_NO_EXECUTE_SUPERVISOR | PTE_NO_EXECUTE_USER)
#define PTE_ADDRESS 0x0000fffffffff000ull

#define PTE_DEVICE                                                      \
	(PTE_PAGE | PTE_ATTRIBUTES(TRANSLATION_DEVICE) | PTE_ACCESSED | \
	 PTE_NO_EXECUTE)

/* The bits that index the root, which is a table of level 1. */
#define ROOT_SHIFT (TRANSLATION_VA_BITS - 9)

struct tables {
	uint8_t *memory;
	uint64_t root;
	uint64_t next; /* gpa of the next free table */
	uint64_t end;
};

static uint64_t *table_at(const struct tables *tables, uint64_t gpa)
{
	return (uint64_t *)(void *)(tables->memory + gpa);
}

/* The table below @entry, made if there is none yet. */
static uint64_t *descend(struct tables *tables, uint64_t *entry)
{
	if (!*entry) {
		/* layout_plan() left room for all */
		if (tables->next >= tables->end)
			__builtin_trap();
		*entry = tables->next | PTE_TABLE;
		tables->next += THAW_PAGE_SIZE;
	}
	return table_at(tables, *entry & PTE_ADDRESS);
}

/* The table that has the entry of the page at @gva. */
static uint64_t *last_table(struct tables *tables, uint64_t gva)
{
	uint64_t *table = table_at(tables, tables->root);

	for (int shift = ROOT_SHIFT; shift > 12; shift -= 9)
		table = descend(tables, &table[gva >> shift & 511]);
	return table;
}

static void map_range(struct tables *tables, const struct layout_range *range,
		      uint64_t flags)
{
	uint64_t *table = NULL;

	for (uint64_t at = 0; at < range->size; at += THAW_PAGE_SIZE) {
		const uint64_t gva = range->start + at;
		const uint64_t index = gva >> 12 & 511;

		if (!table || !index)
			table = last_table(tables, gva);
		table[index] = gva | flags;
	}
}

static void map_device(struct tables *tables, uint64_t gva, uint64_t flags)
{
	const struct layout_range page = { gva, THAW_PAGE_SIZE };

	map_range(tables, &page, PTE_DEVICE | flags);
}

static uint64_t flags_of(unsigned prot)
{
	uint64_t flags = PTE_PAGE | PTE_ATTRIBUTES(TRANSLATION_MEMORY) |
			 PTE_INNER_SHAREABLE | PTE_ACCESSED | PTE_NO_EXECUTE;

	if (!(prot & IMAGE_PROT_WRITE))
		flags |= PTE_READ_ONLY;
	if (!(prot & LAYOUT_SUPERVISOR))
		flags |= PTE_USER;
	if (prot & IMAGE_PROT_EXECUTE && prot & LAYOUT_SUPERVISOR)
		flags &= ~PTE_NO_EXECUTE_SUPERVISOR;
	else if (prot & IMAGE_PROT_EXECUTE)
		flags &= ~PTE_NO_EXECUTE_USER;
	return flags;
}

static void build_page_tables(uint8_t *memory, const struct layout *layout)
{
	struct tables tables = {
		.memory = memory,
		.root = layout->tables.start,
		.next = layout->tables.start + THAW_PAGE_SIZE,
		.end = layout->tables.start + layout->tables.size,
	};

	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_mapping *m = &layout->mappings[i];

		map_range(&tables, &m->range, flags_of(m->prot));
	}
	map_device(&tables, THAW_DOORBELL_GPA, PTE_USER);
	map_device(&tables, THAW_FAULT_GPA, 0);
}

const unsigned arch_root_shift = ROOT_SHIFT;
const bool arch_keeps_code = true;
const uint64_t arch_entry_accessed = 0, arch_entry_dirty = 0;

uint64_t arch_page_entry(uint64_t gpa, unsigned prot)
{
	return gpa | flags_of(prot);
}

uint64_t arch_table_entry(uint64_t gpa)
{
	return gpa | PTE_TABLE;
}

uint64_t arch_entry_gpa(uint64_t entry)
{
	return entry & PTE_ADDRESS;
}

unsigned arch_entry_prot(uint64_t entry)
{
	unsigned prot = IMAGE_PROT_READ;

	if (!(entry & PTE_VALID) || !(entry & PTE_USER))
		return 0;
	if (!(entry & PTE_READ_ONLY))
		prot |= IMAGE_PROT_WRITE;
	if (!(entry & PTE_NO_EXECUTE_USER))
		prot |= IMAGE_PROT_EXECUTE;
	return prot;
}

void arch_prepare_memory(uint8_t *memory, const struct layout *layout)
{
	memcpy(memory + THAW_GPA_STUB, thaw_stub_start,
	       (size_t)(thaw_stub_end - thaw_stub_start));
	memcpy(memory + THAW_GPA_SUPERVISOR, thaw_supervisor_start,
	       (size_t)(thaw_supervisor_end - thaw_supervisor_start));
	if (layout->is_program)
		memcpy(memory + THAW_GPA_VDSO, thaw_vdso_start,
		       (size_t)(thaw_vdso_end - thaw_vdso_start));
	build_page_tables(memory, layout);
}
