/* test_frame_http.c - what frames of the unix socket protocol carry of HTTP. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/protocol/frame.h"

#define FRAME_MAX (FRAME_HEAD_MAX + 256)

static size_t put_request(const struct frame_request *request, uint8_t *frame)
{
	int head = frame_write_request(request, frame);

	ck_assert_int_ge(head, FRAME_HEADER_SIZE);
	if (request->size)
		memcpy(frame + head, request->data, request->size);
	return (size_t)head + request->size;
}

static size_t put_reply(const struct frame_reply *reply, uint8_t *frame)
{
	int head = frame_write_reply(reply, frame);

	ck_assert_int_ge(head, FRAME_HEADER_SIZE);
	if (reply->size)
		memcpy(frame + head, reply->data, reply->size);
	return (size_t)head + reply->size;
}

/* On the heap, so that a byte too far is seen by the sanitizer. */
static int read_copy(enum frame_kind kind, const uint8_t *frame, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct frame_request request;
	struct frame_reply reply;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, frame, size);
	r = kind == FRAME_REQUEST ? frame_read_request(copy, size, &request) :
				    frame_read_reply(copy, size, &reply);
	if (kind == FRAME_REQUEST && !r)
		ck_assert_int_eq(frame_peek_request(copy, size, &request), 1);
	free(copy);
	return r;
}

/* As HTTP has it, both of them. */
#define PAIRS(member, text) .member = text, .member##_size = sizeof(text)
static const struct frame_request http_request = {
	.id = 1,
	.function = "web",
	PAIRS(attributes, "method\0GET\0path\0/"),
	PAIRS(headers, "accept\0*/*\0empty\0"),
	.data = "data",
	.size = 4,
};
static const struct frame_reply http_reply = {
	.id = 1,
	.content_type = "text/html",
	.http_status = 404,
	PAIRS(headers, "Location\0/here\0Set-Cookie\0a=b"),
	.data = "data",
	.size = 4,
};

START_TEST(what_is_of_http_comes_back)
{
	const struct frame_request *request = &http_request;
	const struct frame_reply *reply = &http_reply;
	struct frame_request read_request;
	struct frame_reply read_reply;
	uint8_t frame[FRAME_MAX];
	size_t size = put_request(request, frame);

	ck_assert_int_eq(frame_read_request(frame, size, &read_request), 0);
	ck_assert_uint_eq(read_request.attributes_size,
			  request->attributes_size);
	ck_assert_mem_eq(read_request.attributes, request->attributes,
			 request->attributes_size);
	ck_assert_uint_eq(read_request.headers_size, request->headers_size);
	ck_assert_mem_eq(read_request.headers, request->headers,
			 request->headers_size);
	ck_assert_uint_eq(read_request.size, 4);
	ck_assert_mem_eq(read_request.data, "data", 4);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, i), -EPROTO);

	size = put_reply(reply, frame);
	ck_assert_int_eq(frame_read_reply(frame, size, &read_reply), 0);
	ck_assert_uint_eq(read_reply.http_status, 404);
	ck_assert_uint_eq(read_reply.headers_size, reply->headers_size);
	ck_assert_mem_eq(read_reply.headers, reply->headers,
			 reply->headers_size);
	ck_assert_str_eq(read_reply.content_type, "text/html");
	ck_assert_uint_eq(read_reply.size, 4);
	ck_assert_mem_eq(read_reply.data, "data", 4);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(read_copy(FRAME_REPLY, frame, i), -EPROTO);
}
END_TEST

/* Of any of these bytes there may be none, or another one, but for two zeros. */
START_TEST(attributes_and_headers_are_pairs_of_strings)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_request(&http_request, frame);
	size_t at = size - http_request.size - http_request.headers_size;
	const size_t ends[] = { at - 1, size - http_request.size - 1 };

	for (unsigned i = 0; i < 2; i++) {
		frame[ends[i]] = 'x';
		ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size),
				 -EPROTO);
		frame[ends[i]] = '\0';
	}
	/* one string more, or less */
	frame[at + 1] = '\0';
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size), -EPROTO);
	frame[at + 1] = 'c';
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size), 0);
	frame[at - 2] = '\0';
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size), -EPROTO);
}
END_TEST

static int read_pairs_of(const struct frame_request *request)
{
	uint8_t *frame = malloc(FRAME_HEAD_MAX + 2 * 65536);
	int size, r;

	ck_assert_ptr_nonnull(frame);
	size = frame_write_request(request, frame);
	r = read_copy(FRAME_REQUEST, frame, (size_t)size);
	free(frame);
	return r;
}

START_TEST(attributes_and_headers_of_the_greatest_size_come_back)
{
	static char pairs[THAW_HEADERS_SIZE_MAX + 1];
	struct frame_request request = {
		.id = 1,
		.function = "f",
		.attributes = pairs,
		.attributes_size = THAW_ATTRIBUTES_SIZE_MAX,
	};
	uint8_t frame[FRAME_HEAD_MAX + THAW_HEADERS_SIZE_MAX + 1] = { 0 };
	int size;

	memset(pairs, 'p', sizeof(pairs));
	pairs[1] = pairs[THAW_ATTRIBUTES_SIZE_MAX - 1] = '\0';
	ck_assert_int_eq(read_pairs_of(&request), 0);
	request.attributes_size = 0;
	request.headers = pairs;
	request.headers_size = THAW_HEADERS_SIZE_MAX;
	pairs[THAW_ATTRIBUTES_SIZE_MAX - 1] = 'p';
	pairs[THAW_HEADERS_SIZE_MAX - 1] = '\0';
	ck_assert_int_eq(read_pairs_of(&request), 0);
	/* one byte more is refused, though it would be a pair */
	size = frame_write_request(&request, frame);
	frame[size - 1] = 'p';
	frame[0] = (uint8_t)(frame[0] + 1);
	frame[42] = (uint8_t)(frame[42] + 1);
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, (size_t)size + 1),
			 -EPROTO);
}
END_TEST

START_TEST(only_a_good_reply_has_a_status_of_http)
{
	static const unsigned bad[] = { 1, 100, 199, 600, 65535 };
	struct frame_reply reply = http_reply;
	uint8_t frame[FRAME_MAX];
	size_t size;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		reply.http_status = bad[i];
		size = put_reply(&reply, frame);
		ck_assert_int_eq(read_copy(FRAME_REPLY, frame, size), -EPROTO);
	}
	reply.http_status = 0;
	size = put_reply(&reply, frame);
	ck_assert_int_eq(read_copy(FRAME_REPLY, frame, size), 0);
	reply.status = FRAME_ERROR;
	size = put_reply(&reply, frame);
	ck_assert_int_eq(read_copy(FRAME_REPLY, frame, size), -EPROTO);
	reply.headers_size = 0;
	reply.http_status = 404;
	size = put_reply(&reply, frame);
	ck_assert_int_eq(read_copy(FRAME_REPLY, frame, size), -EPROTO);
}
END_TEST

static int read_headers(const char *headers, size_t size)
{
	struct frame_reply reply = http_reply;
	uint8_t frame[FRAME_MAX];

	reply.headers = headers;
	reply.headers_size = size;
	return read_copy(FRAME_REPLY, frame, put_reply(&reply, frame));
}

#define READ(headers) read_headers(headers, sizeof(headers))

START_TEST(headers_of_a_reply_are_those_of_a_function)
{
	ck_assert_int_eq(READ("a\0b c\0d\0"), 0);
	ck_assert_int_eq(READ("a\0b\rc"), -EPROTO);
	ck_assert_int_eq(READ("a b\0c"), -EPROTO);
	ck_assert_int_eq(READ("\0c"), -EPROTO);
	ck_assert_int_eq(READ("a\0b\0Date\0c"), -EPROTO);
	ck_assert_int_eq(READ("te\0chunked"), -EPROTO);
	ck_assert_int_eq(READ("a\0b\t"), -EPROTO);
	ck_assert_int_eq(READ("a"), -EPROTO);
	ck_assert_int_eq(read_headers("a\0b", 3), -EPROTO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame_http");
	TCase *tests = tcase_create("frame_http");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, what_is_of_http_comes_back);
	tcase_add_test(tests, attributes_and_headers_are_pairs_of_strings);
	tcase_add_test(tests,
		       attributes_and_headers_of_the_greatest_size_come_back);
	tcase_add_test(tests, only_a_good_reply_has_a_status_of_http);
	tcase_add_test(tests, headers_of_a_reply_are_those_of_a_function);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
