/*
 * strptime.c - reads dates and times as POSIX says: a number has so many digits
 * and is in its range. (picolibc's takes any number, and all digits there are.)
 * Names are English, whatever the locale.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define YEAR_BASE 1900
#define YEAR_OF_EPOCH 1970
#define CYCLE 400 /* years, after which weekdays repeat */
#define DAYS_PER_WEEK 7
#define THURSDAY 4 /* the first day of the epoch */
#define PIVOT 69   /* the first year of two digits that is in the 1900s */

/* What the format has given, beyond what goes to the struct tm as it is. */
struct parse {
	struct tm *tm;
	bool have_year, have_month, have_day, have_yday, have_wday;
	bool have_century, have_short_year, have_hour12, is_pm;
	int century, short_year;
	int week; /* -1 if none */
	int week_start;
};

/* Of a conversion that is a number: digits, range, and what is stored. */
struct number {
	char conversion;
	int digits;
	int min, max;
};

static const struct number numbers[] = {
	{ 'C', 2, 0, 99 }, { 'd', 2, 1, 31 },	{ 'e', 2, 1, 31 },
	{ 'g', 2, 0, 99 }, { 'G', 4, 0, 9999 }, { 'H', 2, 0, 23 },
	{ 'I', 2, 1, 12 }, { 'j', 3, 1, 366 },	{ 'k', 2, 0, 23 },
	{ 'l', 2, 1, 12 }, { 'm', 2, 1, 12 },	{ 'M', 2, 0, 59 },
	{ 'S', 2, 0, 60 }, { 'u', 1, 1, 7 },	{ 'U', 2, 0, 53 },
	{ 'V', 2, 1, 53 }, { 'w', 1, 0, 6 },	{ 'W', 2, 0, 53 },
	{ 'y', 2, 0, 99 }, { 'Y', 4, 0, 9999 },
};

static const char *const weekdays[] = { "Sunday",    "Monday",	 "Tuesday",
					"Wednesday", "Thursday", "Friday",
					"Saturday",  NULL };

static const char *const months[] = { "January", "February", "March",
				      "April",	 "May",	     "June",
				      "July",	 "August",   "September",
				      "October", "November", "December",
				      NULL };

static const char *parse(const char *text, const char *format,
			 struct parse *parse);

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_space(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

/* A name of @names, whole or its first three letters; NULL if none is there. */
static const char *read_name(const char *text, const char *const *names,
			     int *ret_index)
{
	for (int i = 0; names[i]; i++) {
		size_t length = strlen(names[i]);

		if (strncasecmp(text, names[i], length))
			length = 3;
		if (strncasecmp(text, names[i], length))
			continue;
		*ret_index = i;
		return text + length;
	}
	return NULL;
}

static void set_weekday(struct parse *parse, int weekday)
{
	parse->tm->tm_wday = weekday % DAYS_PER_WEEK;
	parse->have_wday = true;
}

static void set_month(struct parse *parse, int month)
{
	parse->tm->tm_mon = month;
	parse->have_month = true;
}

static void set_day(struct parse *parse, int day)
{
	parse->tm->tm_mday = day;
	parse->have_day = true;
}

static void set_hour(struct parse *parse, int hour, bool of_12)
{
	parse->tm->tm_hour = of_12 ? hour % 12 : hour;
	parse->have_hour12 = of_12;
}

static void set_week(struct parse *parse, int week, int start)
{
	parse->week = week;
	parse->week_start = start;
}

static void store(struct parse *parse, char conversion, int value)
{
	switch (conversion) {
	case 'C':
		parse->century = value;
		parse->have_century = true;
		break;
	case 'y':
		parse->short_year = value;
		parse->have_short_year = true;
		break;
	case 'Y':
		parse->tm->tm_year = value - YEAR_BASE;
		parse->have_year = true;
		parse->have_century = parse->have_short_year = false;
		break;
	case 'm':
		set_month(parse, value - 1);
		break;
	case 'd':
	case 'e':
		set_day(parse, value);
		break;
	case 'j':
		parse->tm->tm_yday = value - 1;
		parse->have_yday = true;
		break;
	case 'H':
	case 'k':
	case 'I':
	case 'l':
		set_hour(parse, value, conversion == 'I' || conversion == 'l');
		break;
	case 'M':
		parse->tm->tm_min = value;
		break;
	case 'S':
		parse->tm->tm_sec = value;
		break;
	case 'u':
	case 'w':
		set_weekday(parse, value);
		break;
	case 'U':
	case 'W':
		set_week(parse, value, conversion == 'W');
		break;
	default:
		/* of the ISO week nothing is kept */
		break;
	}
}

static const char *read_number(const char *text, const struct number *number,
			       struct parse *parse)
{
	int value = 0;
	int digits = 0;

	text = skip_space(text);
	while (digits < number->digits && is_digit(text[digits]))
		value = value * 10 + (text[digits++] - '0');
	if (!digits || value < number->min || value > number->max)
		return NULL;
	store(parse, number->conversion, value);
	return text + digits;
}

/* Seconds since the epoch, which are a whole date. */
static const char *read_seconds(const char *text, struct parse *parse)
{
	int saved = errno;
	time_t seconds;
	char *end;

	errno = 0;
	seconds = (time_t)strtoll(text, &end, 10);
	if (end == text || errno || !localtime_r(&seconds, parse->tm))
		return NULL;
	errno = saved;
	return end;
}

static const char *read_half(const char *text, struct parse *parse)
{
	if (strncasecmp(text, "AM", 2) && strncasecmp(text, "PM", 2))
		return NULL;
	parse->is_pm = *text == 'P' || *text == 'p';
	return text + 2;
}

/* The name of a zone is read, and nothing follows from it. */
static const char *skip_zone(const char *text)
{
	while ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
		text++;
	return text;
}

static const char *read_word(const char *text, char conversion,
			     struct parse *parse)
{
	int index = 0;

	switch (conversion) {
	case 'a':
	case 'A':
		text = read_name(text, weekdays, &index);
		if (text)
			set_weekday(parse, index);
		return text;
	case 'b':
	case 'B':
	case 'h':
		text = read_name(text, months, &index);
		if (text)
			set_month(parse, index);
		return text;
	case 'n':
	case 't':
		return skip_space(text);
	case 'p':
		return read_half(text, parse);
	case 's':
		return read_seconds(text, parse);
	case 'Z':
		return skip_zone(text);
	case '%':
		return *text == '%' ? text + 1 : NULL;
	default:
		return NULL;
	}
}

/* Those that stand for several; NULL for the others. */
static const char *expand(char conversion)
{
	switch (conversion) {
	case 'c':
		return "%a %b %e %H:%M:%S %Y";
	case 'D':
	case 'x':
		return "%m/%d/%y";
	case 'F':
		return "%Y-%m-%d";
	case 'r':
		return "%I:%M:%S %p";
	case 'R':
		return "%H:%M";
	case 'T':
	case 'X':
		return "%H:%M:%S";
	default:
		return NULL;
	}
}

static const char *convert(const char *text, char conversion,
			   struct parse *state)
{
	const char *format = expand(conversion);

	if (format)
		return parse(text, format, state);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (numbers[i].conversion == conversion)
			return read_number(text, &numbers[i], state);
	return read_word(text, conversion, state);
}

static const char *parse(const char *text, const char *format,
			 struct parse *state)
{
	for (; text && *format; format++) {
		if (is_space(*format)) {
			text = skip_space(text);
		} else if (*format != '%') {
			text = *text == *format ? text + 1 : NULL;
		} else {
			format++;
			if (*format == 'E' || *format == 'O')
				format++;
			if (!*format)
				return NULL;
			text = convert(text, *format, state);
		}
	}
	return text;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of @year before @month, which may be 12. */
static int days_before(int year, int month)
{
	static const int days[] = { 0,	 31,  59,  90,	120, 151, 181,
				    212, 243, 273, 304, 334, 365 };

	return days[month] + (month > 1 && is_leap(year));
}

/* The weekday of the first of January. */
static int first_weekday(int year)
{
	const int before = year + CYCLE - 1;
	const int epoch = YEAR_OF_EPOCH + CYCLE - 1;
	int days = 365 * (year - YEAR_OF_EPOCH) + (before / 4 - epoch / 4) -
		   (before / 100 - epoch / 100) + (before / 400 - epoch / 400);

	days = (days + THURSDAY) % DAYS_PER_WEEK;
	return days < 0 ? days + DAYS_PER_WEEK : days;
}

static void finish_year(struct parse *parse)
{
	int year = parse->tm->tm_year + YEAR_BASE;

	if (parse->have_century)
		year = parse->century * 100 +
		       (parse->have_short_year ? parse->short_year : 0);
	else if (parse->have_short_year)
		year = parse->short_year +
		       (parse->short_year < PIVOT ? 2000 : 1900);
	else
		return;
	parse->tm->tm_year = year - YEAR_BASE;
	parse->have_year = true;
}

/* Day of the year from week and weekday, where nothing else says it. */
static void finish_week(struct parse *parse, int year)
{
	int since = (parse->tm->tm_wday - parse->week_start + DAYS_PER_WEEK) %
		    DAYS_PER_WEEK;
	int first = (first_weekday(year) - parse->week_start + DAYS_PER_WEEK) %
		    DAYS_PER_WEEK;
	/* week 1 begins with the first day that starts one */
	int start = first ? DAYS_PER_WEEK - first : 0;
	int yday = start + (parse->week - 1) * DAYS_PER_WEEK + since;

	if (yday < 0 || yday >= days_before(year, 12))
		return;
	parse->tm->tm_yday = yday;
	parse->have_yday = true;
}

/* What follows from the date: the rest of it. */
static void finish_date(struct parse *parse)
{
	struct tm *tm = parse->tm;
	const int year = tm->tm_year + YEAR_BASE;

	if (!parse->have_year)
		return;
	if (parse->have_month && parse->have_day) {
		tm->tm_yday = days_before(year, tm->tm_mon) + tm->tm_mday - 1;
	} else {
		if (!parse->have_yday && parse->have_wday && parse->week >= 0)
			finish_week(parse, year);
		if (!parse->have_yday)
			return;
		tm->tm_mon = 0;
		while (tm->tm_mon < 11 &&
		       tm->tm_yday >= days_before(year, tm->tm_mon + 1))
			tm->tm_mon++;
		tm->tm_mday = tm->tm_yday - days_before(year, tm->tm_mon) + 1;
	}
	tm->tm_wday = (first_weekday(year) + tm->tm_yday) % DAYS_PER_WEEK;
}

char *strptime(const char *restrict text, const char *restrict format,
	       struct tm *restrict tm)
{
	struct parse state = { .tm = tm, .week = -1 };
	const char *end = parse(text, format, &state);

	if (!end)
		return NULL;
	if (state.have_hour12 && state.is_pm)
		tm->tm_hour += 12;
	finish_year(&state);
	finish_date(&state);
	return (char *)end;
}

char *strptime_l(const char *restrict text, const char *restrict format,
		 struct tm *restrict tm, locale_t locale)
{
	(void)locale;
	return strptime(text, format, tm);
}
