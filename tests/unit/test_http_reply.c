/* test_http_reply.c - HTTP responses as a client takes them */
#include "executor/protocol/http_reply.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 16

static struct http_reply reply = HTTP_REPLY_INIT(BODY_MAX);

static void forget(void)
{
	http_reply_done(&reply);
}

/* Feeds @text in two pieces; returns what the last one gave. */
static int feed_split(const char *text, size_t at, size_t *ret_used)
{
	size_t used = 0;
	int r;

	http_reply_reset(&reply);
	r = http_reply_parse(&reply, text, at, &used);
	if (r) {
		*ret_used = used;
		return r;
	}
	ck_assert_uint_eq(used, at);
	r = http_reply_parse(&reply, text + at, strlen(text) - at, &used);
	*ret_used = at + used;
	return r;
}

static int feed(const char *text)
{
	size_t used;

	return feed_split(text, strlen(text), &used);
}

static void body_is(const char *body)
{
	ck_assert_uint_eq(reply.body.size, strlen(body));
	if (*body)
		ck_assert_mem_eq(reply.body.data, body, reply.body.size);
}

START_TEST(a_response_is_the_same_however_it_is_split)
{
	static const char text[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Length: 5\r\n"
				   "X-Call-Id:  abc def \t\r\n"
				   "Empty:\r\n"
				   "\r\n"
				   "hello";

	for (size_t i = 0; i < sizeof(text); i++) {
		size_t used;

		ck_assert_int_eq(feed_split(text, i, &used), 1);
		ck_assert_uint_eq(used, sizeof(text) - 1);
		ck_assert_uint_eq(reply.status, 200);
		ck_assert(reply.keep_alive);
		ck_assert_str_eq(http_reply_header(&reply, "x-call-id"),
				 "abc def");
		ck_assert_str_eq(http_reply_header(&reply, "empty"), "");
		ck_assert_ptr_null(http_reply_header(&reply, "abc def"));
		ck_assert_ptr_null(http_reply_header(&reply, "absent"));
		body_is("hello");
	}
}
END_TEST

START_TEST(chunks_are_joined_and_trailers_are_not_headers)
{
	static const char text[] = "HTTP/1.1 500 Internal Server Error\r\n"
				   "Transfer-Encoding: chunked\r\n"
				   "Connection: close\r\n"
				   "\r\n"
				   "5;x=y ; z\r\nhello\r\n"
				   "6 ; x = \"\\\"\"\r\n world\r\n"
				   "0\r\nLate: yes\r\n\r\n";

	for (size_t i = 0; i < sizeof(text); i++) {
		size_t used;

		ck_assert_int_eq(feed_split(text, i, &used), 1);
		ck_assert_uint_eq(used, sizeof(text) - 1);
		ck_assert_uint_eq(reply.status, 500);
		ck_assert(!reply.keep_alive);
		ck_assert_ptr_null(http_reply_header(&reply, "late"));
		body_is("hello world");
	}
}
END_TEST

START_TEST(bytes_behind_a_response_are_left_for_the_next)
{
	static const char text[] = "HTTP/1.1 204 No Content\r\n\r\n"
				   "HTTP/1.1 404 Not Found\r\n"
				   "Content-Length: 2\r\n\r\nno"
				   "HTTP/1.1 200 OK\r\n";
	size_t first, second;

	ck_assert_int_eq(feed_split(text, sizeof(text) - 1, &first), 1);
	ck_assert_uint_eq(reply.status, 204);
	ck_assert_int_eq(feed_split(text + first, sizeof(text) - 1 - first,
				    &second),
			 1);
	ck_assert_uint_eq(reply.status, 404);
	body_is("no");
	ck_assert_str_eq(text + first + second, "HTTP/1.1 200 OK\r\n");
	/* asked once more, it is still whole */
	ck_assert_int_eq(http_reply_parse(&reply, text, 1, &second), 1);
	ck_assert_uint_eq(second, 0);
}
END_TEST

START_TEST(interim_responses_are_skipped)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\nHint: 1\r\n\r\n"
				   "HTTP/1.1 103 Early Hints\r\n\r\n"
				   "HTTP/1.1 202 Accepted\r\n"
				   "Content-Length: 0\r\n\r\n";

	for (size_t i = 0; i < sizeof(text); i++) {
		size_t used;

		ck_assert_int_eq(feed_split(text, i, &used), 1);
		ck_assert_uint_eq(used, sizeof(text) - 1);
		ck_assert_uint_eq(reply.status, 202);
		ck_assert_ptr_null(http_reply_header(&reply, "hint"));
	}
}
END_TEST

/* Whatever the head says of one. */
START_TEST(what_answers_head_has_no_body)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.1 404 Not Found\r\n"
				   "Content-Length: 999999\r\n\r\n"
				   "HTTP/1.1 200 OK\r\n";
	size_t used = 0;

	http_reply_reset(&reply);
	reply.is_head = true;
	ck_assert_int_eq(http_reply_parse(&reply, text, strlen(text), &used),
			 1);
	ck_assert_uint_eq(used, (size_t)(strstr(text, "HTTP/1.1 200") - text));
	ck_assert_uint_eq(reply.status, 404);
	ck_assert(reply.keep_alive);
	body_is("");
	/* the next one is not asked for by HEAD */
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"),
			 1);
	body_is("ab");
	forget();
}
END_TEST

START_TEST(names_are_found_in_lower_case_and_old_folds_are_joined)
{
	ck_assert_int_eq(feed("HTTP/1.1 204 No Content\r\nA-B: c\r\n  d\r\n"
			      "A-b: again\r\nE: f\r\n\r\n"),
			 1);
	ck_assert_str_eq(http_reply_header(&reply, "a-b"), "c  d");
	ck_assert_str_eq(http_reply_header(&reply, "e"), "f");
	ck_assert_int_eq(feed("HTTP/1.1 204 No Content\r\n\r\n"), 1);
	ck_assert_ptr_null(http_reply_header(&reply, "a-b"));
}
END_TEST

START_TEST(a_body_without_a_length_ends_with_the_connection)
{
	ck_assert_int_eq(feed("HTTP/1.0 200 OK\r\n\r\nrest"), 0);
	ck_assert(!reply.keep_alive);
	ck_assert_int_eq(http_reply_end(&reply), 1);
	body_is("rest");
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"),
			 0);
	ck_assert_int_eq(http_reply_end(&reply), -EPROTO);
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Le"), 0);
	ck_assert_int_eq(http_reply_end(&reply), -EPROTO);
	ck_assert_ptr_null(http_reply_header(&reply, "content-le"));
	ck_assert_int_eq(feed(""), 0);
	ck_assert_int_eq(http_reply_end(&reply), -EPROTO);
}
END_TEST

START_TEST(a_body_is_too_long_by_its_length_or_by_its_bytes)
{
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n"
			      "0123456789abcdef"),
			 1);
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"),
			 -E2BIG);
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\n\r\n0123456789abcdef"), 0);
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\n\r\n0123456789abcdef-"),
			 -E2BIG);
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
			      "\r\n\r\n8\r\n01234567\r\n9\r\n89abcdef-"),
			 -E2BIG);
	/* and the next is as good as ever */
	ck_assert_int_eq(feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
			 1);
}
END_TEST

/* One header whose name, value and zeros take @size bytes. */
static int feed_head(size_t size)
{
	char *text = malloc(size + 64);
	int r, length = sprintf(text, "HTTP/1.1 204 No Content\r\na: ");

	memset(text + length, 'v', size - 3);
	strcpy(text + length + size - 3, "\r\n\r\n");
	r = feed(text);
	free(text);
	return r;
}

START_TEST(a_head_has_a_limit)
{
	ck_assert_int_eq(feed_head(HTTP_REPLY_HEAD_MAX), 1);
	ck_assert_uint_eq(strlen(http_reply_header(&reply, "a")),
			  HTTP_REPLY_HEAD_MAX - 3);
	ck_assert_int_eq(feed_head(HTTP_REPLY_HEAD_MAX + 1), -E2BIG);
}
END_TEST

START_TEST(what_is_no_response_is_refused)
{
	static const char *const wrong[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 abc\r\n\r\n",
		"HTTP/1.1 000 Zero\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n",
		("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
		 "Connection: upgrade\r\n\r\n"),
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: \1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"\x16\x03\x01 TLS",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(feed(wrong[i]) == -EPROTO, "%s", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_reply");
	TCase *tests = tcase_create("http_reply");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, NULL, forget);
	tcase_add_test(tests, a_response_is_the_same_however_it_is_split);
	tcase_add_test(tests, chunks_are_joined_and_trailers_are_not_headers);
	tcase_add_test(tests, bytes_behind_a_response_are_left_for_the_next);
	tcase_add_test(tests, interim_responses_are_skipped);
	tcase_add_test(tests, what_answers_head_has_no_body);
	tcase_add_test(tests,
		       names_are_found_in_lower_case_and_old_folds_are_joined);
	tcase_add_test(tests, a_body_without_a_length_ends_with_the_connection);
	tcase_add_test(tests, a_body_is_too_long_by_its_length_or_by_its_bytes);
	tcase_add_test(tests, a_head_has_a_limit);
	tcase_add_test(tests, what_is_no_response_is_refused);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
