/*
 * tables.c - see tables.h.
 *
 * A CPU, or a KVM that shadows the guest's tables, may have cached an entry that is
 * present. So when such an entry changes, KVM has to drop what it knows of the page: it
 * does that when the host's own mapping of the page changes. An entry that is added is
 * seen at once.
 */
#include "vm/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/vm_internal.h"

/* In an entry, on every architecture. */
#define PRESENT 1u
/*
 * An entry that is not present keeps its frame by these bits, inverted: speculation in
 * some CPUs takes what is there as an address of the host's memory.
 */
#define KEPT 0x0000fffffffff000u
/* If more pieces of memory have to be dropped, all of it is. */
#define PIECES_MAX 16

/* What is being changed. */
struct change {
	struct vm *vm;
	uint8_t *memory;
	const struct layout *layout;

	/* memory that is to be dropped; the last piece is still to be */
	unsigned count;
	uint64_t start, end;
	int r;
};

/* Has KVM drop what it has cached of the pages at @gpa. */
static int drop(struct vm *vm, uint64_t gpa, uint64_t size)
{
	const uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t within = gpa % page_size;
	uint8_t *start = vm->memory + gpa - within;

	size = (within + size + page_size - 1) / page_size * page_size;
	if (mprotect(start, size, PROT_READ) ||
	    mprotect(start, size, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static void drop_piece(struct change *change)
{
	if (change->vm && change->end && !change->r &&
	    change->count <= PIECES_MAX)
		change->r = drop(change->vm, change->start,
				 change->end - change->start);
}

static void add_piece(struct change *change, uint64_t gpa)
{
	if (!change->end || gpa != change->end) {
		drop_piece(change);
		change->start = gpa;
		change->count++;
	}
	change->end = gpa + THAW_PAGE_SIZE;
}

/* Drops what is left. 0 or -errno. */
static int end_change(struct change *change)
{
	drop_piece(change);
	if (!change->r && change->vm && change->count > PIECES_MAX)
		return drop(change->vm, 0, change->vm->memory_size);
	return change->r;
}

static void set_entry(struct change *change, uint64_t *entry, uint64_t value)
{
	const uint64_t gpa = (uint64_t)((uint8_t *)entry - change->memory);
	const uint64_t page =
		(gpa - change->layout->tables.start) / THAW_PAGE_SIZE;

	if (*entry == value)
		return;
	if (*entry & PRESENT)
		add_piece(change, arch_entry_gpa(*entry));
	*entry = value;
	if (!change->vm)
		return;
	change->vm->changed_tables.any = true;
	change->vm->changed_tables.bits[page / 64] |= UINT64_C(1) << page % 64;
}

/*
 * The entry for @gva; NULL: there is no table that has it, and all of the @ret_size bytes
 * from the multiple of that up to @gva have none.
 */
static uint64_t *entry_of(const uint8_t *memory, const struct layout *layout,
			  uint64_t gva, uint64_t *ret_size)
{
	const uint8_t *table = memory + layout->tables.start;
	unsigned shift = arch_root_shift;
	uint64_t entry;

	for (; shift > 12; shift -= 9) {
		memcpy(&entry, table + (gva >> shift & 511) * sizeof(entry),
		       sizeof(entry));
		*ret_size = UINT64_C(1) << shift;
		if (!(entry & PRESENT))
			return NULL;
		table = memory + arch_entry_gpa(entry);
	}
	*ret_size = THAW_PAGE_SIZE;
	return (uint64_t *)(void *)(uintptr_t)(table + (gva >> 12 & 511) *
							       sizeof(entry));
}

/* The frame that @entry keeps; 0: none. */
static uint64_t frame_of(uint64_t entry)
{
	if (entry & PRESENT)
		return arch_entry_gpa(entry);
	return entry ? ~entry & KEPT : 0;
}

static bool is_without_memory(const struct layout *layout, uint64_t gva)
{
	return gva >= layout->reserve.start;
}

int vm_protect(struct vm *vm, uint8_t *memory, const struct layout *layout,
	       uint64_t gva, uint64_t size, unsigned prot)
{
	struct change change = { .vm = vm, .memory = memory, .layout = layout };
	const uint64_t end = gva + size;
	uint64_t *entry, gpa = 0, step;

	for (; gva < end; gva += THAW_PAGE_SIZE) {
		if (is_without_memory(layout, gva))
			gva = vm_next_frame(memory, layout, gva, end, &gpa);
		else
			gpa = gva;
		if (gva == end)
			break;
		entry = entry_of(memory, layout, gva, &step);
		/* layout_plan_program() has mapped all that may be asked for */
		if (!entry)
			__builtin_trap();
		set_entry(&change, entry,
			  prot ? arch_page_entry(gpa, prot) :
			  is_without_memory(layout, gva) ? ~gpa & KEPT :
							   0);
	}
	return end_change(&change);
}

/* The places of the tables of @vm, of which those of the snapshot are in use. */
static struct table_places *places_of(struct vm *vm, unsigned used)
{
	if (vm->table_places)
		return vm->table_places;
	vm->table_places = calloc(1, sizeof(*vm->table_places));
	for (unsigned i = 0; vm->table_places && i < used; i++)
		vm->table_places->list[i] = UINT64_MAX;
	return vm->table_places;
}

/*
 * Chooses the table for the entry at @place. A KVM that shadows the tables has the host
 * write to them, and does not notice: it goes on where an entry has led once. So an entry
 * leads to the same table in all invocations of a vm, and a table that had a place never
 * gets another. 0 or -ENOMEM.
 */
static int choose_table(const struct change *change, uint64_t place,
			unsigned used, unsigned *ret_table)
{
	const struct layout_range *room = &change->layout->reserve_tables;
	const unsigned count = (unsigned)(room->size / THAW_PAGE_SIZE);
	struct table_places *places;
	unsigned i;

	*ret_table = used;
	if (used >= count - LAYOUT_RESERVE_KEPT)
		return -ENOMEM;
	if (!change->vm)
		return 0;
	places = places_of(change->vm, used);
	if (!places)
		return -ENOMEM;
	for (i = 0; i < count && places->list[i]; i++)
		if (places->list[i] == place)
			break;
	/* vm_restore_tables() sees to it that one is left */
	if (i == count)
		return -ENOMEM;
	if (!places->list[i])
		places->kept++;
	places->list[i] = place;
	*ret_table = i;
	return 0;
}

/* Makes the tables for @gva that there are not yet. 0 or -ENOMEM. */
static int make_tables(struct change *change, uint64_t gva,
		       unsigned *tables_used)
{
	const uint64_t room = change->layout->reserve_tables.start;
	uint64_t table = change->layout->tables.start;

	for (unsigned shift = arch_root_shift; shift > 12; shift -= 9) {
		const uint64_t place = table + (gva >> shift & 511) * 8;
		uint64_t *entry = (uint64_t *)(void *)(change->memory + place);
		unsigned i;

		if (!(*entry & PRESENT)) {
			if (choose_table(change, place, *tables_used, &i))
				return -ENOMEM;
			set_entry(change, entry,
				  arch_table_entry(room + THAW_PAGE_SIZE * i));
			++*tables_used;
		}
		table = arch_entry_gpa(*entry);
	}
	return 0;
}

int vm_map(struct vm *vm, uint8_t *memory, const struct layout *layout,
	   uint64_t gva, uint64_t gpa, uint64_t size, unsigned *tables_used)
{
	struct change change = { .vm = vm, .memory = memory, .layout = layout };
	const uint64_t end = gva + size;
	uint64_t step;

	for (; gva < end; gva += THAW_PAGE_SIZE, gpa += THAW_PAGE_SIZE) {
		if (!entry_of(memory, layout, gva, &step) &&
		    make_tables(&change, gva, tables_used))
			return -ENOMEM;
		set_entry(&change, entry_of(memory, layout, gva, &step),
			  ~gpa & KEPT);
	}
	return end_change(&change);
}

int vm_unmap(struct vm *vm, uint8_t *memory, const struct layout *layout,
	     uint64_t gva, uint64_t size)
{
	struct change change = { .vm = vm, .memory = memory, .layout = layout };
	const uint64_t end = gva + size;
	uint64_t gpa, step;

	while ((gva = vm_next_frame(memory, layout, gva, end, &gpa)) < end) {
		set_entry(&change, entry_of(memory, layout, gva, &step), 0);
		gva += THAW_PAGE_SIZE;
	}
	return end_change(&change);
}

uint64_t vm_next_frame(const uint8_t *memory, const struct layout *layout,
		       uint64_t gva, uint64_t end, uint64_t *ret_gpa)
{
	*ret_gpa = 0;
	while (gva < end) {
		uint64_t size;
		const uint64_t *entry = entry_of(memory, layout, gva, &size);

		*ret_gpa = entry ? frame_of(*entry) : 0;
		if (*ret_gpa)
			return gva;
		gva = (gva / size + 1) * size;
	}
	return end;
}

/* What one entry of the last table that is not the reserve's own translates. */
#define RESERVE_SHIFT 30

_Static_assert(LAYOUT_RESERVE_START % (UINT64_C(1) << RESERVE_SHIFT) == 0 &&
		       LAYOUT_RESERVE_SIZE % (UINT64_C(1) << RESERVE_SHIFT) ==
			       0,
	       "whole entries");

void vm_clear_reserve(uint8_t *memory, const struct layout *layout)
{
	const uint64_t first = layout->reserve.start >> RESERVE_SHIFT;
	const uint64_t count = layout->reserve.size >> RESERVE_SHIFT;
	uint64_t table = layout->tables.start, entry;

	/* its entries are beside those of memory, in one table */
	for (unsigned shift = arch_root_shift; shift > RESERVE_SHIFT;
	     shift -= 9) {
		memcpy(&entry,
		       memory + table +
			       (layout->reserve.start >> shift & 511) *
				       sizeof(entry),
		       sizeof(entry));
		table = arch_entry_gpa(entry);
	}
	memset(memory + table + (first & 511) * sizeof(entry), 0,
	       count * sizeof(entry));
	memset(memory + layout->reserve_tables.start, 0,
	       layout->reserve_tables.size);
}

static void put_page_back(struct change *change, uint64_t gpa,
			  const uint8_t *pristine)
{
	uint8_t *page = change->memory + gpa;

	for (size_t at = 0; at < THAW_PAGE_SIZE; at += sizeof(uint64_t)) {
		uint64_t is, was;

		memcpy(&is, page + at, sizeof(is));
		memcpy(&was, pristine + gpa + at, sizeof(was));
		if (is != was && (is & PRESENT))
			add_piece(change, arch_entry_gpa(is));
	}
	memcpy(page, pristine + gpa, THAW_PAGE_SIZE);
}

static __attribute__((noinline)) int
put_tables_back(struct vm *vm, const struct layout *layout,
		const uint8_t *pristine)
{
	struct changed_tables *changed = &vm->changed_tables;
	struct change change = { .vm = vm,
				 .memory = vm->memory,
				 .layout = layout };

	for (unsigned page = 0; page < LAYOUT_TABLES_MAX; page++)
		if (changed->bits[page / 64] >> page % 64 & 1)
			put_page_back(&change,
				      layout->tables.start +
					      (uint64_t)page * THAW_PAGE_SIZE,
				      pristine);
	*changed = (struct changed_tables){ .any = false };
	/* the next invocation may need as many as the first one */
	if (vm->table_places && vm->table_places->kept > LAYOUT_RESERVE_KEPT)
		return -ESTALE;
	return end_change(&change);
}

HOT int vm_restore_tables(struct vm *vm, const struct layout *layout,
			  const uint8_t *pristine)
{
	return vm->changed_tables.any ? put_tables_back(vm, layout, pristine) :
					0;
}

/* What user mode may do with the page at @gva. */
static unsigned prot_of(const uint8_t *memory, const struct layout *layout,
			uint64_t gva)
{
	uint64_t size;
	const uint64_t *entry = entry_of(memory, layout, gva, &size);

	return entry ? arch_entry_prot(*entry) : 0;
}

void vm_restore_code(struct vm *vm, const struct layout *layout, uint64_t gpa,
		     uint64_t size)
{
	const uint64_t end = gpa + size;

	if (!arch_keeps_code)
		return;
	for (gpa -= gpa % THAW_PAGE_SIZE; gpa < end; gpa += THAW_PAGE_SIZE) {
		const unsigned prot = prot_of(vm->memory, layout, gpa);
		char *code = (char *)vm->memory + gpa;

		/* what is not mapped may be a frame */
		if (!prot || (prot & IMAGE_PROT_EXECUTE))
			__builtin___clear_cache(code, code + THAW_PAGE_SIZE);
	}
}

bool vm_may_write(const uint8_t *memory, const struct layout *layout,
		  uint64_t gva)
{
	return prot_of(memory, layout, gva) & IMAGE_PROT_WRITE;
}
