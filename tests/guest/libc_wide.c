/* libc_wide.c - wide characters: bounded functions keep to their bounds. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include <thaw.h>

#include "expect.h"

#define GUARD L'\x2a2a2a2a'

static wchar_t buffer[16];

static void fill(void)
{
	wmemset(buffer, GUARD, 16);
}

/* Whether nothing from @from on was written. */
static int is_whole(size_t from)
{
	for (; from < 16; from++)
		if (buffer[from] != GUARD)
			return 0;
	return 1;
}

/* As a client chooses it: so many characters into a buffer of four. */
THAW_HANDLER(wide_print)
{
	static char text[64];

	for (int size = 0; size < 60; size++) {
		int expected = size < 4 ? size : -1;

		memset(text, 'a', sizeof(text));
		fill();
		errno = 0;
		EXPECT(swprintf(buffer, 4, L"%.*s", size, text) == expected);
		EXPECT(expected >= 0 || errno == EOVERFLOW);
		EXPECT(wcslen(buffer) == (size < 4 ? (size_t)size : 3));
		EXPECT(is_whole(4));
	}
	fill();
	EXPECT(swprintf(buffer, 0, L"a") == -1);
	EXPECT(swprintf(buffer, 0, L"") == -1);
	EXPECT(is_whole(0));
	EXPECT(swprintf(buffer, 1, L"") == 0 && !buffer[0]);
	EXPECT(swprintf(buffer, 1, L"a") == -1 && !buffer[0]);
	EXPECT(is_whole(1));
	EXPECT(swprintf(buffer, 16, L"%ls %d %c", L"ab", -12, 'x') == 8);
	EXPECT(!wcscmp(buffer, L"ab -12 x"));
	return 0;
}

/* What cannot be converted is an error, and the end of it. */
THAW_HANDLER(wide_convert)
{
	char bytes[8];

	EXPECT(setlocale(LC_ALL, "C.UTF-8"));
	fill();
	EXPECT(swprintf(buffer, 8, L"%s", "gr\xc3\xbc\xc3\x9f") == 4);
	EXPECT(!wcscmp(buffer, L"gr\u00fc\u00df"));
	errno = 0;
	EXPECT(swprintf(buffer, 8, L"%s", "a\xff") == -1);
	EXPECT(errno == EILSEQ);
	EXPECT(swprintf(buffer, 8, L"%s", "a\xc3") == -1);
	EXPECT(is_whole(8));

	EXPECT(snprintf(bytes, sizeof(bytes), "%ls", L"gr\u00fc\u00df") == 6);
	EXPECT_TEXT(bytes, "gr\xc3\xbc\xc3\x9f");
	EXPECT(snprintf(bytes, sizeof(bytes), "%.3ls", L"gr\u00fc\u00df") == 2);
	EXPECT_TEXT(bytes, "gr");
	EXPECT(snprintf(bytes, sizeof(bytes), "%.4ls", L"gr\u00fc\u00df") == 4);
	EXPECT_TEXT(bytes, "gr\xc3\xbc");
	errno = 0;
	EXPECT(snprintf(bytes, sizeof(bytes), "%ls", L"a\x7fffffff") == -1);
	EXPECT(errno == EILSEQ);
	EXPECT(snprintf(bytes, sizeof(bytes), "%lc", (wint_t)0xfc) == 2);

	memset(bytes, '*', sizeof(bytes));
	EXPECT(wcstombs(bytes, L"a\u00fc", 2) == 1);
	EXPECT(bytes[0] == 'a' && bytes[1] == '*');
	EXPECT(wcstombs(bytes, L"a\u00fc", 3) == 3 && bytes[3] == '*');
	EXPECT(wcstombs(bytes, L"a\u00fc", 4) == 3 && !bytes[3]);
	return 0;
}

/* Where the next word is not memory, that is found out at once. */
THAW_HANDLER(wide_bounds)
{
	const volatile size_t four = 4; /* the compiler need not warn */
	size_t size;
	char *end = (char *)thaw_reply_buffer(&size) + size;
	wchar_t *wide = (wchar_t *)end - 4;
	char *bytes = end - 4;
	const wchar_t *from = wide;
	const char *text = bytes;
	mbstate_t state = { 0 };

	wmemset(wide, L'w', 4);
	EXPECT(wcsnlen(wide, 4) == 4);
	EXPECT(wcsnlen(wide, 0) == 0);
	EXPECT(!wmemchr(wide, L'x', 4));
	EXPECT(!wcsncmp(wide, L"wwwwx", 4));
	EXPECT(wcsncpy(buffer, wide, 4) == buffer);
	EXPECT(wcpncpy(wide, L"abcdef", 4) == wide + 4);
	EXPECT(wcslcpy(wide, L"abcdef", 4) == 6 && !wide[3]);
	EXPECT(wcslcat(wide, L"abcdef", 4) == 9 && !wide[3]);
	wide[0] = L'\0';
	EXPECT(!wcscmp(wcsncat(wide, L"abcdef", 3), L"abc"));
	EXPECT(swprintf(wide, 4, L"%d", 12345) == -1 && !wide[3]);
	wmemset(wide, L'w', 4);
	EXPECT(wcsnrtombs(NULL, &from, 4, 0, &state) == 4);

	memset(bytes, 'b', 4);
	EXPECT(strnlen(bytes, 4) == 4);
	EXPECT(!memchr(bytes, 'x', 4));
	EXPECT(!strncmp(bytes, "bbbbx", 4));
	EXPECT(!memcmp(strndup(bytes, 4), "bbbb", 5));
	EXPECT(mbsnrtowcs(buffer, &text, 4, 16, &state) == 4);
	EXPECT(stpncpy(bytes, "abcdef", four) == bytes + 4);
	EXPECT(strlcpy(bytes, "abcdef", 4) == 6 && !bytes[3]);
	EXPECT(strlcat(bytes, "abcdef", 4) == 9 && !bytes[3]);
	EXPECT(snprintf(bytes, four, "%d", 12345) == 5 && !bytes[3]);
	EXPECT(snprintf(bytes, four, "%Lf", 1.5L) == 8 && !bytes[3]);
	memset(bytes, 'b', 4);
	EXPECT(snprintf((char *)buffer, 8, "%.4s", bytes) == 4);
	EXPECT(mbstowcs((wchar_t *)end - 2, "wide", 2) == 2);
	EXPECT(wcstombs(end - 2, L"wide", 2) == 2);
	return 0;
}

THAW_HANDLER(wide_streams)
{
	char memory[32] = "";
	FILE *file = fmemopen(memory, sizeof(memory), "w+");

	EXPECT(setlocale(LC_ALL, "C.UTF-8"));
	EXPECT(fwprintf(file, L"%ls\n", L"gr\u00fc\u00df") == 5);
	EXPECT(fputws(L"dich", file) >= 0);
	EXPECT(fputwc(L'\U0001f642', file) == 0x1f642);
	EXPECT(fclose(file) == 0);
	EXPECT_TEXT(memory, "gr\xc3\xbc\xc3\x9f\ndich\xf0\x9f\x99\x82");

	file = fmemopen(memory, strlen(memory), "r");
	EXPECT(fgetws(buffer, 3, file) && !wcscmp(buffer, L"gr"));
	EXPECT(fgetws(buffer, 16, file) && !wcscmp(buffer, L"\u00fc\u00df\n"));
	EXPECT(getwc(file) == L'd' && ungetwc(L'\U0001f642', file) == 0x1f642);
	EXPECT(getwc(file) == 0x1f642);
	/* a last line without its end is one, too */
	EXPECT(fgetws(buffer, 16, file));
	EXPECT(!wcscmp(buffer, L"ich\U0001f642"));
	EXPECT(!fgetws(buffer, 16, file) && feof(file) && !ferror(file));
	EXPECT(getwc(file) == WEOF);

	file = fmemopen(memory, 3, "r");
	EXPECT(getwc(file) == L'g' && getwc(file) == L'r');
	errno = 0;
	EXPECT(getwc(file) == WEOF && errno == EILSEQ && ferror(file));
	wprintf(L"%ls %d\n", L"logged", 7);
	return 0;
}

THAW_HANDLER(wide_scan)
{
	wchar_t word[8];
	int number = 0;
	char c = 0;

	EXPECT(swscanf(L"12 words", L"%d %7ls", &number, word) == 2);
	EXPECT(number == 12 && !wcscmp(word, L"words"));
	EXPECT(swscanf(L"7x", L"%d%c", &number, &c) == 2);
	EXPECT(number == 7 && c == 'x');
	EXPECT(swscanf(L"", L"%d", &number) == EOF);
	EXPECT(swscanf(L"x", L"%d", &number) == 0);
	EXPECT(wcstod(L"1.5e3", NULL) == 1500);
	return 0;
}
