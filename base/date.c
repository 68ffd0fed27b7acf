/* date.c - moments as text. See date.h. */
#include "base/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hot.h"

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

/* Writes the last two digits of @number. */
static void put_two(char *to, unsigned number)
{
	to[0] = (char)('0' + number / 10 % 10);
	to[1] = (char)('0' + number % 10);
}

/*
 * Of days since 1970: the year, the month from 0, and the day from 1. Years of this
 * calendar begin in March, so that a leap day is the last one; four centuries, an era, have
 * the same days everywhere.
 */
static void split_days(unsigned days, unsigned *ret_year, unsigned *ret_month,
		       unsigned *ret_day)
{
	const unsigned since_0 = days + 719468, era = since_0 / 146097;
	const unsigned of_era = since_0 % 146097;
	const unsigned year =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	const unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	const unsigned month = (5 * of_year + 2) / 153; /* 0: March */

	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 2 : month - 10;
	*ret_year = 400 * era + year + (*ret_month < 2);
}

HOT char *date_format_http(uint64_t unix_s, char text[static DATE_TEXT_MAX])
{
	static const char weekdays[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const uint64_t second = unix_s < SECONDS_MAX ? unix_s : SECONDS_MAX;
	const unsigned days = (unsigned)(second / 86400);
	const unsigned of_day = (unsigned)(second % 86400);
	unsigned year, month, day;

	split_days(days, &year, &month, &day);
	memcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT", 30);
	memcpy(text, weekdays + 3 * (days % 7), 3);
	put_two(text + 5, day);
	memcpy(text + 8, months + 3 * month, 3);
	put_two(text + 12, year / 100);
	put_two(text + 14, year);
	put_two(text + 17, of_day / 3600);
	put_two(text + 20, of_day / 60 % 60);
	put_two(text + 23, of_day % 60);
	return text;
}
