/* test_http_query.c - what is percent-encoded */
#include "executor/protocol/http_query.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(parameters_are_found_and_decoded)
{
	char value[6];

	ck_assert(http_query_get("a=1&ab=2&b=%33+", "ab", value, 6));
	ck_assert_str_eq(value, "2");
	ck_assert(http_query_get("a=1&ab=2&b=%33+", "b", value, 6));
	ck_assert_str_eq(value, "3+");
	ck_assert(http_query_get("x&a=&a=1", "a", value, 6));
	ck_assert_str_eq(value, "");
	ck_assert(http_query_get("a=12345", "a", value, 6));
	ck_assert(!http_query_get("a=123456", "a", value, 6));
	ck_assert(!http_query_get("a=%0", "a", value, 6));
	ck_assert(!http_query_get("a=%0&b=0", "a", value, 6));
	ck_assert(!http_query_get("a&b", "a", value, 6));
	ck_assert(!http_query_get("", "a", value, 6));
	ck_assert(!http_query_get("ba=1", "a", value, 6));
}
END_TEST

START_TEST(what_is_decoded_is_plain_text_and_fits)
{
	static const char *const wrong[] = {
		"%",   "%4",  "%4g", "%g4",  "%00",
		"%0a", "%7F", "\1",  "%%41", "%-1"
	};
	char to[4];

	ck_assert_int_eq(http_decode("%41b%2f", 7, to, 4), 3);
	ck_assert_str_eq(to, "Ab/");
	ck_assert_int_eq(http_decode("%fF\xe9", 4, to, 4), 2);
	ck_assert_str_eq(to, "\xff\xe9");
	ck_assert_int_eq(http_decode("abcd", 4, to, 4), -1);
	ck_assert_int_eq(http_decode("", 0, to, 1), 0);
	ck_assert_str_eq(to, "");
	ck_assert_int_eq(http_decode("", 0, to, 0), -1);
	/* the digits behind @size are not read */
	ck_assert_int_eq(http_decode("%41", 2, to, 4), -1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(http_decode(wrong[i], strlen(wrong[i]), to, 4) <
				      0,
			      "%s", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_query");
	TCase *tests = tcase_create("http_query");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, parameters_are_found_and_decoded);
	tcase_add_test(tests, what_is_decoded_is_plain_text_and_fits);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
