/* date.c - moments as text. See date.h. */
#include "base/date.h"

#include <stdio.h>
#include <time.h>

#define MS_PER_S 1000
#define US_PER_S UINT64_C(1000000)
#define SECONDS_MAX UINT64_C(253402300799) /* the last of the year 9999 */

static size_t format_second(uint64_t unix_s, const char *format, char *text)
{
	time_t second = (time_t)(unix_s < SECONDS_MAX ? unix_s : SECONDS_MAX);
	struct tm utc;

	gmtime_r(&second, &utc);
	return strftime(text, DATE_TEXT_MAX, format, &utc);
}

char *date_format_s(uint64_t unix_s, char text[static DATE_TEXT_MAX])
{
	format_second(unix_s, "%Y-%m-%dT%H:%M:%SZ", text);
	return text;
}

char *date_format_ms(uint64_t unix_ms, char text[static DATE_TEXT_MAX])
{
	size_t size =
		format_second(unix_ms / MS_PER_S, "%Y-%m-%dT%H:%M:%S", text);

	snprintf(text + size, DATE_TEXT_MAX - size, ".%03u+0000",
		 (unsigned)(unix_ms % MS_PER_S));
	return text;
}

char *date_format_us(uint64_t unix_us, char text[static DATE_TEXT_MAX])
{
	const uint64_t most = SECONDS_MAX * US_PER_S + US_PER_S - 1;
	const uint64_t us = unix_us < most ? unix_us : most;
	size_t size = format_second(us / US_PER_S, "%Y-%m-%dT%H:%M:%S", text);

	snprintf(text + size, DATE_TEXT_MAX - size, ".%06uZ",
		 (unsigned)(us % US_PER_S));
	return text;
}

char *date_format_http(uint64_t unix_s, char text[static DATE_TEXT_MAX])
{
	format_second(unix_s, "%a, %d %b %Y %H:%M:%S GMT", text);
	return text;
}
