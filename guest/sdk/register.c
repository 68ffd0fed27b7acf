/*
 * register.c - typed functions that init adds to those of the image. What is here is
 * only in images that call it, since the linker drops what nobody uses.
 */
#include <thaw.h>

#include "sdk.h"

/* By this section thaw knows, without booting, that there may be other functions. */
__attribute__((section("thaw_registers"))) static const char mark = 1;

static struct thaw_function_record records[THAW_FUNCTIONS_MAX];

int thaw_register(const struct thaw_function_record *record)
{
	const uint32_t number = thaw_registered.count;

	__asm__ volatile("" : : "r"(&mark));
	if (thaw_registered.is_closed ||
	    thaw_typed_count() + number >= THAW_FUNCTIONS_MAX)
		return -1;
	thaw_registered.records = records;
	records[number] = *record;
	thaw_registered.count++;
	return (int)number;
}

unsigned thaw_registered_number(void)
{
	return thaw_registered.called;
}
