/* test_client_failures.c - libthaw's client when things go wrong */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/client_fixture.h"

/* Refuses with the status that the function's name says, and perhaps words. */
static void refuse(int fd)
{
	struct frame_request request;
	char *frame;

	while ((frame = fixture_read_request(fd, &request))) {
		struct frame_reply reply = {
			.id = request.id,
			.status = (enum frame_status)atoi(request.function),
		};

		if (request.size)
			strcpy(reply.error_message, "the server's words");
		ck_assert(fixture_write_reply(fd, &reply));
		free(frame);
	}
}

START_TEST(refusals_are_errors_with_the_servers_words)
{
	static const int errors[] = { -EINVAL, -ENOENT, -E2BIG,
				      -EBUSY,  -EAGAIN, -EIO };
	struct thaw_client_reply reply;

	fixture_start(refuse);
	for (unsigned i = 0; i < 6; i++) {
		struct thaw_invoke_request request = { .data = "x", .size = 1 };
		char name[16];

		snprintf(name, sizeof(name), "%u", FRAME_BAD_REQUEST + i);
		ck_assert_int_eq(thaw_client_invoke(client, name, &request,
						    &error, &reply),
				 errors[i]);
		ck_assert_str_eq(error.message, "the server's words");
		ck_assert_uint_eq(reply.id, 2 * i + 1);
		request.size = 0;
		ck_assert_int_eq(thaw_client_invoke(client, name, &request,
						    &error, &reply),
				 errors[i]);
		ck_assert_ptr_nonnull(strstr(error.message, "refused"));
	}
	fixture_stop();
}
END_TEST

START_TEST(what_the_server_would_not_read_is_not_sent)
{
	static char value[THAW_HEADERS_SIZE_MAX];
	const struct thaw_attribute broken = { "a", "b\r\nc: d" };
	const struct thaw_attribute large = { "a", value };
	struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;
	char text[129] = { 0 };

	memset(value, 'v', sizeof(value) - 1);
	fixture_start(fixture_echo);
	memset(text, 'x', 65);
	ck_assert_int_eq(thaw_client_invoke(client, text, &request, &error,
					    &reply),
			 -EINVAL);
	ck_assert_int_eq(thaw_client_invoke(client, "", &request, &error,
					    &reply),
			 -EINVAL);
	ck_assert_int_eq(thaw_client_invoke(client, "a\n", &request, &error,
					    &reply),
			 -EINVAL);
	request.id = text;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -EINVAL);
	request.id = NULL;
	memset(text, 'x', 128);
	request.content_type = text;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -EINVAL);
	request.content_type = NULL;
	request.headers = &broken;
	request.header_count = 1;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -EINVAL);
	request.headers = &large;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -EINVAL);
	request.header_count = 0;
	request.attributes = &large;
	request.attribute_count = 1;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -EINVAL);
	request.attribute_count = 0;
	request.size = FRAME_BODY_MAX;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 -E2BIG);
	request.size = 0;
	ck_assert_int_eq(thaw_client_invoke(client, "f", &request, &error,
					    &reply),
			 0);
	fixture_stop();
}
END_TEST

/* Answers one request, half of the next, and vanishes. */
static void vanish(int fd)
{
	struct frame_request request;
	struct frame_reply reply = { .data = "data", .size = 4 };
	char head[FRAME_HEAD_MAX];

	for (int i = 0; i < 3; i++) {
		free(fixture_read_request(fd, &request));
		reply.id = request.id;
		if (i == 0)
			fixture_write_reply(fd, &reply);
	}
	fixture_write(fd, head, (size_t)frame_write_reply(&reply, head));
}

START_TEST(what_came_before_the_server_vanished_is_had)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;
	uint64_t id;

	fixture_start(vanish);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(thaw_client_send(client, "f", &request, &id,
						  &error),
				 0);
	fixture_wait();
	ck_assert_int_eq(thaw_client_receive(client, &reply, &error), 0);
	ck_assert_uint_eq(reply.id, 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(thaw_client_receive(client, &reply, &error),
				 -ECONNRESET);
		ck_assert_uint_eq(reply.id, 0);
		ck_assert_str_eq(error.message,
				 "the server has closed the connection");
	}
	ck_assert_int_eq(thaw_client_send(client, "f", &request, &id, &error),
			 -ECONNRESET);
	thaw_disconnect(client);
}
END_TEST

static void answer_one(int fd)
{
	struct frame_request request;
	char *frame = fixture_read_request(fd, &request);
	const struct frame_reply reply = { .id = request.id };

	free(frame);
	fixture_write_reply(fd, &reply);
	/* some of the next request, so that it is under way */
	for (int i = 0; i < 100; i++) {
		char byte;

		if (!fixture_read(fd, &byte, 1))
			return;
	}
}

START_TEST(a_server_that_vanishes_under_a_request_is_an_error)
{
	static char data[FIXTURE_LARGE];
	const struct thaw_invoke_request small = { 0 };
	const struct thaw_invoke_request large = { .data = data,
						   .size = FIXTURE_LARGE };
	struct thaw_client_reply reply;
	uint64_t id;

	fixture_start(answer_one);
	ck_assert_int_eq(thaw_client_send(client, "f", &small, &id, &error), 0);
	ck_assert_int_eq(thaw_client_send(client, "f", &large, &id, &error),
			 -ECONNRESET);
	/* the reply to the first had come */
	ck_assert_int_eq(thaw_client_receive(client, &reply, &error), 0);
	ck_assert_uint_eq(reply.id, 1);
	ck_assert_int_eq(thaw_client_receive(client, &reply, &error),
			 -ECONNRESET);
	fixture_stop();
}
END_TEST

static void say_goodbye(int fd)
{
	const struct frame_reply reply = {
		.status = FRAME_NOT_READY,
		.error_message = "the server is shutting down",
	};

	fixture_write_reply(fd, &reply);
}

START_TEST(a_server_that_closes_may_say_why)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;
	uint64_t id;

	fixture_start(say_goodbye);
	fixture_wait();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(thaw_client_invoke(client, "f", &request,
						    &error, &reply),
				 -EAGAIN);
		ck_assert_str_eq(error.message, "the server is shutting down");
		ck_assert_uint_eq(reply.id, 0);
	}
	ck_assert_int_eq(thaw_client_send(client, "f", &request, &id, &error),
			 -EAGAIN);
	thaw_disconnect(client);
}
END_TEST

/* What a server of ours does not say; in the order of @wrong_turn. */
static int wrong_turn;

static void misbehave(int fd)
{
	struct frame_request request;
	char *frame = fixture_read_request(fd, &request);
	struct frame_reply reply = { .id = request.id, .request_id = "r" };
	char head[FRAME_HEAD_MAX];
	int size;

	free(frame);
	switch (wrong_turn) {
	case 0:
		fixture_write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
		return;
	case 1: /* not asked for */
		reply.id++;
		break;
	case 2: /* a result, of nothing */
		reply.id = 0;
		break;
	case 3: /* a string that is none */
		reply.request_id[0] = '\n';
		break;
	case 4: /* a size beyond all limits */
		size = frame_write_reply(&reply, head);
		memcpy(head, "\xff\xff\xff\xff", 4);
		fixture_write(fd, head, (size_t)size);
		return;
	}
	fixture_write_reply(fd, &reply);
}

START_TEST(a_server_that_speaks_something_else_is_refused)
{
	const struct thaw_invoke_request request = { 0 };
	struct thaw_client_reply reply;

	wrong_turn = _i;
	fixture_start(misbehave);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(thaw_client_invoke(client, "f", &request,
						    &error, &reply),
				 -EPROTO);
		ck_assert_uint_eq(reply.id, 0);
		ck_assert_ptr_nonnull(strstr(error.message, "not a reply"));
	}
	fixture_stop();
}
END_TEST

/* Sends replies without end, and reads nothing but the first request. */
static void flood(int fd)
{
	struct frame_request request;
	char *frame = fixture_read_request(fd, &request);
	const struct frame_reply reply = { .id = request.id };

	free(frame);
	while (fixture_write_reply(fd, &reply))
		;
}

START_TEST(replies_that_nobody_asked_for_do_not_fill_memory)
{
	static char data[FIXTURE_LARGE];
	const struct thaw_invoke_request small = { 0 };
	const struct thaw_invoke_request large = { .data = data,
						   .size = FIXTURE_LARGE };
	uint64_t id;

	fixture_start(flood);
	ck_assert_int_eq(thaw_client_send(client, "f", &small, &id, &error), 0);
	ck_assert_int_eq(thaw_client_send(client, "f", &large, &id, &error),
			 -EPROTO);
	fixture_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client_failures");
	TCase *tests = tcase_create("client_failures");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, refusals_are_errors_with_the_servers_words);
	tcase_add_test(tests, what_the_server_would_not_read_is_not_sent);
	tcase_add_test(tests, what_came_before_the_server_vanished_is_had);
	tcase_add_test(tests,
		       a_server_that_vanishes_under_a_request_is_an_error);
	tcase_add_test(tests, a_server_that_closes_may_say_why);
	tcase_add_loop_test(tests,
			    a_server_that_speaks_something_else_is_refused, 0,
			    5);
	tcase_add_test(tests, replies_that_nobody_asked_for_do_not_fill_memory);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
