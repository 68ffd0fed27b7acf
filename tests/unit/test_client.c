/* test_client.c - libthaw's client against a server that behaves */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/client_fixture.h"

START_TEST(an_invocation_is_one_frame_there_and_one_back)
{
	const struct thaw_invoke_request request = {
		.data = "some data",
		.size = 9,
		.content_type = "text/plain",
		.id = "me",
		.timeout_ns = 5,
	};
	struct thaw_client_reply reply;

	fixture_start(fixture_echo);
	for (uint64_t id = 1; id <= 3; id++) {
		ck_assert_int_eq(thaw_client_invoke(client, "echo", &request,
						    &error, &reply),
				 0);
		ck_assert_uint_eq(reply.id, id);
		ck_assert_int_eq(reply.result, THAW_OK);
		ck_assert_uint_eq(reply.size, 9);
		ck_assert_mem_eq(reply.data, "some data", 9);
		ck_assert_str_eq(reply.content_type, "text/plain");
		ck_assert_str_eq(reply.request_id, "me");
		ck_assert_uint_eq(reply.queue_ns, 7);
		ck_assert_uint_eq(reply.run_ns, 5);
	}
	fixture_stop();
}
END_TEST

/* Sees what came along, and answers in HTTP. */
static void answer_in_http(int fd)
{
	static const char attributes[] = "method\0PUT\0path\0/a";
	static const char headers[] = "Accept\0text/html";
	struct frame_request request;
	char *frame = fixture_read_request(fd, &request);
	struct frame_reply reply = {
		.id = request.id,
		.http_status = 201,
		.headers = "Location\0/b",
		.headers_size = sizeof("Location\0/b"),
		.data = request.data,
		.size = request.size,
	};

	ck_assert_uint_eq(request.attributes_size, sizeof(attributes));
	ck_assert_mem_eq(request.attributes, attributes, sizeof(attributes));
	ck_assert_uint_eq(request.headers_size, sizeof(headers));
	ck_assert_mem_eq(request.headers, headers, sizeof(headers));
	ck_assert(fixture_write_reply(fd, &reply));
	free(frame);
}

START_TEST(attributes_and_headers_go_there_and_an_answer_comes_back)
{
	const struct thaw_attribute attributes[] = { { "method", "PUT" },
						     { "path", "/a" } };
	const struct thaw_attribute header = { "Accept", "text/html" };
	const struct thaw_invoke_request request = {
		.data = "data",
		.size = 4,
		.attributes = attributes,
		.attribute_count = 2,
		.headers = &header,
		.header_count = 1,
	};
	struct thaw_client_reply reply;

	fixture_start(answer_in_http);
	ck_assert_int_eq(thaw_client_invoke(client, "web", &request, &error,
					    &reply),
			 0);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_uint_eq(reply.status, 201);
	ck_assert_uint_eq(reply.headers_size, sizeof("Location\0/b"));
	ck_assert_mem_eq(reply.headers, "Location\0/b", reply.headers_size);
	ck_assert_mem_eq(reply.data, "data", 4);
	fixture_stop();
}
END_TEST

START_TEST(the_usual_socket_is_in_the_runtime_folder)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;

	setenv("THAW_RUNTIME_DIR", fixture_directory, 1);
	fixture_serve(fixture_echo);
	ck_assert_int_eq(thaw_connect(NULL, &error, &client), 0);
	ck_assert_int_eq(thaw_client_invoke(client, "echo", &request, NULL,
					    &reply),
			 0);
	ck_assert_uint_eq(reply.size, 0);
	fixture_stop();
}
END_TEST

START_TEST(where_no_server_is_the_error_says_so)
{
	char other[256];

	snprintf(other, sizeof(other), "%s/other.sock", fixture_directory);
	ck_assert_int_eq(thaw_connect(other, &error, &client), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.message, other));
	ck_assert_ptr_nonnull(strstr(error.message, "thaw serve"));
	fixture_stop_listening();
	ck_assert_int_eq(thaw_connect(fixture_path, &error, &client),
			 -ECONNREFUSED);
	memset(other, 'x', 255);
	other[255] = '\0';
	ck_assert_int_eq(thaw_connect(other, &error, &client), -ENAMETOOLONG);
	ck_assert_ptr_null(client);
	thaw_disconnect(NULL);
}
END_TEST

/* Answers each three requests in the order 3, 1, 2. */
static void shuffle(int fd)
{
	static const int order[] = { 2, 0, 1 };
	struct frame_request requests[3];
	char *frames[3];

	while ((frames[0] = fixture_read_request(fd, &requests[0]))) {
		for (int i = 1; i < 3; i++)
			frames[i] = fixture_read_request(fd, &requests[i]);
		for (int i = 0; i < 3; i++) {
			const struct frame_request *request =
				&requests[order[i]];
			const struct frame_reply reply = {
				.id = request->id,
				.data = request->data,
				.size = request->size,
			};

			ck_assert(fixture_write_reply(fd, &reply));
			free(frames[order[i]]);
		}
	}
}

START_TEST(replies_come_in_any_order)
{
	static const int order[] = { 2, 0, 1 };
	struct thaw_client_reply reply;
	uint64_t ids[3];

	fixture_start(shuffle);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < 3; i++) {
			const struct thaw_invoke_request request = {
				.data = &"abc"[i],
				.size = 1,
			};

			ck_assert_int_eq(thaw_client_send(client, "f", &request,
							  &ids[i], &error),
					 0);
		}
		for (int i = 0; i < 3; i++) {
			ck_assert_int_eq(thaw_client_receive(client, &reply,
							     &error),
					 0);
			ck_assert_uint_eq(reply.id, ids[order[i]]);
			ck_assert_uint_eq(reply.size, 1);
			ck_assert_int_eq(*(const char *)reply.data,
					 "abc"[order[i]]);
		}
	}
	fixture_stop();
}
END_TEST

#define BATCH 9
#define BATCH_DATA_MAX 200

/*
 * Of a batch's replies, the one that is cut is larger than another, and smaller
 * than all of them.
 */
static size_t batch_size(size_t i)
{
	return i == BATCH ? BATCH_DATA_MAX : i;
}

/*
 * Answers BATCH requests and most of the next at once, the rest when there is
 * another request.
 */
static void answer_in_batches(int fd)
{
	static char frames[(BATCH + 2) * (FRAME_HEADER_SIZE + BATCH_DATA_MAX)];
	struct frame_request request;
	char *frame;

	for (;;) {
		size_t size = 0, cut = 0;

		for (size_t i = 0; i < BATCH + 2; i++) {
			struct frame_reply reply = { .size = batch_size(i) };

			if (i == BATCH + 1)
				fixture_write(fd, frames, cut);
			frame = fixture_read_request(fd, &request);
			if (!frame)
				return;
			free(frame);
			reply.id = request.id;
			size += (size_t)frame_write_reply(&reply,
							  frames + size);
			memset(frames + size, (int)('a' + i), reply.size);
			size += reply.size;
			if (i == BATCH)
				cut = size - 10;
		}
		fixture_write(fd, frames + cut, size - cut);
	}
}

START_TEST(replies_that_come_together_are_had_one_by_one)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;
	char expected[BATCH_DATA_MAX];
	uint64_t id;

	fixture_start(answer_in_batches);
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < BATCH + 1; i++)
			ck_assert_int_eq(thaw_client_send(client, "f", &request,
							  &id, &error),
					 0);
		for (size_t i = 0; i < BATCH + 2; i++) {
			if (i == BATCH)
				ck_assert_int_eq(thaw_client_send(client, "f",
								  &request, &id,
								  &error),
						 0);
			ck_assert_int_eq(thaw_client_receive(client, &reply,
							     &error),
					 0);
			memset(expected, (int)('a' + i), batch_size(i));
			ck_assert_uint_eq(reply.size, batch_size(i));
			ck_assert_int_eq(memcmp(reply.data, expected,
						batch_size(i)),
					 0);
		}
	}
	fixture_stop();
}
END_TEST

/* Two replies, cut into two at every byte, and then one byte at a time. */
static void dribble(int fd)
{
	struct frame_request request;
	struct frame_reply reply = {
		.status = FRAME_ERROR,
		.content_type = "a/b",
		.request_id = "r",
		.error_type = "T",
		.error_message = "m",
		.data = "data",
		.size = 4,
	};
	char both[2 * FRAME_HEAD_MAX];

	for (size_t cut = 0;; cut++) {
		size_t size = 0;

		for (int i = 0; i < 2; i++) {
			char *frame = fixture_read_request(fd, &request);

			if (!frame)
				return;
			free(frame);
			reply.id = request.id;
			size += (size_t)frame_write_reply(&reply, both + size);
			memcpy(both + size, reply.data, reply.size);
			size += reply.size;
		}
		if (cut < size) {
			ck_assert(fixture_write(fd, both, cut));
			usleep(500);
			ck_assert(fixture_write(fd, both + cut, size - cut));
			continue;
		}
		for (size_t i = 0; i < size; i++)
			ck_assert(fixture_write(fd, both + i, 1));
	}
}

START_TEST(replies_may_be_split_anywhere)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;
	uint64_t ids[2];

	fixture_start(dribble);
	for (int round = 0; round < 2 * (FRAME_HEADER_SIZE + 10) + 5; round++) {
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(thaw_client_send(client, "f", &request,
							  &ids[i], &error),
					 0);
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(thaw_client_receive(client, &reply,
							     &error),
					 0);
			ck_assert_uint_eq(reply.id, ids[i]);
			ck_assert_int_eq(reply.result, THAW_ERROR);
			ck_assert_str_eq(reply.content_type, "a/b");
			ck_assert_str_eq(reply.request_id, "r");
			ck_assert_str_eq(reply.error_type, "T");
			ck_assert_str_eq(reply.error_message, "m");
			ck_assert_mem_eq(reply.data, "data", 4);
		}
	}
	fixture_stop();
}
END_TEST

/* So that a reply can be told from any other. */
static void fill(char *data, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i += 4096)
		data[i] = (char)(seed + i / 4096);
}

static void check_large(const struct thaw_client_reply *reply, uint64_t seed)
{
	static char expected[FIXTURE_LARGE];

	fill(expected, FIXTURE_LARGE, seed);
	ck_assert_uint_eq(reply->size, FIXTURE_LARGE);
	ck_assert_int_eq(memcmp(reply->data, expected, FIXTURE_LARGE), 0);
}

START_TEST(large_requests_and_replies_can_be_pipelined)
{
	static char data[FIXTURE_LARGE];
	const struct thaw_invoke_request request = { .data = data,
						     .size = FIXTURE_LARGE };
	struct thaw_client_reply reply, first;
	uint64_t id;

	fixture_start(fixture_echo);
	ck_assert_int_eq(thaw_client_send(client, "echo", &request, &id,
					  &error),
			 0);
	ck_assert_int_eq(thaw_client_receive(client, &first, &error), 0);
	for (uint64_t i = 2; i < 2 + 12; i++) {
		fill(data, FIXTURE_LARGE, i);
		ck_assert_int_eq(thaw_client_send(client, "echo", &request, &id,
						  &error),
				 0);
		ck_assert_uint_eq(id, i);
	}
	/* sending has not touched what was received */
	memset(data, 0, FIXTURE_LARGE);
	ck_assert_int_eq(memcmp(first.data, data, FIXTURE_LARGE), 0);
	for (uint64_t i = 2; i < 2 + 12; i++) {
		ck_assert_int_eq(thaw_client_receive(client, &reply, &error),
				 0);
		ck_assert_uint_eq(reply.id, i);
		check_large(&reply, i);
	}
	fixture_stop();
}
END_TEST

START_TEST(as_many_as_the_limit_may_be_in_flight)
{
	const struct thaw_invoke_request request = { .data = "x", .size = 1 };
	struct thaw_client_reply reply;
	uint64_t id = 0;

	fixture_start(fixture_echo);
	ck_assert_int_eq(thaw_client_receive(client, &reply, &error), -ENODATA);
	for (int i = 0; i < THAW_CLIENT_IN_FLIGHT_MAX; i++)
		ck_assert_int_eq(thaw_client_send(client, "echo", &request, &id,
						  &error),
				 0);
	ck_assert_int_eq(thaw_client_send(client, "echo", &request, &id,
					  &error),
			 -EBUSY);
	ck_assert_int_eq(thaw_client_invoke(client, "echo", &request, &error,
					    &reply),
			 -EBUSY);
	for (uint64_t i = 1; i <= THAW_CLIENT_IN_FLIGHT_MAX; i++) {
		ck_assert_int_eq(thaw_client_receive(client, &reply, &error),
				 0);
		ck_assert_uint_eq(reply.id, i);
	}
	ck_assert_int_eq(thaw_client_invoke(client, "echo", &request, &error,
					    &reply),
			 0);
	fixture_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tests = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, an_invocation_is_one_frame_there_and_one_back);
	tcase_add_test(tests,
		       attributes_and_headers_go_there_and_an_answer_comes_back);
	tcase_add_test(tests, the_usual_socket_is_in_the_runtime_folder);
	tcase_add_test(tests, where_no_server_is_the_error_says_so);
	tcase_add_test(tests, replies_come_in_any_order);
	tcase_add_test(tests, replies_that_come_together_are_had_one_by_one);
	tcase_add_test(tests, replies_may_be_split_anywhere);
	tcase_add_test(tests, large_requests_and_replies_can_be_pipelined);
	tcase_add_test(tests, as_many_as_the_limit_may_be_in_flight);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
