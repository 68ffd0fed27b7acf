/*
 * memory.c (x86_64) - what the CPU reads from guest memory: page tables,
 * descriptor tables, and thaw's stubs.
 *
 * References: Intel SDM volume 3, chapter 4 (4-level paging), 3.4.5 (segment
 * descriptors), 6.14 (64-bit IDT), 7.7 (64-bit TSS), volume 1, 19.5.2 (I/O
 * permission bit map).
 */
#include <stdbool.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_shim.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/layout.h"
#include "vm/x86_64/descriptors.h"

#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
/*
 * Preset, so that walking the tables never writes to them; where they are to tell what
 * was written, table_bits.h clears them before the vms are made.
 */
#define PTE_ACCESSED 0x20ull
#define PTE_DIRTY 0x40ull
#define PTE_NO_EXECUTE (1ull << 63)
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* The bits that index the root, which is a table of level 4. */
#define ROOT_SHIFT 39

_Static_assert(SYSTEM_TSS + TSS_SIZE <= SYSTEM_IDT, "one page");
_Static_assert(THAW_CALL_PORT / 8 == THAW_DOORBELL_PORT / 8, "in the bitmap");
_Static_assert(SYSTEM_IDT + IDT_SIZE <= THAW_PAGE_SIZE, "one page");

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

struct tables {
	uint8_t *memory;
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
	if (!(*entry & PTE_PRESENT)) {
		/* layout_plan() left room for all */
		if (tables->next >= tables->end)
			__builtin_trap();
		*entry = tables->next | PTE_TABLE;
		tables->next += THAW_PAGE_SIZE;
	}
	return table_at(tables, *entry & PTE_ADDRESS);
}

/* The table that has the entry of the page at @gva. */
static uint64_t *last_table(struct tables *tables, uint64_t root, uint64_t gva)
{
	uint64_t *table = table_at(tables, root);

	for (int shift = ROOT_SHIFT; shift > 12; shift -= 9)
		table = descend(tables, &table[gva >> shift & 511]);
	return table;
}

static void map_range(struct tables *tables, uint64_t root,
		      const struct layout_range *range, uint64_t flags)
{
	uint64_t *table = NULL;

	for (uint64_t at = 0; at < range->size; at += THAW_PAGE_SIZE) {
		const uint64_t gva = range->start + at;
		const uint64_t index = gva >> 12 & 511;

		if (!table || !index)
			table = last_table(tables, root, gva);
		table[index] = gva | flags;
	}
}

static uint64_t flags_of(unsigned prot)
{
	uint64_t flags = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY;

	if (prot & IMAGE_PROT_WRITE)
		flags |= PTE_WRITE;
	if (!(prot & IMAGE_PROT_EXECUTE))
		flags |= PTE_NO_EXECUTE;
	if (!(prot & LAYOUT_SUPERVISOR))
		flags |= PTE_USER;
	return flags;
}

static void build_page_tables(uint8_t *memory, const struct layout *layout)
{
	struct tables tables = {
		.memory = memory,
		.next = layout->tables.start + THAW_PAGE_SIZE,
		.end = layout->tables.start + layout->tables.size,
	};

	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_mapping *m = &layout->mappings[i];

		map_range(&tables, layout->tables.start, &m->range,
			  flags_of(m->prot));
	}
}

static void build_gdt(uint8_t *gdt)
{
	uint64_t tss = THAW_GPA_SYSTEM + SYSTEM_TSS;

	put64(gdt + THAW_X86_KERNEL_CS, 0x00af9b000000ffffull);
	put64(gdt + THAW_X86_KERNEL_DS, 0x00cf93000000ffffull);
	put64(gdt + (THAW_X86_USER_DS & ~7), 0x00cff3000000ffffull);
	put64(gdt + (THAW_X86_USER_CS & ~7), 0x00affb000000ffffull);
	put64(gdt + THAW_X86_TSS, (TSS_SIZE - 1) | (tss & 0xffffff) << 16 |
					  0x8bull << 40 |
					  (tss >> 24 & 0xff) << 56);
	put64(gdt + THAW_X86_TSS + 8, tss >> 32);
}

/*
 * Every exception switches to the one stack that ends THAW_GPA_FAULT; but
 * breakpoints, which enter the gate, to one that ends the control page, where
 * there is one of the gate's own: that page is not restored.
 */
static void build_tss(uint8_t *tss, const struct layout *layout)
{
	const uint16_t bitmap = TSS_BITMAP;
	const uint64_t trap_stack =
		(layout->control == LAYOUT_CONTROL_SUPERVISOR ?
			 THAW_GPA_CONTROL :
			 THAW_GPA_FAULT) +
		THAW_PAGE_SIZE;

	put64(tss + 4, THAW_GPA_FAULT + THAW_PAGE_SIZE);  /* RSP0 */
	put64(tss + 36, THAW_GPA_FAULT + THAW_PAGE_SIZE); /* IST1 */
	put64(tss + 44, trap_stack);			  /* IST2 */
	memcpy(tss + 102, &bitmap, sizeof(bitmap));
	memset(tss + TSS_BITMAP, 0xff, TSS_SIZE - TSS_BITMAP);
	tss[TSS_BITMAP + THAW_DOORBELL_PORT / 8] &=
		(uint8_t) ~(1u << THAW_DOORBELL_PORT % 8);
	if (layout->is_program)
		tss[TSS_BITMAP + THAW_CALL_PORT / 8] &=
			(uint8_t) ~(1u << THAW_CALL_PORT % 8);
}

static void build_idt(uint8_t *idt)
{
	const uint64_t trap =
		THAW_GPA_SUPERVISOR +
		(uint64_t)(thaw_supervisor_trap - thaw_supervisor_start);

	for (unsigned vector = 0; vector < IDT_VECTORS; vector++) {
		/* int3 is one user mode may raise: the gate, or a fault */
		bool is_trap = vector == VECTOR_BP;
		uint64_t stub =
			is_trap ? trap :
				  THAW_GPA_SUPERVISOR +
					  vector * THAW_X86_FAULT_STUB_SIZE;
		uint64_t dpl = is_trap ? 3 : 0, ist = is_trap ? 2 : 1;

		put64(idt + vector * 16,
		      (stub & 0xffff) | (uint64_t)THAW_X86_KERNEL_CS << 16 |
			      ist << 32 | 0x8eull << 40 | dpl << 45 |
			      (stub >> 16 & 0xffff) << 48);
		put64(idt + vector * 16 + 8, stub >> 32);
	}
}

const unsigned arch_root_shift = ROOT_SHIFT;
const bool arch_keeps_code = false;
const uint64_t arch_entry_accessed = PTE_ACCESSED;
const uint64_t arch_entry_dirty = PTE_DIRTY;

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

	if (!(entry & PTE_PRESENT) || !(entry & PTE_USER))
		return 0;
	if (entry & PTE_WRITE)
		prot |= IMAGE_PROT_WRITE;
	if (!(entry & PTE_NO_EXECUTE))
		prot |= IMAGE_PROT_EXECUTE;
	return prot;
}

void arch_prepare_memory(uint8_t *memory, const struct layout *layout)
{
	uint8_t *system = memory + THAW_GPA_SYSTEM;

	build_gdt(system);
	build_tss(system + SYSTEM_TSS, layout);
	build_idt(system + SYSTEM_IDT);
	memcpy(memory + THAW_GPA_STUB, thaw_stub_start,
	       (size_t)(thaw_stub_end - thaw_stub_start));
	memcpy(memory + THAW_GPA_SUPERVISOR, thaw_supervisor_start,
	       (size_t)(thaw_supervisor_end - thaw_supervisor_start));
	if (layout->is_program)
		memcpy(memory + THAW_GPA_VDSO, thaw_vdso_start,
		       (size_t)(thaw_vdso_end - thaw_vdso_start));
	build_page_tables(memory, layout);
}
