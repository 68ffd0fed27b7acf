/*
 * date.h - moments as RFC 3339 has them: "2026-01-31T12:00:00Z".
 *
 * Without the C library's time zones, which would want to read files. Any
 * thread.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

/* Room for any of them, its terminating zero included. */
#define UTC_TEXT_MAX 32

/*
 * Writes a moment, counted from 1970, in whole seconds or with microseconds
 * ("2026-01-31T12:00:00.123456Z"), into @text and returns @text. What is after
 * the year 9999 is its end.
 */
char *utc_format_s(uint64_t unix_s, char text[static UTC_TEXT_MAX]);
char *utc_format_us(uint64_t unix_us, char text[static UTC_TEXT_MAX]);

#endif
