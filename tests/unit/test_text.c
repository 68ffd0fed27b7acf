/* test_text.c - what of a guest's text is shown, and what becomes a '?'. */
#include "base/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "executor/server/respond.h"

struct sample {
	const char *from, *to;
};

static char *cleaned(void (*clean)(char *text, size_t size), const char *text,
		     size_t size)
{
	/* exactly as large, so that a sanitizer sees any byte beyond */
	char *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	clean(copy, size);
	return copy;
}

static void check(void (*clean)(char *text, size_t size),
		  const struct sample *sample)
{
	size_t size = strlen(sample->from);
	char *text = cleaned(clean, sample->from, size);

	ck_assert_uint_eq(size, strlen(sample->to));
	ck_assert_mem_eq(text, sample->to, size);
	free(text);
}

static const struct sample kept[] = {
	{ " ~azAZ09!", " ~azAZ09!" },
	{ "a\tb", "a\tb" },
	/* the first and the last of two, three and four bytes */
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "\xdf\xbf", "\xdf\xbf" },
	{ "\xe0\xa0\x80", "\xe0\xa0\x80" },
	{ "\xef\xbf\xbf", "\xef\xbf\xbf" },
	{ "\xf0\x90\x80\x80", "\xf0\x90\x80\x80" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	/* around the surrogates */
	{ "\xed\x9f\xbf", "\xed\x9f\xbf" },
	{ "\xee\x80\x80", "\xee\x80\x80" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xbb",
	  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xbb" },
};

START_TEST(printable_utf8_is_kept)
{
	check(text_clean, &kept[_i]);
}
END_TEST

static const struct sample replaced[] = {
	/* control characters: C0, DEL, C1 */
	{ "\x01\x08\n\v\r\x1b[0m\x1f", "??????"
				       "[0m?" },
	{ "\x7f", "?" },
	{ "\xc2\x80 \xc2\x9f", "?? ??" },
	/* continuation bytes alone, and bytes that begin nothing */
	{ "\x80 \xbf", "? ?" },
	{ "\xf8\xff\xfe", "???" },
	/* longer than need be */
	{ "\xc0\x80", "??" },
	{ "\xc1\xbf", "??" },
	{ "\xe0\x9f\xbf", "???" },
	{ "\xf0\x8f\xbf\xbf", "????" },
	/* surrogates, and beyond U+10FFFF */
	{ "\xed\xa0\x80", "???" },
	{ "\xed\xbf\xbf", "???" },
	{ "\xf4\x90\x80\x80", "????" },
	{ "\xf5\x80\x80\x80", "????" },
	/* cut off, by the end or by another character */
	{ "a\xc3", "a?" },
	{ "a\xe2\x82", "a??" },
	{ "a\xf0\x9f\x90", "a???" },
	{ "\xc3"
	  "b",
	  "?b" },
	{ "\xe2\x82"
	  "b",
	  "??b" },
	{ "\xc3\xc3\xbc", "?\xc3\xbc" },
	{ "\xf0\x9f\xc3\xbc", "??\xc3\xbc" },
};

START_TEST(what_is_not_is_replaced_byte_by_byte)
{
	check(text_clean, &replaced[_i]);
}
END_TEST

static const struct sample ascii[] = {
	{ "text/plain; charset=utf-8", "text/plain; charset=utf-8" },
	{ " ~", " ~" },
	{ "a\tb\r\nc", "a?b??c" },
	{ "\x1f\x7f\x80\xff", "????" },
	{ "\xc3\xbc", "??" },
};

START_TEST(ascii_keeps_no_other_byte)
{
	check(text_clean_ascii, &ascii[_i]);
}
END_TEST

START_TEST(zeros_inside_and_nothing_at_all_are_fine)
{
	char *text = cleaned(text_clean, "a\0b\xc3", 4);

	ck_assert_mem_eq(text, "a?b?", 4);
	free(text);
	text = cleaned(text_clean_ascii, "a\0b\xc3", 4);
	ck_assert_mem_eq(text, "a?b?", 4);
	free(text);
	text_clean(NULL, 0);
	text_clean_ascii(NULL, 0);
}
END_TEST

START_TEST(messages_of_errors_are_clean_whatever_is_in_them)
{
	char text[2 * ERROR_MESSAGE_MAX] = "";
	struct error err;

	ck_assert_int_eq(error_set(&err, -1, "init: %s", "a\r\n\x1b[2J\x9b"),
			 -1);
	ck_assert_str_eq(err.message, "init: a???[2J?");
	ck_assert_int_eq(error_prefix(&err, -2, "%s", "\xc2\x85\xff"), -2);
	ck_assert_str_eq(err.message, "???: init: a???[2J?");
	/* an odd number of bytes: a character is cut */
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	error_set(&err, -1, "%s", text);
	ck_assert_uint_eq(strlen(err.message), ERROR_MESSAGE_MAX - 1);
	ck_assert_str_eq(err.message + ERROR_MESSAGE_MAX - 4, "\xc3\xbc?");
	error_prefix(&err, -1, "ab");
	ck_assert_str_eq(err.message + ERROR_MESSAGE_MAX - 4, "\xc3\xbc?");
}
END_TEST

START_TEST(utf8_is_told_from_other_bytes)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		ck_assert(text_is_utf8(kept[i].from, strlen(kept[i].from)));
	ck_assert(text_is_utf8("a\0\x1b", 3));
	ck_assert(text_is_utf8(NULL, 0));
	ck_assert(!text_is_utf8("\xc3\xbc\xc3", 3));
	ck_assert(!text_is_utf8("a\xff", 2));
}
END_TEST

/* What has been cleaned is clean; and every start of it. */
START_TEST(cleaning_again_changes_nothing)
{
	unsigned seed = 1;
	char text[64], again[64];

	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(rand_r(&seed) >> 8);
		text_clean(text, size);
		memcpy(again, text, size);
		text_clean(again, size);
		ck_assert_mem_eq(text, again, size);
		text_clean_ascii(text, size);
		for (size_t i = 0; i < size; i++)
			if (text[i] < ' ' || text[i] > '~')
				ck_abort_msg("byte %d", text[i]);
	}
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int main(void)
{
	Suite *suite = suite_create("text");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("text");
	int failed;

	tcase_add_loop_test(group, printable_utf8_is_kept, 0, COUNT(kept));
	tcase_add_loop_test(group, what_is_not_is_replaced_byte_by_byte, 0,
			    COUNT(replaced));
	tcase_add_loop_test(group, ascii_keeps_no_other_byte, 0, COUNT(ascii));
	tcase_add_test(group, zeros_inside_and_nothing_at_all_are_fine);
	tcase_add_test(group, messages_of_errors_are_clean_whatever_is_in_them);
	tcase_add_test(group, utf8_is_told_from_other_bytes);
	tcase_add_test(group, cleaning_again_changes_nothing);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
