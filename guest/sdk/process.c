/*
 * process.c - what a C library asks of its system: the heap, and the ways to
 * end, which are errors of the function here.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <thaw.h>

#include "sdk.h"

/* picolibc.patch: the heap is not as malloc() and free() have left it. */
_Noreturn void __malloc_damaged(const void *block, const char *what);

void *sbrk(ptrdiff_t increment)
{
	static uint64_t heap_break;
	uint64_t old;

	if (!heap_break)
		heap_break = thaw_info->heap_start;
	old = heap_break;
	if (increment > 0 &&
	    (uint64_t)increment > thaw_info->heap_end - heap_break) {
		thaw_mailbox->heap_exhausted = 1;
		errno = ENOMEM;
		return (void *)-1;
	}
	if (increment < 0 &&
	    -(uint64_t)increment > heap_break - thaw_info->heap_start) {
		errno = EINVAL;
		return (void *)-1;
	}
	heap_break += (uint64_t)increment;
	return (void *)old;
}

_Noreturn void __malloc_damaged(const void *block, const char *what)
{
	thaw_fail("Runtime.HeapCorruption", "heap block at %p: %s", block,
		  what);
}

_Noreturn void _exit(int status)
{
	thaw_fail("Runtime.ExitError", "exit(%d) was called", status);
}

_Noreturn void abort(void)
{
	thaw_fail("Runtime.Abort", "abort() was called");
}

_Noreturn void __assert_func(const char *file, int line, const char *function,
			     const char *expression)
{
	thaw_fail("Runtime.AssertionFailed", "%s:%d: %s: assertion failed: %s",
		  file, line, function ? function : "?", expression);
}
