/* test_linux_interrupts.c - interrupt lines as a table, and as catalogs write them. */
#include <check.h>
#include <errno.h>
#include <limits.h>

#include "executor/catalog_interrupts.h"

#define FUNCTION 0x1000

static struct interrupts interrupts;

static void make_line(uint32_t line)
{
	ck_assert_int_eq(interrupts_register(&interrupts, line, FUNCTION, line),
			 0);
	ck_assert_int_eq(interrupts_set_enabled(&interrupts, line, true), 0);
}

/* Takes the next line, which is @line. */
static void expect_next(uint32_t line)
{
	const struct interrupt_handler *handler;

	ck_assert_int_eq(interrupts_next(&interrupts), (int)line);
	handler = interrupts_take(&interrupts, line);
	ck_assert_ptr_nonnull(handler);
	ck_assert_uint_eq(handler->data, line);
}

START_TEST(no_request_reaches_beyond_the_lines)
{
	static const uint32_t none[] = {
		1020,	 1021, 1023, 1024, 65536, INT_MAX, (uint32_t)INT_MIN,
		UINT_MAX
	};

	interrupts_init(&interrupts);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		const uint32_t line = none[i];

		ck_assert_int_eq(interrupts_register(&interrupts, line,
						     FUNCTION, 0),
				 -EINVAL);
		ck_assert_int_eq(interrupts_deregister(&interrupts, line),
				 -EINVAL);
		ck_assert_int_eq(interrupts_set_enabled(&interrupts, line,
							true),
				 -EINVAL);
		ck_assert_int_eq(interrupts_assert(&interrupts, line), -EINVAL);
		ck_assert_int_eq(interrupts_clear(&interrupts, line), -EINVAL);
		ck_assert_int_eq(interrupts_set_trigger(&interrupts, line,
							INTERRUPTS_EDGE_RISING),
				 -EINVAL);
	}
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
}
END_TEST

START_TEST(every_line_can_be_used_but_the_timers)
{
	interrupts_init(&interrupts);
	for (uint32_t line = 0; line < INTERRUPTS_MAX; line++) {
		if (line == INTERRUPTS_TIMER) {
			ck_assert_int_eq(interrupts_register(&interrupts, line,
							     FUNCTION, 0),
					 -EBUSY);
			continue;
		}
		ck_assert_int_eq(interrupts_assert(&interrupts, line), -ENOENT);
		make_line(line);
		ck_assert_int_eq(interrupts_register(&interrupts, line,
						     FUNCTION, 0),
				 -EBUSY);
		ck_assert_int_eq(interrupts_assert(&interrupts, line), 0);
		expect_next(line);
		ck_assert_int_eq(interrupts_next(&interrupts), -1);
	}
}
END_TEST

START_TEST(the_lowest_line_is_next)
{
	interrupts_init(&interrupts);
	for (uint32_t line = 1019; line > 1000; line -= 3) {
		make_line(line);
		interrupts_raise(&interrupts, line);
	}
	make_line(64);
	interrupts_raise(&interrupts, 64);
	expect_next(64);
	for (uint32_t line = 1001; line < 1020; line += 3)
		expect_next(line);
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
}
END_TEST

START_TEST(the_host_holds_a_level_triggered_line_until_it_is_cleared)
{
	interrupts_init(&interrupts);
	make_line(16);
	interrupts_raise(&interrupts, 16);
	expect_next(16);
	expect_next(16);
	ck_assert_int_eq(interrupts_clear(&interrupts, 16), 0);
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
	/* the program's own request is done when its handler begins */
	ck_assert_int_eq(interrupts_assert(&interrupts, 16), 0);
	expect_next(16);
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
	ck_assert_int_eq(interrupts_set_trigger(&interrupts, 16,
						INTERRUPTS_EDGE_RISING),
			 0);
	interrupts_raise(&interrupts, 16);
	expect_next(16);
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
}
END_TEST

START_TEST(a_line_without_a_handler_is_disabled_when_it_is_asserted)
{
	interrupts_init(&interrupts);
	make_line(40);
	ck_assert_int_eq(interrupts_deregister(&interrupts, 40), 0);
	interrupts_raise(&interrupts, 40);
	ck_assert_int_eq(interrupts_next(&interrupts), 40);
	ck_assert_ptr_null(interrupts_take(&interrupts, 40));
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
	ck_assert_int_eq(interrupts_register(&interrupts, 40, FUNCTION, 40), 0);
	interrupts_raise(&interrupts, 40);
	ck_assert_int_eq(interrupts_next(&interrupts), -1);
	ck_assert_int_eq(interrupts_set_enabled(&interrupts, 40, true), 0);
	expect_next(40);
}
END_TEST

START_TEST(catalogs_write_lines_and_times)
{
	static const struct {
		const char *text;
		int r;
		uint32_t line;
		uint64_t after_ns;
	} texts[] = {
		{ "0", 0, 0, 0 },
		{ "1019", 0, 1019, 0 },
		{ "40@5ms", 0, 40, 5000000 },
		{ "40@0ns", 0, 40, 0 },
		{ "40@15m", 0, 40, UINT64_C(900000000000) },
		{ "40@900001ms", -ERANGE, 0, 0 },
		{ "1020", -ERANGE, 0, 0 },
		{ "27", -ERANGE, 0, 0 },
		{ "4294967336", -ERANGE, 0, 0 },
		{ "99999999999999999999999", -ERANGE, 0, 0 },
		{ "40@99999999999999999999999m", -ERANGE, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "x", -EINVAL, 0, 0 },
		{ "-1", -EINVAL, 0, 0 },
		{ "40 ", -EINVAL, 0, 0 },
		{ "40@", -EINVAL, 0, 0 },
		{ "40@5", -EINVAL, 0, 0 },
		{ "40@5ms ", -EINVAL, 0, 0 },
		{ "@5ms", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct gunyah_interrupt read = { 7, 8 };

		ck_assert_msg(catalog_interrupts_parse(texts[i].text, &read) ==
				      texts[i].r,
			      "%s", texts[i].text);
		if (texts[i].r)
			continue;
		ck_assert_uint_eq(read.line, texts[i].line);
		ck_assert_uint_eq(read.after_ns, texts[i].after_ns);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_interrupts");
	TCase *tests = tcase_create("linux_interrupts");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, no_request_reaches_beyond_the_lines);
	tcase_add_test(tests, every_line_can_be_used_but_the_timers);
	tcase_add_test(tests, the_lowest_line_is_next);
	tcase_add_test(
		tests,
		the_host_holds_a_level_triggered_line_until_it_is_cleared);
	tcase_add_test(tests,
		       a_line_without_a_handler_is_disabled_when_it_is_asserted);
	tcase_add_test(tests, catalogs_write_lines_and_times);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
