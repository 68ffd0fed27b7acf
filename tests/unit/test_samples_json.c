/* test_samples_json.c - the samples' JSON scanner, and what it must refuse */
#include "guest/samples/json.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char reply[256];
static size_t reply_used, reply_capacity;

/* The part of the SDK that json.h uses. */
int thaw_reply(const void *data, size_t size)
{
	if (size > reply_capacity - reply_used)
		return -1;
	memcpy(reply + reply_used, data, size);
	reply_used += size;
	return 0;
}

int thaw_reply_printf(const char *format, ...)
{
	char text[64];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return thaw_reply(text, (size_t)size);
}

/* Reads "name" (8 bytes at most) and "size" as the samples do. */
static struct json scan(const char *text, size_t size, char name[9],
			double *number)
{
	struct json json;
	char key[8];
	/* on the heap, so that sanitizers see where it ends */
	char *copy = malloc(size > 0 ? size : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	strcpy(name, "none");
	*number = 0;
	json = json_open(copy, size);
	json_object(&json);
	while (json_next_key(&json, key, sizeof(key))) {
		if (strcmp(key, "name") == 0)
			json_string(&json, name, 9);
		else if (strcmp(key, "size") == 0)
			json_number(&json, number);
		else
			json_skip(&json);
	}
	json_close(&json);
	free(copy);
	return json;
}

static const struct {
	const char *text, *name;
	double size;
} accepted[] = {
	{ "{}", "none", 0 },
	{ " \t\r\n{ \"size\" : 12 , \"name\" : \"Ada\" } \n", "Ada", 12 },
	{ "{\"name\":\"\",\"size\":-0.5e+2}", "", -50 },
	{ "{\"name\":\"a\",\"name\":\"b\"}", "b", 0 },
	{ "{\"name\":\"12345678\"}", "12345678", 0 },
	{ "{\"name\":\"\\u00e9\\/\\n\"}", "\xc3\xa9/\n", 0 },
	{ "{\"n\\u0061me\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80", 0 },
	{ "{\"a\":[],\"b\":{},\"c\":[[{\"d\":[1,null]}],true],\"size\":1}",
	  "none", 1 },
};

START_TEST(well_formed_objects_are_read)
{
	char name[9];
	double number;
	struct json json = scan(accepted[_i].text, strlen(accepted[_i].text),
				name, &number);

	ck_assert_ptr_null(json.error);
	ck_assert_str_eq(name, accepted[_i].name);
	ck_assert(number == accepted[_i].size);
}
END_TEST

static const struct {
	const char *text;
	size_t offset;
	const char *error;
} refused[] = {
	{ "", 0, "{ is expected" },
	{ "[]", 0, "{ is expected" },
	{ "{", 1, "a string is expected" },
	{ "{\"a\"", 4, ": is expected" },
	{ "{\"a\":1", 6, ", or } is expected" },
	{ "{\"a\":1,}", 7, "a string is expected" },
	{ "{\"a\":1}}", 7, "the object has ended here" },
	{ "{\"a\":01}", 6, ", or } is expected" },
	{ "{\"a\":1.}", 7, "a digit is expected" },
	{ "{\"a\":-}", 6, "a number is expected" },
	{ "{\"a\":+1}", 5, "a value is expected" },
	{ "{\"a\":nul}", 5, "a value is expected" },
	{ "{\"a\":[1,]}", 8, "a value is expected" },
	{ "{\"a\":[1}}", 7, ", or a bracket is expected" },
	{ "{\"a\":{\"b\"}}", 9, ": is expected" },
	{ "{\"size\":\"1\"}", 8, "a number is expected" },
	{ "{\"name\":1}", 8, "a string is expected" },
	{ "{\"name\":\"123456789\"}", 18, "the string is too long" },
	{ "{\"name\":\"a", 10, "the string does not end" },
	{ "{\"name\":\"\n\"}", 9, "control character" },
	{ "{\"name\":\"\\x\"}", 10, "unknown escape" },
	{ "{\"name\":\"\\u12g4\"}", 13, "\\u needs four hex digits" },
	{ "{\"name\":\"\\u0000\"}", 15, "NUL in a string" },
	{ "{\"name\":\"\\ud800\\u0041\"}", 21, "half a surrogate pair" },
	{ "{\"name\":\"\\udc00\"}", 15, "half a surrogate pair" },
	{ "{\"name\":\"\xc0\x80\"}", 9, "not UTF-8" },
	{ "{\"name\":\"\xed\xa0\x80\"}", 9, "not UTF-8" },
	{ "{\"name\":\"\xf4\x90\x80\x80\"}", 9, "not UTF-8" },
	{ "{\"name\":\"\xe2\x82", 9, "not UTF-8" },
};

START_TEST(malformed_objects_are_refused_where_they_go_wrong)
{
	char name[9];
	double number;
	struct json json =
		scan(refused[_i].text, strlen(refused[_i].text), name, &number);

	ck_assert_ptr_nonnull(json.error);
	ck_assert_str_eq(json.error, refused[_i].error);
	ck_assert_uint_eq(json_offset(&json), refused[_i].offset);
}
END_TEST

START_TEST(every_prefix_is_refused)
{
	static const char text[] =
		"{\"a\":[{\"b\":-1.5e3},\"\\ud83d\\ude00\"],\"size\":1}";
	char name[9];
	double number;
	size_t size;

	for (size = 0; size < strlen(text); size++)
		ck_assert_ptr_nonnull(scan(text, size, name, &number).error);
	ck_assert_ptr_null(scan(text, size, name, &number).error);
}
END_TEST

START_TEST(nesting_has_a_limit)
{
	char text[JSON_DEPTH_MAX * 2 + 16], name[9];
	double number;
	int depth;

	for (depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', sizeof(text));
		memcpy(text, "{\"a\":", 5);
		memset(text + 5 + depth, ']', (size_t)depth);
		text[5 + 2 * depth] = '}';
		ck_assert_int_eq(
			!scan(text, 6 + 2 * (size_t)depth, name, &number).error,
			depth <= JSON_DEPTH_MAX);
	}
}
END_TEST

START_TEST(a_reply_string_is_escaped)
{
	static const char text[] = "a\"\\\n\0\xc3\xa9";
	static const char expected[] = "\"a\\\"\\\\\\u000a\\u0000\xc3\xa9\"";
	size_t size = sizeof(text) - 1;

	reply_used = 0;
	reply_capacity = sizeof(expected) - 1;
	ck_assert_int_eq(json_reply_string(text, size), 0);
	ck_assert_uint_eq(reply_used, sizeof(expected) - 1);
	ck_assert_mem_eq(reply, expected, reply_used);
	for (reply_capacity = 0; reply_capacity < sizeof(expected) - 1;
	     reply_capacity++) {
		reply_used = 0;
		ck_assert_int_eq(json_reply_string(text, size), -1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("samples_json");
	TCase *tests = tcase_create("json");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, well_formed_objects_are_read, 0,
			    sizeof(accepted) / sizeof(accepted[0]));
	tcase_add_loop_test(tests,
			    malformed_objects_are_refused_where_they_go_wrong,
			    0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tests, every_prefix_is_refused);
	tcase_add_test(tests, nesting_has_a_limit);
	tcase_add_test(tests, a_reply_string_is_escaped);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
