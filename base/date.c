/* date.c - moments as text. See date.h. */
#include "base/date.h"

#include <stdio.h>

#define US_PER_S UINT64_C(1000000)
#define SECONDS_MAX UINT64_C(253402300799) /* the last of the year 9999 */
#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA 146097 /* 400 years */
#define DAYS_TO_1970 719468 /* from the 1st of March of the year 0 */

struct date {
	unsigned year, month, day;
};

/*
 * The Gregorian calendar, by years that begin in March: so the leap day is the
 * last, and months are 153 days for each five.
 */
static struct date find_date(unsigned days)
{
	unsigned from_0 = days + DAYS_TO_1970;
	unsigned era = from_0 / DAYS_PER_ERA, rest = from_0 % DAYS_PER_ERA;
	unsigned year =
		(rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
	unsigned in_year = rest - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * in_year + 2) / 153; /* 0: March */
	struct date date = {
		.month = month < 10 ? month + 3 : month - 9,
		.day = in_year - (153 * month + 2) / 5 + 1,
	};

	date.year = era * 400 + year + (date.month <= 2);
	return date;
}

/* Writes the second without its end; returns its length. */
static size_t format(uint64_t unix_s, char *text)
{
	unsigned second = (unsigned)(unix_s % SECONDS_PER_DAY);
	struct date date = find_date((unsigned)(unix_s / SECONDS_PER_DAY));

	return (size_t)snprintf(text, UTC_TEXT_MAX,
				"%04u-%02u-%02uT%02u:%02u:%02u", date.year,
				date.month, date.day, second / 3600,
				second / 60 % 60, second % 60);
}

char *utc_format_s(uint64_t unix_s, char text[static UTC_TEXT_MAX])
{
	size_t size = format(unix_s < SECONDS_MAX ? unix_s : SECONDS_MAX, text);

	snprintf(text + size, UTC_TEXT_MAX - size, "Z");
	return text;
}

char *utc_format_us(uint64_t unix_us, char text[static UTC_TEXT_MAX])
{
	uint64_t most = SECONDS_MAX * US_PER_S + US_PER_S - 1;
	uint64_t us = unix_us < most ? unix_us : most;
	size_t size = format(us / US_PER_S, text);

	snprintf(text + size, UTC_TEXT_MAX - size, ".%06uZ",
		 (unsigned)(us % US_PER_S));
	return text;
}
