/*
 * thread_locals.c - thread-local variables, of the one thread there is; and that
 * nothing else lies where they are.
 */
#include <stdint.h>

#include <thaw.h>

#include "expect.h"

_Thread_local int counter = 41;
static _Thread_local char zeros[100];
static _Thread_local _Alignas(64) char zeros_aligned[3];
static _Thread_local _Alignas(32) char letters[3] = "ab";
static char neighbours[256];
static char full_neighbours[256] = { 1 };

extern _Thread_local long elsewhere;

THAW_INIT(count)
{
	counter++;
	return zeros[0];
}

static int is_zero(const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (from[i])
			return 0;
	return 1;
}

THAW_HANDLER(thread_locals)
{
	EXPECT(++counter == 43);
	EXPECT(++elsewhere == 8);
	EXPECT_TEXT(letters, "ab");
	EXPECT((uintptr_t)zeros_aligned % 64 == 0);
	EXPECT((uintptr_t)letters % 32 == 0);
	EXPECT(is_zero(zeros, sizeof(zeros)));
	EXPECT(is_zero(zeros_aligned, sizeof(zeros_aligned)));
	memset(zeros, 0xff, sizeof(zeros));
	memset(zeros_aligned, 0xff, sizeof(zeros_aligned));
	EXPECT(is_zero(neighbours, sizeof(neighbours)));
	EXPECT(is_zero(full_neighbours + 1, sizeof(full_neighbours) - 1));
	EXPECT(counter == 43 && elsewhere == 8);
	EXPECT_TEXT(letters, "ab");
	return 0;
}
