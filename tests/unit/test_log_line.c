/* test_log_line.c - one line of the log, and moments, as text */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "executor/server/log/log_line.h"

#define ROUNDS 4000
#define JANUARY_31 UINT64_C(1769860800) /* 2026-01-31T12:00:00Z */

/* Room for a zero, and for what would be written beyond the end. */
static char line[LOG_LINE_MAX + 16];

static const char *format(enum log_format format_, const char *message,
			  const struct log_field *fields, size_t count)
{
	const struct log_entry entry = {
		.unix_us = JANUARY_31 * 1000000 + 123456,
		.level = THAW_LOG_INFO,
		.message = message,
		.fields = fields,
		.count = count,
	};
	size_t size;

	memset(line, '#', sizeof(line));
	size = log_line_format(&entry, format_, line);
	ck_assert_uint_le(size, LOG_LINE_MAX);
	ck_assert_int_eq(line[LOG_LINE_MAX], '#');
	ck_assert_ptr_null(memchr(line, 0, size));
	line[size] = 0;
	return line;
}

#define TEXT(message, ...)                                         \
	format(LOG_FORMAT_TEXT, message,                           \
	       (const struct log_field[]){ __VA_ARGS__ },          \
	       sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
		       sizeof(struct log_field))
#define JSON(message, ...)                                         \
	format(LOG_FORMAT_JSON, message,                           \
	       (const struct log_field[]){ __VA_ARGS__ },          \
	       sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
		       sizeof(struct log_field))

START_TEST(a_line_is_as_the_header_shows_it)
{
	ck_assert_str_eq(TEXT("listening",
			      LOG_FIELD("address", "127.0.0.1:8080"),
			      LOG_NUMBER("workers", 2)),
			 "2026-01-31T12:00:00.123456Z info listening "
			 "address=127.0.0.1:8080 workers=2\n");
	ck_assert_str_eq(JSON("listening",
			      LOG_FIELD("address", "127.0.0.1:8080"),
			      LOG_NUMBER("workers", UINT64_MAX)),
			 "{\"ts\":\"2026-01-31T12:00:00.123456Z\","
			 "\"level\":\"info\",\"msg\":\"listening\","
			 "\"address\":\"127.0.0.1:8080\","
			 "\"workers\":18446744073709551615}\n");
	ck_assert_str_eq(TEXT("up"), "2026-01-31T12:00:00.123456Z info up\n");
}
END_TEST

struct sample {
	const char *value, *text, *json;
};

static const struct sample samples[] = {
	{ "plain-1.2/3:4", "plain-1.2/3:4", "\"plain-1.2/3:4\"" },
	{ "two words", "\"two words\"", "\"two words\"" },
	{ "a=b", "\"a=b\"", "\"a=b\"" },
	{ "\"q\\", "\"\\\"q\\\\\"", "\"\\\"q\\\\\"" },
	{ "x\ny\r\tz", "\"x\\ny\\r\\tz\"", "\"x\\ny\\r\\tz\"" },
	{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"",
	  "\"gr\xc3\xbc\xc3\x9f\"" },
	/* what a terminal would obey: C0, DEL, and C1, which is UTF-8 */
	{ "\x1b[2J\x07", "\"\\x1b[2J\\x07\"", "\"\\u001b[2J\\u0007\"" },
	{ "\x7f", "\"\\x7f\"", "\"\\u007f\"" },
	{ "\xc2\x9b"
	  "2J",
	  "\"\\u009b2J\"", "\"\\u009b2J\"" },
	/* what is not UTF-8: alone, too long, a surrogate, cut off */
	{ "\xff", "\"\\xff\"", "\"\\ufffd\"" },
	{ "\x9b", "\"\\x9b\"", "\"\\ufffd\"" },
	{ "\xc0\xaf", "\"\\xc0\\xaf\"", "\"\\ufffd\\ufffd\"" },
	{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xe2\x82", "\"\\xe2\\x82\"", "\"\\ufffd\\ufffd\"" },
	/* what turns text around, and what some take for a line's end */
	{ "a\xe2\x80\xae"
	  "b",
	  "\"a\\u202eb\"", "\"a\\u202eb\"" },
	{ "\xe2\x80\xa8", "\"\\u2028\"", "\"\\u2028\"" },
};

START_TEST(values_are_quoted_and_escaped_if_need_be)
{
	const struct sample *sample = &samples[_i];
	char expected[256];

	snprintf(expected, sizeof(expected), " v=%s n=1\n", sample->text);
	ck_assert_ptr_nonnull(strstr(TEXT("m", LOG_FIELD("v", sample->value),
					  LOG_NUMBER("n", 1)),
				     expected));
	snprintf(expected, sizeof(expected), ",\"v\":%s,\"n\":1}\n",
		 sample->json);
	ck_assert_ptr_nonnull(strstr(JSON("m", LOG_FIELD("v", sample->value),
					  LOG_NUMBER("n", 1)),
				     expected));
}
END_TEST

START_TEST(a_field_without_text_is_left_out_and_a_message_is_not)
{
	ck_assert_str_eq(TEXT("m", LOG_FIELD("v", ""), LOG_NUMBER("n", 0)),
			 "2026-01-31T12:00:00.123456Z info m n=0\n");
	ck_assert_str_eq(JSON("", LOG_FIELD("v", ""), LOG_NUMBER("n", 0)),
			 "{\"ts\":\"2026-01-31T12:00:00.123456Z\","
			 "\"level\":\"info\",\"msg\":\"\",\"n\":0}\n");
}
END_TEST

START_TEST(a_message_cannot_begin_a_line_of_its_own)
{
	ck_assert_str_eq(TEXT("bad\n2026 error \x1b[1mforged"),
			 "2026-01-31T12:00:00.123456Z info "
			 "bad\\n2026 error \\x1b[1mforged\n");
}
END_TEST

/* The value that is at "v" in the JSON of the last line; the caller's. */
static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	ck_assert_msg(json != NULL, "%s: %s", error.text, text);
	return json;
}

START_TEST(what_is_too_long_is_cut_and_what_follows_is_kept)
{
	char *value = malloc(3 * LOG_LINE_MAX);
	json_t *json;
	const char *cut;

	ck_assert_ptr_nonnull(value);
	memset(value, 'v', 3 * LOG_LINE_MAX);
	value[3 * LOG_LINE_MAX - 1] = 0;
	cut = TEXT("m", LOG_FIELD("v", value), LOG_FIELD("after", "it"));
	ck_assert_ptr_nonnull(strstr(cut, "vvv... after=it\n"));
	ck_assert_uint_eq(strspn(strstr(cut, "v=") + 2, "v"),
			  LOG_VALUE_MAX - 3);

	json = parse(JSON("m", LOG_FIELD("v", value), LOG_FIELD("w", value),
			  LOG_FIELD("x", value), LOG_FIELD("y", value)));
	ck_assert_uint_eq(json_string_length(json_object_get(json, "v")),
			  LOG_VALUE_MAX);
	ck_assert_uint_gt(json_string_length(json_object_get(json, "w")),
			  LOG_VALUE_MAX / 2);
	ck_assert_ptr_null(json_object_get(json, "x"));
	json_decref(json);

	json = parse(JSON(value, LOG_FIELD("after", "it")));
	ck_assert_str_eq(json_string_value(json_object_get(json, "after")),
			 "it");
	json_decref(json);
	free(value);
}
END_TEST

/* Bytes that are often special, or any. */
static void fill(char *text, size_t size)
{
	static const char special[] = "\"\\\n\x1b\xc2\x9b\xe2\x80\xae\xf0\xff=";

	for (size_t i = 0; i + 1 < size; i++)
		text[i] =
			rand() % 2 ?
				special[(size_t)rand() % (sizeof(special) - 1)] :
				(char)(1 + rand() % 255);
	text[size - 1] = 0;
}

static void check_printable(const char *text)
{
	size_t size = strlen(text), length;

	ck_assert_int_eq(text[size - 1], '\n');
	for (size_t i = 0; i < size - 1; i += length) {
		uint32_t point = 0;

		length = text_decode(text + i, size - i, &point);
		/* an assertion that holds is slow, too */
		if (!length || text_is_control(point) || point == '\t' ||
		    point == 0x202e)
			ck_abort_msg("at %zu: %s", i, text);
	}
}

START_TEST(no_bytes_make_a_line_that_is_not_one)
{
	char a[3000], b[700], key[40];

	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		fill(a, 1 + (size_t)rand() % (i % 4 ? 60 : sizeof(a)));
		fill(b, 1 + (size_t)rand() % (i % 2 ? 60 : sizeof(b)));
		fill(key, 1 + (size_t)rand() % sizeof(key));
		check_printable(TEXT(b, LOG_FIELD("a", a), LOG_FIELD(key, b),
				     LOG_NUMBER("n", 7), LOG_FIELD("c", a)));
		check_printable(JSON(b, LOG_FIELD("a", a), LOG_FIELD(key, b),
				     LOG_NUMBER("n", 7), LOG_FIELD("c", a)));
		json_decref(parse(line));
	}
}
END_TEST

START_TEST(words_of_formats_and_levels_are_read)
{
	enum log_format format_ = LOG_FORMAT_TEXT;
	enum thaw_level level = THAW_LOG_ERROR;

	ck_assert(log_parse_format("json", &format_));
	ck_assert_int_eq(format_, LOG_FORMAT_JSON);
	ck_assert(!log_parse_format("xml", &format_));
	ck_assert_int_eq(format_, LOG_FORMAT_JSON);
	ck_assert(log_parse_format("text", &format_));
	ck_assert_int_eq(format_, LOG_FORMAT_TEXT);
	ck_assert(log_parse_level("debug", &level));
	ck_assert_int_eq(level, THAW_LOG_DEBUG);
	ck_assert(log_parse_level("warn", &level));
	ck_assert_int_eq(level, THAW_LOG_WARN);
	ck_assert(!log_parse_level("warning", &level));
	ck_assert(!log_parse_level("", &level));
	ck_assert_int_eq(level, THAW_LOG_WARN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_line");
	TCase *tests = tcase_create("log_line");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_line_is_as_the_header_shows_it);
	tcase_add_loop_test(tests, values_are_quoted_and_escaped_if_need_be, 0,
			    sizeof(samples) / sizeof(*samples));
	tcase_add_test(tests,
		       a_field_without_text_is_left_out_and_a_message_is_not);
	tcase_add_test(tests, a_message_cannot_begin_a_line_of_its_own);
	tcase_add_test(tests, what_is_too_long_is_cut_and_what_follows_is_kept);
	tcase_add_test(tests, no_bytes_make_a_line_that_is_not_one);
	tcase_add_test(tests, words_of_formats_and_levels_are_read);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
