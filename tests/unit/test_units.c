/* test_units.c - sizes and durations, read and written */
#include "base/units.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

START_TEST(sizes_and_durations_are_read_exactly)
{
	size_t bytes;
	uint64_t ns;

	ck_assert_int_eq(units_parse_size("0B", &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	ck_assert_int_eq(units_parse_size("18446744073709551615B", &bytes), 0);
	ck_assert_uint_eq(bytes, SIZE_MAX);
	ck_assert_int_eq(units_parse_size("17179869183GiB", &bytes), 0);
	ck_assert_uint_eq(bytes, 17179869183 * UNITS_GIB);
	ck_assert_int_eq(units_parse_duration("007us", &ns), 0);
	ck_assert_uint_eq(ns, 7000);
	ck_assert_int_eq(units_parse_duration("2m", &ns), 0);
	ck_assert_uint_eq(ns, UINT64_C(120000000000));
}
END_TEST

START_TEST(what_is_no_quantity_leaves_the_result_alone)
{
	static const char *const wrong[] = {
		"",    "1",	 "MiB",	 " 1MiB", "1 MiB", "1MiB ", "+1MiB",
		"-1B", "1.0KiB", "1mib", "1MB",	  "0x1B",  "1MiBs", "1ns",
	};
	size_t bytes = 42;
	uint64_t ns = 42;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_int_eq(units_parse_size(wrong[i], &bytes), -EINVAL);
	ck_assert_int_eq(units_parse_size("18446744073709551616B", &bytes),
			 -ERANGE);
	ck_assert_int_eq(units_parse_size("17179869184GiB", &bytes), -ERANGE);
	ck_assert_int_eq(units_parse_duration("1h", &ns), -EINVAL);
	ck_assert_int_eq(units_parse_duration("307445735m", &ns), -ERANGE);
	ck_assert_uint_eq(bytes, 42);
	ck_assert_uint_eq(ns, 42);
}
END_TEST

START_TEST(what_is_written_is_the_largest_unit_that_is_exact)
{
	char text[UNITS_TEXT_MAX];

	ck_assert_str_eq(units_format_size(0, text), "0B");
	ck_assert_str_eq(units_format_size(1023, text), "1023B");
	ck_assert_str_eq(units_format_size(1536, text), "1536B");
	ck_assert_str_eq(units_format_size(16 * UNITS_MIB, text), "16MiB");
	ck_assert_str_eq(units_format_size(SIZE_MAX, text),
			 "18446744073709551615B");
	ck_assert_str_eq(units_format_duration(0, text), "0ns");
	ck_assert_str_eq(units_format_duration(1500 * UNITS_US, text),
			 "1500us");
	ck_assert_str_eq(units_format_duration(90 * UNITS_S, text), "90s");
	ck_assert_str_eq(units_format_duration(120 * UNITS_S, text), "2m");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("units");
	TCase *tests = tcase_create("units");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, sizes_and_durations_are_read_exactly);
	tcase_add_test(tests, what_is_no_quantity_leaves_the_result_alone);
	tcase_add_test(tests,
		       what_is_written_is_the_largest_unit_that_is_exact);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
