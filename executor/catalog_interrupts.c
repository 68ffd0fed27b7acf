/* catalog_interrupts.c - see catalog_interrupts.h. */
#include "executor/catalog_interrupts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "executor/limits.h"

/* The digits of the highest line. */
#define LINE_DIGITS 4

int catalog_interrupts_parse(const char *text,
			     struct gunyah_interrupt *ret_interrupt)
{
	const size_t digits = strspn(text, "0123456789");
	unsigned long line;
	uint64_t after_ns = 0;
	int r = 0;

	if (!digits || (text[digits] && text[digits] != '@'))
		return -EINVAL;
	if (text[digits])
		r = units_parse_duration(text + digits + 1, &after_ns);
	if (r)
		return r;
	line = digits > LINE_DIGITS ? INTERRUPTS_MAX : strtoul(text, NULL, 10);
	if (line >= INTERRUPTS_MAX || line == INTERRUPTS_TIMER ||
	    after_ns > LIMIT_TIMEOUT_MAX)
		return -ERANGE;
	*ret_interrupt = (struct gunyah_interrupt){ (uint32_t)line, after_ns };
	return 0;
}
