/* libc_indirect.c - functions that are chosen when the image starts. */
#include <thaw.h>

#include "expect.h"
#include "versions.h"

static int answer(void)
{
	return 42;
}

__attribute__((used)) static int (*resolve_answer(void))(void)
{
	return answer;
}

int indirect(void) __attribute__((ifunc("resolve_answer")));

static int (*const pointer)(void) = indirect;

THAW_HANDLER(indirect_functions)
{
	EXPECT(indirect() == 42);
	EXPECT(pointer() == 42);
	EXPECT(twice(21) == 42);
	return 0;
}
