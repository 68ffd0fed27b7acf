/*
 * test_hyperlight.c - calls of Hyperlight guests: types, memory, logs, errors that are
 * set, and what the interface refuses. docs/hyperlight.md has the scenarios.
 */
#include <errno.h>
#include <float.h>
#include <fnmatch.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/support/hyperlight.h"

#define ROWS(rows) (rows), sizeof(rows) / sizeof(*(rows))

static const struct hyperlight_row values[] = {
	{ "Echo", "\"Hello, world!\"", "{\"result\":\"Hello, world!\"}" },
	{ "Echo", "\"\"", "{\"result\":\"\"}" },
	{ "Echo", "\"\\u00e9\\ud83d\\ude00\"",
	  "{\"result\":\"\xc3\xa9\xf0\x9f\x98\x80\"}" },
	{ "EchoI32", "-2147483648", "{\"result\":-2147483648}" },
	{ "EchoU32", "4294967295", "{\"result\":4294967295}" },
	{ "EchoI64", "-9223372036854775808",
	  "{\"result\":-9223372036854775808}" },
	{ "EchoU64", "18446744073709551615",
	  "{\"result\":18446744073709551615}" },
	{ "EchoBool", "true", "{\"result\":true}" },
	{ "EchoBool", "false", "{\"result\":false}" },
	{ "NoOp", "", "{\"result\":null}" },
	{ "Shout", "\"quiet\"", "{\"result\":\"QUIET\"}" },
	{ "GetSizePrefixedBuffer", "\"AQIDBAUG\"",
	  "{\"result\":\"AQIDBAUG\"}" },
	{ "GetSizePrefixedBuffer", "\"\"", "{\"result\":\"\"}" },
	{ "SetByteArrayToZero", "\"AQEBAQEBAQEBAQ==\"",
	  "{\"result\":\"AAAAAAAAAAAAAA==\"}" },
	{ "Twice", "", "{\"result\":2}" },
	{ "UseSSE2Registers", "1.5,2,0.5", "{\"result\":204.0}" },
	{ "24K_in_8K_out", "\"AQ==\"",
	  "Hyperlight.GuestError: error 15: no 24 KiB" },
	{ "RunsOfMain", "", "{\"result\":1}" },
	/* the dispatch function */
	{ "ThisIsNotARealFunctionButTheNameIsImportant", "",
	  "{\"result\":99}" },
	{ "FunctionDoesntExist", "",
	  "Hyperlight.GuestFunctionNotFound: error 4: FunctionDoesntExist" },
	{ "Tags", "1,-1,18446744073709551615,1.5,true,\"text\"",
	  "{\"result\":\"2 2 3 5 7 6 -> 8\"}" },
};

START_TEST(values_come_back_as_they_were)
{
	hyperlight_open(_i, "");
	/* twice: nothing of the first is left */
	hyperlight_calls(ROWS(values));
	hyperlight_calls(ROWS(values));
	thaw_close(hyperlight);
}
END_TEST

static int call_value(const char *name, const struct thaw_value *arguments,
		      size_t count, struct thaw_reply *reply,
		      struct thaw_value *result)
{
	const struct thaw_typed_call of = {
		.name = name,
		.arguments = arguments,
		.count = count,
	};

	return thaw_call(hyperlight, "guest", &of, &hyperlight_error, reply,
			 result);
}

static void double_comes_back(double number)
{
	const struct thaw_value value = { .type = THAW_TYPE_DOUBLE,
					  .as = { .f64 = number } };
	struct thaw_value result;
	struct thaw_reply reply;

	ck_assert_int_eq(call_value("EchoDouble", &value, 1, &reply, &result),
			 0);
	ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
	ck_assert_uint_eq(result.as.u64, value.as.u64);
	thaw_reply_release(&reply);
}

static void float_comes_back(float number)
{
	const struct thaw_value value = { .type = THAW_TYPE_FLOAT,
					  .as = { .f32 = number } };
	struct thaw_value result;
	struct thaw_reply reply;

	ck_assert_int_eq(call_value("EchoFloat", &value, 1, &reply, &result),
			 0);
	ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
	ck_assert_uint_eq(result.as.u32, value.as.u32);
	thaw_reply_release(&reply);
}

START_TEST(floating_point_keeps_its_bits)
{
	static const double doubles[] = {
		0,	  -0.0,	       1,	-1,	  M_PI,
		-M_PI,	  -1231.43821, DBL_MAX, -DBL_MAX, DBL_EPSILON,
		INFINITY, -INFINITY,   NAN,	-NAN,	  5e-324,
	};

	hyperlight_open(_i, "");
	for (size_t i = 0; i < sizeof(doubles) / sizeof(*doubles); i++) {
		double_comes_back(doubles[i]);
		float_comes_back((float)doubles[i]);
	}
	float_comes_back(FLT_MAX);
	float_comes_back(FLT_EPSILON);
	thaw_close(hyperlight);
}
END_TEST

/* Of the sizes that Hyperlight's tests have, and up to max_request. */
START_TEST(bytes_may_be_as_large_as_the_windows)
{
	static char bytes[40 << 10];
	const struct thaw_value parameters[] = {
		{ .type = THAW_TYPE_BYTES,
		  .as = { .bytes = { bytes, sizeof(bytes) } } },
		{ .type = THAW_TYPE_STRING,
		  .as = { .string = { repeat('x', 10000), 10000 } } },
	};
	struct thaw_value in = { .type = THAW_TYPE_BYTES }, result;
	struct thaw_reply reply;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	in.as.bytes = (struct thaw_bytes){ bytes, 24 << 10 };
	hyperlight_open(_i, "");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(call_value("24K_in_8K_out", &in, 1, &reply,
					    &result),
				 0);
		ck_assert_int_eq(result.type, THAW_TYPE_BYTES);
		ck_assert_uint_eq(result.as.bytes.size, 8 << 10);
		ck_assert_mem_eq(result.as.bytes.data, bytes, 8 << 10);
		thaw_reply_release(&reply);
		ck_assert_int_eq(call_value("LargeParameters", parameters, 2,
					    &reply, &result),
				 0);
		ck_assert_uint_eq(result.as.u64, sizeof(bytes) + 10000);
		thaw_reply_release(&reply);
	}
	thaw_close(hyperlight);
}
END_TEST

static const struct hyperlight_row memory_rows[] = {
	{ "SetStatic", "", "{\"result\":1048576}" },
	{ "AddToStatic", "5", "{\"result\":5}" },
	{ "AddToStatic", "7", "{\"result\":7}" },
	{ "AddToStaticAndFail", "5",
	  "Hyperlight.GuestError: error 15: Crash on purpose" },
	{ "AllocAndWritePattern", "4096", "{\"result\":4096}" },
	/* another invocation has written it */
	{ "ReadPattern", "4096", "{\"result\":false}" },
	{ "CallMalloc", "4096", "{\"result\":4096}" },
	{ "MallocAndFree", "2048", "{\"result\":2048}" },
	{ "TestMalloc", "100", "{\"result\":100}" },
	{ "CallMalloc", "2147483647",
	  "Hyperlight.GuestError: error 15: Malloc Failed" },
	{ "AllocAndWritePattern", "9223372036854775807",
	  "Hyperlight.MallocFailed: error 13: no pattern" },
};

START_TEST(memory_is_that_of_the_snapshot_again)
{
	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(memory_rows));
	hyperlight_calls(ROWS(memory_rows));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(random_numbers_are_new_in_each_invocation)
{
	char first[64];

	hyperlight_open(_i, "");
	snprintf(first, sizeof(first), "%s",
		 hyperlight_call("NextRandomLong", ""));
	ck_assert_str_ne(hyperlight_call("NextRandomLong", ""), first);
	snprintf(first, sizeof(first), "%s", hyperlight_call("NextRandom", ""));
	ck_assert_str_ne(hyperlight_call("NextRandom", ""), first);
	thaw_close(hyperlight);
}
END_TEST

static const struct {
	const char *function;
	unsigned count;
} prints[] = {
	{ "PrintTwoArgs", 2 },	 { "PrintThreeArgs", 3 },
	{ "PrintFourArgs", 4 },	 { "PrintFiveArgs", 5 },
	{ "PrintSixArgs", 6 },	 { "PrintSevenArgs", 7 },
	{ "PrintEightArgs", 8 }, { "PrintNineArgs", 9 },
	{ "PrintTenArgs", 10 },	 { "PrintElevenArgs", 11 },
};

/* Calls it with the first arguments of eleven; the message names each of them. */
static void print(const char *function, unsigned count)
{
	static const char *const arguments[] = {
		"\"1\"", "2", "3", "\"4\"", "\"5\"", "true",
		"false", "8", "9", "10",    "3.123",
	};
	char given[128] = "", message[256] = "Message:", result[32];
	const char *is;

	for (unsigned i = 0; i < count; i++) {
		const char *text = arguments[i];

		strcat(strcat(given, i ? "," : ""), text);
		snprintf(message + strlen(message),
			 sizeof(message) - strlen(message), " arg%u:%.*s",
			 i + 1, (int)strlen(text) - 2 * (*text == '"'),
			 text + (*text == '"'));
	}
	strcat(message, ".");
	snprintf(result, sizeof(result), "{\"result\":%zu}", strlen(message));
	logged.lines = 0;
	is = hyperlight_call(function, given);
	ck_assert_str_eq(is, result);
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, message);
}

START_TEST(up_to_eleven_parameters_arrive_in_order)
{
	hyperlight_open(_i, "");
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(prints) / sizeof(*prints); i++)
			print(prints[i].function, prints[i].count);
	ck_assert_str_eq(hyperlight_call("PrintFourArgs",
					 "\"Test4\",3,4,\"Tested\""),
			 "{\"result\":46}");
	logged.lines = 0;
	ck_assert_str_eq(hyperlight_call("PrintOutput", "\"hello\""),
			 "{\"result\":5}");
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "hello");
	ck_assert_str_eq(hyperlight_call("PrintUsingPrintf", "\"bye\""),
			 "{\"result\":4}");
	ck_assert_uint_eq(logged.lines, 2);
	ck_assert_str_eq(logged.text, "bye");
	thaw_close(hyperlight);
}
END_TEST

/* Hyperlight's levels, error to trace, and what is logged of them at each level. */
START_TEST(log_lines_have_levels_and_are_filtered)
{
	static const char *const filters[] = { "error", "warn", "info",
					       "debug" };
	static const enum thaw_level levels[] = { THAW_LOG_ERROR, THAW_LOG_WARN,
						  THAW_LOG_INFO, THAW_LOG_DEBUG,
						  THAW_LOG_DEBUG };
	char more[64], arguments[64];

	for (unsigned filter = 0; filter < 4; filter++) {
		snprintf(more, sizeof(more), "\"log_level\":\"%s\"",
			 filters[filter]);
		hyperlight_open(_i, more);
		for (unsigned level = 1; level <= 5; level++) {
			snprintf(arguments, sizeof(arguments), "\"line %u\",%u",
				 level, level);
			logged.lines = 0;
			ck_assert_str_eq(hyperlight_call("LogMessage",
							 arguments),
					 "{\"result\":null}");
			ck_assert_uint_eq(logged.lines,
					  levels[level - 1] <= filter);
			if (!logged.lines)
				continue;
			ck_assert_int_eq(logged.level, levels[level - 1]);
			ck_assert_msg(!fnmatch("line ? (*prints.c:*)",
					       logged.text, 0),
				      "%s", logged.text);
		}
		/* a level that is none */
		ck_assert_str_eq(hyperlight_call("LogMessage", "\"x\",-77"),
				 "{\"result\":null}");
		thaw_close(hyperlight);
	}
}
END_TEST

/* Before the guest runs, as of typed functions. */
START_TEST(wrong_arguments_are_refused_and_harm_nothing)
{
	static const struct {
		const char *function, *arguments;
		int result;
		const char *why;
	} wrong[] = {
		{ "Echo", "2", -EINVAL,
		  "function guest: Echo: argument 1: expected string *, given "
		  "the number 2" },
		{ "Echo", "\"1\",2", -EINVAL,
		  "function guest: Echo: expected 1 argument, given 2: string "
		  "Echo(string)" },
		{ "SetByteArrayToZero", "", -EINVAL,
		  "function guest: SetByteArrayToZero: expected 1 argument, "
		  "given 0: bytes SetByteArrayToZero(bytes)" },
		{ "Echo", "\"a\\u0000b\"", -EINVAL, "*U+0000*" },
		{ "EchoI32", "2147483648", -EINVAL, "*expected int*" },
	};
	struct thaw_stats stats;

	hyperlight_open(_i, "");
	ck_assert_int_eq(thaw_deploy(hyperlight, "guest", &hyperlight_error),
			 0);
	for (size_t i = 0; i < 4 * sizeof(wrong) / sizeof(*wrong); i++) {
		const size_t n = i % (sizeof(wrong) / sizeof(*wrong));
		const char *is = hyperlight_refusal(wrong[n].function,
						    wrong[n].arguments,
						    wrong[n].result);

		ck_assert_msg(!fnmatch(wrong[n].why, is, 0), "%s", is);
	}
	ck_assert_int_eq(thaw_get_stats(hyperlight, "guest", &hyperlight_error,
					&stats),
			 0);
	ck_assert_uint_eq(stats.polled + stats.exited, 0);
	ck_assert_str_eq(hyperlight_call("Echo", "\"ok\""),
			 "{\"result\":\"ok\"}");
	thaw_close(hyperlight);
}
END_TEST

static const struct hyperlight_row mistakes[] = {
	{ "SetError", "15,\"first\"",
	  "Hyperlight.GuestError: error 15: first" },
	{ "SetError", "2,\"\"",
	  "Hyperlight.UnsupportedParameterType: error 2: " },
	{ "SetError", "3,\"x\"",
	  "Hyperlight.GuestFunctionNameNotProvided: error 3: x" },
	{ "SetError", "4,\"x\"",
	  "Hyperlight.GuestFunctionNotFound: error 4: x" },
	{ "SetError", "5,\"x\"",
	  "Hyperlight.GuestFunctionIncorrecNoOfParameters: error 5: x" },
	{ "SetError", "6,\"x\"",
	  "Hyperlight.GispatchFunctionPointerNotSet: error 6: x" },
	{ "SetError", "7,\"x\"", "Hyperlight.OutbError: error 7: x" },
	{ "SetError", "8,\"x\"", "Hyperlight.UnknownError: error 8: x" },
	{ "SetError", "10,\"x\"", "Hyperlight.GsCheckFailed: error 10: x" },
	{ "SetError", "11,\"x\"",
	  "Hyperlight.TooManyGuestFunctions: error 11: x" },
	{ "SetError", "12,\"x\"", "Hyperlight.FailureInDlmalloc: error 12: x" },
	{ "SetError", "13,\"x\"", "Hyperlight.MallocFailed: error 13: x" },
	{ "SetError", "14,\"x\"",
	  "Hyperlight.GuestFunctionParameterTypeMismatch: error 14: x" },
	{ "SetError", "16,\"x\"",
	  "Hyperlight.ArrayLengthParamIsMissing: error 16: x" },
	{ "SetError", "17,\"x\"", "Hyperlight.HostFunctionError: error 17: x" },
	{ "SetError", "-1,\"x\"", "Hyperlight.UnknownError: error -1: x" },
	{ "SetError", "0,\"x\"", "{\"result\":5}" },
	{ "SetErrors", "\"one\",\"two\"",
	  "Hyperlight.GuestError: error 15: two" },
	{ "SetAndTakeBack", "\"x\"", "{\"result\":5}" },
	{ "SetErrorAndReturnNull", "",
	  "Hyperlight.GuestError: error 15: set before NULL" },
	{ "ReturnNull", "",
	  "Hyperlight.GuestError: error 15: the guest's function ReturnNull "
	  "returned NULL" },
	{ "ReturnOtherType", "",
	  "Hyperlight.GuestError: error 15: ReturnOtherType returned another "
	  "type than it is registered with" },
	{ "ReturnNoResult", "",
	  "Hyperlight.GuestError: error 15: what ReturnNoResult returned is "
	  "not made by a constructor of results" },
	{ "ReturnNullString", "",
	  "Hyperlight.GuestError: error 15: a String result is made of NULL" },
	{ "ReturnLatin1", "",
	  "Function.InvalidResponse: the function's result: *not UTF-8" },
	{ "RegisterLate", "",
	  "Hyperlight.GuestError: error 15: Late is registered after "
	  "hyperlight_main()" },
};

START_TEST(errors_end_one_invocation)
{
	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(mistakes));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(a_long_error_is_cut)
{
	char arguments[4200], expected[1100];

	hyperlight_open(_i, "");
	snprintf(arguments, sizeof(arguments), "15,\"%s\"", repeat('m', 4000));
	snprintf(expected, sizeof(expected),
		 "Hyperlight.GuestError: error 15: %s", repeat('m', 1000));
	ck_assert_str_eq(hyperlight_call("SetError", arguments), expected);
	thaw_close(hyperlight);
}
END_TEST

static const struct hyperlight_row second_rows[] = {
	{ "TurnChunks", "\"AQIDBAUG\"", "{\"result\":\"BAUGAQID\"}" },
	{ "TurnChunks", "\"\"", "{\"result\":\"\"}" },
	{ "TextWithZero", "",
	  "Hyperlight.GuestError: error 15: a String result has a zero in it" },
	{ "TextWithoutZero", "", "{\"result\":\"ab\"}" },
};

START_TEST(the_second_generation_has_chunks)
{
	hyperlight_open(2 * _i + 1, "");
	hyperlight_calls(ROWS(second_rows));
	hyperlight_calls(ROWS(second_rows));
	thaw_close(hyperlight);
}
END_TEST

#define INIT(name) "\"environment\":{\"INIT\":\"" name "\"}"
static const struct {
	const char *init;
	int result;
	const char *message; /* a pattern, after "function guest: " */
} inits[] = {
	{ INIT("many"), -ECANCELED,
	  "init failed: Hyperlight.TooManyGuestFunctions: error 11: * is one "
	  "function too many" },
	{ INIT("long"), -ECANCELED,
	  "init failed: Hyperlight.GuestError: error 15: the name the name of "
	  "* has more than 55 characters" },
	{ INIT("parameters"), -ECANCELED,
	  "init failed: Hyperlight.GuestError: error 15: Many has 17 "
	  "parameters; 16 are allowed" },
	{ INIT("type"), -ECANCELED,
	  "init failed: Hyperlight.UnsupportedParameterType: error 2: parameter "
	  "0 of Odd has type 200, which does not exist" },
	{ INIT("returns"), -ECANCELED,
	  "init failed: Hyperlight.UnsupportedParameterType: error 2: Odd "
	  "returns type 200, which does not exist" },
	{ INIT("null"), -ECANCELED,
	  "init failed: Hyperlight.GuestFunctionNameNotProvided: error 3: *" },
	{ INIT("utf-8"), -EPROTO, "the name of registered function * no name" },
	{ INIT("error"), -ECANCELED,
	  "init failed: Hyperlight.GuestError: error 15: set by init" },
	{ INIT("host"), -ECANCELED,
	  "init failed: Hyperlight.HostFunctionError: error 17: HostFunc1: "
	  "host functions cannot be called during init" },
	{ INIT("clock"), -ECANCELED,
	  "init failed: Hyperlight.HostFunctionError: error 17: CurrentTime: "
	  "host functions cannot be called during init" },
	{ INIT("abort"), -ECANCELED,
	  "init failed: Hyperlight.GuestAborted: code 3: aborted by init" },
};
#define INITS ((int)(sizeof(inits) / sizeof(*inits)))

START_TEST(an_init_that_errs_is_refused)
{
	char pattern[512];

	hyperlight_open(_i % 2, inits[_i / 2].init);
	snprintf(pattern, sizeof(pattern), "function guest: %s",
		 inits[_i / 2].message);
	ck_assert_int_eq(thaw_deploy(hyperlight, "guest", &hyperlight_error),
			 inits[_i / 2].result);
	ck_assert_msg(!fnmatch(pattern, hyperlight_error.message, 0), "%s",
		      hyperlight_error.message);
	thaw_close(hyperlight);
}
END_TEST

#define THREADS 50
static atomic_uint wrong;

static void *call_simply(void *unused)
{
	for (int i = 0; i < 10; i++) {
		if (strcmp(hyperlight_call("PrintOutput", "\"hello\""),
			   "{\"result\":5}") ||
		    strcmp(hyperlight_call("Echo", "\"world\""),
			   "{\"result\":\"world\"}") ||
		    strcmp(hyperlight_call("AddToStatic", "1"),
			   "{\"result\":1}"))
			atomic_fetch_add(&wrong, 1);
	}
	return unused;
}

START_TEST(fifty_threads_call_the_guest)
{
	pthread_t threads[THREADS];

	hyperlight_open(_i, "\"concurrency\":{\"max\":4,\"queue\":64,"
			    "\"queue_timeout\":\"60s\"},\"timeout\":\"60s\"");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call_simply,
						NULL),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	thaw_close(hyperlight);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hyperlight");
	TCase *group = tcase_create("hyperlight");
	const int count = hyperlight_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, values_come_back_as_they_were, 0, count);
	tcase_add_loop_test(group, floating_point_keeps_its_bits, 0, count);
	tcase_add_loop_test(group, bytes_may_be_as_large_as_the_windows, 0,
			    count);
	tcase_add_loop_test(group, memory_is_that_of_the_snapshot_again, 0,
			    count);
	tcase_add_loop_test(group, random_numbers_are_new_in_each_invocation, 0,
			    count);
	tcase_add_loop_test(group, up_to_eleven_parameters_arrive_in_order, 0,
			    count);
	tcase_add_loop_test(group, log_lines_have_levels_and_are_filtered, 0,
			    count);
	tcase_add_loop_test(group, wrong_arguments_are_refused_and_harm_nothing,
			    0, count);
	tcase_add_loop_test(group, errors_end_one_invocation, 0, count);
	tcase_add_loop_test(group, a_long_error_is_cut, 0, 2);
	tcase_add_loop_test(group, the_second_generation_has_chunks, 0,
			    backend_count());
	tcase_add_loop_test(group, an_init_that_errs_is_refused, 0, 2 * INITS);
	tcase_add_loop_test(group, fifty_threads_call_the_guest, 0, count);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
