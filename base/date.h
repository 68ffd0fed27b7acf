/*
 * date.h - moments in UTC as text. Any thread.
 *
 * A moment is counted from 1970. One after the year 9999 is written as the end
 * of that year. All but date_format_http() use gmtime_r(), which takes a lock of the C
 * library, and reads /etc/localtime the first time: not for the hot path.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

/* Room for any of these texts, with the terminating zero. */
#define DATE_TEXT_MAX 32

/* Each writes the moment into @text and returns @text. */

/* RFC 3339: "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456Z". */
char *date_format_s(uint64_t unix_s, char text[static DATE_TEXT_MAX]);
char *date_format_us(uint64_t unix_us, char text[static DATE_TEXT_MAX]);

/* ISO 8601, as Lambda's API writes it: "2026-01-31T12:00:00.123+0000". */
char *date_format_ms(uint64_t unix_ms, char text[static DATE_TEXT_MAX]);

/*
 * HTTP's IMF-fixdate (RFC 9110, 5.6.7): "Sat, 31 Jan 2026 12:00:00 GMT". The
 * names are those of the C locale, which no program here leaves.
 */
char *date_format_http(uint64_t unix_s, char text[static DATE_TEXT_MAX]);

#endif
