/*
 * backtrace.c - faults at the end of known calls, and with frame pointers that lead
 * astray.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "fault_frame.h"

/* A function that has a frame of its own; what follows a call keeps it a call. */
#ifdef __clang__
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noipa))
#endif
int inner(void), outer(void), measure(void);
int compare(const void *a, const void *b), jump(int (*to)(void));
int descend(int depth), fill(int depth);

static int *volatile nowhere = (int *)8;
static volatile int one = 1;

KEPT int inner(void)
{
	return *nowhere;
}

KEPT int outer(void)
{
	return inner() + one;
}

THAW_HANDLER(calls)
{
	return outer() + one;
}

/* A function of the C library that has no frame. */
KEPT int measure(void)
{
	return (int)strlen((const char *)nowhere) + one;
}

THAW_HANDLER(leaf)
{
	return measure() + one;
}

KEPT int compare(const void *a, const void *b)
{
	return inner() + (a < b);
}

/* It is called by way of a pointer, from the C library. */
THAW_HANDLER(callback)
{
	int numbers[] = { 3, 1, 2 };

	qsort(numbers, 3, sizeof(*numbers), compare);
	return numbers[0] + one;
}

KEPT int jump(int (*to)(void))
{
	return to() + one;
}

/* To where no code is. */
THAW_HANDLER(jumps)
{
	return jump((int (*)(void))(uintptr_t)nowhere) + one;
}

KEPT int descend(int depth)
{
	return (depth > 1 ? descend(depth - 1) : inner()) + one;
}

/* As many calls of descend() as the request says. */
THAW_HANDLER(depth)
{
	char text[16] = "";

	memcpy(text, request->data, request->size % sizeof(text));
	return descend(atoi(text)) + one;
}

KEPT int fill(int depth)
{
	volatile char room[512];

	room[0] = (char)depth;
	return one ? fill(depth + 1) + room[0] : 0;
}

THAW_HANDLER(overflow)
{
	return fill(0) + one;
}

#define RECORDS 100

struct record {
	uintptr_t frame;
	uintptr_t return_address;
};
static struct record elsewhere[RECORDS];

/* Each leads to the next, and the last nowhere. */
static void chain(struct record *records, uintptr_t return_address)
{
	for (size_t i = 0; i < RECORDS; i++) {
		records[i].frame = (uintptr_t)&records[i + 1];
		records[i].return_address = return_address;
	}
	records[RECORDS - 1].frame = 0;
}

/* Faults with the frame pointer that the request names. */
THAW_HANDLER(astray)
{
	const char *kind = request->data;
	struct record records[RECORDS];
	const uintptr_t code = (uintptr_t)inner + 8;
	const uintptr_t at = (uintptr_t)records;
	size_t size;

	chain(records, code);
	chain(elsewhere, code);
	switch (request->size ? *kind : 0) {
	case 'c': /* all of them */
		fault_frame(at);
	case 's': /* to itself */
		records[0].frame = at;
		fault_frame(at);
	case 'b': /* back inwards */
		records[2].frame = at;
		fault_frame((uintptr_t)&records[2]);
	case 'o': /* overlapping the one before */
		records[0].frame = at + 8;
		fault_frame(at);
	case 'd': /* a return into data */
		chain(records, (uintptr_t)elsewhere);
		fault_frame(at);
	case 'n': /* a return to nowhere */
		chain(records, 0);
		fault_frame(at);
	case 'm': /* a return beyond all memory */
		chain(records, UINTPTR_MAX);
		fault_frame(at);
	case 'e': /* below the stack, and so is the stack pointer */
		fault_frame_stack((uintptr_t)elsewhere, 0);
	case 'a': /* above the stack */
		chain(thaw_reply_buffer(&size), code);
		fault_frame((uintptr_t)thaw_reply_buffer(&size));
	case 'p': /* the first is pushed, and not the frame pointer's yet */
		records[3].frame = 0;
		fault_frame_stack((uintptr_t)&records[1], at);
	case 'u': /* not aligned */
		memmove((char *)records + 4, records, sizeof(*records));
		fault_frame(at + 4);
	case 'l': /* below the stack pointer */
		fault_frame((at & ~(uintptr_t)0xfff) - 0x4000);
	case 't': /* the last word of the stack */
		fault_frame((at | 0xfff) - 7);
	case 'w': /* at the end of the address space */
		fault_frame(UINTPTR_MAX - 7);
	default:
		fault_frame(0);
	}
}
