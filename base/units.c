/* units.c - sizes and durations in text. See units.h. */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* The smallest comes first, so the last that divides a number is the largest. */
/* clang-format off */
static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KiB", UNITS_KIB },
	{ "MiB", UNITS_MIB },
	{ "GiB", UNITS_GIB },
	{ NULL, 0 },
};

static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", UNITS_US },
	{ "ms", UNITS_MS },
	{ "s", UNITS_S },
	{ "m", UNITS_M },
	{ NULL, 0 },
};
/* clang-format on */

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (const struct unit *unit = units; unit->name; unit++)
		if (!strcmp(unit->name, name))
			return unit;
	return NULL;
}

static int units_parse(const char *text, const struct unit *units,
		       uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	const struct unit *unit = find_unit(units, text + digits);
	uint64_t number = 0;

	if (!digits || !unit)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text[i] - '0', &number))
			return -ERANGE;
	if (__builtin_mul_overflow(number, unit->factor, ret))
		return -ERANGE;
	return 0;
}

static char *units_format(uint64_t number, const struct unit *units, char *text)
{
	const struct unit *best = units;

	for (const struct unit *unit = units; number && unit->name; unit++)
		if (number % unit->factor == 0)
			best = unit;
	snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", number / best->factor,
		 best->name);
	return text;
}

int units_parse_size(const char *text, size_t *ret_bytes)
{
	uint64_t bytes;
	int r = units_parse(text, sizes, &bytes);

	if (r < 0)
		return r;
	if (bytes > SIZE_MAX)
		return -ERANGE;
	*ret_bytes = bytes;
	return 0;
}

int units_parse_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t ns;
	int r = units_parse(text, durations, &ns);

	if (r < 0)
		return r;
	*ret_ns = ns;
	return 0;
}

char *units_format_size(size_t bytes, char text[static UNITS_TEXT_MAX])
{
	return units_format(bytes, sizes, text);
}

char *units_format_duration(uint64_t ns, char text[static UNITS_TEXT_MAX])
{
	return units_format(ns, durations, text);
}
