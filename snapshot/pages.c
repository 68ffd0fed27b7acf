/* pages.c - see pages.h. */
#include "snapshot/pages.h"

#include <stddef.h>
#include <string.h>

#include "guest/abi/thaw_shim.h"
#include "snapshot/info.h"
#include "vm/calls.h"
#include "vm/table_bits.h"
#include "vm/vm.h"

int pages_prepare(uint8_t *memory, const struct layout *layout,
		  char *const *environment, uint32_t host_local,
		  struct error *err)
{
	int r = info_put_environment(memory, environment, err);

	if (r)
		return r;
	vm_prepare_memory(memory, layout);
	info_set_layout(info_of(memory), layout, THAW_GPA_ENVIRONMENT);
	info_of(memory)->host_local = host_local;
	info_of(memory)->done = vm_doorbell_address();
	return 0;
}

void pages_prepare_program(uint8_t *memory, const struct layout *layout)
{
	struct thaw_info *info = info_of(memory);

	vm_prepare_memory(memory, layout);
	info_set_layout(info, layout, 0);
	info->dispatch = vm_resume_address();
	info->stack_top = THAW_GPA_SCRATCH + THAW_SCRATCH_SIZE;
	info->done = vm_doorbell_address();
}

void pages_freeze_given(uint8_t *memory, const struct layout *layout,
			enum dirty_backend dirty, uint64_t dispatch)
{
	struct thaw_info *info = info_of(memory);

	info->dispatch = dispatch;
	memset(&info->counter_base, 0,
	       sizeof(*info) - offsetof(struct thaw_info, counter_base));
	if (dirty == DIRTY_TABLES)
		table_bits_clear(memory, layout->memory_size,
				 layout->tables.start);
}

void pages_freeze(uint8_t *memory, const struct layout *layout,
		  enum dirty_backend dirty, uint64_t dispatch)
{
	pages_freeze_given(memory, layout, dirty, dispatch);
	memset(memory + THAW_GPA_MAILBOX, 0, THAW_MAILBOX_SIZE);
	memset(memory + THAW_GPA_FAULT, 0, THAW_PAGE_SIZE);
	memset(memory + THAW_GPA_LOG, 0, THAW_LOG_SIZE);
}

static bool range_matches(const uint8_t *memory, const uint8_t *wanted,
			  const struct layout_range *range, uint64_t *ret_gpa)
{
	const uint64_t end = range->start + range->size;

	for (uint64_t gpa = range->start; gpa < end; gpa += THAW_PAGE_SIZE) {
		*ret_gpa = gpa;
		if (memcmp(memory + gpa, wanted + gpa, THAW_PAGE_SIZE) != 0)
			return false;
	}
	return true;
}

/* Whether pages of @mapping have no content of the guest's own, nor the image's. */
static bool is_given(const struct layout *layout,
		     const struct layout_mapping *mapping)
{
	return mapping->range.start < THAW_GPA_IMAGE ||
	       (mapping->range.start >= layout->heap.start &&
		!(mapping->prot & IMAGE_PROT_WRITE));
}

/* Whether @range is a window, all of it in a hole: large, and zero on both sides. */
static bool is_empty_window(const struct layout *layout,
			    const struct layout_range *range,
			    const struct holes *holes)
{
	bool is_in = false;

	for (unsigned i = 0; i < holes->count; i++)
		is_in |= range->start >= holes->of[i].start &&
			 range->start + range->size <=
				 holes->of[i].start + holes->of[i].size;
	return is_in && (range->start == layout->request.start ||
			 range->start == layout->result.start);
}

/* Whether pages of @mapping, of a program, have none. */
static bool is_given_program(const struct layout *layout,
			     const struct layout_mapping *mapping)
{
	(void)layout;
	switch (mapping->range.start) {
	case THAW_GPA_FRAME:
	case THAW_GPA_SITES:
	case THAW_GPA_GIVEN:
		return false;
	}
	return !(mapping->prot & IMAGE_PROT_WRITE) ||
	       (mapping->prot & LAYOUT_SUPERVISOR);
}

static bool
given_pages_match(const uint8_t *memory, const uint8_t *wanted,
		  const struct layout *layout, const struct holes *holes,
		  bool (*is_compared)(const struct layout *,
				      const struct layout_mapping *),
		  uint64_t *ret_gpa)
{
	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_mapping *mapping = &layout->mappings[i];

		/* the control page is not in memory */
		if (mapping->range.start < layout->memory_size &&
		    is_compared(layout, mapping) &&
		    !is_empty_window(layout, &mapping->range, holes) &&
		    !range_matches(memory, wanted, &mapping->range, ret_gpa))
			return false;
	}
	return range_matches(memory, wanted, &layout->tables, ret_gpa);
}

bool pages_match(const uint8_t *memory, const uint8_t *wanted,
		 const struct layout *layout, const struct holes *holes,
		 uint64_t *ret_gpa)
{
	return given_pages_match(memory, wanted, layout, holes, is_given,
				 ret_gpa);
}

bool pages_match_program(const uint8_t *memory, const uint8_t *wanted,
			 const struct layout *layout, const struct holes *holes,
			 uint64_t *ret_gpa)
{
	return given_pages_match(memory, wanted, layout, holes,
				 is_given_program, ret_gpa);
}
