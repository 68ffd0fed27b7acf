/*
 * pages.h - what the handler `steps` of pages.elf is asked to do. Included by
 * the guest and by the tests.
 *
 * A request is a count and that many steps, taken in order; what follows them
 * is of no meaning. Pages are those of the heap; @first wraps around at its
 * end, so a @count too large means all of them.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdint.h>

enum page_step_kind {
	STEP_CHANGE, /* increments a byte of each page */
	STEP_SAME,   /* writes to each page what it holds already */
	STEP_CHECK,  /* reads each page: Test.Soiled if it is not zero */
	STEP_STACK,  /* writes @count KiB of its stack */
	STEP_REPLY,  /* replies @count bytes, each of the value @first */
	STEP_LOG,    /* logs a line */
	STEP_RING,   /* rings the doorbell with @first */
	STEP_FAIL,   /* ends with Test.Failed */
	STEP_FAULT,  /* changes the pages, then writes to address 8 */
	STEP_SPIN,   /* changes the pages for ever */
	STEP_SLEEP,  /* sleeps for @count ms */
};

struct page_step {
	uint32_t kind;
	uint32_t first;
	uint32_t count;
};

struct page_request {
	uint32_t step_count;
	struct page_step steps[];
};

#endif
