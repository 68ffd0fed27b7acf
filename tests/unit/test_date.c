/* test_date.c - moments as text */
#include "base/date.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

START_TEST(moments_are_those_of_the_c_library)
{
	char text[DATE_TEXT_MAX], expected[DATE_TEXT_MAX];

	/* odd steps through some 8000 years */
	for (time_t s = 0; s < 253402300799; s += 9876543) {
		struct tm date;

		gmtime_r(&s, &date);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ",
			 &date);
		ck_assert_str_eq(date_format_s((uint64_t)s, text), expected);
		strftime(expected, sizeof(expected),
			 "%a, %d %b %Y %H:%M:%S GMT", &date);
		ck_assert_str_eq(date_format_http((uint64_t)s, text), expected);
	}
	ck_assert_str_eq(date_format_s(951782400, text),
			 "2000-02-29T00:00:00Z");
	ck_assert_str_eq(date_format_s(UINT64_MAX, text),
			 "9999-12-31T23:59:59Z");
	ck_assert_str_eq(date_format_us(0, text),
			 "1970-01-01T00:00:00.000000Z");
	ck_assert_str_eq(date_format_us(UINT64_MAX, text),
			 "9999-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(lambda_and_http_have_forms_of_their_own)
{
	char text[DATE_TEXT_MAX];

	ck_assert_str_eq(date_format_ms(951782400007, text),
			 "2000-02-29T00:00:00.007+0000");
	ck_assert_str_eq(date_format_http(1764513016, text),
			 "Sun, 30 Nov 2025 14:30:16 GMT");
	ck_assert_str_eq(date_format_http(UINT64_MAX, text),
			 "Fri, 31 Dec 9999 23:59:59 GMT");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("date");
	TCase *tests = tcase_create("date");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, moments_are_those_of_the_c_library);
	tcase_add_test(tests, lambda_and_http_have_forms_of_their_own);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
