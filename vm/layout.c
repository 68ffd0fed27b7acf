/* layout.c - plans guest memory from the top down. See layout.h. */
#include "vm/layout.h"

#include <errno.h>

#include "guest/abi/thaw_abi.h"

#define GUARD THAW_PAGE_SIZE

static uint64_t round_up_to_page(uint64_t size)
{
	return (size + THAW_PAGE_SIZE - 1) & ~(uint64_t)(THAW_PAGE_SIZE - 1);
}

static void add_mapping(struct layout *layout, uint64_t start, uint64_t size,
			unsigned prot)
{
	if (size)
		layout->mappings[layout->mapping_count++] =
			(struct layout_mapping){ { start, size }, prot };
}

/*
 * Pages for three levels of tables over the memory, with 4 KiB leaves and 512
 * entries to a table, and for the control page and the doorbell pages of arm64,
 * far above it: two more tables. One
 * root serves as level 1; x86_64 has one level above it.
 */
static uint64_t tables_size(size_t memory_size)
{
	uint64_t leaves = memory_size / THAW_PAGE_SIZE;
	uint64_t last_level = (leaves + 511) / 512;
	uint64_t middle = (last_level + 511) / 512;

	return (last_level + middle + 2 + 2) * THAW_PAGE_SIZE;
}

/* The same for the tables of a program's reserve. */
static uint64_t reserve_tables_size(size_t memory_size)
{
	const uint64_t dense = (memory_size / THAW_PAGE_SIZE + 511) / 512;

	return (dense + LAYOUT_RESERVE_TABLES + LAYOUT_RESERVE_KEPT) *
	       THAW_PAGE_SIZE;
}

static void plan_program_tables(struct layout *layout, uint64_t size)
{
	const uint64_t reserve = reserve_tables_size(size);

	layout->reserve = (struct layout_range){ LAYOUT_RESERVE_START,
						 LAYOUT_RESERVE_SIZE };
	layout->reserve_tables = (struct layout_range){
		layout->tables.start + layout->tables.size - reserve, reserve
	};
}

/* Takes @size bytes and a guard below them off the top. */
static struct layout_range take_off_top(uint64_t *top, uint64_t size)
{
	struct layout_range range = { 0, round_up_to_page(size) };

	if (range.size + GUARD > *top)
		*top = 0;
	else
		*top -= range.size + GUARD;
	range.start = *top + GUARD;
	return range;
}

static int check_config(const struct layout_config *config, struct error *err)
{
	if (config->memory_size == 0 ||
	    config->memory_size > LAYOUT_MEMORY_MAX ||
	    config->memory_size % LAYOUT_MEMORY_UNIT)
		return error_set(err, -EINVAL,
				 "memory of %zu bytes: must be a multiple of "
				 "64 KiB, 1 GiB at most",
				 config->memory_size);
	if (config->stack_size > LAYOUT_MEMORY_MAX ||
	    config->request_size > LAYOUT_MEMORY_MAX ||
	    config->reply_size > LAYOUT_MEMORY_MAX ||
	    config->result_size > LAYOUT_MEMORY_MAX)
		return error_set(err, -EINVAL,
				 "stack, request, reply and host.max_size must "
				 "be 1 GiB at most");
	return 0;
}

/* What the stubs need, in all guests. */
static void add_stub_pages(struct layout *layout)
{
	const unsigned read = IMAGE_PROT_READ, write = IMAGE_PROT_WRITE,
		       execute = IMAGE_PROT_EXECUTE;

	add_mapping(layout, THAW_GPA_SYSTEM, THAW_PAGE_SIZE,
		    read | LAYOUT_SUPERVISOR);
	add_mapping(layout, THAW_GPA_SUPERVISOR, THAW_PAGE_SIZE,
		    read | execute | LAYOUT_SUPERVISOR);
	add_mapping(layout, THAW_GPA_FAULT, THAW_PAGE_SIZE,
		    read | write | LAYOUT_SUPERVISOR);
	add_mapping(layout, THAW_GPA_STUB, THAW_PAGE_SIZE, read | execute);
	add_mapping(layout, THAW_GPA_INFO, THAW_PAGE_SIZE, read);
}

static void add_thaw_pages(struct layout *layout)
{
	const unsigned read = IMAGE_PROT_READ, write = IMAGE_PROT_WRITE;

	add_stub_pages(layout);
	add_mapping(layout, THAW_GPA_MAILBOX, THAW_MAILBOX_SIZE, read | write);
	add_mapping(layout, THAW_GPA_HEADERS, THAW_HEADERS_SIZE, read);
	add_mapping(layout, THAW_GPA_LOG, THAW_LOG_SIZE, read | write);
	add_mapping(layout, THAW_GPA_ENVIRONMENT, THAW_ENVIRONMENT_MAX, read);
}

int layout_plan(const struct image *image, const struct layout_config *config,
		struct error *err, struct layout *ret_layout)
{
	struct layout layout = { .memory_size = config->memory_size,
				 .entry = image->entry,
				 .request_max = config->request_size,
				 .reply_max = config->reply_size,
				 .result_max = config->result_size,
				 .control = config->control };
	uint64_t top = config->memory_size;
	uint64_t bottom = image->end + GUARD;
	int r;

	r = check_config(config, err);
	if (r)
		return r;
	layout.tables = take_off_top(&top, tables_size(config->memory_size));
	layout.reply = take_off_top(&top, config->reply_size);
	layout.request = take_off_top(&top, config->request_size);
	if (config->result_size)
		layout.result = take_off_top(&top, config->result_size);
	layout.stack = take_off_top(&top, config->stack_size);
	if (top < bottom || top - bottom < LAYOUT_HEAP_MIN)
		return error_set(
			err, -ENOMEM,
			"memory of %zu KiB is too small for image (%llu KiB), "
			"stack (%zu KiB), request (%zu KiB), reply (%zu KiB), "
			"results of host functions (%zu KiB), page tables (%llu KiB) and a heap of 64 KiB: raise "
			"memory, or lower the others",
			config->memory_size >> 10,
			(unsigned long long)image->end >> 10,
			config->stack_size >> 10, config->request_size >> 10,
			config->reply_size >> 10, config->result_size >> 10,
			(unsigned long long)layout.tables.size >> 10);
	layout.heap = (struct layout_range){ bottom, top - bottom };

	add_thaw_pages(&layout);
	for (unsigned i = 0; i < image->segment_count; i++)
		if (image->segments[i].prot)
			add_mapping(&layout, image->segments[i].gva,
				    image->segments[i].size,
				    image->segments[i].prot);
	add_mapping(&layout, layout.heap.start, layout.heap.size,
		    IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	add_mapping(&layout, layout.stack.start, layout.stack.size,
		    IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	add_mapping(&layout, layout.request.start, layout.request.size,
		    IMAGE_PROT_READ);
	add_mapping(&layout, layout.result.start, layout.result.size,
		    IMAGE_PROT_READ);
	add_mapping(&layout, layout.reply.start, layout.reply.size,
		    IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	if (config->control != LAYOUT_CONTROL_NONE)
		add_mapping(&layout, THAW_GPA_CONTROL, THAW_PAGE_SIZE,
			    IMAGE_PROT_READ | IMAGE_PROT_WRITE |
				    (config->control == LAYOUT_CONTROL_USER ?
					     0 :
					     LAYOUT_SUPERVISOR));
	*ret_layout = layout;
	return 0;
}

static void add_program_pages(struct layout *layout)
{
	const unsigned read = IMAGE_PROT_READ, write = IMAGE_PROT_WRITE,
		       execute = IMAGE_PROT_EXECUTE;

	add_stub_pages(layout);
	add_mapping(layout, THAW_GPA_FRAME, THAW_FRAME_SIZE, read);
	add_mapping(layout, THAW_GPA_SCRATCH, THAW_SCRATCH_SIZE, read | write);
	add_mapping(layout, THAW_GPA_VDSO, THAW_VDSO_MAX, read | execute);
	add_mapping(layout, THAW_GPA_SITES, THAW_SITES_SIZE, read | execute);
	add_mapping(layout, THAW_GPA_SHIM, THAW_PAGE_SIZE, read | write);
	add_mapping(layout, THAW_GPA_GIVEN, THAW_PAGE_SIZE, read);
	add_mapping(layout, THAW_GPA_ACTIONS, THAW_PAGE_SIZE, read | write);
	add_mapping(layout, THAW_GPA_OUTPUT, THAW_OUTPUT_SIZE, read | write);
	add_mapping(layout, THAW_GPA_ERRORS, THAW_ERRORS_SIZE, read | write);
}

int layout_plan_program(const struct layout_config *config, struct error *err,
			struct layout *ret_layout)
{
	struct layout layout = { .memory_size = config->memory_size,
				 .request_max = config->request_size,
				 .reply_max = config->reply_size,
				 .is_program = true };
	const size_t all = config->memory_size;
	uint64_t top = all;
	int r = check_config(config, err);

	if (r)
		return r;
	layout.tables =
		take_off_top(&top, tables_size(all) + reserve_tables_size(all));
	plan_program_tables(&layout, all);
	layout.request = take_off_top(&top, config->request_size);
	layout.stack = take_off_top(&top, config->stack_size);
	if (top < THAW_GPA_IMAGE + LAYOUT_HEAP_MIN)
		return error_set(
			err, -ENOMEM,
			"memory of %zu KiB is too small for stack (%zu KiB), "
			"request (%zu KiB) and page tables (%llu KiB): raise "
			"memory, or lower the others",
			config->memory_size >> 10, config->stack_size >> 10,
			config->request_size >> 10,
			(unsigned long long)layout.tables.size >> 10);
	layout.heap =
		(struct layout_range){ THAW_GPA_IMAGE, top - THAW_GPA_IMAGE };
	add_program_pages(&layout);
	add_mapping(&layout, layout.heap.start, layout.heap.size,
		    IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	add_mapping(&layout, layout.stack.start, layout.stack.size,
		    IMAGE_PROT_READ | IMAGE_PROT_WRITE);
	add_mapping(&layout, layout.request.start, layout.request.size,
		    IMAGE_PROT_READ);
	*ret_layout = layout;
	return 0;
}

bool layout_is_overflow(const struct layout *layout, uint64_t address,
			uint64_t sp)
{
	const uint64_t start = layout->stack.start;

	return address < start && start - address <= GUARD &&
	       sp < start + THAW_PAGE_SIZE;
}
