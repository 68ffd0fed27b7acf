/* test_json_position.c - the lines of JSON pointers */
#include "base/json_position.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static size_t line_of(const char *text, const char *pointer)
{
	return json_position_line(text, strlen(text), pointer);
}

START_TEST(the_line_of_a_pointer_is_found)
{
	const char *text =
		"\n{ \"a\": [ 1, \"]}\\\"\", { }, [\n"	       /* 2 */
		"   [ ] ], \r\n"			       /* 3 */
		"  -2.5e3 , true,\n"			       /* 4 */
		"  { \"b\": 1, \"\": { \"deep\" :\n"	       /* 5 */
		"    null } } ],\n"			       /* 6 */
		"  \"c/d~e\" : 1, \"\\u00e9\\ud83d\\ude00\"\n" /* 7 */
		"  : \"\" }\n";				       /* 8 */

	ck_assert_uint_eq(line_of(text, ""), 2);
	ck_assert_uint_eq(line_of(text, "/a"), 2);
	ck_assert_uint_eq(line_of(text, "/a/1"), 2);
	ck_assert_uint_eq(line_of(text, "/a/3"), 2);
	ck_assert_uint_eq(line_of(text, "/a/3/0"), 3);
	ck_assert_uint_eq(line_of(text, "/a/4"), 4);
	ck_assert_uint_eq(line_of(text, "/a/5"), 4);
	ck_assert_uint_eq(line_of(text, "/a/6"), 5);
	ck_assert_uint_eq(line_of(text, "/a/6/"), 5);
	ck_assert_uint_eq(line_of(text, "/a/6//deep"), 6);
	ck_assert_uint_eq(line_of(text, "/c~1d~0e"), 7);
	ck_assert_uint_eq(line_of(text, "/é😀"), 8);
}
END_TEST

START_TEST(the_line_of_what_is_missing_is_its_parents)
{
	const char *text = "{ \"a\":\n[ 1,\n2 ] }";

	ck_assert_uint_eq(line_of(text, "/b"), 1);
	ck_assert_uint_eq(line_of(text, "/a/2"), 2);
	ck_assert_uint_eq(line_of(text, "/a/1/x/y"), 3);
	ck_assert_uint_eq(line_of("[]", "/0"), 1);
	ck_assert_uint_eq(line_of("", "/0"), 1);
}
END_TEST

/* jansson takes more nesting than json_check() does. */
START_TEST(the_line_behind_deep_nesting_is_found)
{
	char text[4096] = "[\n", *at = text + strlen(text);

	for (int i = 0; i < 1000; i++)
		*at++ = '[';
	for (int i = 0; i < 1000; i++)
		*at++ = ']';
	strcpy(at, ",\n1]");
	ck_assert_uint_eq(line_of(text, "/1"), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_position");
	TCase *tests = tcase_create("json_position");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, the_line_of_a_pointer_is_found);
	tcase_add_test(tests, the_line_of_what_is_missing_is_its_parents);
	tcase_add_test(tests, the_line_behind_deep_nesting_is_found);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
