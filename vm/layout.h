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
#include "guest/abi/thaw_shim.h"
#include "vm/image/image.h"

/* Guest memory is a multiple of this on every architecture and page size. */
#define LAYOUT_MEMORY_UNIT (64u << 10)
#define LAYOUT_MEMORY_MAX (1024u << 20)
/* A guest is not worth starting with less heap than this. */
#define LAYOUT_HEAP_MIN (64u << 10)
#define LAYOUT_MAPPINGS_MAX (IMAGE_SEGMENTS_MAX + 19)

/*
 * Addresses of a Linux program without memory: for what it maps without access, and what
 * it makes accessible of that later. The end is that of what arm64's tables translate.
 */
#define LAYOUT_RESERVE_START ((uint64_t)THAW_RESERVE_START)
#define LAYOUT_RESERVE_SIZE (UINT64_C(448) << 30)
/*
 * Pages of page tables for them: one for each 2 MiB of memory, and these. Each 2 MiB of
 * addresses, and each 1 GiB, of which a page has become accessible takes one.
 */
#define LAYOUT_RESERVE_TABLES 64
/* And these: as many may stay where an invocation has had them. See vm/tables.c. */
#define LAYOUT_RESERVE_KEPT 64
#define LAYOUT_RESERVE_TABLES_MAX                                 \
	(LAYOUT_MEMORY_MAX / (2u << 20) + LAYOUT_RESERVE_TABLES + \
	 LAYOUT_RESERVE_KEPT)
/* Pages of page tables at most: see layout.c. */
#define LAYOUT_TABLES_MAX \
	(LAYOUT_MEMORY_MAX / (2u << 20) + 5 + LAYOUT_RESERVE_TABLES_MAX)

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
	/* of a program: LAYOUT_RESERVE_START, and the last of those tables */
	struct layout_range reserve;
	struct layout_range reserve_tables;
	enum layout_control control;
	bool is_program; /* it may make system calls: layout_plan_program() */
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
 * Plans the memory of a Linux program. All of it from THAW_GPA_IMAGE up to the stack
 * is heap, in which the loader puts what it likes; heap and stack are mapped
 * read-write, until vm_protect() changes that. @config->control and result_size are
 * ignored. Errors as layout_plan().
 */
int layout_plan_program(const struct layout_config *config, struct error *err,
			struct layout *ret_layout);

/*
 * Whether the stack has overflowed: @address, which is not mapped, is in the guard
 * below it, and the stack pointer @sp no more than a page from there. The guard is
 * the heap's end as well.
 */
bool layout_is_overflow(const struct layout *layout, uint64_t address,
			uint64_t sp);

#endif
