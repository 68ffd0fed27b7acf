/* test_client_typed.c - libthaw's client calls typed functions of a server. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/typed/message.h"
#include "guest/abi/thaw_typed.h"
#include "tests/unit/client_fixture.h"

static const struct thaw_value arguments[] = {
	{ .type = THAW_TYPE_INT, .as = { .i32 = -20 } },
	{ .type = THAW_TYPE_STRING, .as = { .string = { "abc", 3 } } },
};

static const struct thaw_typed_call call_of_two = {
	.name = "two",
	.arguments = arguments,
	.count = 2,
	.returns = THAW_TYPE_STRING,
};

/* How the server replies. */
static enum frame_status status;
static struct thaw_value answer;
static size_t cut; /* bytes that the reply lacks */

static void check_call(const struct frame_request *request)
{
	struct message message;
	void *copy = malloc(request->size);

	memcpy(copy, request->data, request->size);
	ck_assert_str_eq(request->content_type, THAW_TYPED_CONTENT_TYPE);
	ck_assert_int_eq(message_read(copy, request->size, THAW_MESSAGE_CALL,
				      NULL, &message),
			 0);
	ck_assert_uint_eq(message.head.count, 2);
	ck_assert_uint_eq(message.head.function, THAW_FUNCTION_NAMED);
	ck_assert_uint_eq(message.head.returns, THAW_TYPE_STRING);
	ck_assert_str_eq((char *)copy + message.head.name, "two");
	ck_assert_int_eq(message.values[0].as.i32, -20);
	ck_assert_str_eq(message.values[1].as.string.data, "abc");
	free(copy);
}

static void answer_typed(int fd)
{
	struct thaw_message head = { .kind = THAW_MESSAGE_RESULT };
	const unsigned count = answer.type == THAW_TYPE_VOID ? 0 : 1;
	struct frame_request request;
	char *frame = fixture_read_request(fd, &request);
	char bytes[256];
	struct frame_reply reply = {
		.id = request.id,
		.status = status,
		.error_message = "no luck",
		.data = bytes,
		.size = thaw_message_size(&answer, count, 0) - cut,
	};

	check_call(&request);
	ck_assert_str_eq(request.request_id, "me");
	thaw_message_write(&head, NULL, &answer, count, bytes);
	ck_assert(fixture_write_reply(fd, &reply));
	free(frame);
}

static int call_server(struct thaw_value *value)
{
	const struct thaw_invoke_request request = {
		.data = "not this",
		.size = 8,
		.content_type = "nor/this",
		.id = "me",
	};
	struct thaw_typed_call call = call_of_two;
	static struct thaw_client_reply reply;
	int r;

	call.request = &request;
	fixture_start(answer_typed);
	r = thaw_client_call(client, "some", &call, &error, &reply, value);
	/* the value is in the reply's data, which go with the client */
	if (!r && value->type == THAW_TYPE_STRING) {
		ck_assert_str_eq(value->as.string.data, "yes");
		ck_assert_uint_eq(value->as.string.size, 3);
	}
	fixture_stop();
	return r;
}

static void set_up(void)
{
	fixture_set_up();
	status = FRAME_OK;
	cut = 0;
	answer = (struct thaw_value){ .type = THAW_TYPE_STRING,
				      .as = { .string = { "yes", 3 } } };
}

START_TEST(values_go_there_and_one_comes_back)
{
	struct thaw_value value;

	ck_assert_int_eq(call_server(&value), 0);
	ck_assert_int_eq(value.type, THAW_TYPE_STRING);
}
END_TEST

START_TEST(nothing_may_come_back)
{
	struct thaw_value value;

	answer.type = THAW_TYPE_VOID;
	ck_assert_int_eq(call_server(&value), 0);
	ck_assert_int_eq(value.type, THAW_TYPE_VOID);
}
END_TEST

START_TEST(a_function_that_fails_has_no_value)
{
	struct thaw_value value;

	status = FRAME_ERROR;
	ck_assert_int_eq(call_server(&value), 0);
	ck_assert_int_eq(value.type, THAW_TYPE_NONE);
}
END_TEST

START_TEST(what_the_server_refuses_has_its_message)
{
	struct thaw_value value;

	status = FRAME_NOT_FOUND;
	ck_assert_int_eq(call_server(&value), -ENOENT);
	ck_assert_str_eq(error.message, "no luck");
}
END_TEST

START_TEST(a_reply_that_is_no_result_is_refused)
{
	struct thaw_value value;

	cut = 1;
	ck_assert_int_eq(call_server(&value), -EPROTO);
}
END_TEST

START_TEST(calls_that_cannot_be_sent_are_refused)
{
	struct thaw_typed_call call = { .name = "" };
	struct thaw_client_reply reply;
	struct thaw_value value;

	fixture_start(fixture_echo);
	ck_assert_int_eq(thaw_client_call(client, "some", &call, &error, &reply,
					  &value),
			 -EINVAL);
	call.name = "some";
	call.count = THAW_PARAMETERS_MAX + 1;
	ck_assert_int_eq(thaw_client_call(client, "some", &call, &error, &reply,
					  &value),
			 -EINVAL);
	fixture_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client typed");
	TCase *tests = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, fixture_tear_down);
	tcase_add_test(tests, values_go_there_and_one_comes_back);
	tcase_add_test(tests, nothing_may_come_back);
	tcase_add_test(tests, a_function_that_fails_has_no_value);
	tcase_add_test(tests, what_the_server_refuses_has_its_message);
	tcase_add_test(tests, a_reply_that_is_no_result_is_refused);
	tcase_add_test(tests, calls_that_cannot_be_sent_are_refused);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
