/*
 * test_hyperlight_host.c - Hyperlight guests that call host functions: those of this
 * program, and thaw's own by the names that Hyperlight has for them.
 */
#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/contract/support/hyperlight.h"

#define ROWS(rows) (rows), sizeof(rows) / sizeof(*(rows))

#define ALLOW_MINE                                                        \
	"\"HostMethod1\",\"HostMethod4\",\"HostAdd\",\"HostSameInt\","    \
	"\"HostSameUInt\",\"HostSameLong\",\"HostSameULong\","            \
	"\"HostSameFloat\",\"HostSameDouble\",\"HostSameBool\","          \
	"\"HostSameString\",\"HostSameVecBytes\",\"HostFunc1\",\"Spin\"," \
	"\"Fails\""
#define HOST(allowed) "\"host\":{\"allow\":[" allowed "]}"
#define HOST_ALL HOST(ALLOW_MINE ",\"print\",\"read\",\"time\"")

static char message[128]; /* that HostMethod1 got last */
static atomic_uint messages, spinning;

static void return_int(struct thaw_host_call *call, int number)
{
	const struct thaw_value value = { .type = THAW_TYPE_INT,
					  .as.i32 = number };

	ck_assert_int_eq(thaw_host_return(call, &value), 0);
}

static void call_method(void *cookie, struct thaw_host_call *call)
{
	const char *text = call->arguments[0].as.string.data;

	(void)cookie;
	if (!strcmp(text, "Hello from GuestFunction2, fail")) {
		thaw_host_fail(call, "Host function error!");
		return;
	}
	if (!strcmp(text, "Hello from GuestFunction3, parallel"))
		atomic_fetch_add(&messages, 1);
	else
		snprintf(message, sizeof(message), "%s", text);
	return_int(call, (int)strlen(text));
}

static void call_nothing(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	if (call->count)
		snprintf(message, sizeof(message), "%s",
			 call->arguments[0].as.string.data);
}

static void call_add(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	return_int(call, call->arguments[0].as.i32 + call->arguments[1].as.i32);
}

static void call_same(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	ck_assert_int_eq(thaw_host_return(call, &call->arguments[0]), 0);
}

static void call_fails(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	thaw_host_fail(call, "it always does");
}

/* Until its caller has been stopped. */
static void call_spin(void *cookie, struct thaw_host_call *call)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)cookie;
	atomic_fetch_add(&spinning, 1);
	while (!thaw_host_is_abandoned(call))
		nanosleep(&ms, NULL);
	atomic_fetch_sub(&spinning, 1);
}

static const enum thaw_type ints[] = { THAW_TYPE_INT, THAW_TYPE_INT };
static const enum thaw_type of_uint[] = { THAW_TYPE_UINT };
static const enum thaw_type of_long[] = { THAW_TYPE_LONG };
static const enum thaw_type of_ulong[] = { THAW_TYPE_ULONG };
static const enum thaw_type of_float[] = { THAW_TYPE_FLOAT };
static const enum thaw_type of_double[] = { THAW_TYPE_DOUBLE };
static const enum thaw_type of_bool[] = { THAW_TYPE_BOOL };
static const enum thaw_type of_string[] = { THAW_TYPE_STRING };
static const enum thaw_type of_bytes[] = { THAW_TYPE_BYTES };

#define OFFER(name_, returns_, types_, count_, call_, flags_)        \
	{                                                            \
		.name = name_, .returns = returns_, .types = types_, \
		.count = count_, .call = call_, .flags = flags_      \
	}
#define SAME(type, constant, types) \
	OFFER("HostSame" #type, constant, types, 1, call_same, THAW_HOST_INLINE)

static const struct thaw_host_function mine[] = {
	OFFER("HostMethod1", THAW_TYPE_INT, of_string, 1, call_method, 0),
	OFFER("HostMethod4", THAW_TYPE_VOID, of_string, 1, call_nothing, 0),
	OFFER("HostFunc1", THAW_TYPE_VOID, NULL, 0, call_nothing,
	      THAW_HOST_INLINE),
	OFFER("HostAdd", THAW_TYPE_INT, ints, 2, call_add, THAW_HOST_INLINE),
	OFFER("Spin", THAW_TYPE_VOID, NULL, 0, call_spin, 0),
	OFFER("Fails", THAW_TYPE_INT, NULL, 0, call_fails, THAW_HOST_INLINE),
	SAME(Int, THAW_TYPE_INT, ints),
	SAME(UInt, THAW_TYPE_UINT, of_uint),
	SAME(Long, THAW_TYPE_LONG, of_long),
	SAME(ULong, THAW_TYPE_ULONG, of_ulong),
	SAME(Float, THAW_TYPE_FLOAT, of_float),
	SAME(Double, THAW_TYPE_DOUBLE, of_double),
	SAME(Bool, THAW_TYPE_BOOL, of_bool),
	SAME(String, THAW_TYPE_STRING, of_string),
	SAME(VecBytes, THAW_TYPE_BYTES, of_bytes),
};

static void open_host(int i, const char *more)
{
	offered.functions = mine;
	offered.count = sizeof(mine) / sizeof(*mine);
	hyperlight_open(i, more);
}

static const struct hyperlight_row calls[] = {
	{ "Add", "20,22", "{\"result\":42}" },
	{ "RoundTripHostI32", "-2147483648", "{\"result\":-2147483648}" },
	{ "RoundTripHostU32", "4294967295", "{\"result\":4294967295}" },
	{ "RoundTripHostI64", "-9223372036854775808",
	  "{\"result\":-9223372036854775808}" },
	{ "RoundTripHostU64", "18446744073709551615",
	  "{\"result\":18446744073709551615}" },
	{ "RoundTripHostFloat", "1.5", "{\"result\":1.5}" },
	{ "RoundTripHostFloat", "\"NaN\"", "{\"result\":\"NaN\"}" },
	{ "RoundTripHostDouble", "-0.0", "{\"result\":-0.0}" },
	{ "RoundTripHostDouble", "\"-Infinity\"",
	  "{\"result\":\"-Infinity\"}" },
	{ "RoundTripHostBool", "true", "{\"result\":true}" },
	{ "RoundTripHostBool", "false", "{\"result\":false}" },
	{ "RoundTripHostString", "\"na\\u00efve\"",
	  "{\"result\":\"na\xc3\xafve\"}" },
	{ "RoundTripHostString", "\"\"", "{\"result\":\"\"}" },
	{ "RoundTripHostVecBytes", "\"AAH/gA==\"",
	  "{\"result\":\"AAH/gA==\"}" },
	{ "RoundTripHostVecBytes", "\"\"", "{\"result\":\"\"}" },
	{ "HostCallLoop", "\"HostFunc1\",100", "{\"result\":100}" },
	{ "CallHostRead", "100", "{\"result\":\"\"}" },
};

START_TEST(values_pass_to_the_host_and_back)
{
	open_host(_i, HOST_ALL);
	hyperlight_calls(ROWS(calls));
	hyperlight_calls(ROWS(calls));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(callbacks_reach_the_host)
{
	open_host(_i, HOST_ALL);
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(hyperlight_call("GuestMethod1",
						 "\"Hello world\""),
				 "{\"result\":38}");
		ck_assert_str_eq(message,
				 "Hello from GuestFunction1, Hello world");
		ck_assert_str_eq(hyperlight_call("GuestMethod4", ""),
				 "{\"result\":null}");
		ck_assert_str_eq(message, "Hello from GuestFunction4");
	}
	thaw_close(hyperlight);
}
END_TEST

#define THREADS 100

static void *call_back(void *wrong)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(hyperlight_call("GuestMethod3", "\"parallel\""),
			   "{\"result\":35}") != 0)
			atomic_fetch_add((atomic_uint *)wrong, 1);
	return NULL;
}

START_TEST(a_hundred_threads_have_callbacks)
{
	pthread_t threads[THREADS];
	atomic_uint wrong = 0;

	open_host(_i, HOST_ALL ",\"timeout\":\"60s\",\"concurrency\":{"
			       "\"max\":4,\"queue\":128,"
			       "\"queue_timeout\":\"60s\"}");
	atomic_store(&messages, 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call_back,
						&wrong),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(atomic_load(&messages), 3 * THREADS);
	thaw_close(hyperlight);
}
END_TEST

#define FAILED(text) "Hyperlight.HostFunctionError: error 17: " text
#define ERRED(text) "Hyperlight.GuestError: error 15: " text

static const struct hyperlight_row errors[] = {
	{ "GuestMethod2", "\"fail\"",
	  FAILED("HostMethod1: Host function error!") },
	{ "HostCallLoop", "\"Fails\",1", FAILED("Fails: *") },
	{ "HostCallLoop", "\"NoSuch\",1", FAILED("NoSuch: *host.allow*") },
	/* two ints, and it returns one */
	{ "HostCallLoop", "\"HostAdd\",1", FAILED("HostAdd: *") },
	{ "GetNothing", "",
	  ERRED("there is no result of a host function to get as Int") },
	{ "GetTwice", "",
	  ERRED("there is no result of a host function to get as Int") },
	{ "GetOtherType", "",
	  ERRED("the result of the host function is no UInt") },
	{ "CallUnnamed", "",
	  ERRED("a host function is called without a name") },
	{ "CallWithNull", "",
	  ERRED("a String argument of a host function is NULL") },
	{ "CallWithOddType", "",
	  "Hyperlight.UnsupportedParameterType: error 2: there is no "
	  "parameter type 77" },
	{ "CallWith17", "",
	  ERRED("HostPrint is called with 17 arguments; 16 are allowed") },
	{ "CallForOddType", "",
	  "Hyperlight.UnsupportedParameterType: error 2: HostPrint is to "
	  "return type 77, which does not exist" },
	/* any name, with any arguments */
	{ "FuzzHostFunc", "\"HostAdd\",1,\"x\"", FAILED("HostAdd: *") },
	{ "FuzzHostFunc", "\"Fails\",\"x\",2.5,true,-1", FAILED("Fails: *") },
	{ "FuzzHostFunc", "\"\xf0\x9f\x98\x80\",1", FAILED("*") },
	{ "FuzzHostFunc",
	  "\"a name of more than sixty-three characters, which "
	  "is more than a name may have\"",
	  FAILED("a name *") },
};

START_TEST(errors_of_host_functions_end_one_invocation)
{
	open_host(_i, HOST_ALL);
	hyperlight_calls(ROWS(errors));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(a_thousand_errors_harm_nothing)
{
	open_host(_i, HOST_ALL);
	for (int i = 0; i < 1000; i++)
		ck_assert_str_eq(hyperlight_call("GuestMethod2", "\"fail\""),
				 FAILED("HostMethod1: Host function error!"));
	ck_assert_str_eq(hyperlight_call("Add", "1,2"), "{\"result\":3}");
	thaw_close(hyperlight);
}
END_TEST

START_TEST(what_is_not_allowed_does_not_exist)
{
	static const struct hyperlight_row rows[] = {
		{ "Add", "1,2", FAILED("HostAdd: *host.allow*") },
		{ "CallHostPrint", "\"x\"", FAILED("HostPrint: *host.allow*") },
		{ "CallHostRead", "1", FAILED("HostRead: *host.allow*") },
	};

	open_host(_i, HOST("\"HostMethod1\""));
	hyperlight_calls(ROWS(rows));
	thaw_close(hyperlight);
	/* the catalog allows none at all */
	open_host(_i, "");
	hyperlight_calls(ROWS(rows));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(HostPrint_is_print)
{
	open_host(_i, HOST_ALL);
	logged.lines = 0;
	ck_assert_str_eq(hyperlight_call("CallHostPrint", "\"by the host\""),
			 "{\"result\":11}");
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "by the host");
	thaw_close(hyperlight);
}
END_TEST

static uint64_t seconds_of(const char *function)
{
	const char *text = hyperlight_call(function, "");

	ck_assert_msg(!strncmp(text, "{\"result\":", 10), "%s", text);
	return strtoull(text + 10, NULL, 10);
}

/* time() may be behind the clocks of the guest by a tick. */
START_TEST(CurrentTime_is_time_or_counts_from_2021)
{
	uint64_t before_s = (uint64_t)time(NULL), seconds;
	struct timespec before, up;

	open_host(_i, HOST_ALL);
	seconds = seconds_of("CallCurrentTime");
	ck_assert_uint_ge(seconds, before_s);
	ck_assert_uint_le(seconds, (uint64_t)time(NULL) + 1);
	thaw_close(hyperlight);

	open_host(_i, HOST("\"print\""));
	clock_gettime(CLOCK_MONOTONIC, &before);
	seconds = seconds_of("CallCurrentTime");
	clock_gettime(CLOCK_MONOTONIC, &up);
	ck_assert_uint_ge(seconds, 1609459200 + (uint64_t)before.tv_sec);
	ck_assert_uint_le(seconds, 1609459200 + (uint64_t)up.tv_sec);
	ck_assert_uint_ge(seconds_of("CallCurrentTime"), seconds);
	/* the clocks of C need no host */
	seconds = seconds_of("TimeOfC");
	ck_assert_uint_ge(seconds, before_s);
	ck_assert_uint_le(seconds, (uint64_t)time(NULL) + 1);
	thaw_close(hyperlight);
}
END_TEST

START_TEST(a_guest_is_stopped_while_it_calls_the_host)
{
	open_host(_i, HOST_ALL);
	for (int i = 0; i < 2; i++) {
		hyperlight_stops("CallHostSpin", "");
		hyperlight_stops("CallHostThenSpin", "\"HostFunc1\"");
		hyperlight_stops("HostCallLoop", "\"HostFunc1\",2000000000");
	}
	thaw_close(hyperlight);
	ck_assert_uint_eq(atomic_load(&spinning), 0);
}
END_TEST

static const struct hyperlight_row second_rows[] = {
	{ "CallHostExpectError", "\"Fails\"", "{\"result\":true}" },
	{ "CallHostExpectError", "\"NoSuch\"", "{\"result\":true}" },
	{ "RoundTripHostByteChunks", "\"AQIDBAUG\"",
	  "{\"result\":\"AQIDBAUG\"}" },
	{ "RoundTripHostByteChunks", "\"\"", "{\"result\":\"\"}" },
};

START_TEST(the_second_generation_has_errors_as_values_and_chunks)
{
	open_host(2 * _i + 1, HOST_ALL);
	hyperlight_calls(ROWS(second_rows));
	hyperlight_calls(ROWS(second_rows));
	thaw_close(hyperlight);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hyperlight host");
	TCase *group = tcase_create("hyperlight host");
	const int count = hyperlight_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, values_pass_to_the_host_and_back, 0, count);
	tcase_add_loop_test(group, callbacks_reach_the_host, 0, count);
	tcase_add_loop_test(group, a_hundred_threads_have_callbacks, 0, count);
	tcase_add_loop_test(group, errors_of_host_functions_end_one_invocation,
			    0, count);
	tcase_add_loop_test(group, a_thousand_errors_harm_nothing, 0, 2);
	tcase_add_loop_test(group, what_is_not_allowed_does_not_exist, 0,
			    count);
	tcase_add_loop_test(group, HostPrint_is_print, 0, count);
	tcase_add_loop_test(group, CurrentTime_is_time_or_counts_from_2021, 0,
			    count);
	tcase_add_loop_test(group, a_guest_is_stopped_while_it_calls_the_host,
			    0, count);
	tcase_add_loop_test(
		group, the_second_generation_has_errors_as_values_and_chunks, 0,
		backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
