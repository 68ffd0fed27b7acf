/* space_state.h - what a space is made of: for the files that implement space.h. */
#ifndef EXECUTOR_LINUX_SPACE_STATE_H
#define EXECUTOR_LINUX_SPACE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/linux/areas.h"

struct layout;
struct vm;

struct space {
	const struct layout *layout;
	uint8_t *memory;
	struct vm *vm;	 /* NULL: nothing has run in it yet */
	bool is_frozen;	 /* after the snapshot */
	bool is_changed; /* since space_init() or space_copy() */
	bool is_planned; /* shim.c has seen the last change */
	struct areas areas;
	uint64_t break_start; /* page-aligned */
	uint64_t break_end;   /* as the program has set it */
	uint64_t *used;	      /* a bit for each page that may hold something */
	uint64_t *from_file;  /* and for each page that a file was mapped to */
	unsigned tables_used; /* of layout->reserve_tables */
	size_t used_words;    /* of each of the two */
};

#endif
