/* test_json_check.c - JSON told from what is not, as jansson does. */
#include "base/json_walk.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* Mutations tried of each text of the corpus. */
#define MUTATIONS 4000

/* Checks a copy that is exactly as large, so that a sanitizer sees beyond. */
static int check(const char *text, size_t size, size_t *ret_offset)
{
	char *copy = malloc(size + !size);
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	r = json_check(copy, size, ret_offset);
	free(copy);
	return r;
}

static const char *const accepted[] = {
	"null",
	" true ",
	"\t\r\n false",
	"0",
	"-0",
	"12.5e-3",
	"1E+2",
	"0e0",
	"1e999",
	"123456789012345678901234567890",
	"\"\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
	"\"\\ud800\"",
	"\"\\u0000\"",
	"\"seven..\"",
	"\"eight...\"",
	"\"a text of more than eight bytes\x7f, then \\\"more\\\" of it\"",
	"\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xbb\"",
	"[]",
	"{}",
	"[ ]",
	"[1,[2,[3]],{}]",
	"{\"a\":1,\"a\":2}",
	" { \"a\" : [ { \"b\" : null } , -1.5 ] , \"\" : { } } ",
};

START_TEST(what_is_json_is_accepted)
{
	ck_assert_int_eq(check(accepted[_i], strlen(accepted[_i]), NULL), 0);
}
END_TEST

static const struct refused {
	const char *text;
	size_t offset;
	int error;
} refused[] = {
	{ "", 0, -EINVAL },
	{ " ", 1, -EINVAL },
	{ "nul", 3, -EINVAL },
	{ "nulL", 3, -EINVAL },
	{ "True", 0, -EINVAL },
	{ "nullx", 4, -EINVAL },
	{ "1 2", 2, -EINVAL },
	{ "01", 1, -EINVAL },
	{ "-", 1, -EINVAL },
	{ "+1", 0, -EINVAL },
	{ ".5", 0, -EINVAL },
	{ "1.", 2, -EINVAL },
	{ "1.e1", 2, -EINVAL },
	{ "1e", 2, -EINVAL },
	{ "1e+", 3, -EINVAL },
	{ "1e+-1", 3, -EINVAL },
	{ "NaN", 0, -EINVAL },
	{ "0x10", 1, -EINVAL },
	{ "\"", 1, -EINVAL },
	{ "\"abc", 4, -EINVAL },
	{ "\"abcdefghijkl", 13, -EINVAL },
	{ "\"abcdefg\nhij\"", 8, -EINVAL },
	{ "\"\\", 2, -EINVAL },
	{ "\"\\x\"", 2, -EINVAL },
	{ "\"\\u12g4\"", 5, -EINVAL },
	{ "\"\\u12", 5, -EINVAL },
	{ "'a'", 0, -EINVAL },
	{ "[", 1, -EINVAL },
	{ "]", 0, -EINVAL },
	{ "[1,]", 3, -EINVAL },
	{ "[,1]", 1, -EINVAL },
	{ "[1 2]", 3, -EINVAL },
	{ "[1}", 2, -EINVAL },
	{ "{\"a\":1]", 6, -EINVAL },
	{ "{\"a\":1,}", 7, -EINVAL },
	{ "{\"a\"}", 4, -EINVAL },
	{ "{\"a\":}", 5, -EINVAL },
	{ "{a:1}", 1, -EINVAL },
	{ "{1:1}", 1, -EINVAL },
	{ "{\"a\" 1}", 5, -EINVAL },
	{ "{\"a\":1 \"b\":2}", 7, -EINVAL },
	{ "[1] // why", 4, -EINVAL },
	{ "\xef\xbb\xbf{}", 0, -EINVAL }, /* a byte order mark */
	{ "\"\x80\"", 1, -EILSEQ },
	{ "\"abcdefgh\xff\"", 9, -EILSEQ },
	{ "\"\xc3\"", 1, -EILSEQ },
	{ "\"\xe2\x82", 1, -EILSEQ },
	{ "\"\xc0\x80\"", 1, -EILSEQ },
	{ "\"\xed\xa0\x80\"", 1, -EILSEQ },
	{ "\"\xf4\x90\x80\x80\"", 1, -EILSEQ },
	{ "{\"\xff\":1}", 2, -EILSEQ },
	{ "\xff", 0, -EINVAL },
};

START_TEST(what_is_not_json_is_refused_with_its_first_wrong_byte)
{
	const struct refused *sample = &refused[_i];
	size_t offset = SIZE_MAX;

	ck_assert_int_eq(check(sample->text, strlen(sample->text), &offset),
			 sample->error);
	ck_assert_uint_eq(offset, sample->offset);
}
END_TEST

START_TEST(a_zero_is_a_byte_like_others)
{
	size_t offset;

	ck_assert_int_eq(check("1\0", 2, &offset), -EINVAL);
	ck_assert_uint_eq(offset, 1);
	ck_assert_int_eq(check("\"a\0b\"", 5, &offset), -EINVAL);
	ck_assert_uint_eq(offset, 2);
	ck_assert_int_eq(check("\"0123456\0abcdefgh\"", 18, &offset), -EINVAL);
	ck_assert_uint_eq(offset, 8);
}
END_TEST

/* @depth of [ or {"":, then a 1, then the other ends. */
static int check_deep(size_t depth, const char *open, char close)
{
	size_t length = strlen(open);
	char *text = malloc(depth * (length + 1) + 1);
	int r;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < depth; i++)
		memcpy(text + i * length, open, length);
	text[depth * length] = '1';
	memset(text + depth * length + 1, close, depth);
	r = check(text, depth * (length + 1) + 1, NULL);
	free(text);
	return r;
}

START_TEST(nesting_is_bounded)
{
	ck_assert_int_eq(check_deep(JSON_CHECK_DEPTH_MAX, "[", ']'), 0);
	ck_assert_int_eq(check_deep(JSON_CHECK_DEPTH_MAX, "{\"\":", '}'), 0);
	ck_assert_int_eq(check_deep(JSON_CHECK_DEPTH_MAX + 1, "[", ']'),
			 -E2BIG);
	ck_assert_int_eq(check_deep(JSON_CHECK_DEPTH_MAX + 1, "{\"\":", '}'),
			 -E2BIG);
	ck_assert_int_eq(check_deep(UNITS_MIB, "[", ']'), -E2BIG);
}
END_TEST

START_TEST(arrays_and_objects_in_one_another_are_told_apart)
{
	char text[2 * 300 * 6 + 2], *end = text;

	for (int i = 0; i < 200; i++)
		end = stpcpy(end, i % 3 ? "[" : "{\"k\":");
	end = stpcpy(end, "0");
	for (int i = 199; i >= 0; i--)
		end = stpcpy(end, i % 3 ? "]" : "}");
	ck_assert_int_eq(check(text, (size_t)(end - text), NULL), 0);
	for (char *c = text; c < end; c++)
		if (*c == ']' || *c == '}') {
			*c ^= ']' ^ '}';
			ck_assert_int_eq(check(text, (size_t)(end - text),
					       NULL),
					 -EINVAL);
			*c ^= ']' ^ '}';
		}
}
END_TEST

/* What jansson does not take though it is JSON, by its own words. */
static bool is_jansson_limit(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow ||
	       json_error_code(error) == json_error_null_byte_in_key ||
	       strstr(error->text, "invalid Unicode");
}

/* Both must agree; but jansson takes a zero for the end of the text. */
static void compare(const char *text, size_t size)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t error;
	json_t *value = json_loadb(text, size, flags, &error);
	int r = check(text, size, NULL);

	if (memchr(text, '\0', size))
		ck_assert_msg(r, "accepted: %.*s", (int)size, text);
	else if (value)
		ck_assert_msg(!r, "refused: %.*s", (int)size, text);
	else if (!is_jansson_limit(&error))
		ck_assert_msg(r, "accepted: %.*s: %s", (int)size, text,
			      error.text);
	json_decref(value);
}

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

/* Changes, removes, doubles or inserts a byte. Returns the new size. */
static size_t mutate(char *text, size_t size)
{
	static const char bytes[] = "{}[]:,\"\\ue0123.+-truefalsn \n\t\x1f\x7f"
				    "\x80\xbf\xc3\xe2\xed\xa0\xf0\xf4\xff";
	size_t at = draw((uint32_t)size + 1);
	char byte = bytes[draw(sizeof(bytes))];

	switch (draw(4)) {
	case 0:
		if (at < size)
			text[at] = byte;
		return size;
	case 1:
		if (at == size)
			return size;
		memmove(text + at, text + at + 1, size - at - 1);
		return size - 1;
	case 2:
		if (at == size)
			return size;
		byte = text[at];
		break;
	}
	memmove(text + at + 1, text + at, size - at);
	text[at] = byte;
	return size + 1;
}

START_TEST(jansson_agrees_on_random_changes)
{
	char text[256];

	seed = (uint32_t)_i + 1;
	compare(accepted[_i], strlen(accepted[_i]));
	for (int i = 0; i < MUTATIONS; i++) {
		size_t size = strlen(accepted[_i]);

		memcpy(text, accepted[_i], size);
		for (uint32_t n = draw(4) + 1; n; n--) {
			size = mutate(text, size);
			compare(text, size);
		}
	}
}
END_TEST

static void check_next(const char *text, size_t *offset, const char *key,
		       const char *value)
{
	struct json_member member;

	ck_assert(json_walk_member(text, strlen(text), offset, &member));
	ck_assert_uint_eq(member.key_size, strlen(key));
	ck_assert_mem_eq(member.key, key, member.key_size);
	ck_assert_uint_eq(member.value_size, strlen(value));
	ck_assert_mem_eq(member.value, value, member.value_size);
}

START_TEST(members_come_one_by_one)
{
	const char *text =
		" { \"a\" : 1 , \"b\\\"\":\"x,}\\\"y\",\"\" :[{\"c\":"
		"\"]\"},[ ] ] ,\n\"d\": {\"e\":{}},\"f\":null,"
		"\"g\":-1e5} ";
	struct json_member member;
	size_t offset = 0;

	check_next(text, &offset, "a", "1");
	check_next(text, &offset, "b\\\"", "\"x,}\\\"y\"");
	check_next(text, &offset, "", "[{\"c\":\"]\"},[ ] ]");
	check_next(text, &offset, "d", "{\"e\":{}}");
	check_next(text, &offset, "f", "null");
	check_next(text, &offset, "g", "-1e5");
	ck_assert(!json_walk_member(text, strlen(text), &offset, &member));
	ck_assert(!json_walk_member(text, strlen(text), &offset, &member));
}
END_TEST

START_TEST(elements_come_one_by_one)
{
	static const char *const values[] = { "1", "\"],\\\"\"", "{\"c\":[2]}",
					      "[ ]", "null" };
	const char *text = " [ 1 ,\"],\\\"\",{\"c\":[2]} ,\n[ ],null ] ";
	struct json_member element;
	size_t offset = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		ck_assert(json_walk_element(text, strlen(text), &offset,
					    &element));
		ck_assert_ptr_null(element.key);
		ck_assert_uint_eq(element.value_size, strlen(values[i]));
		ck_assert_mem_eq(element.value, values[i], element.value_size);
	}
	for (int i = 0; i < 2; i++)
		ck_assert(!json_walk_element(text, strlen(text), &offset,
					     &element));
}
END_TEST

START_TEST(what_is_no_array_has_no_elements)
{
	static const char *const others[] = { "[]",    " [ ] ", "{\"a\":1}",
					      "\"a\"", "1",	"" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct json_member element;
		size_t offset = 0;

		ck_assert(!json_walk_element(others[i], strlen(others[i]),
					     &offset, &element));
	}
}
END_TEST

START_TEST(what_is_no_object_has_no_members)
{
	static const char *const others[] = { "{}",    " { } ", "[\"a\"]",
					      "\"a\"", "1",	"null" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct json_member member;
		size_t offset = 0;

		ck_assert(!json_walk_member(others[i], strlen(others[i]),
					    &offset, &member));
	}
}
END_TEST

int main(void)
{
	const int samples = sizeof(accepted) / sizeof(*accepted);
	Suite *suite = suite_create("json_check");
	TCase *tests = tcase_create("json_check");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 120);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, what_is_json_is_accepted, 0, samples);
	tcase_add_loop_test(
		tests, what_is_not_json_is_refused_with_its_first_wrong_byte, 0,
		sizeof(refused) / sizeof(*refused));
	tcase_add_test(tests, a_zero_is_a_byte_like_others);
	tcase_add_test(tests, nesting_is_bounded);
	tcase_add_test(tests, arrays_and_objects_in_one_another_are_told_apart);
	tcase_add_loop_test(tests, jansson_agrees_on_random_changes, 0,
			    samples);
	tcase_add_test(tests, members_come_one_by_one);
	tcase_add_test(tests, elements_come_one_by_one);
	tcase_add_test(tests, what_is_no_array_has_no_elements);
	tcase_add_test(tests, what_is_no_object_has_no_members);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
