/* test_typed_json.c - values of each type as JSON, at their edges. */
#include <check.h>
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_walk.h"
#include "executor/typed/json_value.h"

static char room[4096];

/* Reads @text, which is JSON, as @type. */
static int read_as(const char *text, enum thaw_type type,
		   struct thaw_value *value)
{
	char *to = room;

	ck_assert_msg(!json_check(text, strlen(text), NULL), "%s", text);
	memset(value, 0x55, sizeof(*value));
	return json_value_read(text, strlen(text), type, &to, value);
}

static const char *write_value(const struct thaw_value *value)
{
	struct buffer out = BUFFER_INIT(4096);
	static char text[4096];

	json_value_write(value, &out);
	ck_assert(!out.failed);
	snprintf(text, sizeof(text), "%.*s", (int)out.size, out.data);
	buffer_done(&out);
	return text;
}

struct again {
	enum thaw_type type;
	const char *text;
	const char *same; /* as it is written; NULL: as it was read */
};

static const struct again again[] = {
	{ THAW_TYPE_INT, "0", NULL },
	{ THAW_TYPE_INT, "-0", "0" },
	{ THAW_TYPE_INT, "-2147483648", NULL },
	{ THAW_TYPE_INT, "2147483647", NULL },
	{ THAW_TYPE_UINT, "0", NULL },
	{ THAW_TYPE_UINT, "-0", "0" },
	{ THAW_TYPE_UINT, "4294967295", NULL },
	{ THAW_TYPE_LONG, "-9223372036854775808", NULL },
	{ THAW_TYPE_LONG, "9223372036854775807", NULL },
	{ THAW_TYPE_LONG, "9007199254740993", NULL },
	{ THAW_TYPE_ULONG, "18446744073709551615", NULL },
	{ THAW_TYPE_ULONG, "9223372036854775808", NULL },
	{ THAW_TYPE_FLOAT, "0.1", NULL },
	{ THAW_TYPE_FLOAT, "1", "1.0" },
	{ THAW_TYPE_FLOAT, "-0", "-0.0" },
	{ THAW_TYPE_FLOAT, "-0.0", NULL },
	{ THAW_TYPE_FLOAT, "16777217", "16777216.0" },
	{ THAW_TYPE_FLOAT, "3.4028235e+38", NULL },
	{ THAW_TYPE_FLOAT, "1e-45", "1.4013e-45" },
	{ THAW_TYPE_FLOAT, "-1e-60", "-0.0" },
	{ THAW_TYPE_FLOAT, "\"NaN\"", NULL },
	{ THAW_TYPE_FLOAT, "\"Infinity\"", NULL },
	{ THAW_TYPE_FLOAT, "\"-Infinity\"", NULL },
	{ THAW_TYPE_DOUBLE, "0.1", NULL },
	{ THAW_TYPE_DOUBLE, "42", "42.0" },
	{ THAW_TYPE_DOUBLE, "-0", "-0.0" },
	{ THAW_TYPE_DOUBLE, "0.30000000000000004", NULL },
	{ THAW_TYPE_DOUBLE, "1e400", "" },
	{ THAW_TYPE_DOUBLE, "1.7976931348623157e+308", NULL },
	{ THAW_TYPE_DOUBLE, "2.2250738585072014e-308", NULL },
	{ THAW_TYPE_DOUBLE, "5e-324", "4.94065645841247e-324" },
	{ THAW_TYPE_DOUBLE, "1e-400", "0.0" },
	{ THAW_TYPE_DOUBLE, "1E2", "100.0" },
	{ THAW_TYPE_DOUBLE, "\"NaN\"", NULL },
	{ THAW_TYPE_DOUBLE, "\"Infinity\"", NULL },
	{ THAW_TYPE_DOUBLE, "\"-Infinity\"", NULL },
	{ THAW_TYPE_BOOL, "true", NULL },
	{ THAW_TYPE_BOOL, "false", NULL },
	{ THAW_TYPE_STRING, "\"\"", NULL },
	{ THAW_TYPE_STRING, "\"NaN\"", NULL },
	{ THAW_TYPE_STRING, "\"a\\n\\t\\\"\\\\b\"", NULL },
	{ THAW_TYPE_STRING, "\"\\/\"", "\"/\"" },
	{ THAW_TYPE_STRING, "\"\\u00e9\"", "\"\xc3\xa9\"" },
	{ THAW_TYPE_STRING, "\"\\u20ac\"", "\"\xe2\x82\xac\"" },
	{ THAW_TYPE_STRING, "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ THAW_TYPE_STRING, "\"\\uDBFF\\uDFFF\"", "\"\xf4\x8f\xbf\xbf\"" },
	{ THAW_TYPE_STRING, "\"\\u0001\"", NULL },
	{ THAW_TYPE_BYTES, "\"\"", NULL },
	{ THAW_TYPE_BYTES, "\"AA==\"", NULL },
	{ THAW_TYPE_BYTES, "\"AAH/gA==\"", NULL },
	{ THAW_TYPE_BYTES, "\"AAH\\/gA==\"", "\"AAH/gA==\"" },
	{ THAW_TYPE_BYTES, "\"AAH/gA\"", "\"AAH/gA==\"" },
};

START_TEST(what_is_read_is_written_again)
{
	const struct again *is = &again[_i];
	struct thaw_value value;

	/* "": there is no such value */
	if (is->same && !*is->same) {
		ck_assert_int_eq(read_as(is->text, is->type, &value), -ERANGE);
		return;
	}
	ck_assert_msg(!read_as(is->text, is->type, &value), "%s", is->text);
	ck_assert_int_eq(value.type, is->type);
	ck_assert_str_eq(write_value(&value), is->same ? is->same : is->text);
}
END_TEST

struct refused {
	enum thaw_type type;
	const char *text;
	int r;
};

static const struct refused refused[] = {
	{ THAW_TYPE_INT, "2147483648", -ERANGE },
	{ THAW_TYPE_INT, "-2147483649", -ERANGE },
	{ THAW_TYPE_INT, "1.0", -EINVAL },
	{ THAW_TYPE_INT, "1e3", -EINVAL },
	{ THAW_TYPE_INT, "\"1\"", -EINVAL },
	{ THAW_TYPE_INT, "true", -EINVAL },
	{ THAW_TYPE_INT, "null", -EINVAL },
	{ THAW_TYPE_INT, "[1]", -EINVAL },
	{ THAW_TYPE_INT, "{}", -EINVAL },
	{ THAW_TYPE_UINT, "-1", -ERANGE },
	{ THAW_TYPE_UINT, "4294967296", -ERANGE },
	{ THAW_TYPE_LONG, "9223372036854775808", -ERANGE },
	{ THAW_TYPE_LONG, "-9223372036854775809", -ERANGE },
	{ THAW_TYPE_LONG, "99999999999999999999999999999999", -ERANGE },
	{ THAW_TYPE_ULONG, "18446744073709551616", -ERANGE },
	{ THAW_TYPE_ULONG, "-1", -ERANGE },
	{ THAW_TYPE_FLOAT, "3.5e38", -ERANGE },
	{ THAW_TYPE_FLOAT, "\"nan\"", -EINVAL },
	{ THAW_TYPE_DOUBLE, "-1e309", -ERANGE },
	{ THAW_TYPE_DOUBLE, "\"1.5\"", -EINVAL },
	{ THAW_TYPE_DOUBLE, "\"+Infinity\"", -EINVAL },
	{ THAW_TYPE_DOUBLE, "true", -EINVAL },
	{ THAW_TYPE_BOOL, "0", -EINVAL },
	{ THAW_TYPE_BOOL, "\"true\"", -EINVAL },
	{ THAW_TYPE_BOOL, "null", -EINVAL },
	{ THAW_TYPE_STRING, "1", -EINVAL },
	{ THAW_TYPE_STRING, "null", -EINVAL },
	{ THAW_TYPE_STRING, "true", -EINVAL },
	{ THAW_TYPE_STRING, "\"a\\u0000b\"", -ERANGE },
	{ THAW_TYPE_STRING, "\"\\ud800\"", -ERANGE },
	{ THAW_TYPE_STRING, "\"\\ud800\\ud800\"", -ERANGE },
	{ THAW_TYPE_STRING, "\"\\ud800\\n12345\"", -ERANGE },
	{ THAW_TYPE_STRING, "\"\\udc00\"", -ERANGE },
	{ THAW_TYPE_BYTES, "1", -EINVAL },
	{ THAW_TYPE_BYTES, "[0,1]", -EINVAL },
	{ THAW_TYPE_BYTES, "\"A\"", -ERANGE },
	{ THAW_TYPE_BYTES, "\"AA=\"", -ERANGE },
	{ THAW_TYPE_BYTES, "\"A A=\"", -ERANGE },
	{ THAW_TYPE_BYTES, "\"-_==\"", -ERANGE },
	{ THAW_TYPE_BYTES, "\"\xc3\xa9==\"", -ERANGE },
	{ THAW_TYPE_NONE, "null", -EINVAL },
	{ THAW_TYPE_NONE, "[]", -EINVAL },
	{ THAW_TYPE_NONE, "{}", -EINVAL },
};

START_TEST(what_the_type_does_not_have_is_refused)
{
	const struct refused *is = &refused[_i];
	struct thaw_value value;

	ck_assert_msg(read_as(is->text, is->type, &value) == is->r, "%d %s",
		      (int)is->type, is->text);
}
END_TEST

START_TEST(without_a_type_a_value_has_the_one_that_fits_best)
{
	static const struct {
		const char *text;
		enum thaw_type type;
	} fits[] = {
		{ "1", THAW_TYPE_LONG },
		{ "-9223372036854775808", THAW_TYPE_LONG },
		{ "9223372036854775808", THAW_TYPE_ULONG },
		{ "18446744073709551616", THAW_TYPE_DOUBLE },
		{ "-9223372036854775809", THAW_TYPE_DOUBLE },
		{ "1.0", THAW_TYPE_DOUBLE },
		{ "\"NaN\"", THAW_TYPE_STRING },
		{ "true", THAW_TYPE_BOOL },
	};
	struct thaw_value value;

	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
		ck_assert_int_eq(read_as(fits[i].text, THAW_TYPE_NONE, &value),
				 0);
		ck_assert_int_eq(value.type, fits[i].type);
	}
}
END_TEST

START_TEST(nan_and_zero_keep_what_the_rule_says)
{
	struct thaw_value value;

	ck_assert_int_eq(read_as("\"NaN\"", THAW_TYPE_DOUBLE, &value), 0);
	ck_assert(isnan(value.as.f64));
	ck_assert_int_eq(read_as("-0", THAW_TYPE_DOUBLE, &value), 0);
	ck_assert(value.as.f64 == 0 && signbit(value.as.f64));
	ck_assert_int_eq(read_as("0", THAW_TYPE_DOUBLE, &value), 0);
	ck_assert(!signbit(value.as.f64));
	/* a NaN of JSON has neither sign nor payload */
	value.as.f64 = -(double)NAN;
	ck_assert_str_eq(write_value(&value), "\"NaN\"");
}
END_TEST

START_TEST(a_float_is_rounded_once)
{
	struct thaw_value value;

	/* as a double first, this would be halfway, and round to even */
	ck_assert_int_eq(read_as("1.000000059604644775390625000000000000000001",
				 THAW_TYPE_FLOAT, &value),
			 0);
	ck_assert(value.as.f32 == 1.00000011920928955078125f);
}
END_TEST

START_TEST(a_number_may_have_very_many_digits)
{
	static char text[3000];
	struct thaw_value value;

	memset(text, '1', sizeof(text) - 1);
	text[1] = '.';
	ck_assert_int_eq(read_as(text, THAW_TYPE_DOUBLE, &value), 0);
	ck_assert_str_eq(write_value(&value), "1.1111111111111112");
	text[1] = '1';
	ck_assert_int_eq(read_as(text, THAW_TYPE_DOUBLE, &value), -ERANGE);
	ck_assert_int_eq(read_as(text, THAW_TYPE_ULONG, &value), -ERANGE);
}
END_TEST

/* Debian's C.UTF-8 has a point; others need not be installed. */
START_TEST(the_locale_does_not_matter)
{
	static const char *const names[] = { "de_DE.UTF-8", "de_DE",
					     "fr_FR.UTF-8" };
	struct thaw_value value;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (setlocale(LC_ALL, names[i]))
			break;
	ck_assert_int_eq(read_as("1.5", THAW_TYPE_DOUBLE, &value), 0);
	ck_assert(value.as.f64 == 1.5);
	ck_assert_str_eq(write_value(&value), "1.5");
	ck_assert_int_eq(read_as("0.25", THAW_TYPE_FLOAT, &value), 0);
	ck_assert_str_eq(write_value(&value), "0.25");
	setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(every_number_reads_as_it_was_written)
{
	uint64_t state = 1;

	for (int i = 0; i < 20000; i++) {
		struct thaw_value value = { .type = THAW_TYPE_DOUBLE }, same;
		char text[64];

		state = state * UINT64_C(6364136223846793005) +
			1442695040888963407;
		memcpy(&value.as.f64, &state, sizeof(state));
		if (i & 1) {
			const uint32_t half = (uint32_t)(state >> 32);

			value.type = THAW_TYPE_FLOAT;
			memcpy(&value.as.f32, &half, sizeof(half));
		}
		strcpy(text, write_value(&value));
		ck_assert_int_eq(read_as(text, value.type, &same), 0);
		if (value.type == THAW_TYPE_FLOAT)
			ck_assert_msg(isnan(value.as.f32) ?
					      isnan(same.as.f32) :
					      same.as.f32 == value.as.f32,
				      "%s", text);
		else
			ck_assert_msg(isnan(value.as.f64) ?
					      isnan(same.as.f64) :
					      same.as.f64 == value.as.f64,
				      "%s", text);
	}
}
END_TEST

START_TEST(messages_show_what_was_given)
{
	char text[JSON_GIVEN_MAX];

	ck_assert_str_eq(json_value_given("12", 2, text), "the number 12");
	ck_assert_str_eq(json_value_given("\"a\"", 3, text),
			 "the string \"a\"");
	ck_assert_str_eq(json_value_given("null", 4, text), "null");
	ck_assert_str_eq(json_value_given("true", 4, text), "true");
	ck_assert_str_eq(json_value_given("[1]", 3, text), "a list");
	ck_assert_str_eq(json_value_given("{}", 2, text), "an object");
	/* cut between two characters, and still in quotes */
	ck_assert_str_eq(json_value_given("\"2345678901234567890123456\"", 27,
					  text),
			 "the string \"23456789012345678901234...\"");
	ck_assert_str_eq(
		json_value_given("\"234567890123456789012\xe2\x82\xac...\"", 29,
				 text),
		"the string \"234567890123456789012...\"");
	ck_assert_str_eq(json_value_given("1234567890123456789012345", 25,
					  text),
			 "the number 123456789012345678901234...");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("typed json");
	TCase *tests = tcase_create("values");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, what_is_read_is_written_again, 0,
			    (int)(sizeof(again) / sizeof(*again)));
	tcase_add_loop_test(tests, what_the_type_does_not_have_is_refused, 0,
			    (int)(sizeof(refused) / sizeof(*refused)));
	tcase_add_test(tests,
		       without_a_type_a_value_has_the_one_that_fits_best);
	tcase_add_test(tests, nan_and_zero_keep_what_the_rule_says);
	tcase_add_test(tests, a_float_is_rounded_once);
	tcase_add_test(tests, a_number_may_have_very_many_digits);
	tcase_add_test(tests, the_locale_does_not_matter);
	tcase_add_test(tests, every_number_reads_as_it_was_written);
	tcase_add_test(tests, messages_show_what_was_given);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
