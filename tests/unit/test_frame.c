/* test_frame.c - frames of the unix socket protocol, written and read */
#include "executor/protocol/frame.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "docs/protocol.md"
#define FRAME_MAX (FRAME_HEAD_MAX + 256)

/* Where lengths are in the header, and their limits. */
#define LENGTHS_AT 16
static const unsigned request_limits[4] = { 64, 127, 63, 0 };
static const unsigned reply_limits[4] = { 127, 63, 63, 2047 };

static const struct frame_request a_request = {
	.id = UINT64_C(0x8877665544332211),
	.timeout_ns = UINT64_C(0x0102030405060708),
	.function = "hello",
	.content_type = "text/plain",
	.request_id = "r-1",
	.data = "data",
	.size = 4,
};

static const struct frame_reply a_reply = {
	.id = UINT64_C(0x8877665544332211),
	.status = FRAME_ERROR,
	.queue_ns = UINT64_C(0x0102030405060708),
	.run_ns = UINT64_MAX,
	.content_type = "text/plain",
	.request_id = "r-1",
	.error_type = "Some.Error",
	.error_message = "kr\xc3\xa4"
			 "ftig",
	.data = "data",
	.size = 4,
};

static size_t put_request(const struct frame_request *request, uint8_t *frame)
{
	int head = frame_write_request(request, frame);

	ck_assert_int_ge(head, FRAME_HEADER_SIZE);
	ck_assert_int_le(head, FRAME_HEAD_MAX);
	if (request->size)
		memcpy(frame + head, request->data, request->size);
	return (size_t)head + request->size;
}

static size_t put_reply(const struct frame_reply *reply, uint8_t *frame)
{
	int head = frame_write_reply(reply, frame);

	ck_assert_int_ge(head, FRAME_HEADER_SIZE);
	ck_assert_int_le(head, FRAME_HEAD_MAX);
	if (reply->size)
		memcpy(frame + head, reply->data, reply->size);
	return (size_t)head + reply->size;
}

static size_t put(enum frame_kind kind, uint8_t *frame)
{
	return kind == FRAME_REQUEST ? put_request(&a_request, frame) :
				       put_reply(&a_reply, frame);
}

/* On the heap, so that a byte too far is seen by the sanitizer. */
static int read_copy(enum frame_kind kind, const uint8_t *frame, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct frame_request request;
	struct frame_reply reply;
	size_t need;
	int64_t r;
	int peek = 0;

	memcpy(copy, frame, size);
	r = frame_size(copy, size, kind, FRAME_BODY_MAX, &need);
	ck_assert(r == -EPROTO || r == 0 || r == (int64_t)need);
	if (r >= 0)
		ck_assert(r ? need <= size : need > size);
	if (kind == FRAME_REQUEST) {
		peek = frame_peek_request(copy, size, &request);
		ck_assert(r >= 0 || peek == -EPROTO);
		r = frame_read_request(copy, size, &request);
		ck_assert(r || peek == 1);
	} else {
		r = frame_read_reply(copy, size, &reply);
	}
	ck_assert(r == 0 || r == -EPROTO);
	free(copy);
	return (int)r;
}

static void fill(char *text, size_t length, char c)
{
	memset(text, c, length);
	text[length] = '\0';
}

static void check_same_request(const struct frame_request *a,
			       const struct frame_request *b)
{
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_uint_eq(a->timeout_ns, b->timeout_ns);
	ck_assert_str_eq(a->function, b->function);
	ck_assert_str_eq(a->content_type, b->content_type);
	ck_assert_str_eq(a->request_id, b->request_id);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert(!a->size || !memcmp(a->data, b->data, a->size));
}

static void check_same_reply(const struct frame_reply *a,
			     const struct frame_reply *b)
{
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_int_eq(a->status, b->status);
	ck_assert_uint_eq(a->queue_ns, b->queue_ns);
	ck_assert_uint_eq(a->run_ns, b->run_ns);
	ck_assert_str_eq(a->content_type, b->content_type);
	ck_assert_str_eq(a->request_id, b->request_id);
	ck_assert_str_eq(a->error_type, b->error_type);
	ck_assert_str_eq(a->error_message, b->error_message);
	ck_assert_uint_eq(a->size, b->size);
	ck_assert(!a->size || !memcmp(a->data, b->data, a->size));
}

static void check_request_comes_back(const struct frame_request *request)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_request(request, frame), need;
	struct frame_request read;

	ck_assert_int_eq(frame_size(frame, size, FRAME_REQUEST, FRAME_BODY_MAX,
				    &need),
			 (int64_t)size);
	ck_assert_int_eq(frame_read_request(frame, size, &read), 0);
	check_same_request(request, &read);
	ck_assert_uint_eq(frame_id(frame), request->id);
}

static void check_reply_comes_back(const struct frame_reply *reply)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_reply(reply, frame), need;
	struct frame_reply read;

	ck_assert_int_eq(frame_size(frame, size, FRAME_REPLY, FRAME_BODY_MAX,
				    &need),
			 (int64_t)size);
	ck_assert_int_eq(frame_read_reply(frame, size, &read), 0);
	check_same_reply(reply, &read);
	ck_assert_uint_eq(frame_id(frame), reply->id);
}

START_TEST(what_is_written_is_read_back)
{
	struct frame_request request = a_request;
	struct frame_reply reply = a_reply;

	check_request_comes_back(&request);
	check_reply_comes_back(&reply);
	request = (struct frame_request){ .id = 1, .function = "f" };
	check_request_comes_back(&request);
	reply = (struct frame_reply){ .status = FRAME_FAILED };
	check_reply_comes_back(&reply);
}
END_TEST

START_TEST(strings_of_the_greatest_lengths_come_back)
{
	struct frame_request request = a_request;
	struct frame_reply reply = a_reply;

	fill(request.function, 64, '~');
	fill(request.content_type, 127, ' ');
	fill(request.request_id, 63, 'r');
	check_request_comes_back(&request);
	fill(reply.content_type, 127, 'c');
	fill(reply.request_id, 63, 'r');
	fill(reply.error_type, 63, 't');
	fill(reply.error_message, 2047, 'm');
	check_reply_comes_back(&reply);
}
END_TEST

START_TEST(every_status_comes_back_and_no_other_is_read)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_reply(&a_reply, frame);

	for (unsigned status = 0; status <= UINT16_MAX; status++) {
		bool known = status <= 3 || (status >= 16 && status <= 21);

		frame[6] = (uint8_t)status;
		frame[7] = (uint8_t)(status >> 8);
		ck_assert_int_eq(read_copy(FRAME_REPLY, frame, size),
				 known ? 0 : -EPROTO);
	}
}
END_TEST

static void check_truncations(enum frame_kind kind)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put(kind, frame), need;

	for (size_t i = 0; i < size; i++) {
		ck_assert_int_eq(frame_size(frame, i, kind, FRAME_BODY_MAX,
					    &need),
				 0);
		ck_assert_uint_eq(need, i < FRAME_HEADER_SIZE ?
						(size_t)FRAME_HEADER_SIZE :
						size);
		ck_assert_int_eq(read_copy(kind, frame, i), -EPROTO);
	}
	ck_assert_int_eq(read_copy(kind, frame, size), 0);
	frame[size] = 0;
	ck_assert_int_eq(read_copy(kind, frame, size + 1), -EPROTO);
}

START_TEST(a_part_of_a_frame_asks_for_the_rest)
{
	check_truncations(FRAME_REQUEST);
	check_truncations(FRAME_REPLY);
}
END_TEST

START_TEST(a_request_can_be_looked_at_before_its_data_come)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_request(&a_request, frame);
	struct frame_request peeked, expected = a_request;

	for (size_t i = 0; i < size - a_request.size; i++)
		ck_assert_int_eq(frame_peek_request(frame, i, &peeked), 0);
	for (size_t i = size - a_request.size; i <= size; i++) {
		ck_assert_int_eq(frame_peek_request(frame, i, &peeked), 1);
		ck_assert_ptr_null(peeked.data);
		ck_assert_uint_eq(peeked.size, a_request.size);
		peeked.size = expected.size = 0;
		check_same_request(&peeked, &expected);
		peeked.size = expected.size = a_request.size;
	}
	frame[FRAME_HEADER_SIZE] = '\n';
	ck_assert_int_eq(frame_peek_request(frame, size, &peeked), -EPROTO);
}
END_TEST

/* Every value of one length, of which few agree with the rest. */
static void check_lies(enum frame_kind kind, unsigned field, unsigned limit)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put(kind, frame);
	size_t at = LENGTHS_AT + 2 * field;
	unsigned others = 0;

	for (unsigned i = 0; i < 4; i++)
		if (i != field)
			others += frame[LENGTHS_AT + 2 * i];
	for (unsigned length = 0; length <= UINT16_MAX; length++) {
		bool fits = length <= limit &&
			    others + length <= size - FRAME_HEADER_SIZE;
		int r;

		frame[at] = (uint8_t)length;
		frame[at + 1] = (uint8_t)(length >> 8);
		r = read_copy(kind, frame, size);
		if (!fits || (kind == FRAME_REQUEST && !field && !length))
			ck_assert_int_eq(r, -EPROTO);
		else if (kind == FRAME_REQUEST)
			ck_assert_int_eq(r, 0);
	}
}

START_TEST(a_length_that_does_not_agree_is_refused)
{
	for (unsigned field = 0; field < 4; field++) {
		check_lies(FRAME_REQUEST, field, request_limits[field]);
		check_lies(FRAME_REPLY, field, reply_limits[field]);
	}
}
END_TEST

static void check_sizes(enum frame_kind kind)
{
	static const uint32_t huge[] = { FRAME_BODY_MAX + 1, INT32_MAX,
					 UINT32_C(1) << 31, UINT32_MAX };
	uint8_t frame[FRAME_MAX];
	size_t size = put(kind, frame), need;
	uint32_t body = (uint32_t)(size - FRAME_HEADER_SIZE);

	for (uint32_t lie = 0; lie < body - 4; lie++) {
		memcpy(frame, &lie, sizeof(lie));
		ck_assert_int_eq(frame_size(frame, size, kind, FRAME_BODY_MAX,
					    &need),
				 -EPROTO);
	}
	for (uint32_t lie = body - 4; lie < body + 300; lie++) {
		memcpy(frame, &lie, sizeof(lie));
		ck_assert_int_eq(read_copy(kind, frame, size),
				 lie == body ? 0 : -EPROTO);
	}
	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		memcpy(frame, &huge[i], sizeof(huge[i]));
		ck_assert_int_eq(frame_size(frame, size, kind, FRAME_BODY_MAX,
					    &need),
				 -EPROTO);
	}
}

START_TEST(a_size_that_cannot_be_is_refused)
{
	check_sizes(FRAME_REQUEST);
	check_sizes(FRAME_REPLY);
}
END_TEST

START_TEST(a_frame_over_the_readers_limit_can_be_skipped)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put_request(&a_request, frame), need = 0;
	size_t body = size - FRAME_HEADER_SIZE;
	uint32_t most = FRAME_BODY_MAX;

	ck_assert_int_eq(frame_size(frame, size, FRAME_REQUEST, body, &need),
			 (int64_t)size);
	ck_assert_int_eq(frame_size(frame, FRAME_HEADER_SIZE, FRAME_REQUEST,
				    body - 1, &need),
			 -E2BIG);
	ck_assert_uint_eq(need, size);
	memcpy(frame, &most, sizeof(most));
	ck_assert_int_eq(frame_size(frame, size, FRAME_REQUEST, most - 1,
				    &need),
			 -E2BIG);
	ck_assert_uint_eq(need, FRAME_HEADER_SIZE + (size_t)most);
	ck_assert_int_eq(frame_size(frame, size, FRAME_REQUEST, most, &need),
			 0);
	ck_assert_uint_eq(need, FRAME_HEADER_SIZE + (size_t)most);
}
END_TEST

START_TEST(data_of_the_greatest_size_are_written_and_no_more)
{
	struct frame_request request = { .id = 1, .function = "four" };
	struct frame_reply reply = { .request_id = "four" };
	uint8_t head[FRAME_HEAD_MAX];

	request.size = reply.size = FRAME_BODY_MAX - 4;
	ck_assert_int_eq(frame_write_request(&request, head), 52);
	ck_assert_int_eq(frame_write_reply(&reply, head), 52);
	request.size = reply.size = FRAME_BODY_MAX - 3;
	ck_assert_int_eq(frame_write_request(&request, head), -E2BIG);
	ck_assert_int_eq(frame_write_reply(&reply, head), -E2BIG);
	request.size = reply.size = SIZE_MAX;
	ck_assert_int_eq(frame_write_request(&request, head), -E2BIG);
	ck_assert_int_eq(frame_write_reply(&reply, head), -E2BIG);
}
END_TEST

static void check_byte(enum frame_kind kind, size_t at)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put(kind, frame);

	frame[at] ^= 1;
	ck_assert_msg(read_copy(kind, frame, size) == -EPROTO,
		      "kind %d, byte %zu", kind, at);
}

START_TEST(reserved_fields_and_other_versions_are_refused)
{
	static const uint8_t request[] = { 4,  5,  6,  7,  22, 23, 32, 33,
					   34, 35, 36, 37, 38, 39, 40, 41,
					   42, 43, 44, 45, 46, 47 };
	static const uint8_t reply[] = {
		4, 5, 7, 40, 41, 42, 43, 44, 45, 46, 47
	};

	for (size_t i = 0; i < sizeof(request); i++)
		check_byte(FRAME_REQUEST, request[i]);
	for (size_t i = 0; i < sizeof(reply); i++)
		check_byte(FRAME_REPLY, reply[i]);
}
END_TEST

START_TEST(another_protocol_is_seen_by_its_first_bytes)
{
	size_t need;

	ck_assert_int_eq(frame_size("GET /", 5, FRAME_REQUEST, FRAME_BODY_MAX,
				    &need),
			 -EPROTO);
	ck_assert_int_eq(frame_size("\0\0\0\0\1\2", 6, FRAME_REQUEST,
				    FRAME_BODY_MAX, &need),
			 -EPROTO);
	ck_assert_int_eq(frame_size("\0\0\0\0\1\2", 6, FRAME_REPLY,
				    FRAME_BODY_MAX, &need),
			 0);
}
END_TEST

START_TEST(a_request_needs_an_id_and_a_function)
{
	struct frame_request request = a_request;
	uint8_t frame[FRAME_MAX];
	size_t size;

	request.id = 0;
	size = put_request(&request, frame);
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size), -EPROTO);
	request.id = 1;
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame,
				   put_request(&request, frame)),
			 0);
	request.function[0] = '\0';
	size = put_request(&request, frame);
	ck_assert_int_eq(read_copy(FRAME_REQUEST, frame, size), -EPROTO);
}
END_TEST

/* Every byte at every place of @count strings of @kind. */
static void check_characters(enum frame_kind kind, unsigned count)
{
	uint8_t frame[FRAME_MAX];
	size_t size = put(kind, frame), end = FRAME_HEADER_SIZE;

	for (unsigned i = 0; i < count; i++)
		end += frame[LENGTHS_AT + 2 * i];
	for (size_t at = FRAME_HEADER_SIZE; at < end; at++) {
		uint8_t kept = frame[at];

		for (unsigned c = 0; c < 256; c++) {
			frame[at] = (uint8_t)c;
			ck_assert_int_eq(read_copy(kind, frame, size),
					 c >= ' ' && c <= '~' ? 0 : -EPROTO);
		}
		frame[at] = kept;
	}
}

START_TEST(strings_are_printable_ascii)
{
	check_characters(FRAME_REQUEST, 3);
	check_characters(FRAME_REPLY, 3);
}
END_TEST

START_TEST(error_messages_are_cleaned)
{
	struct frame_reply reply = a_reply, read;
	uint8_t frame[FRAME_MAX];
	size_t size, at;

	strcpy(reply.error_message, "a\033[1mb\nc\xff d\xc3\xa4 e\xc2\x9b.");
	size = put_reply(&reply, frame);
	ck_assert_int_eq(frame_read_reply(frame, size, &read), 0);
	ck_assert_str_eq(read.error_message, "a?[1mb?c? d\xc3\xa4 e??.");
	/* a zero does not shorten it */
	at = size - reply.size - strlen(reply.error_message);
	frame[at] = '\0';
	ck_assert_int_eq(frame_read_reply(frame, size, &read), 0);
	ck_assert_str_eq(read.error_message, "??[1mb?c? d\xc3\xa4 e??.");
}
END_TEST

/* Reads the next frame out of the document's lines of hexadecimal bytes. */
static size_t read_example(FILE *file, uint8_t *frame)
{
	char line[256];
	size_t size = 0;

	while (fgets(line, sizeof(line), file)) {
		char *at, *end;

		if (strspn(line, "0123456789abcdef") != 4 ||
		    strncmp(line + 4, "  ", 2) != 0) {
			if (size)
				break;
			continue;
		}
		ck_assert_uint_eq(strtoul(line, &at, 16), size);
		for (unsigned i = 0; i < 16; i++, at = end) {
			unsigned long byte = strtoul(at, &end, 16);

			if (end == at)
				break;
			frame[size++] = (uint8_t)byte;
		}
		ck_assert_ptr_nonnull(strchr(at, '|'));
	}
	return size;
}

START_TEST(the_documents_examples_are_what_the_code_writes)
{
	const struct frame_request request = {
		.id = 7,
		.timeout_ns = 250000000,
		.function = "hello",
		.content_type = "application/json",
		.request_id = "r-1",
		.data = "{\"name\":\"Ada\"}",
		.size = 14,
	};
	const struct frame_reply replies[] = {
		{ .id = 7,
		  .queue_ns = 1200,
		  .run_ns = 64500,
		  .content_type = "application/json",
		  .request_id = "r-1",
		  .data = "{\"greeting\":\"Hello, Ada\"}",
		  .size = 25 },
		{ .id = 8,
		  .status = FRAME_NOT_FOUND,
		  .request_id = "r-2",
		  .error_message = "no function helo" },
	};
	FILE *file = fopen(DOCUMENT, "re");
	uint8_t documented[FRAME_MAX], written[FRAME_MAX];
	struct frame_request read_request;
	struct frame_reply read_reply;
	size_t size;

	ck_assert_msg(file != NULL, "no " DOCUMENT " here");
	size = read_example(file, documented);
	ck_assert_int_eq(frame_read_request(documented, size, &read_request),
			 0);
	check_same_request(&read_request, &request);
	ck_assert_uint_eq(put_request(&request, written), size);
	ck_assert_mem_eq(written, documented, size);
	for (int i = 0; i < 2; i++) {
		size = read_example(file, documented);
		ck_assert_int_eq(frame_read_reply(documented, size,
						  &read_reply),
				 0);
		check_same_reply(&read_reply, &replies[i]);
		ck_assert_uint_eq(put_reply(&replies[i], written), size);
		ck_assert_mem_eq(written, documented, size);
	}
	ck_assert_uint_eq(read_example(file, documented), 0);
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, what_is_written_is_read_back);
	tcase_add_test(tests, strings_of_the_greatest_lengths_come_back);
	tcase_add_test(tests, every_status_comes_back_and_no_other_is_read);
	tcase_add_test(tests, a_part_of_a_frame_asks_for_the_rest);
	tcase_add_test(tests, a_request_can_be_looked_at_before_its_data_come);
	tcase_add_test(tests, a_length_that_does_not_agree_is_refused);
	tcase_add_test(tests, a_size_that_cannot_be_is_refused);
	tcase_add_test(tests, a_frame_over_the_readers_limit_can_be_skipped);
	tcase_add_test(tests,
		       data_of_the_greatest_size_are_written_and_no_more);
	tcase_add_test(tests, reserved_fields_and_other_versions_are_refused);
	tcase_add_test(tests, another_protocol_is_seen_by_its_first_bytes);
	tcase_add_test(tests, a_request_needs_an_id_and_a_function);
	tcase_add_test(tests, strings_are_printable_ascii);
	tcase_add_test(tests, error_messages_are_cleaned);
	tcase_add_test(tests, the_documents_examples_are_what_the_code_writes);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
