/* pages.h - thaw's own pages in a guest's memory, and those that a guest cannot write. */
#ifndef SNAPSHOT_PAGES_H
#define SNAPSHOT_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "vm/dirty.h"
#include "vm/holes.h"
#include "vm/layout.h"

/* The info page in @memory. */
static inline struct thaw_info *info_of(uint8_t *memory)
{
	return (struct thaw_info *)(void *)(memory + THAW_GPA_INFO);
}

/*
 * Puts all of thaw's pages and page tables into @memory. @environment and @host_local are
 * as in struct snapshot_options. -E2BIG: the environment is too large.
 */
int pages_prepare(uint8_t *memory, const struct layout *layout,
		  char *const *environment, uint32_t host_local,
		  struct error *err);

/* The same for a Linux program, which has fewer, and no environment. */
void pages_prepare_program(uint8_t *memory, const struct layout *layout);

/* Puts those that the guest cannot write into the state every invocation finds them in. */
void pages_freeze_given(uint8_t *memory, const struct layout *layout,
			enum dirty_backend dirty, uint64_t dispatch);

/* The same, and the others. */
void pages_freeze(uint8_t *memory, const struct layout *layout,
		  enum dirty_backend dirty, uint64_t dispatch);

/*
 * Compares @memory with @wanted, where both must be the same in a frozen guest: in thaw's
 * pages, in windows that the guest cannot write, and in page tables, bit for bit. Windows of
 * @memory that are in its @holes are zero, as in @wanted, and are not looked at. The first
 * address that differs is in *@ret_gpa.
 */
bool pages_match(const uint8_t *memory, const uint8_t *wanted,
		 const struct layout *layout, const struct holes *holes,
		 uint64_t *ret_gpa);

/*
 * The same for a Linux program. What it could have written, wherever that is mapped now,
 * is not compared, nor are the pages of its registers, its sites and thaw_given: those
 * are the caller's to check.
 */
bool pages_match_program(const uint8_t *memory, const uint8_t *wanted,
			 const struct layout *layout, const struct holes *holes,
			 uint64_t *ret_gpa);

#endif
