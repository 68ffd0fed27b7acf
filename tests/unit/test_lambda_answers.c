/* test_lambda_answers.c - Lambda's API: errors, payloads, log lines. */
#include "executor/protocol/lambda.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "executor/protocol/lambda_error.h"
#include "executor/protocol/lambda_log.h"
#include "executor/protocol/lambda_name.h"
#include "executor/protocol/lambda_request.h"

static struct lambda_error error;

START_TEST(a_function_that_is_not_there_is_named_by_its_arn)
{
	lambda_no_function("hello", "7", &error);
	ck_assert_uint_eq(error.status, 404);
	ck_assert_str_eq(error.type, "ResourceNotFoundException");
	ck_assert_str_eq(error.message,
			 "Function not found: arn:aws:lambda:us-east-1:"
			 "000000000000:function:hello:7");
}
END_TEST

#define LIMIT_REASON "ReservedFunctionConcurrentInvocationLimitExceeded"

static const struct {
	int error;
	unsigned status;
	const char *type, *reason;
} meanings[] = {
	{ -EBUSY, 429, "TooManyRequestsException", LIMIT_REASON },
	{ -EAGAIN, 429, "TooManyRequestsException", LIMIT_REASON },
	{ -E2BIG, 413, "RequestTooLargeException", NULL },
	{ -EINVAL, 400, "InvalidParameterValueException", NULL },
	{ -ENOENT, 404, "ResourceNotFoundException", NULL },
	{ -ENOEXEC, 502, "InvalidRuntimeException", NULL },
	{ -EINPROGRESS, 409, "SnapStartNotReadyException", NULL },
	{ -ETIMEDOUT, 408, "SnapStartTimeoutException", NULL },
	{ -ECANCELED, 400, "SnapStartException", NULL },
	{ -EPROTO, 400, "SnapStartException", NULL },
	{ -ESHUTDOWN, 503, "ServiceException", NULL },
	{ -ENOMEM, 500, "ServiceException", NULL },
	{ -EIO, 500, "ServiceException", NULL },
};

START_TEST(errors_of_thaw_have_lambdas_names)
{
	lambda_from_errno(meanings[_i].error, "f", "what thaw says", &error);
	ck_assert_uint_eq(error.status, meanings[_i].status);
	ck_assert_str_eq(error.type, meanings[_i].type);
	ck_assert_pstr_eq(error.reason, meanings[_i].reason);
	ck_assert_str_eq(error.message, "what thaw says");
	lambda_from_errno(meanings[_i].error, "hello", NULL, &error);
	ck_assert_ptr_nonnull(strstr(error.message, "function hello: "));
	ck_assert_pstr_eq(error.reason, meanings[_i].reason);
}
END_TEST

START_TEST(a_long_message_is_cut)
{
	char message[2000];

	memset(message, 'x', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	lambda_from_errno(-EIO, "f", message, &error);
	ck_assert_uint_eq(strlen(error.message), sizeof(error.message) - 1);
}
END_TEST

START_TEST(a_payload_is_json_or_empty)
{
	ck_assert(lambda_check_payload(NULL, 0, &error));
	ck_assert(lambda_check_payload("{}", 2, &error));
	ck_assert(lambda_check_payload(" 1 ", 3, &error));
	ck_assert(!lambda_check_payload(" ", 1, &error));
	ck_assert(!lambda_check_payload("{}x", 3, &error));
	ck_assert_uint_eq(error.status, 400);
	ck_assert_str_eq(error.type, "InvalidRequestContentException");
	ck_assert_ptr_nonnull(strstr(error.message, "not JSON at byte 2 of 3"));
	ck_assert_ptr_nonnull(strstr(error.message, "--cli-binary-format "
						    "raw-in-base64-out"));
	ck_assert(!lambda_check_payload("\"\xff\"", 3, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "not UTF-8 at byte 1"));
	ck_assert_ptr_nonnull(strstr(error.message, "--cli-binary-format"));
}
END_TEST

START_TEST(a_payload_that_is_nested_too_deep_is_not_the_clis_fault)
{
	char deep[2000];

	memset(deep, '[', sizeof(deep));
	ck_assert(!lambda_check_payload(deep, sizeof(deep), &error));
	ck_assert_str_eq(error.type, "InvalidRequestContentException");
	ck_assert_ptr_nonnull(strstr(error.message, "512"));
	ck_assert_ptr_null(strstr(error.message, "--cli-binary-format"));
}
END_TEST

static const struct {
	enum thaw_result result;
	const char *type, *kind;
} failures[] = {
	{ THAW_ERROR, "BadInput", "Handled" },
	{ THAW_ERROR, "", "Handled" },
	{ THAW_ERROR, "Runtime", "Handled" },
	{ THAW_ERROR, "Runtime.HandlerError", "Handled" },
	{ THAW_ERROR, "Runtime.ExitError", "Unhandled" },
	{ THAW_ERROR, "Runtime.ProtocolError", "Unhandled" },
	{ THAW_ERROR, "Function.ResponseSizeTooLarge", "Unhandled" },
	{ THAW_FAULT, "Runtime.Fault", "Unhandled" },
	{ THAW_FAULT, "Runtime.OutOfMemory", "Unhandled" },
	{ THAW_TIMEOUT, "Sandbox.Timedout", "Unhandled" },
};

START_TEST(what_a_function_reports_is_handled)
{
	static struct thaw_reply reply;

	reply.result = failures[_i].result;
	strcpy(reply.error_type, failures[_i].type);
	ck_assert_str_eq(lambda_function_error(&reply), failures[_i].kind);
}
END_TEST

static void check_text(struct buffer *out, const char *expected)
{
	ck_assert(!out->failed);
	ck_assert_uint_eq(out->size, strlen(expected));
	ck_assert_mem_eq(out->data, expected, out->size);
	buffer_done(out);
}

START_TEST(log_lines_are_as_lambdas)
{
	static struct thaw_reply reply = { .id = "id-1", .run_ns = 1234999 };
	struct buffer out = BUFFER_INIT(4096);

	lambda_write_start("id-1", &out);
	check_text(&out, "START RequestId: id-1 Version: $LATEST\n");
	lambda_write_report(&reply, 16 << 20, (3 << 20) + 1, 45678, &out);
	check_text(&out, "END RequestId: id-1\n"
			 "REPORT RequestId: id-1\tDuration: 1.23 ms\t"
			 "Billed Duration: 2 ms\tMemory Size: 16 MB\t"
			 "Max Memory Used: 4 MB\tRestore Duration: 0.05 ms\n");
	reply.run_ns = 2000000;
	lambda_write_report(&reply, 1, 0, 0, &out);
	check_text(&out, "END RequestId: id-1\n"
			 "REPORT RequestId: id-1\tDuration: 2.00 ms\t"
			 "Billed Duration: 2 ms\tMemory Size: 1 MB\t"
			 "Max Memory Used: 0 MB\tRestore Duration: 0.00 ms\n");
}
END_TEST

/* The tail of @size bytes at @log, decoded. */
static size_t tail(const char *log, size_t size, char *text, size_t text_size)
{
	struct buffer out = BUFFER_INIT(8192);
	int length;

	lambda_write_tail(log, size, &out);
	ck_assert(!out.failed);
	length = base64_decode(out.data, out.size, text, text_size);
	ck_assert_int_ge(length, 0);
	buffer_done(&out);
	return (size_t)length;
}

START_TEST(a_tail_is_the_last_4096_bytes)
{
	char log[4098], text[4098];

	ck_assert_uint_eq(tail("", 0, text, sizeof(text)), 0);
	ck_assert_uint_eq(tail("a\n", 2, text, sizeof(text)), 2);
	ck_assert_mem_eq(text, "a\n", 2);
	memset(log, 'x', sizeof(log));
	log[0] = '0';
	log[1] = '1';
	ck_assert_uint_eq(tail(log, 4095, text, sizeof(text)), 4095);
	ck_assert_uint_eq(tail(log, 4096, text, sizeof(text)), 4096);
	ck_assert_int_eq(text[0], '0');
	ck_assert_uint_eq(tail(log, 4097, text, sizeof(text)), 4096);
	ck_assert_int_eq(text[0], '1');
	ck_assert_uint_eq(tail(log, 4098, text, sizeof(text)), 4096);
	ck_assert_int_eq(text[0], 'x');
}
END_TEST

START_TEST(a_tail_does_not_begin_inside_a_character)
{
	static const char *const characters[] = { "\xc3\xbc", "\xe2\x82\xac",
						  "\xf0\x9f\x90\xbb" };
	char log[4096 + 4], text[4096 + 4];

	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(characters[i]);

		memset(log, 'x', sizeof(log));
		memcpy(log, characters[i], length);
		for (size_t cut = 0; cut <= length; cut++) {
			size_t kept = cut ? length - cut : 0;
			size_t got = tail(log, 4096 + cut, text, sizeof(text));

			ck_assert_uint_eq(got, 4096 - kept);
			ck_assert_int_eq(text[0], cut ? 'x' : log[0]);
		}
	}
	/* the log begins so: nothing was cut */
	memset(log, '\x80', sizeof(log));
	ck_assert_uint_eq(tail(log, 4096, text, sizeof(text)), 4096);
	/* no more is left out than a character has */
	ck_assert_uint_eq(tail(log, 4097, text, sizeof(text)), 4093);
}
END_TEST

#define LOOP(test, samples)                 \
	tcase_add_loop_test(tests, test, 0, \
			    sizeof(samples) / sizeof(*(samples)))

int main(void)
{
	Suite *suite = suite_create("lambda_answers");
	TCase *tests = tcase_create("lambda_answers");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_function_that_is_not_there_is_named_by_its_arn);
	LOOP(errors_of_thaw_have_lambdas_names, meanings);
	tcase_add_test(tests, a_long_message_is_cut);
	tcase_add_test(tests, a_payload_is_json_or_empty);
	tcase_add_test(tests,
		       a_payload_that_is_nested_too_deep_is_not_the_clis_fault);
	LOOP(what_a_function_reports_is_handled, failures);
	tcase_add_test(tests, log_lines_are_as_lambdas);
	tcase_add_test(tests, a_tail_is_the_last_4096_bytes);
	tcase_add_test(tests, a_tail_does_not_begin_inside_a_character);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
