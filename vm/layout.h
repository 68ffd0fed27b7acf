/*
 * layout.h - where everything lies in guest memory.
 *
 * One memslot, gpa == offset, gva == gpa. The fixed low pages are in
 * guest/abi/thaw_abi.h; what follows the image depends on sizes the catalog
 * gives and is planned here once, before boot. The result is a list of
 * mappings, from which vm/<arch>/ makes page tables: whatever is not in the
 * list is not mapped, and everything in it is writable or executable, never
 * both.
 */
#ifndef VM_LAYOUT_H
#define VM_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/image/image.h"

/* Guest memory is a multiple of this on every architecture and page size. */
#define LAYOUT_MEMORY_UNIT (64u << 10)
#define LAYOUT_MEMORY_MAX (1024u << 20)
/* A guest is not worth starting with less heap than this. */
#define LAYOUT_HEAP_MIN (64u << 10)
#define LAYOUT_MAPPINGS_MAX (IMAGE_SEGMENTS_MAX + 15)

/* A mapping's protection: IMAGE_PROT_* and this. */
#define LAYOUT_SUPERVISOR 0x8

struct layout_range {
	uint64_t start;
	uint64_t size;
};

struct layout_mapping {
	struct layout_range range;
	unsigned prot; /* IMAGE_PROT_* | LAYOUT_SUPERVISOR */
};

/* Who may write the page THAW_GPA_CONTROL, if it is mapped at all. */
enum layout_control {
	LAYOUT_CONTROL_NONE,
	LAYOUT_CONTROL_SUPERVISOR, /* the gate */
	LAYOUT_CONTROL_USER,	   /* the function as well */
};

struct layout_config {
	size_t memory_size;  /* bytes; LAYOUT_MEMORY_UNIT, LAYOUT_MEMORY_MAX */
	size_t stack_size;   /* bytes, rounded up to pages, as the rest is */
	size_t request_size; /* largest request */
	size_t reply_size;   /* largest reply */
	size_t result_size;  /* largest answer of a host function; 0: none */
	enum layout_control control;
};

struct layout {
	size_t memory_size;
	uint64_t entry; /* the image's */
	struct layout_range heap;
	struct layout_range stack;
	struct layout_range request; /* windows, in whole pages */
	struct layout_range reply;
	struct layout_range result;
	size_t request_max; /* what may be in them, bytes */
	size_t reply_max;
	size_t result_max;	    /* 0: no host function may be called */
	struct layout_range tables; /* page tables, not mapped */
	enum layout_control control;
	struct layout_mapping mappings[LAYOUT_MAPPINGS_MAX];
	unsigned mapping_count;
};

/*
 * Plans the memory of @image. Returns -ENOMEM, with a message that names the
 * sum, if it does not fit, and -EINVAL for sizes out of bounds.
 */
int layout_plan(const struct image *image, const struct layout_config *config,
		struct error *err, struct layout *ret_layout);

/*
 * Whether the stack has overflowed: @address, which is not mapped, is in the guard
 * below it, and the stack pointer @sp no more than a page from there. The guard is
 * the heap's end as well.
 */
bool layout_is_overflow(const struct layout *layout, uint64_t address,
			uint64_t sp);

#endif
