/*
 * test_linux_device.c - a Linux program that asks for its requests at /dev/thaw, and
 * warm_input, by the program tests/linux/device.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

/* The program that begins in the way @how, with further members. */
static struct thaw *open_device(int i, const char *how, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_device\",\"argv\":[\"p\",\"%s\"],"
		 "\"concurrency\":{\"max\":1},\"timeout\":\"60s\"%s}",
		 how, more);
	return open_functions(backends[i], text);
}

/* Sends the command as a string of JSON. */
static void expect_command(struct thaw *thaw, const char *command,
			   const char *pattern)
{
	char request[256];
	const char *result;

	snprintf(request, sizeof(request), "\"%s\"", command);
	result = call_once(thaw, "p", request);
	ck_assert_msg(!fnmatch(pattern, result, 0), "%s: %s", command, result);
}

static const struct {
	const char *command;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "echo", "{\"result\":\"echo\"}" },
	{ "anything", "{\"result\":\"anything\"}" },
	{ "error it is \\n so", "Kind: it is ? so" },
	{ "end", "{\"result\":\"three ends\"}" },
	{ "bytes", "{\"result\":\"byte by byte\"}" },
	{ "vector", "{\"result\":[[]1]}" },
	{ "stdin", "{\"result\":\"at its end\"}" },
	{ "poll", "{\"result\":[[]1,1,1]}" },
	{ "second", "{\"result\":\"by another\"}" },
	{ "access", "{\"result\":\"good\"}" },
	{ "wild", "{\"result\":\"good\"}" },
	/* what ends a reply: a line break, the next read, the exit */
	{ "raw {'result':1}!", "{\"result\":1}" },
	{ "raw {'result':1}", "{\"result\":1}" },
	{ "raw {'result':!1}!", "{\"result\":\n1}" },
	{ "reply_and_exit 0", "{\"result\":\"and exit\"}" },
	{ "reply_and_exit 3",
	  "Runtime.ExitError: the program exited with status 3" },
	{ "exit 0", "Runtime.ExitError: the program exited with status 0 and "
		    "has not replied to /dev/thaw" },
	{ "exit 3", "Runtime.ExitError: the program exited with status 3: last "
		    "words" },
	/* what is no reply */
	{ "raw hello!", "Function.InvalidResponse: the reply is not JSON: *" },
	{ "raw !", "Function.InvalidResponse: the reply is not JSON: *" },
	{ "raw {'result':1}!{'result':2}!",
	  "Function.InvalidResponse: the reply is not JSON: see byte 14" },
	{ "raw {'result':", "Function.InvalidResponse: the reply is not JSON: "
			    "it ends too early" },
	{ "raw {'value':1}!",
	  "Function.InvalidResponse: the reply is neither *" },
	{ "raw {'error':'x'}!", "Function.InvalidResponse: an error is *" },
	{ "large 4096", "{\"result\":\"xxx*xxx\"}" },
	{ "large 4097", "Function.ResponseSizeTooLarge: *max_reply of 4096*" },
	{ "large_unended 4096", "{\"result\":\"xxx*xxx\"}" },
	{ "large_unended 4097", "Function.ResponseSizeTooLarge: *" },
	{ "large 900000", "Function.ResponseSizeTooLarge: *" },
};

START_TEST(each_request_is_answered_by_a_line)
{
	struct thaw *thaw = open_device(_i, "", ",\"max_reply\":\"4KiB\"");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect_command(thaw, rows[i].command, rows[i].outcome);
		expect_command(thaw, "count", "{\"result\":1}");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_request_may_be_read_in_pieces)
{
	struct thaw *thaw = open_device(_i, "pieces", "");

	expect_command(thaw, "a request of some length",
		       "{\"result\":\"a request of some length\"}");
	expect_command(thaw, "", "{\"result\":\"\"}");
	expect_command(thaw, "end", "{\"result\":\"three ends\"}");
	ck_assert_str_eq(call_once(thaw, "p", " [1,\n2] \n"),
			 "{\"result\":[1, 2]}");
	ck_assert_str_eq(call_once(thaw, "p", ""), "{\"result\":null}");
	thaw_close(thaw);
}
END_TEST

START_TEST(poll_asks_for_the_request_as_read_does)
{
	struct thaw *thaw = open_device(_i, "poll", "");

	expect_command(thaw, "count", "{\"result\":1}");
	expect_command(thaw, "count", "{\"result\":1}");
	thaw_close(thaw);
}
END_TEST

START_TEST(there_is_nothing_to_reply_to_before_a_request)
{
	struct thaw *thaw = open_device(_i, "write", "");

	expect_command(thaw, "early", "{\"result\":\"EINVAL\"}");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_program_that_reads_standard_input_first_gets_its_request_there)
{
	struct thaw *thaw = open_device(_i, "stdin", "");

	ck_assert_str_eq(call_once(thaw, "p", "no JSON"),
			 "stdin no JSON EINVAL");
	thaw_close(thaw);
}
END_TEST

START_TEST(standard_output_is_logged)
{
	struct thaw *thaw;

	logged.lines = 0;
	thaw = open_device(_i, "speak", "");
	expect_command(thaw, "count", "{\"result\":1}");
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "before");
	expect_command(thaw, "stdout a line", "{\"result\":\"printed\"}");
	ck_assert_uint_eq(logged.lines, 2);
	ck_assert_str_eq(logged.text, "a line");
	thaw_close(thaw);
}
END_TEST

/* Invokes with a path; returns the outcome, or why it was refused. */
static const char *call_path(struct thaw *thaw, const char *path,
			     const char *body)
{
	static struct thaw_error error;
	static char text[2048];
	const struct thaw_attribute attribute = { "path", path };
	const struct thaw_invoke_request request = {
		.data = body,
		.size = strlen(body),
		.attributes = &attribute,
		.attribute_count = 1,
	};
	struct thaw_reply reply;
	int r = thaw_invoke(thaw, "p", &request, &error, &reply);

	if (r) {
		snprintf(text, sizeof(text), "%d %s", r, error.message);
		return text;
	}
	snprintf(text, sizeof(text), "%s", outcome(&reply));
	ck_assert_str_eq(reply.content_type, "application/json");
	thaw_reply_release(&reply);
	return text;
}

/* The line has the path's name, escaped, and the body: it is larger than either. */
START_TEST(the_longest_line_is_a_request)
{
	struct thaw *thaw =
		open_device(_i, "poll", ",\"max_request\":\"4KiB\"");
	char *path = repeat('"', 3400), *body = repeat('1', 4096);

	path[0] = '/';
	for (int i = 0; i < 3; i++) {
		const char *result = call_path(thaw, path, body);

		ck_assert_msg(!strstr(result, "Fault") && *result, "%s",
			      result);
	}
	ck_assert_str_eq(call_path(thaw, "/", "[1,2]"), "{\"result\":[1,2]}");
	thaw_close(thaw);
}
END_TEST

START_TEST(the_path_names_the_function)
{
	struct thaw *thaw = open_device(_i, "", "");

	ck_assert_str_eq(call_path(thaw, "/add", "[1,2]"),
			 "{\"result\":{\"function\":\"add\",\"args\":[1,2]}}");
	ck_assert_str_eq(call_path(thaw, "/add", ""),
			 "{\"result\":{\"function\":\"add\",\"args\":[]}}");
	ck_assert_str_eq(call_path(thaw, "/", "[1,2]"), "{\"result\":[1,2]}");
	ck_assert_str_eq(call_path(thaw, "", "1"), "{\"result\":1}");
	ck_assert_str_eq(
		call_path(thaw, "/add", "{\"function\":\"sub\",\"args\":[]}"),
		"-22 function p: the call is of \"sub\", and was sent to add");
	ck_assert_str_eq(call_path(thaw, "/add", "1,\"function\":\"sub\""),
			 "-22 function p: the request is not JSON: see byte 2");
	ck_assert_str_eq(call_path(thaw, "/", "a=b"),
			 "-22 function p: the request is not JSON: see byte 1");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_warm_input_is_answered_before_the_snapshot)
{
	struct thaw *thaw = open_device(
		_i, "pieces",
		",\"warm_input\":{\"text\":\"\\\"warm\\\"\",\"count\":10}");

	expect_command(thaw, "count", "{\"result\":11}");
	expect_command(thaw, "count", "{\"result\":11}");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_warm_input_may_be_the_end_of_a_reply_without_line_break)
{
	struct thaw *thaw = open_device(
		_i, "",
		",\"warm_input\":{\"text\":\"\\\"raw {'result':1}\\\"\"}");

	expect_command(thaw, "count", "{\"result\":2}");
	thaw_close(thaw);
}
END_TEST

START_TEST(what_a_warm_input_prints_is_logged)
{
	struct thaw *thaw;

	logged.lines = 0;
	thaw = open_device(
		_i, "", ",\"warm_input\":{\"text\":\"\\\"stdout a line\\\"\"}");
	expect_command(thaw, "count", "{\"result\":2}");
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "a line");
	expect_command(thaw, "stdin", "{\"result\":\"at its end\"}");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_warm_input_may_be_in_a_file)
{
	char path[] = "/tmp/thaw-warm-XXXXXX", more[128];
	int fd = mkstemp(path);
	struct thaw *thaw;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "\"count\"\n", 8), 8);
	close(fd);
	snprintf(more, sizeof(more),
		 ",\"warm_input\":{\"file\":\"%s\",\"count\":3}", path);
	thaw = open_device(_i, "poll", more);
	expect_command(thaw, "count", "{\"result\":4}");
	unlink(path);
	expect_command(thaw, "count", "{\"result\":4}");
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *how, *more, *message;
} refused[] = {
	{ "leave", "", "*exited with status 5 before it asked for a request" },
	{ "", ",\"warm_input\":{\"text\":\"no JSON\"}",
	  "*warm_input: the request is not JSON: *" },
	{ "", ",\"warm_input\":{\"file\":\"/tmp/no such file\"}",
	  "*warm_input: /tmp/no such file: No such file or directory" },
	{ "", ",\"warm_input\":{\"file\":\"/tmp\"}", "*warm_input: /tmp: *" },
	{ "", ",\"warm_input\":{\"file\":\"/dev/zero\"}",
	  "*warm_input: /dev/zero: not a regular file" },
	{ "",
	  ",\"max_request\":\"4KiB\",\"warm_input\":{\"file\":"
	  "\"" TEST_GUESTS "/linux_device\"}",
	  "*warm_input: *linux_device has * bytes: max_request is 4096" },
	{ "", ",\"warm_input\":{\"text\":\"\\\"error no\\\"\",\"count\":3}",
	  "*the reply to warm_input, run 1 of 3: Kind: no" },
	{ "", ",\"warm_input\":{\"text\":\"\\\"raw hello!\\\"\"}",
	  "*the reply to warm_input, run 1 of 1: the reply is not JSON: *" },
	{ "",
	  ",\"max_reply\":\"4KiB\",\"warm_input\":{\"text\":"
	  "\"\\\"large 4097\\\"\"}",
	  "*the reply to warm_input, run 1 of 1: *max_reply of 4096*" },
	{ "", ",\"warm_input\":{\"text\":\"\\\"exit 3\\\"\"}",
	  "*exited with status 3 before it asked for a request: last words" },
};

START_TEST(a_program_that_does_not_come_to_its_snapshot_is_not_deployed)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct thaw *thaw =
			open_device(_i, refused[i].how, refused[i].more);
		struct thaw_error error;

		ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
		ck_assert_msg(!fnmatch(refused[i].message, error.message, 0),
			      "%s", error.message);
		thaw_close(thaw);
	}
}
END_TEST

int main(void)
{
	const TTest *const list[] = {
		each_request_is_answered_by_a_line,
		a_request_may_be_read_in_pieces,
		poll_asks_for_the_request_as_read_does,
		there_is_nothing_to_reply_to_before_a_request,
		a_program_that_reads_standard_input_first_gets_its_request_there,
		standard_output_is_logged,
		the_longest_line_is_a_request,
		the_path_names_the_function,
		a_warm_input_is_answered_before_the_snapshot,
		a_warm_input_may_be_the_end_of_a_reply_without_line_break,
		what_a_warm_input_prints_is_logged,
		a_warm_input_may_be_in_a_file,
		a_program_that_does_not_come_to_its_snapshot_is_not_deployed,
	};
	Suite *suite = suite_create("linux_device");
	TCase *tests = tcase_create("linux_device");
	tcase_set_timeout(tests, 120);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		tcase_add_loop_test(tests, list[i], 0, program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
