/*
 * units.h - sizes and durations as people write them: "16MiB", "100ms".
 *
 * A quantity is decimal digits and a unit: no sign, no fraction, no space. The
 * parsers read what the formatters write as the same number. Any thread.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Sizes, in bytes. */
#define UNITS_KIB ((size_t)1 << 10)
#define UNITS_MIB ((size_t)1 << 20)
#define UNITS_GIB ((size_t)1 << 30)

/* Durations, in nanoseconds. */
#define UNITS_US UINT64_C(1000)
#define UNITS_MS (1000 * UNITS_US)
#define UNITS_S (1000 * UNITS_MS)
#define UNITS_M (60 * UNITS_S)

/* Returns @number in units of @unit, rounded up. */
static inline uint64_t units_ceil(uint64_t number, uint64_t unit)
{
	return number / unit + (number % unit != 0);
}

/* The units accepted, for messages. */
#define UNITS_OF_SIZE "B, KiB, MiB, GiB"
#define UNITS_OF_DURATION "ns, us, ms, s, m"

/* Room for any formatted quantity, its terminating zero included. */
#define UNITS_TEXT_MAX 32

/*
 * Reads a size such as "64KiB" into bytes. Returns 0; -EINVAL if @text is not
 * digits and a unit of UNITS_OF_SIZE; -ERANGE if the number does not fit.
 */
int units_parse_size(const char *text, size_t *ret_bytes);

/*
 * Reads a duration such as "100ms" into nanoseconds. Returns 0; -EINVAL if
 * @text is not digits and a unit of UNITS_OF_DURATION; -ERANGE if the number
 * does not fit.
 */
int units_parse_duration(const char *text, uint64_t *ret_ns);

/*
 * Writes a quantity exactly, in the largest unit that divides it, into @text
 * and returns @text.
 */
char *units_format_size(size_t bytes, char text[static UNITS_TEXT_MAX]);
char *units_format_duration(uint64_t ns, char text[static UNITS_TEXT_MAX]);

#endif
