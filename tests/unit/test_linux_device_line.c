/* test_linux_device_line.c - what goes through /dev/thaw, as text. */
#include "executor/linux/device_line.h"

#include <check.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

static struct error err;

/* What becomes of a request: the line, or the error's message. */
static const char *line_of(const char *name, const char *body)
{
	static char text[4096];
	const struct device_call call = { name, body, strlen(body) };
	struct buffer line = BUFFER_INIT(sizeof(text) - 1);

	if (device_line_check(&call, &err))
		return err.message;
	device_line_write(&call, &line);
	ck_assert(!line.failed);
	memcpy(text, line.data, line.size);
	text[line.size] = '\0';
	buffer_done(&line);
	return text;
}

static const struct {
	const char *name, *body;
	const char *line; /* a pattern */
} requests[] = {
	/* without a name from outside, the line is the body */
	{ NULL, "{\"function\":\"add\",\"args\":[1,2]}",
	  "{\"function\":\"add\",\"args\":[[]1,2]}\n" },
	{ "", " {\"a\":1}\r\n", "{\"a\":1}\n" },
	{ NULL, "[1,\n\t2,\r3]", "[[]1,  2, 3]\n" },
	{ NULL, "\"a\\nb\"", "\"a\\\\nb\"\n" },
	{ NULL, "", "null\n" },
	{ NULL, " \n", "null\n" },
	{ NULL, "{\"function\":1}", "{\"function\":1}\n" },
	/* with a name, it is the arguments */
	{ "add", "[1,\n2]", "{\"function\":\"add\",\"args\":[[]1, 2]}\n" },
	{ "add", "", "{\"function\":\"add\",\"args\":[[]]}\n" },
	{ "add", "\"x\"", "{\"function\":\"add\",\"args\":\"x\"}\n" },
	{ "add", "{\"a\":1}", "{\"function\":\"add\",\"args\":{\"a\":1}}\n" },
	{ "a\"b\n", "1", "{\"function\":\"a\\\\\"b\\\\n\",\"args\":1}\n" },
	/* or a call of that name */
	{ "add", "{\"args\":[1],\"function\":\"add\"}",
	  "{\"function\":\"add\",\"args\":[[]1]}\n" },
	{ "add", "{\"function\":\"add\"}",
	  "{\"function\":\"add\",\"args\":[[]]}\n" },
	{ "add", "{\"function\":\"sub\",\"args\":[]}",
	  "the call is of \"sub\", and was sent to add" },
	{ "add", "{\"function\":1}", "the call is of 1, and was sent to add" },
	{ "add", "{\"function\":\"add\",\"function\":\"sub\"}",
	  "the call is of \"sub\", and was sent to add" },
	{ "add", "{\"function\":\"add\",\"more\":1}",
	  "the call has the key \"more\"; it may have *" },
	/* text that is more than a value does not get out of its place */
	{ "add", "1,\"function\":\"sub\"",
	  "the request is not JSON: see byte 2" },
	{ "add", "1}\n{\"function\":\"sub\"", "the request is not JSON: *" },
	{ NULL, "1\n2", "the request is not JSON: see byte 3" },
	{ NULL, "{", "the request is not JSON: it ends too early" },
	{ NULL, "name=value", "the request is not JSON: see byte *" },
	{ NULL, "\"\xff\"", "the request has a string that is not UTF-8: *" },
	{ NULL, "\"a\nb\"", "the request is not JSON: see byte 3" },
};

START_TEST(a_request_is_one_line)
{
	const char *line = line_of(requests[_i].name, requests[_i].body);

	ck_assert_msg(!fnmatch(requests[_i].line, line, 0), "%s: %s",
		      requests[_i].body, line);
}
END_TEST

START_TEST(a_request_is_not_nested_too_deep)
{
	char body[1025];

	memset(body, '[', 512);
	memset(body + 512, ']', 512);
	body[1024] = '\0';
	ck_assert_uint_eq(strlen(line_of(NULL, body)), 1025);
	memset(body, '[', sizeof(body) - 1);
	ck_assert_str_eq(line_of(NULL, body),
			 "the request is nested too deep: see byte 513");
}
END_TEST

static const struct {
	const char *text;
	const char *outcome; /* "result", "TYPE|MESSAGE", or a refusal */
} replies[] = {
	{ "{\"result\":42}\n", "result" },
	{ " {\"result\" : null} ", "result" },
	{ "{\"result\":{\"error\":1}}", "result" },
	{ "{\"result\":123456789012345678901234567890}", "result" },
	{ "{\"error\":{\"type\":\"ValueError\",\"message\":\"no\"}}",
	  "ValueError|no" },
	{ "{\"error\":{\"message\":\"\",\"type\":\"E\"}}", "E|" },
	{ "{\"error\":{\"type\":\"E\"}}", "E|" },
	{ "{\"error\":{\"type\":\"a b\xc3\xa9\",\"message\":\"\xc3\xa9\\n\"}}",
	  "a b[?][?]|\xc3\xa9[?]" },
	{ "{\"error\":{\"type\":\"E\",\"message\":\"\\ud800\"}}",
	  "E|\"\\\\ud800\"" },
	{ "{\"error\":{\"type\":\"E\",\"message\":\"a\\u0000b\"}}",
	  "E|\"a\\\\u0000b\"" },
	{ "{\"error\":{\"type\":\"\",\"message\":\"no\"}}", "an error is *" },
	{ "{\"error\":{\"message\":\"no\"}}", "an error is *" },
	{ "{\"error\":{\"type\":1}}", "an error is *" },
	{ "{\"error\":{\"type\":\"E\",\"trace\":\"\"}}", "an error is *" },
	{ "{\"error\":\"no\"}", "an error is *" },
	{ "{\"error\":null}", "an error is *" },
	{ "", "the reply is not JSON: it ends too early" },
	{ "\n", "the reply is not JSON: it ends too early" },
	{ "{\"result\":1}{\"result\":2}\n", "the reply is not JSON: see *" },
	{ "{\"result\":1}\nmore", "the reply is not JSON: see byte 14" },
	{ "hello\n", "the reply is not JSON: see byte 1" },
	{ "{\"result\":\"\xff\"}",
	  "the reply has a string that is not UTF-8*" },
	{ "42", "the reply is neither *" },
	{ "{}", "the reply is neither *" },
	{ "[]", "the reply is neither *" },
	{ "{\"result\":1,\"error\":{\"type\":\"E\"}}",
	  "the reply is neither *" },
	{ "{\"result\":1,\"result\":2}", "the reply is neither *" },
	{ "{\"results\":1}", "the reply is neither *" },
};

static const char *outcome_of(const char *text)
{
	static char line[2048];
	struct device_reply reply;

	if (device_reply_read(text, strlen(text), &err, &reply))
		return err.message;
	if (!reply.is_error)
		return "result";
	snprintf(line, sizeof(line), "%s|%s", reply.type, reply.message);
	return line;
}

START_TEST(a_reply_is_a_result_or_an_error)
{
	const char *outcome = outcome_of(replies[_i].text);

	ck_assert_msg(!fnmatch(replies[_i].outcome, outcome, 0), "%s: %s",
		      replies[_i].text, outcome);
}
END_TEST

/* Both are cut, and not in the middle of a character. */
START_TEST(a_long_error_is_cut)
{
	char text[4096], a[3000];
	struct device_reply reply;

	memset(a, 'a', sizeof(a));
	snprintf(text, sizeof(text),
		 "{\"error\":{\"type\":\"%.100s\",\"message\":\"%.1022s"
		 "\xc3\xa9\"}}",
		 a, a);
	ck_assert_int_eq(device_reply_read(text, strlen(text), &err, &reply),
			 0);
	ck_assert_uint_eq(strlen(reply.type), THAW_ERROR_TYPE_MAX - 1);
	ck_assert_uint_eq(strlen(reply.message), THAW_ERROR_MESSAGE_MAX - 1);
	ck_assert_str_eq(reply.message + THAW_ERROR_MESSAGE_MAX - 3, "a?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_device_line");
	TCase *tests = tcase_create("linux_device_line");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, a_request_is_one_line, 0,
			    sizeof(requests) / sizeof(*requests));
	tcase_add_test(tests, a_request_is_not_nested_too_deep);
	tcase_add_loop_test(tests, a_reply_is_a_result_or_an_error, 0,
			    sizeof(replies) / sizeof(*replies));
	tcase_add_test(tests, a_long_error_is_cut);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
