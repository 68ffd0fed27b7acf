/* libc_text.c - lines of streams, and numbers as text. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <thaw.h>

#include "expect.h"

static char text[4096];

THAW_HANDLER(lines)
{
	char *line = NULL;
	size_t size = 77; /* of no meaning, without a line */
	FILE *file;

	strcpy(text, "a longer line\n\nb");
	file = fmemopen(text, strlen(text), "r");
	EXPECT(getline(&line, &size, file) == 14 && size >= 15);
	EXPECT_TEXT(line, "a longer line\n");
	EXPECT(getline(&line, &size, file) == 1);
	EXPECT_TEXT(line, "\n");
	EXPECT(getline(&line, &size, file) == 1);
	EXPECT_TEXT(line, "b");
	for (int i = 0; i < 3; i++)
		EXPECT(getline(&line, &size, file) == -1 && feof(file));
	EXPECT(getline(NULL, &size, file) == -1 && errno == EINVAL);
	EXPECT(getline(&line, NULL, file) == -1 && errno == EINVAL);
	free(line);

	strcpy(text, "a;b\n;c");
	file = fmemopen(text, strlen(text), "r");
	line = NULL;
	EXPECT(getdelim(&line, &size, ';', file) == 2);
	EXPECT(getdelim(&line, &size, ';', file) == 3);
	EXPECT_TEXT(line, "b\n;");
	EXPECT(getdelim(&line, &size, ';', file) == 1);
	EXPECT(getdelim(&line, &size, ';', file) == -1);
	return 0;
}

/* Each length, in a buffer of just that size: malloc() tells. */
THAW_HANDLER(lines_of_all_lengths)
{
	for (size_t length = 1; length < 600; length++) {
		size_t size = length;
		char *line = malloc(size);
		FILE *file;

		memset(text, 'x', length - 1);
		text[length - 1] = '\n';
		file = fmemopen(text, length, "r");
		EXPECT(getline(&line, &size, file) == (ssize_t)length);
		EXPECT(size > length && !line[length]);
		EXPECT(!memcmp(line, text, length));
		EXPECT(getline(&line, &size, file) == -1);
		free(line);
		fclose(file);
	}
	return 0;
}

THAW_HANDLER(memory_streams)
{
	FILE *file;

	strcpy(text, "0123456789");
	file = fmemopen(text, 10, "r+");
	for (int i = 0; i < 3; i++)
		EXPECT(fgetc(file) == '0' + i);
	fclose(file);
	EXPECT_TEXT(text, "0123456789");
	file = fmemopen(text, 4, "w");
	EXPECT(fputs("abcdef", file) == EOF);
	fclose(file);
	EXPECT_TEXT(text, "abcd456789");
	return 0;
}

static const char *printed(const char *format, long double number)
{
	snprintf(text, sizeof(text), format, number);
	return text;
}

THAW_HANDLER(long_double_print)
{
	int count = 0;

	EXPECT_TEXT(printed("%Lf", 1.5L), "1.500000");
	EXPECT_TEXT(printed("%Lg", 1e-7L), "1e-07");
	EXPECT_TEXT(printed("%Le", -12345.678L), "-1.234568e+04");
	EXPECT_TEXT(printed("%.0Lf", 1e20L), "100000000000000000000");
	EXPECT_TEXT(printed("%.18Lg", 0.1L), "0.1");
	EXPECT_TEXT(printed("%Lg", (long double)INFINITY), "inf");
	EXPECT_TEXT(printed("%LG", (long double)-INFINITY), "-INF");
	EXPECT_TEXT(printed("%10.3Lf|", 2.0L), "     2.000|");
	EXPECT_TEXT(printed("%-10.1Lf|", 2.0L), "2.0       |");
	EXPECT_TEXT(printed("%+Lf", 0.0L), "+0.000000");
	EXPECT_TEXT(printed("%Le", 0.0L), "0.000000e+00");
	EXPECT_TEXT(printed("%Le", LDBL_MAX), "1.189731e+4932");
	EXPECT(strtold(printed("%La", 0.1L), NULL) == 0.1L);

	snprintf(text, sizeof(text), "%Lf %d %Lf", 1.5L, 7, 2.5L);
	EXPECT_TEXT(text, "1.500000 7 2.500000");
	snprintf(text, sizeof(text), "%3$d %1$Lg %2$s", 1.5L, "two", 3);
	EXPECT_TEXT(text, "3 1.5 two");
	snprintf(text, sizeof(text), "%d%n of %s", 12, &count, "it");
	EXPECT_TEXT(text, "12 of it");
	EXPECT(count == 2);
	return 0;
}

/* To the nearest, and from the middle to even. */
THAW_HANDLER(long_double_round)
{
	EXPECT_TEXT(printed("%.0Lf", 0.5L), "0");
	EXPECT_TEXT(printed("%.0Lf", 1.5L), "2");
	EXPECT_TEXT(printed("%.0Lf", 2.5L), "2");
	EXPECT_TEXT(printed("%.0Lf", 0.4L), "0");
	EXPECT_TEXT(printed("%.0Lf", 0.6L), "1");
	EXPECT_TEXT(printed("%.2Lf", 0.001L), "0.00");
	EXPECT_TEXT(printed("%.2Lf", 0.0051L), "0.01");
	EXPECT_TEXT(printed("%.2Lf", 99.999L), "100.00");
	EXPECT_TEXT(printed("%.1Lf", 9.96L), "10.0");
	EXPECT_TEXT(printed("%.2Lf", 0.125L), "0.12");
	EXPECT_TEXT(printed("%.2Lf", 0.375L), "0.38");
	EXPECT_TEXT(printed("%.3Le", 12345.0L), "1.234e+04");
	EXPECT_TEXT(printed("%.3Le", 99995.0L), "1.000e+05");
	EXPECT_TEXT(printed("%.3Lg", 999.5L), "1e+03");
	EXPECT_TEXT(printed("%.18Lg", 123456789012345678.0L),
		    "123456789012345678");
	return 0;
}

/* Printed with all its digits a number is read as itself, whatever it is. */
THAW_HANDLER(long_double_return)
{
	static const long double numbers[] = {
		0.1L,	      1.0L / 3,	    3.14159265358979323846L,
		LDBL_EPSILON, 1e15L,	    123456789012345678.0L,
		DBL_MAX,      1e-300L,	    LDBL_MAX,
		LDBL_MIN,     LDBL_MIN / 7, LDBL_MAX / 3,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		const char *digits = printed("%.36Lg", numbers[i]);
		long double scanned = 0;
		char c = 0;

		EXPECT(strtold(digits, NULL) == numbers[i]);
		EXPECT(sscanf(digits, "%Lf%c", &scanned, &c) == 1);
		EXPECT(scanned == numbers[i]);
	}
	printed("%.36Lg", nextafterl(0, 1));
	EXPECT(strtold(text, NULL) == nextafterl(0, 1));
	EXPECT(strtold("0.1", NULL) == 0.1L);
	EXPECT(isinf(strtold("1e4933", NULL)));
	EXPECT(isinf(strtold("12e999999999", NULL)));
	EXPECT(strtold("1e-4999", NULL) == 0);
	EXPECT(strtold("1e-999999999", NULL) == 0);
	return 0;
}

THAW_HANDLER(long_double_scan)
{
	long double a = 0, b = 0;
	double c = 0;
	int d = 0;

	EXPECT(sscanf("1.25 -3e2 0.5 7", "%Lf %Lg %lf %d", &a, &b, &c, &d) ==
	       4);
	EXPECT(a == 1.25L && b == -300 && c == 0.5 && d == 7);
	EXPECT(sscanf("0x1.8p1", "%La", &a) == 1 && a == 3);
	EXPECT(sscanf("inf", "%Lf", &a) == 1 && isinf(a));
	EXPECT(sscanf("word", "%Lf", &a) == 0);
	return 0;
}

/* What printed numbers have been all along. */
THAW_HANDLER(numbers)
{
	char binary[] = "%b|%s"; /* of C23, which not all compilers know */

	snprintf(text, sizeof(text), "%5d|%-5d|%05d|%+d|%x|%#o|%zu|%lld|%hhd",
		 42, 42, 42, 42, 255u, 8u, (size_t)7, -1LL, (signed char)44);
	EXPECT_TEXT(text, "   42|42   |00042|+42|ff|010|7|-1|44");
	snprintf(text, sizeof(text), "%g|%.3e|%a|%.3g|%5.1f|%s", 0.1, 12345.0,
		 1.0, 0.1, 9.96, (char *)"s");
	EXPECT_TEXT(text, "0.1|1.234e+04|0x1p+0|0.1| 10.0|s");
	EXPECT(snprintf(NULL, 0, "%s", "12345") == 5);
	snprintf(text, sizeof(text), "%.256g|%.0e|%s", 123.456, 5e9,
		 "the next");
	EXPECT_TEXT(text, "123.456|5e+09|the next");
	snprintf(text, sizeof(text), binary, 5, "the next");
	EXPECT_TEXT(text, "101|the next");
	EXPECT(snprintf(text, sizeof(text), "%.255e", 1.25) == 261);
	EXPECT(!strncmp(text, "1.25000", 7));
	EXPECT(snprintf(text, sizeof(text), "%.256Lg", 123.5L) == 5);
	EXPECT_TEXT(text, "123.5");
	return 0;
}
