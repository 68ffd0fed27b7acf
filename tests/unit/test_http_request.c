/* test_http_request.c - requests, whole, in pieces, and hostile */
#include "executor/protocol/http_request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/http_fixture.h"

static const char whole[] = "POST /function/a%20b?x=1&y HTTP/1.1\r\n"
			    "Host: here:8080\r\n"
			    "Content-Length: 5\r\n"
			    "X-Thing: \t one\ttwo \t \r\n"
			    "x-thing:again\r\n"
			    "Empty:\r\n"
			    "Expect: 100-Continue\r\n"
			    "Connection: close\r\n"
			    "\r\n"
			    "hello";

static void is_whole(void)
{
	ck_assert_int_eq(request.method, HTTP_POST_METHOD);
	ck_assert_str_eq(request.path, "/function/a%20b");
	ck_assert_str_eq(request.query, "x=1&y");
	ck_assert_uint_eq(request.header_count, 7);
	ck_assert_str_eq(request.headers[2].name, "x-thing");
	ck_assert_str_eq(request.headers[2].value, "one two");
	ck_assert_str_eq(request.headers[3].name, "x-thing");
	ck_assert_str_eq(request.headers[3].value, "again");
	ck_assert_str_eq(http_request_header(&request, "x-thing"), "one two");
	ck_assert_str_eq(http_request_header(&request, "empty"), "");
	ck_assert_ptr_null(http_request_header(&request, "absent"));
	ck_assert_uint_eq(request.content_length, 5);
	ck_assert(!request.is_chunked && !request.keep_alive);
	ck_assert(request.expects_continue && !request.is_http_1_0);
	body_is("hello");
}

START_TEST(a_request_is_the_same_wherever_it_is_split)
{
	size_t size = sizeof(whole) - 1;

	for (size_t i = 0; i <= size; i++) {
		size_t first, second = 0;
		enum http_progress progress;

		progress = feed(whole, i, size, &first);
		ck_assert_uint_eq(first, i);
		if (progress == HTTP_MORE)
			progress = parse(whole + i, size - i, &second);
		ck_assert_int_eq(progress, HTTP_DONE);
		ck_assert_uint_eq(first + second, size);
		is_whole();
	}
}
END_TEST

START_TEST(a_request_is_the_same_in_pieces_of_any_size)
{
	size_t size = sizeof(whole) - 1, used;

	for (size_t piece = 1; piece <= size; piece++) {
		ck_assert_int_eq(feed(whole, size, piece, &used), HTTP_DONE);
		ck_assert_uint_eq(used, size);
		is_whole();
	}
	srand(1);
	for (int round = 0; round < 100; round++) {
		enum http_progress progress = feed(whole, 0, 1, &used);
		size_t at = 0;

		while (progress == HTTP_MORE && at < size) {
			size_t rest = size - at;
			size_t piece = (size_t)rand() % 40;

			progress = parse(whole + at,
					 piece < rest ? piece : rest, &used);
			at += used;
		}
		ck_assert_int_eq(progress, HTTP_DONE);
		is_whole();
	}
}
END_TEST

START_TEST(the_head_is_done_exactly_behind_its_empty_line)
{
	size_t head = sizeof(whole) - 1 - 5, used;

	ck_assert_int_eq(http_request_parse(&request, whole, sizeof(whole) - 1,
					    &used),
			 HTTP_HEAD_DONE);
	ck_assert_uint_eq(used, head);
	ck_assert_str_eq(request.path, "/function/a%20b");
	ck_assert_uint_eq(request.content_length, 5);
	request.max_body = 5;
	ck_assert_int_eq(http_request_parse(&request, whole + head, 0, &used),
			 HTTP_MORE);
	ck_assert_int_eq(http_request_parse(&request, whole + head, 5, &used),
			 HTTP_DONE);
	ck_assert_uint_eq(used, 5);
	/* asked again, nothing changes */
	ck_assert_int_eq(http_request_parse(&request, whole, 9, &used),
			 HTTP_DONE);
	ck_assert_uint_eq(used, 0);
	is_whole();
}
END_TEST

START_TEST(requests_behind_each_other_are_told_apart)
{
	static const char line[] =
		"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" CHUNKED
		"3;x=\"y\"\r\nabc\r\n1\r\nd\r\n0\r\nLate: 1\r\n\r\n"
		"\r\n\r\n"
		"PUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nGE"
		"DELETE /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	static const char *const paths[] = { "/1", "/f", "/3", "/4" };
	static const char *const bodies[] = { "", "abcd", "GE", "" };
	size_t used;

	for (size_t piece = 1; piece <= sizeof(line); piece++) {
		const char *at = line;

		for (size_t i = 0; i < 4; i++) {
			size_t rest = strlen(at);

			ck_assert_int_eq(feed(at, rest, piece, &used),
					 HTTP_DONE);
			ck_assert_str_eq(request.path, paths[i]);
			ck_assert(request.keep_alive);
			ck_assert_ptr_null(
				http_request_header(&request, "late"));
			body_is(bodies[i]);
			at += used;
		}
		ck_assert_str_eq(at, "");
	}
}
END_TEST

START_TEST(methods_and_versions_are_known_or_refused)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
		{ "GET", HTTP_GET_METHOD },
		{ "HEAD", HTTP_HEAD_METHOD },
		{ "POST", HTTP_POST_METHOD },
		{ "PUT", HTTP_PUT_METHOD },
		{ "DELETE", HTTP_DELETE_METHOD },
		{ "OPTIONS", HTTP_OPTIONS_METHOD },
		{ "PATCH", HTTP_PATCH_METHOD },
		{ "TRACE", HTTP_OTHER_METHOD },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		sprintf(text, "%s / HTTP/1.1\r\nHost: a\r\n\r\n",
			methods[i].name);
		status_is(text, 0);
		ck_assert_int_eq(request.method, methods[i].method);
	}
	status_is("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
	/* RFC 9110, 9.1 */
	status_is("get / HTTP/1.1\r\nHost: a\r\n\r\n", 501);
	status_is("NONSENSE / HTTP/1.1\r\n", 501);
	status_is("NONSENSE / HTTP/1.1\r\nHost : a\r\n\r\n", 501);
	status_is("GETS / HTTP/1.1\r\n", 501);
	status_is("GE / HTTP/1.0\r\n", 501);
	status_is("!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n", 501);
	status_is("DESCRIBE / HTTP/1.1\r\n", 501);
	status_is("NONSENSE / HTTP/1.1", -1);
	status_is("NONSENSE / HTTP/2.0\r\n", 505);
	status_is("NONSENSE /\r\n", 400);
	status_is("NONSENSE\r\n", 400);
	status_is("NONSENSE / HTTP/1.1\n", 400);
	status_is("N@NSENSE", 400);
	status_is("GET\t", 400);
	status_is("\x16\x03\x01 TLS", 400);
	status_is("\r\n\x16", 400);
	status_is("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
	status_is("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505);
	status_is("GET / HTTP/0.9\r\n\r\n", 505);
	status_is("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
	status_is("GET /\r\n\r\n", 400);
	status_is("GET / HTTP/x.1\r\nHost: a\r\n\r\n", 400);
	status_is("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400);
	status_is("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
	status_is("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400);
	status_is("GET / / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
	status_is("GET / xHTTP/1.1\r\nHost: a\r\n\r\n", 400);
	status_is("GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400);
	status_is("DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n", 400);
	status_is("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400);
}
END_TEST

START_TEST(connections_are_kept_by_version_and_header)
{
	static const struct {
		const char *rest;
		bool keep_alive;
	} cases[] = {
		{ "1.1\r\nHost: a\r\n", true },
		{ "1.1\r\nHost: a\r\nConnection: close\r\n", false },
		{ "1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n", false },
		{ "1.1\r\nHost: a\r\nConnection:\tclose\r\n", false },
		{ "1.1\r\nHost: a\r\nConnection: close\t\r\n", false },
		{ "1.1\r\nHost: a\r\nConnection: x\t,\tclose \t\r\n", false },
		{ "1.0\r\n", false },
		{ "1.0\r\nConnection: keep-alive\r\n", true },
		{ "1.0\r\nConnection: keep-alive\t\r\n", true },
		{ "1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n",
		  true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sprintf(text, "GET / HTTP/%s\r\n", cases[i].rest);
		status_is(text, 0);
		ck_assert_msg(request.keep_alive == cases[i].keep_alive, "%s",
			      text);
		ck_assert_int_eq(request.is_http_1_0,
				 !strncmp(cases[i].rest, "1.0", 3));
	}
}
END_TEST

START_TEST(an_upgrade_is_ignored_and_so_the_body_is_not)
{
	static const char upgrade[] = "Connection: upgrade\r\nUpgrade: x\r\n";
	size_t used, size;

	sprintf(text, POST_HEAD "%sContent-Length: 2\r\n\r\nabGET", upgrade);
	ck_assert_int_eq(feed(text, strlen(text), ROOM, &used), HTTP_DONE);
	ck_assert_str_eq(text + used, "GET");
	body_is("ab");
	size = (size_t)sprintf(text,
			       POST_HEAD "%sTransfer-Encoding: chunked\r\n\r\n"
					 "2\r\nab\r\n0\r\n\r\nGET",
			       upgrade);
	for (size_t piece = 1; piece <= size; piece++) {
		ck_assert_int_eq(feed(text, size, piece, &used), HTTP_DONE);
		ck_assert_str_eq(text + used, "GET");
		body_is("ab");
	}
}
END_TEST

START_TEST(targets_become_a_path_and_a_query)
{
	static const struct {
		const char *target, *path, *query; /* no path: refused */
	} cases[] = {
		{ "/", "/", "" },
		{ "/a?", "/a", "" },
		{ "/a?b?c=d", "/a", "b?c=d" },
		{ "//a/../b", "//a/../b", "" },
		{ "/?http://x/y", "/", "http://x/y" },
		{ "http://host/path?q", "/path", "q" },
		{ "HTTPS://host:1", "/", "" },
		{ "http://host?q", "/", "q" },
		{ "http://host/#f", NULL, NULL },
		{ "http:///x", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "https://:80/x", NULL, NULL },
		{ "http://?q", NULL, NULL },
		{ "http://user@host/", NULL, NULL },
		{ "http://host:80:80/", NULL, NULL },
		{ "http://[::1/", NULL, NULL },
		{ "http://[::1]:80/x", "/x", "" },
		{ "ftp://host/", NULL, NULL },
		{ "*", NULL, NULL },
		{ "a/b", NULL, NULL },
		{ "/a#b", NULL, NULL },
		{ "/a\tb", NULL, NULL },
		{ "/a\x80", NULL, NULL },
		{ "/a\1", NULL, NULL },
		{ "", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sprintf(text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
			cases[i].target);
		status_is(text, cases[i].path ? 0 : 400);
		if (!cases[i].path)
			continue;
		ck_assert_str_eq(request.path, cases[i].path);
		ck_assert_str_eq(request.query, cases[i].query);
	}
	status_is("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	ck_assert_str_eq(request.path, "*");
	status_is("OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
	status_is("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}
END_TEST

START_TEST(two_lengths_of_one_body_are_refused)
{
	static const char *const wrong[] = {
		"Content-Length: 1\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 1",
		"Content-Length: 1\r\nContent-Length: 2",
		"Content-Length: 1\r\nContent-Length: 1",
		"Content-Length: 1, 1",
		"Content-Length: 1 1",
		"Content-Length: 1\t1",
		"Content-Length: +1",
		"Content-Length: -1",
		"Content-Length: 0x1",
		"Content-Length: 1.0",
		"Content-Length:",
		"Content-Length: ",
		"Content-Length: 18446744073709551616",
		"Content-Length : 1",
		"Content-Length\t: 1",
		"Content-Length: 1\r\n 2",
		"Content-Length:\r\n 1",
		"X: y\r\n Content-Length: 1",
		"Transfer-Encoding : chunked",
		"Transfer-Encoding: chunked\r\n ",
		"Transfer-Encoding:\r\n chunked",
		": x",
		"X\1: y",
		"X: y\1",
		"X: y\x7f",
		"X\ty: z",
		"\tX: y",
		"X\t",
		"X",
		"X y: z",
		"Host: b",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		sprintf(text, POST_HEAD "%s\r\n\r\n1\r\n\r\n0\r\n\r\n",
			wrong[i]);
		status_is(text, 400);
	}
	status_is("POST / HTTP/1.1\r\n Host: a\r\n\r\n", 400);
	status_is("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
		  "\r\n",
		  400);
	status_is(POST_HEAD "Content-Length: 0001 \r\n\r\na", 0);
	status_is(POST_HEAD "Content-Length:\t1 \t \r\n\r\na", 0);
	body_is("a");
}
END_TEST

START_TEST(codings_other_than_chunked_are_not_implemented)
{
	static const char *const others[] = {
		"gzip",	    "gzip, chunked", "chunked, gzip",
		"xchunked", "chunkedx",	     "identity",
		"",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		sprintf(text,
			POST_HEAD "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n",
			others[i]);
		feed(text, strlen(text), ROOM, &(size_t){ 0 });
		ck_assert_msg(request.bad_status == 501 ||
				      request.bad_status == 400,
			      "%s: %u", others[i], request.bad_status);
	}
	status_is(POST_HEAD "Transfer-Encoding: gzip\r\n\r\n", 501);
	status_is(POST_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", 501);
	status_is(POST_HEAD "Transfer-Encoding: gzip\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n",
		  501);
	status_is(POST_HEAD "transfer-encoding: Chunked \r\n\r\n0\r\n\r\n", 0);
	status_is(POST_HEAD "Transfer-Encoding: \tchunked\t\r\n\r\n0\r\n\r\n",
		  0);
}
END_TEST

START_TEST(line_ends_are_two_bytes)
{
	static const char *const wrong[] = {
		"GET / HTTP/1.1\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\n",
		"GET / HTTP/1.1\rHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\rX",
		"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		CHUNKED "1\na\r\n0\r\n\r\n",
		CHUNKED "1\r\na\n0\r\n\r\n",
		CHUNKED "1\r\na\r0\r\n\r\n",
		CHUNKED "1\r\na\r\n0\n\r\n",
		CHUNKED "1\r\na\r\n0\r\n\n",
		CHUNKED "1\r\na\r\n0\r\nX: y\n\r\n",
		CHUNKED "1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		status_is(wrong[i], 400);
}
END_TEST

START_TEST(chunks_that_are_not_well_formed_are_refused)
{
	static const char *const wrong[] = {
		"x\r\n",
		"-1\r\na\r\n",
		"+1\r\na\r\n",
		"0x1\r\na\r\n",
		" 1\r\na\r\n",
		"1 2\r\na\r\n",
		"\r\n",
		";x\r\na\r\n",
		"1\r\nab\r\n",
		"1\r\na0\r\n",
		"1;\1\r\na\r\n",
		"10000000000000001\r\n",
		"1;\r\na\r\n",
		"1;;a\r\na\r\n",
		"1;a=\r\na\r\n",
		"1;=b\r\na\r\n",
		"1;a=b=c\r\na\r\n",
		"1;a b\r\na\r\n",
		"1;a=b c\r\na\r\n",
		"1;a=\"b\r\na\r\n",
		"1;a=\"b\\\r\na\r\n",
		"1;a=\"b\"c\r\na\r\n",
		"1;a=\"\1\"\r\na\r\n",
		"1;a=b\"c\"\r\na\r\n",
		"1;\xe4\r\na\r\n",
		"1;a=\xe4\r\na\r\n",
		"1\t2\r\na\r\n",
		"1\r\na\r\n0\r\nX\r\n\r\n",
		"1\r\na\r\n0\r\n: x\r\n\r\n",
		"1\r\na\r\n0\r\nX : y\r\n\r\n",
		"1\r\na\r\n0\r\nX: \1\r\n\r\n",
		"1\r\na\r\n0\r\n X: y\r\n\r\n",
		"1\r\na\r\n0\r\nX: y\r\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		sprintf(text, CHUNKED "%s0\r\n\r\n", wrong[i]);
		status_is(text, 400);
	}
	status_is(CHUNKED "A;a;b=c\r\n0123456789\r\n0\r\n\r\n", 0);
	body_is("0123456789");
}
END_TEST

/* RFC 9112, 7.1.1 and 7.1.2 */
START_TEST(what_chunks_say_besides_their_size_is_ignored)
{
	static const char *const lines[] = {
		"5",
		"05",
		"5;a",
		"5;a=b;c",
		"5;a;b=c;d=\"e\";f",
		"5 ; a=b",
		"5\t;\ta\t=\tb\t;\tc",
		"5 ",
		"5;a ",
		"5;a=b ",
		"5;a=\"\"",
		"5;a=\"b\\\"c\"",
		"5;a=\"\\\\\" ;b",
		"5;a=\"; \t\x80=\"",
		"5;a=\"\\\t\"",
		"5;!#$%&'*+-.^_`|~=1",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		sprintf(text,
			CHUNKED "%s\r\nhello\r\n%s\r\n, you\r\n000%s\r\n"
				"X:y\r\nExpires: \tnever \x80\r\nZ:\r\n\r\n",
			lines[i], lines[i], lines[i] + strspn(lines[i], "05"));
		status_is(text, 0);
		body_is("hello, you");
	}
}
END_TEST

START_TEST(http_1_1_needs_a_host_and_1_0_does_not)
{
	status_is("GET / HTTP/1.1\r\n\r\n", 400);
	status_is("GET / HTTP/1.1\r\nHost:\r\n\r\n", 0);
	status_is("GET / HTTP/1.0\r\n\r\n", 0);
}
END_TEST

START_TEST(only_100_continue_can_be_expected)
{
	status_is(POST_HEAD "Content-Length: 1\r\nExpect: x\r\n\r\na", 417);
	status_is(POST_HEAD "Content-Length: 1\r\nExpect: 100-continue\r\n"
			    "\r\na",
		  0);
	ck_assert(request.expects_continue);
	/* nothing to wait for */
	status_is(POST_HEAD "Expect: 100-continue\r\n\r\n", 0);
	ck_assert(!request.expects_continue);
	status_is("POST / HTTP/1.0\r\nContent-Length: 1\r\n"
		  "Expect: 100-continue\r\n\r\na",
		  0);
	ck_assert(!request.expects_continue);
}
END_TEST

START_TEST(some_empty_lines_may_come_before_a_request)
{
	char *at = text;

	for (int i = 0; i < HTTP_EMPTY_LINES_MAX; i++)
		at = stpcpy(at, "\r\n");
	strcpy(at, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	status_is(text, 0);
	strcpy(at, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
	status_is(text, 400);
}
END_TEST

START_TEST(a_refusal_lasts)
{
	size_t used;

	status_is("GET / HTTP/1.1\r\n\r\n", 400);
	ck_assert_int_eq(http_request_parse(&request, whole, 9, &used),
			 HTTP_BAD);
	ck_assert_uint_eq(used, 0);
	ck_assert_uint_eq(request.bad_status, 400);
	ck_assert_str_eq(request.bad_reason, "the Host header is missing");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_request");
	TCase *tests = tcase_create("http_request");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, http_begin, http_end);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_request_is_the_same_wherever_it_is_split);
	tcase_add_test(tests, a_request_is_the_same_in_pieces_of_any_size);
	tcase_add_test(tests, the_head_is_done_exactly_behind_its_empty_line);
	tcase_add_test(tests, requests_behind_each_other_are_told_apart);
	tcase_add_test(tests, methods_and_versions_are_known_or_refused);
	tcase_add_test(tests, connections_are_kept_by_version_and_header);
	tcase_add_test(tests, an_upgrade_is_ignored_and_so_the_body_is_not);
	tcase_add_test(tests, targets_become_a_path_and_a_query);
	tcase_add_test(tests, two_lengths_of_one_body_are_refused);
	tcase_add_test(tests, codings_other_than_chunked_are_not_implemented);
	tcase_add_test(tests, line_ends_are_two_bytes);
	tcase_add_test(tests, chunks_that_are_not_well_formed_are_refused);
	tcase_add_test(tests, what_chunks_say_besides_their_size_is_ignored);
	tcase_add_test(tests, http_1_1_needs_a_host_and_1_0_does_not);
	tcase_add_test(tests, only_100_continue_can_be_expected);
	tcase_add_test(tests, some_empty_lines_may_come_before_a_request);
	tcase_add_test(tests, a_refusal_lasts);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
