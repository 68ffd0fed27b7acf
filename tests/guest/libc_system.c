/* libc_system.c - clocks, dates, the environment, sorting, and waiting. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <thaw.h>

#include "expect.h"

extern char **environ;

/* The date and time that are read, or "refused", and what is left. */
static const char *parsed(const char *from, const char *format)
{
	static char text[80];
	struct tm tm = { 0 };
	const char *rest = strptime(from, format, &tm);

	if (!rest)
		return "refused";
	snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d %d %d%s%s",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday, *rest ? " " : "",
		 rest);
	return text;
}

THAW_HANDLER(dates)
{
	static const struct {
		const char *text, *format, *expected;
	} cases[] = {
		{ "20180916", "%Y%m%d", "2018-09-16 00:00:00 0 258" },
		{ "20240229T235960", "%Y%m%dT%H%M%S",
		  "2024-02-29 23:59:60 4 59" },
		{ "2024-12-31", "%F", "2024-12-31 00:00:00 2 365" },
		{ "0000-01-01", "%F", "0000-01-01 00:00:00 6 0" },
		{ "1900-03-01", "%F", "1900-03-01 00:00:00 4 59" },
		{ "9999-12-31 1", "%F", "9999-12-31 00:00:00 5 364  1" },
		{ "1/2/69", "%D", "1969-01-02 00:00:00 4 1" },
		{ "1/2/68", "%D", "2068-01-02 00:00:00 1 1" },
		{ "20 18", "%C %y", "2018-01-00 00:00:00 0 0" },
		{ "2024 060", "%Y %j", "2024-02-29 00:00:00 4 59" },
		{ "2023 365", "%Y %j", "2023-12-31 00:00:00 0 364" },
		{ "2024 Mon 1", "%Y %a %W", "2024-01-01 00:00:00 1 0" },
		{ "2024 Sun 1", "%Y %a %U", "2024-01-07 00:00:00 0 6" },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", "%a, %d %b %Y %T %Z",
		  "1994-11-06 08:49:37 0 309" },
		{ "sunday 6 NOVEMBER 1994", "%A %e %B %Y",
		  "1994-11-06 00:00:00 0 309" },
		{ "Sat May  4 01:02:03 2024", "%c",
		  "2024-05-04 01:02:03 6 124" },
		{ "12:00:01 AM", "%r", "1900-01-00 00:00:01 0 0" },
		{ "PM 12", "%p %I", "1900-01-00 12:00:00 0 0" },
		{ "11 pm", "%I %p", "1900-01-00 23:00:00 0 0" },
		{ "86399", "%s", "1970-01-01 23:59:59 4 0" },
		{ "100%", "%j%%", "1900-01-00 00:00:00 0 99" },
		{ "23:59", "%OH:%EM", "1900-01-00 23:59:00 0 0" },
		{ "a b", "a\n\tb", "1900-01-00 00:00:00 0 0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		EXPECT_TEXT(parsed(cases[i].text, cases[i].format),
			    cases[i].expected);
	return 0;
}

THAW_HANDLER(dates_refused)
{
	static const char *const cases[][2] = {
		{ "2024-13-01", "%F" },
		{ "2024-00-01", "%F" },
		{ "2024-01-32", "%F" },
		{ "2024-01-00", "%F" },
		{ "-001-01-01", "%F" },
		{ "24:00", "%H:%M" },
		{ "12:60", "%R" },
		{ "12:00:61", "%T" },
		{ "-1", "%S" },
		{ "+1", "%M" },
		{ "13", "%I" },
		{ "0 AM", "%I %p" },
		{ "0", "%j" },
		{ "367", "%j" },
		{ "54", "%U" },
		{ "54", "%W" },
		{ "0", "%u" },
		{ "8", "%u" },
		{ "7", "%w" },
		{ "", "%d" },
		{ "x", "%Y" },
		{ "Su", "%a" },
		{ "Foo", "%b" },
		{ "1", "x" },
		{ "1", "%" },
		{ "1", "%E" },
		{ "1", "%!" },
		{ "+0100", "%z" },
		{ "99999999999999999999", "%s" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		EXPECT_TEXT(parsed(cases[i][0], cases[i][1]), "refused");
	return 0;
}

/* Into as many bytes as there are, and of dates that there are not. */
THAW_HANDLER(dates_printed)
{
	static const struct tm wild = { .tm_mon = 1000000,
					.tm_wday = -1000000 };
	const volatile size_t none = 0; /* the compiler need not warn */
	const struct tm date = { .tm_year = 124, .tm_mon = 4, .tm_mday = 6 };
	wchar_t wide[8] = L"*******";
	char text[16] = "*******";

	EXPECT(strftime(text, none, "on %b", &date) == 0);
	EXPECT_TEXT(text, "*******");
	EXPECT(strftime(text, 4, "%b %d", &date) == 0);
	EXPECT_TEXT(text + 4, "***");
	EXPECT(strftime(text, 7, "%b %d", &date) == 6);
	EXPECT_TEXT(text, "May 06");
	EXPECT(wcsftime(wide, none, L"on %b", &date) == 0);
	EXPECT(wcsftime(wide, 4, L"%m-%d", &date) == 0);
	EXPECT(!wcscmp(wide + 4, L"***"));
	EXPECT(wcsftime(wide, 6, L"%m-%d", &date) == 5);
	EXPECT(!wcscmp(wide, L"05-06"));
	EXPECT(strftime(text, sizeof(text), "%b %a", &wild) == 7);
	return 0;
}

static size_t variables(void)
{
	size_t count = 0;

	while (environ[count])
		count++;
	return count;
}

/* The catalog gives MODE and EMPTY. */
THAW_HANDLER(environment)
{
	static char put[] = "PUT=1";
	const size_t before = variables();

	EXPECT(setenv("MODE", "two", 0) == 0);
	EXPECT_TEXT(getenv("MODE"), "one");
	EXPECT(setenv("MODE", "two", 1) == 0);
	EXPECT_TEXT(getenv("MODE"), "two");
	EXPECT(setenv("MODE", "a value that is longer", 1) == 0);
	EXPECT(setenv("MODE", "", 1) == 0);
	EXPECT_TEXT(getenv("MODE"), "");
	EXPECT(setenv("MODE_OF_ANOTHER", "3", 1) == 0);
	EXPECT(variables() == before + 1);

	EXPECT(putenv(put) == 0);
	put[4] = '2'; /* it is the variable */
	EXPECT_TEXT(getenv("PUT"), "2");
	EXPECT(putenv(put) == 0 && setenv("PUT", "3", 1) == 0);
	EXPECT_TEXT(getenv("PUT"), "3");
	EXPECT_TEXT(put, "PUT=2");
	EXPECT(putenv((char *)"PUT") == 0 && !getenv("PUT"));

	EXPECT(unsetenv("EMPTY") == 0 && !getenv("EMPTY"));
	EXPECT(unsetenv("EMPTY") == 0);
	EXPECT(unsetenv("MODE") == 0 && !getenv("MODE"));
	EXPECT_TEXT(getenv("MODE_OF_ANOTHER"), "3");
	EXPECT(variables() == before - 1);
	return 0;
}

THAW_HANDLER(environment_refused)
{
	EXPECT(setenv("", "x", 1) == -1 && errno == EINVAL);
	EXPECT(setenv("A=B", "x", 1) == -1 && errno == EINVAL);
	EXPECT(unsetenv("") == -1 && errno == EINVAL);
	EXPECT(unsetenv("A=B") == -1 && errno == EINVAL);
	EXPECT(putenv((char *)"=x") == -1 && errno == EINVAL);
	EXPECT_TEXT(getenv("MODE"), "one");
	return 0;
}

/* Setting one again and again takes no more memory than setting it once. */
THAW_HANDLER(environment_often)
{
	static char name[16], value[1024];
	char *no_variables[] = { NULL };

	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < 100000; i++)
		EXPECT(setenv("MODE", value, 1) == 0);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "NAME%d", i);
		EXPECT(setenv(name, name, 1) == 0);
	}
	EXPECT_TEXT(getenv("NAME0"), "NAME0");
	EXPECT_TEXT(getenv("NAME199"), "NAME199");
	EXPECT_TEXT(getenv("MODE"), value);
	environ = no_variables;
	EXPECT(!getenv("MODE") && setenv("MODE", "new", 1) == 0);
	EXPECT_TEXT(getenv("MODE"), "new");
	environ = NULL;
	EXPECT(unsetenv("MODE") == 0 && setenv("MODE", "newer", 1) == 0);
	EXPECT(variables() == 1);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* All clocks say the same time, at most a second apart. */
THAW_HANDLER(times_of_day)
{
	struct timespec exact, standard;
	struct timeval rounded;
	time_t seconds;

	EXPECT(time(&seconds) != (time_t)-1 && seconds > 1600000000);
	EXPECT(clock_gettime(CLOCK_REALTIME, &exact) == 0);
	EXPECT(gettimeofday(&rounded, NULL) == 0);
	EXPECT(timespec_get(&standard, TIME_UTC) == TIME_UTC);
	EXPECT(exact.tv_sec - seconds <= 1 && exact.tv_sec >= seconds);
	EXPECT(rounded.tv_sec - seconds <= 1 && rounded.tv_sec >= seconds);
	EXPECT(standard.tv_sec - seconds <= 1 && standard.tv_sec >= seconds);
	EXPECT(exact.tv_nsec >= 0 && exact.tv_nsec < 1000000000);
	EXPECT(rounded.tv_usec >= 0 && rounded.tv_usec < 1000000);
	EXPECT(timespec_get(&standard, TIME_UTC + 1) == 0);
	EXPECT(clock_gettime((clockid_t)99, &exact) == -1 && errno == EINVAL);
	return 0;
}

static const char *printed(const struct tm *tm)
{
	static char text[64];

	EXPECT(strftime(text, sizeof(text), "%F %T %z %Z %a %j", tm));
	return text;
}

THAW_HANDLER(time_zones)
{
	const time_t winter = 1700000000, summer = 1690000000;
	struct tm tm;

	EXPECT(gmtime_r(&winter, &tm) == &tm);
	EXPECT_TEXT(printed(&tm), "2023-11-14 22:13:20 +0000 GMT Tue 318");
	EXPECT(timegm(&tm) == winter);
	EXPECT(localtime_r(&winter, &tm) == &tm);
	EXPECT(mktime(&tm) == winter);
	EXPECT(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
	tzset();
	EXPECT(localtime_r(&winter, &tm) == &tm && !tm.tm_isdst);
	EXPECT_TEXT(printed(&tm), "2023-11-14 23:13:20 +0100 CET Tue 318");
	EXPECT(mktime(&tm) == winter);
	EXPECT(localtime_r(&summer, &tm) == &tm && tm.tm_isdst);
	EXPECT_TEXT(printed(&tm), "2023-07-22 06:26:40 +0200 CEST Sat 203");
	EXPECT(mktime(&tm) == summer);
	/* what is out of range is carried */
	tm = (struct tm){ .tm_year = 124, .tm_mon = 13, .tm_mday = 31 };
	EXPECT(mktime(&tm) == 1740956400);
	EXPECT_TEXT(printed(&tm), "2025-03-03 00:00:00 +0100 CET Mon 062");
	return 0;
}

THAW_HANDLER(waits_refused)
{
	static const struct timespec wrong[] = {
		{ .tv_sec = -1 },
		{ .tv_nsec = -1 },
		{ .tv_nsec = 1000000000 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		errno = 0;
		EXPECT(nanosleep(&wrong[i], NULL) == -1 && errno == EINVAL);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

THAW_HANDLER(searches)
{
	int numbers[] = { 5, 3, 9, -1, 7, 0 };
	const size_t count = sizeof(numbers) / sizeof(*numbers);
	int key = 7;

	qsort(numbers, count, sizeof(*numbers), compare);
	EXPECT(numbers[0] == -1 && numbers[count - 1] == 9);
	EXPECT(bsearch(&key, numbers, count, sizeof(*numbers), compare) ==
	       &numbers[4]);
	key = 8;
	EXPECT(!bsearch(&key, numbers, count, sizeof(*numbers), compare));
	EXPECT(!bsearch(&key, numbers, 0, sizeof(*numbers), compare));
	return 0;
}

THAW_HANDLER(waits)
{
	uint64_t start = now_ns();

	EXPECT(sleep(0) == 0 && usleep(0) == 0);
	EXPECT(usleep(1500) == 0);
	EXPECT(now_ns() - start >= 1500000);
	return 0;
}
