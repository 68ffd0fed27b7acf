/* test_http_limits.c - how long a request's parts may be */
#include "executor/protocol/http_request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/budget_reason.h"
#include "tests/unit/http_fixture.h"

/* A head of @size bytes, by the length of its path or of a header. */
static void write_head(size_t size, bool long_path)
{
	static const char before[] = "GET /";
	static const char middle[] = " HTTP/1.1\r\nHost: a\r\nX: ";
	size_t rest = size - sizeof(before) - sizeof(middle) + 2 - 4;
	char *at = stpcpy(text, before);

	if (long_path)
		at = memset(at, 'p', rest) + rest;
	at = stpcpy(at, middle);
	if (!long_path)
		at = memset(at, 'v', rest) + rest;
	strcpy(at, "\r\n\r\n");
	ck_assert_uint_eq(strlen(text), size);
}

START_TEST(a_head_has_a_limit)
{
	write_head(HTTP_HEAD_MAX, false);
	status_is(text, 0);
	write_head(HTTP_HEAD_MAX, true);
	status_is(text, 0);
	write_head(HTTP_HEAD_MAX + 1, false);
	status_is(text, 431);
	write_head(HTTP_HEAD_MAX + 1, true);
	status_is(text, 431);
}
END_TEST

START_TEST(a_request_line_has_a_limit)
{
	static const char end_of_line[] = " HTTP/1.1\r\n";
	size_t size = HTTP_HEAD_MAX - strlen(end_of_line);

	memset(text, 'p', size + 1);
	memcpy(text, "GET /", 5);
	strcpy(text + size, end_of_line);
	status_is(text, -1);
	strcat(text, "H");
	status_is(text, 431);
	text[size] = 'p';
	strcpy(text + size + 1, end_of_line);
	status_is(text, 414);
}
END_TEST

START_TEST(headers_have_a_limit)
{
	for (int extra = 0; extra < 2; extra++) {
		char *at = stpcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n");

		for (int i = 1; i < HTTP_HEADERS_MAX + extra; i++)
			at += sprintf(at, "H%d: %d\r\n", i, i);
		strcpy(at, "\r\n");
		status_is(text, extra ? 431 : 0);
		ck_assert_uint_eq(request.header_count,
				  extra ? 0 : HTTP_HEADERS_MAX);
		if (!extra)
			ck_assert_str_eq(request.headers[HTTP_HEADERS_MAX - 1]
						 .value,
					 "111");
	}
}
END_TEST

/* Of each of them a function's headers are looked for. */
START_TEST(connection_has_a_limit_of_names)
{
	for (int extra = 0; extra < 2; extra++) {
		char *at = stpcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n"
					"Connection: a");

		for (int i = 0; i < HTTP_CONNECTION_OPTIONS_MAX + extra; i++)
			at = stpcpy(at, ",a");
		strcpy(at, "\r\n\r\n");
		status_is(text, extra ? 400 : 0);
	}
}
END_TEST

START_TEST(a_body_is_refused_by_its_length_before_it_arrives)
{
	max_body = 4;
	status_is(POST_HEAD "Content-Length: 4\r\n\r\nabcd", 0);
	status_is(POST_HEAD "Content-Length: 5\r\n\r\n", 413);
	status_is(POST_HEAD "Content-Length: 18446744073709551615\r\n\r\n",
		  413);
	status_is(CHUNKED "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", 0);
	body_is("abcd");
	status_is(CHUNKED "5\r\n", 413);
	status_is(CHUNKED "3\r\nabc\r\n2\r\n", 413);
	status_is(CHUNKED "3\r\nabc\r\nFFFFFFFFFFFFFFFF\r\n", 413);
	max_body = 0;
	status_is(POST_HEAD "Content-Length: 0\r\n\r\n", 0);
	status_is(CHUNKED "0\r\n\r\n", 0);
	status_is(POST_HEAD "Content-Length: 1\r\n\r\n", 413);
}
END_TEST

/* "0" and the trailer, and before them a chunk of a byte or none. */
static void write_overhead(size_t size, const char *chunk, size_t overhead)
{
	char *at = stpcpy(stpcpy(text, CHUNKED), chunk);
	size_t rest = size - overhead - strlen("0\r\nX: \r\n\r\n");

	at = stpcpy(at, "0\r\nX: ");
	at = memset(at, 'x', rest) + rest;
	strcpy(at, "\r\n\r\n");
}

START_TEST(what_is_around_chunks_has_a_limit)
{
	write_overhead(HTTP_CHUNK_OVERHEAD_MAX, "", 0);
	status_is(text, 0);
	write_overhead(HTTP_CHUNK_OVERHEAD_MAX + 1, "", 0);
	status_is(text, 400);
	write_overhead(HTTP_CHUNK_OVERHEAD_MAX, "2\r\nab\r\n", 5);
	status_is(text, 0);
	write_overhead(HTTP_CHUNK_OVERHEAD_MAX + 1, "2\r\nab\r\n", 5);
	status_is(text, 400);
}
END_TEST

/* Sends @size bytes, chunked or not, in pieces; they must come back. */
static void send_body(size_t size, bool chunked, size_t piece)
{
	char *data = malloc(size + 512);
	int head = chunked ? sprintf(data, CHUNKED "%zX\r\n", size) :
			     sprintf(data,
				     POST_HEAD "Content-Length: %zu\r\n\r\n",
				     size);
	char *body = data + head;
	size_t used;

	for (size_t i = 0; i < size; i++)
		body[i] = (char)(i * 31 >> 3);
	if (chunked)
		memcpy(body + size, "\r\n0\r\n\r\n", 7);
	max_body = size;
	ck_assert_int_eq(feed(data, (size_t)head + size + (chunked ? 7 : 0),
			      piece, &used),
			 HTTP_DONE);
	ck_assert_uint_eq(request.body_size, size);
	ck_assert_mem_eq(request.body, body, size);
	ck_assert_uint_le(request.internal.body.capacity, size);
	free(data);
}

START_TEST(bodies_of_all_sizes_come_as_they_were_sent)
{
	static const size_t sizes[] = {
		1,
		HTTP_KEPT_MAX - 1,
		HTTP_KEPT_MAX,
		HTTP_KEPT_MAX + 1,
		65536,
		65537,
		200001,
	};
	static const size_t pieces[] = { 97, 4096, 1u << 20 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (size_t j = 0; j < 3; j++) {
			send_body(sizes[i], false, pieces[j]);
			send_body(sizes[i], true, pieces[j]);
		}
}
END_TEST

START_TEST(a_body_that_is_only_announced_takes_no_memory)
{
	static const char head[] = POST_HEAD
		"Content-Length: 1073741824\r\n\r\n";
	size_t used;

	max_body = 1u << 30;
	ck_assert_int_eq(feed(head, strlen(head), ROOM, &used), HTTP_MORE);
	ck_assert_uint_eq(request.internal.body.capacity, 0);
	memset(text, 'b', ROOM);
	ck_assert_int_eq(parse(text, 1, &used), HTTP_MORE);
	ck_assert_uint_le(request.internal.body.capacity, 512);
	ck_assert_int_eq(parse(text, 9999, &used), HTTP_MORE);
	ck_assert_uint_le(request.internal.body.capacity, 20000);
	http_request_done(&request);
	ck_assert_ptr_null(request.internal.body.data);
}
END_TEST

/* Puts @size bytes to where there is room for them, or the parser gets them. */
static enum http_progress fill(const char *data, size_t size)
{
	size_t room, used;
	void *to;

	if (!size)
		return HTTP_MORE;
	room = http_request_room(&request, 1, &to);
	if (!room)
		return parse(data, size, &used);
	if (room > size)
		room = size;
	memcpy(to, data, room);
	return room < size && http_request_filled(&request, room) == HTTP_MORE ?
		       fill(data + room, size - room) :
		       http_request_filled(&request, room);
}

START_TEST(a_large_body_has_room_for_what_comes)
{
	const size_t size = 1000003;
	char *data = malloc(size), head[100];
	size_t used, at = HTTP_ROOM_FROM, part;
	enum http_progress progress = HTTP_MORE;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i % 251);
	sprintf(head, POST_HEAD "Content-Length: %zu\r\n\r\n", size);
	ck_assert_int_eq(feed(head, strlen(head), ROOM, &used), HTTP_MORE);
	ck_assert_int_eq(parse(data, at, &used), HTTP_MORE);
	for (; at < size; at += part) {
		ck_assert_int_eq(progress, HTTP_MORE);
		part = size - at < 9973 ? size - at : 9973;
		progress = fill(data + at, part);
		ck_assert_uint_le(request.internal.body.capacity,
				  2 * (at + part));
	}
	ck_assert_int_eq(progress, HTTP_DONE);
	ck_assert_uint_eq(request.body_size, size);
	ck_assert_mem_eq(request.body, data, size);
	ck_assert_uint_eq(request.internal.body.capacity, size);
	free(data);
}
END_TEST

static size_t room_after(const char *head, size_t size)
{
	size_t used;
	void *to;

	feed(head, strlen(head), ROOM, &used);
	memset(text, 'b', ROOM);
	parse(text, size, &used);
	return http_request_room(&request, 1, &to);
}

START_TEST(a_body_has_no_room_before_it_has_come_to_something)
{
	static const char exact[] = POST_HEAD "Content-Length: 20480\r\n\r\n";
	size_t used;
	void *to;

	ck_assert_uint_eq(HTTP_ROOM_FROM + HTTP_ROOM_MIN, 20480);
	ck_assert_uint_eq(room_after(exact, HTTP_ROOM_FROM - 1), 0);
	ck_assert_uint_eq(room_after(exact, HTTP_ROOM_FROM), HTTP_ROOM_FROM);
	ck_assert_uint_eq(room_after(exact, HTTP_ROOM_FROM + 1), 0);
	ck_assert_uint_eq(room_after(CHUNKED "8000\r\n", 8192), 0);
	max_body = 20479;
	ck_assert_uint_eq(room_after(exact, HTTP_ROOM_FROM), 0);
	ck_assert_uint_eq(request.bad_status, 413);
	max_body = 20480;
	ck_assert_uint_gt(room_after(exact, HTTP_ROOM_FROM), 0);
	ck_assert_int_eq(parse(text, HTTP_ROOM_MIN, &used), HTTP_DONE);
	ck_assert_uint_eq(http_request_room(&request, 1, &to), 0);
	http_request_reset(&request);
	ck_assert_uint_eq(http_request_room(&request, 1, &to), 0);
}
END_TEST

START_TEST(a_head_takes_memory_as_it_comes)
{
	static const char head[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nName: ";
	const char *name;
	size_t used, size;

	ck_assert_int_eq(feed("G", 1, 1, &used), HTTP_MORE);
	ck_assert_uint_le(http_request_memory(&request), HTTP_HEAD_FIRST);
	/* it moves while it grows; none of it is known before its end */
	ck_assert_int_eq(feed(head, strlen(head), 7, &used), HTTP_MORE);
	for (size = strlen(head); size < HTTP_HEAD_MAX - 4; size++) {
		ck_assert_int_eq(parse("v", 1, &used), HTTP_MORE);
		ck_assert_uint_eq(request.header_count, 0);
		ck_assert_ptr_null(http_request_header(&request, "host"));
		ck_assert_uint_le(http_request_memory(&request),
				  size < HTTP_HEAD_FIRST ? HTTP_HEAD_FIRST :
							   2 * size);
	}
	ck_assert_int_eq(parse("\r\n\r\n", 4, &used), HTTP_DONE);
	ck_assert_str_eq(request.path, "/a");
	ck_assert_str_eq(request.query, "b");
	ck_assert_str_eq(http_request_header(&request, "host"), "a");
	name = http_request_header(&request, "name");
	ck_assert_uint_eq(strlen(name), HTTP_HEAD_MAX - 4 - strlen(head));
	/* nothing of that stays for the next one */
	http_request_reset(&request);
	ck_assert_uint_eq(http_request_memory(&request), 0);
}
END_TEST

START_TEST(memory_for_heads_and_bodies_is_paid_for)
{
	struct budget budget = { .max = 0 };
	struct budget_purse purse = { .budget = &budget };
	struct budget_account account;
	size_t used;

	budget_open(&account, &purse);
	http_request_done(&request);
	http_request_init(&request, &account);
	memset(text, 'a', ROOM);
	ck_assert_int_eq(parse("GET /", 5, &used), HTTP_MORE);
	ck_assert_uint_eq(budget.used, HTTP_HEAD_FIRST);
	ck_assert_int_eq(parse(text, HTTP_HEAD_FIRST - 5, &used), HTTP_MORE);
	ck_assert_int_eq(parse(text, 1, &used), HTTP_BAD);
	ck_assert_uint_eq(request.bad_status, 503);
	ck_assert_str_eq(request.bad_reason, budget_reason(BUDGET_USED_UP));
	ck_assert_uint_eq(budget.used, 0);
	http_request_reset(&request);
	ck_assert_int_eq(parse(POST_HEAD "Content-Length: 9\r\n\r\n",
			       strlen(POST_HEAD) + 21, &used),
			 HTTP_MORE);
	ck_assert_int_eq(parse("body", 4, &used), HTTP_BAD);
	ck_assert_uint_eq(request.bad_status, 503);
	http_request_done(&request);
	ck_assert_uint_eq(budget.used, 0);
	budget_close(&account);
	/* the account goes, and http_end() comes */
	http_request_init(&request, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_limits");
	TCase *tests = tcase_create("http_limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_head_takes_memory_as_it_comes);
	tcase_add_test(tests, memory_for_heads_and_bodies_is_paid_for);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, http_begin, http_end);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_head_has_a_limit);
	tcase_add_test(tests, a_request_line_has_a_limit);
	tcase_add_test(tests, headers_have_a_limit);
	tcase_add_test(tests, connection_has_a_limit_of_names);
	tcase_add_test(tests,
		       a_body_is_refused_by_its_length_before_it_arrives);
	tcase_add_test(tests, what_is_around_chunks_has_a_limit);
	tcase_add_test(tests, bodies_of_all_sizes_come_as_they_were_sent);
	tcase_add_test(tests, a_body_that_is_only_announced_takes_no_memory);
	tcase_add_test(tests, a_large_body_has_room_for_what_comes);
	tcase_add_test(tests,
		       a_body_has_no_room_before_it_has_come_to_something);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
