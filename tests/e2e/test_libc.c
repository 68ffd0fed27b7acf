/*
 * test_libc.c - the C library of functions: what they find there does what its
 * standard says. The checks are handlers of tests/guest/libc_*.c.
 */
#include <stdio.h>

#include "tests/e2e/support.h"

#define MORE_MAX 512

static const char *const handlers[] = {
	"wide_print",
	"wide_convert",
	"wide_bounds",
	"wide_streams",
	"wide_scan",
	"lines",
	"lines_of_all_lengths",
	"memory_streams",
	"long_double_print",
	"long_double_round",
	"long_double_return",
	"long_double_scan",
	"numbers",
	"dates",
	"dates_refused",
	"environment",
	"environment_refused",
	"environment_often",
	"waits",
};
#define HANDLERS ((int)(sizeof(handlers) / sizeof(*handlers)))

START_TEST(does_what_the_standard_says)
{
	char more[MORE_MAX];
	struct thaw *thaw;

	snprintf(more, sizeof(more),
		 "\"entry\":\"%s\","
		 "\"environment\":{\"MODE\":\"one\",\"EMPTY\":\"\"}",
		 handlers[_i]);
	thaw = open_guest("auto", "libc", more);
	/* the second finds what the first found */
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(call_once(thaw, "libc", ""), "");
	thaw_close(thaw);
}
END_TEST

START_TEST(wide_text_is_logged_as_text)
{
	struct thaw *thaw =
		open_guest("auto", "libc", "\"entry\":\"wide_streams\"");

	ck_assert_str_eq(call_once(thaw, "libc", ""), "");
	ck_assert_str_eq(logged.text, "logged 7");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libc");
	TCase *group = tcase_create("libc");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, does_what_the_standard_says, 0, HANDLERS);
	tcase_add_test(group, wide_text_is_logged_as_text);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
