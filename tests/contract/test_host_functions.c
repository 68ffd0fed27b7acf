/*
 * test_host_functions.c - host functions: those that a program offers and those that are built
 * in, their errors, how they are bound, functions that take long, functions that call
 * each other, and guests that lie.
 */
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "executor/host_builtins.h"
#include "guest/abi/thaw_host.h"
#include "tests/contract/support/guests.h"

#define ALLOW_MINE                                                  \
	"\"add\",\"greet\",\"echo\",\"nothing\",\"all\",\"fails\"," \
	"\"lies\",\"slow\""
#define ALLOW_BUILTIN                                               \
	"\"config\",\"env\",\"log\",\"print\",\"random\",\"read\"," \
	"\"time\""
#define HOST(more) "\"host\":{\"allow\":[" ALLOW_MINE "," ALLOW_BUILTIN more

static struct thaw *thaw;
static _Atomic unsigned running, abandoned;

static void return_text(struct thaw_host_call *call, const char *text)
{
	const struct thaw_value value = {
		.type = THAW_TYPE_STRING,
		.as.string = { text, strlen(text) },
	};

	ck_assert_int_eq(thaw_host_return(call, &value), 0);
}

static void call_add(void *cookie, struct thaw_host_call *call)
{
	const struct thaw_value sum = {
		.type = THAW_TYPE_INT,
		.as.i32 = call->arguments[0].as.i32 + call->arguments[1].as.i32,
	};

	ck_assert_ptr_eq(cookie, &running);
	ck_assert_uint_eq(call->count, 2);
	ck_assert_int_eq(thaw_host_return(call, &sum), 0);
}

static void call_greet(void *cookie, struct thaw_host_call *call)
{
	char text[256];

	(void)cookie;
	snprintf(text, sizeof(text), "Hello, %s, of %s",
		 call->arguments[0].as.string.data, call->function);
	return_text(call, text);
}

static void call_echo(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	(void)thaw_host_return(call, &call->arguments[0]);
}

static void call_nothing(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	(void)call;
}

static void call_all(void *cookie, struct thaw_host_call *call)
{
	const struct thaw_value *v = call->arguments;
	char text[256];

	(void)cookie;
	snprintf(text, sizeof(text),
		 "%d %u %lld %llu %g %g %d %s %.*s %d %d %s", v[0].as.i32,
		 v[1].as.u32, (long long)v[2].as.i64,
		 (unsigned long long)v[3].as.u64, (double)v[4].as.f32,
		 v[5].as.f64, v[6].as.boolean, v[7].as.string.data,
		 (int)v[8].as.bytes.size, (const char *)v[8].as.bytes.data,
		 v[9].as.i32, v[14].as.i32, v[15].as.string.data);
	return_text(call, text);
}

static void call_fails(void *cookie, struct thaw_host_call *call)
{
	(void)cookie;
	thaw_host_fail(call, call->arguments[0].as.string.data);
}

/* What its caller is to get instead of the int that it has declared. */
static void call_lies(void *cookie, struct thaw_host_call *call)
{
	const struct thaw_value text = { .type = THAW_TYPE_STRING };

	(void)cookie;
	if (call->arguments[0].as.i32 == 1)
		ck_assert_int_eq(thaw_host_return(call, &text), -EINVAL);
}

static void call_slow(void *cookie, struct thaw_host_call *call)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)cookie;
	running++;
	for (uint32_t i = 0; i < call->arguments[0].as.u32; i++) {
		nanosleep(&ms, NULL);
		if (!thaw_host_is_abandoned(call))
			continue;
		abandoned++;
		break;
	}
	running--;
}

static const enum thaw_type two_ints[] = { THAW_TYPE_INT, THAW_TYPE_INT };
static const enum thaw_type a_string[] = { THAW_TYPE_STRING };
static const enum thaw_type some_bytes[] = { THAW_TYPE_BYTES };
static const enum thaw_type a_uint[] = { THAW_TYPE_UINT };
static const enum thaw_type all_types[] = {
	THAW_TYPE_INT,	 THAW_TYPE_UINT,   THAW_TYPE_LONG, THAW_TYPE_ULONG,
	THAW_TYPE_FLOAT, THAW_TYPE_DOUBLE, THAW_TYPE_BOOL, THAW_TYPE_STRING,
	THAW_TYPE_BYTES, THAW_TYPE_INT,	   THAW_TYPE_INT,  THAW_TYPE_INT,
	THAW_TYPE_INT,	 THAW_TYPE_INT,	   THAW_TYPE_INT,  THAW_TYPE_STRING,
};

#define OFFER(name_, returns_, types_, count_, call_, cookie_, flags_) \
	{                                                              \
		.name = name_, .returns = returns_, .types = types_,   \
		.count = count_, .call = call_, .cookie = cookie_,     \
		.flags = flags_                                        \
	}

static struct thaw_host_function mine[] = {
	OFFER("add", THAW_TYPE_INT, two_ints, 2, call_add, &running,
	      THAW_HOST_INLINE),
	OFFER("greet", THAW_TYPE_STRING, a_string, 1, call_greet, NULL, 0),
	OFFER("echo", THAW_TYPE_BYTES, some_bytes, 1, call_echo, NULL,
	      THAW_HOST_INLINE),
	OFFER("nothing", THAW_TYPE_VOID, NULL, 0, call_nothing, NULL, 0),
	OFFER("all", THAW_TYPE_STRING, all_types, 16, call_all, NULL, 0),
	OFFER("fails", THAW_TYPE_INT, a_string, 1, call_fails, NULL, 0),
	OFFER("lies", THAW_TYPE_INT, two_ints, 1, call_lies, NULL, 0),
	OFFER("slow", THAW_TYPE_VOID, a_uint, 1, call_slow, NULL, 0),
};

static void open_host(int backend, const char *more)
{
	offered = (struct offered){ mine, sizeof(mine) / sizeof(*mine) };
	thaw = open_guest(backends[backend], "host", more);
	offered = (struct offered){ NULL, 0 };
}

#define ALL                                                                \
	HOST(",\"invoke\"],\"config\":{\"greeting\":\"hi\",\"n\":[1,2]}}," \
	     "\"environment\":{\"PLACE\":\"here\",\"EMPTY\":\"\"}")

static void expect(const char *call, const char *pattern)
{
	const char *is = call_once(thaw, "host", call);

	ck_assert_msg(!fnmatch(pattern, is, 0), "%s: %s", call, is);
}

#define CALL(name, args) "{\"function\":\"" name "\",\"args\":[" args "]}"

static const struct {
	const char *call, *outcome;
} calls[] = {
	{ CALL("call_add", "20,22"), "{\"result\":42}" },
	{ CALL("call_greet", "\"Ada\""),
	  "{\"result\":\"Hello, Ada, of host\"}" },
	{ CALL("call_echo", "\"AAH/\""), "{\"result\":\"AAH/\"}" },
	{ CALL("call_echo", "\"\""), "{\"result\":\"\"}" },
	{ CALL("call_echo_of", "60000"), "{\"result\":\"0: \"}" },
	{ CALL("call_echo_of", "70000"),
	  "{\"result\":\"4: *larger than host.max_size*\"}" },
	{ CALL("call_all", ""),
	  "{\"result\":\"-1 2 -3 4 1.5 2.5 1 h i 1 6 end\"}" },
	{ CALL("call_nothing", ""), "{\"result\":\"0: \"}" },
	{ CALL("call_fails", "\"as asked\""), "{\"result\":\"1: as asked\"}" },
	{ CALL("call_fails", "\"a\\u0001b\""), "{\"result\":\"1: a?b\"}" },
	{ CALL("call_lies", "0"),
	  "{\"result\":\"1: host function lies has set no result\"}" },
	{ CALL("call_lies", "1"),
	  "{\"result\":\"1: host function lies: its result is of another "
	  "type\"}" },
	{ CALL("call_slow", "1"), "{\"result\":\"0: \"}" },
	{ CALL("call_config", "\"greeting\""), "{\"result\":\"hi\"}" },
	{ CALL("call_config", "\"n\""), "{\"result\":\"\\[1,2\\]\"}" },
	{ CALL("call_config", "\"none\""),
	  "{\"result\":\"1: the catalog's host.config has no none\"}" },
	{ CALL("call_env", "\"PLACE\""), "{\"result\":\"here\"}" },
	{ CALL("call_env", "\"EMPTY\""), "{\"result\":\"\"}" },
	{ CALL("call_env", "\"PLAC\""),
	  "{\"result\":\"1: the catalog's environment has no PLAC\"}" },
	{ CALL("call_time", ""), "{\"result\":0}" },
	{ CALL("call_random", "0"), "{\"result\":\"random\"}" },
	{ CALL("call_random", "4096"), "{\"result\":\"random\"}" },
	{ CALL("call_random", "4097"),
	  "{\"result\":\"4: 4097 random bytes; one call returns 4096 at "
	  "most\"}" },
	{ CALL("call_by_name", "\"add\""), "{\"result\":\"0: \"}" },
	{ CALL("call_by_name", "\"no_such\""),
	  "{\"result\":\"2: no host function no_such*\"}" },
	{ CALL("call_by_name", "\"\""),
	  "{\"result\":\"3: the call is not valid\"}" },
	{ CALL("call_by_name", "\"greet\""),
	  "{\"result\":\"3: the host function is string greet(string)\"}" },
	{ CALL("print_as_string", ""),
	  "{\"result\":\"3: the host function is int print(string)\"}" },
	{ CALL("call_env", "\"PLACE=he\""),
	  "{\"result\":\"1: the catalog's environment has no PLACE=he\"}" },
	{ CALL("during_init", ""),
	  "{\"result\":\"5: host functions cannot be called during init\"}" },
	{ CALL("write_result", ""), "Runtime.Fault: *" },
};

START_TEST(host_functions_answer)
{
	open_host(_i, ALL);
	/* twice: nothing of the first is left */
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(*calls); i++) {
		const size_t n = i % (sizeof(calls) / sizeof(*calls));

		expect(calls[n].call, calls[n].outcome);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_handler_reads_its_request)
{
	open_host(_i, ALL ",\"entry\":\"read_all\"");
	ck_assert_str_eq(call_once(thaw, "host", "1234567"), "[123][456][7][]");
	ck_assert_str_eq(call_once(thaw, "host", ""), "[]");
	thaw_close(thaw);
}
END_TEST

/* Exits that an invocation took. */
static unsigned exits_of(const char *text)
{
	struct thaw_reply reply;

	call(thaw, "host", text, 0, &reply);
	ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
	thaw_reply_release(&reply);
	return reply.exits;
}

START_TEST(a_call_takes_one_exit_and_lines_take_none)
{
	open_host(_i, ALL);
	exits_of(CALL("call_often", "0"));
	for (unsigned i = 0; i < 3; i++) {
		const unsigned none = exits_of(CALL("call_often", "0"));

		ck_assert_uint_eq(exits_of(CALL("call_often", "7")), none + 7);
		logged.lines = 0;
		ck_assert_uint_eq(exits_of(CALL("call_print", "16")), none);
		ck_assert_uint_eq(logged.lines, 16);
		ck_assert_str_eq(logged.text, "a log line");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(lines_before_a_fault_arrive)
{
	open_host(_i, ALL);
	logged.lines = 0;
	expect(CALL("call_print_and_fault", ""), "Runtime.Fault: *");
	ck_assert_uint_eq(logged.lines, 3);
	ck_assert_str_eq(logged.text, "begun");
	thaw_close(thaw);
}
END_TEST

static void expect_refusal(const char *more, const char *pattern, int r)
{
	struct thaw_error error;

	open_host(0, more);
	ck_assert_int_eq(thaw_deploy(thaw, "host", &error), r);
	ck_assert_msg(!fnmatch(pattern, error.message, 0), "%s", error.message);
	thaw_close(thaw);
}

START_TEST(imports_are_bound_when_the_function_is_deployed)
{
	expect_refusal("\"host\":{\"allow\":[" ALLOW_BUILTIN "]}",
		       "function host: the image imports int add(int, int), "
		       "which the catalog's host.allow does not list: add "
		       "\"add\" to it",
		       -ENOENT);
	expect_refusal(HOST(",\"ad\"]}"),
		       "function host: host.allow lists \"ad\", and there is no "
		       "such host function: did you mean add?",
		       -ENOENT);
	mine[0].count = 1;
	expect_refusal(ALL,
		       "function host: the image imports int add(int, int), and "
		       "the host function is int add(int)",
		       -EINVAL);
	mine[0].count = 2;
}
END_TEST

static int open_offering(const struct thaw_host_function *functions,
			 size_t count, struct thaw_error *error)
{
	static const char text[] = "{\"version\":1,\"functions\":[]}";
	const struct thaw_options options = {
		.host_functions = functions,
		.host_function_count = count,
	};
	struct thaw *opened;
	int r = thaw_open_text(text, sizeof(text) - 1, "test.json", &options,
			       error, &opened);

	if (!r)
		thaw_close(opened);
	return r;
}

START_TEST(host_functions_that_make_no_sense_are_refused)
{
	static const enum thaw_type none[THAW_PARAMETERS_MAX + 1];
	static struct thaw_host_function many[THAW_HOST_FUNCTIONS_MAX + 1];
	static char names[THAW_HOST_FUNCTIONS_MAX + 1][16];
	const struct thaw_host_function bad[] = {
		OFFER("", THAW_TYPE_VOID, NULL, 0, call_nothing, NULL, 0),
		OFFER("a b", THAW_TYPE_VOID, NULL, 0, call_nothing, NULL, 0),
		OFFER(repeat('n', 56), THAW_TYPE_VOID, NULL, 0, call_nothing,
		      NULL, 0),
		OFFER("f", THAW_TYPE_NONE, NULL, 0, call_nothing, NULL, 0),
		OFFER("f", (enum thaw_type)11, NULL, 0, call_nothing, NULL, 0),
		OFFER("invoke", THAW_TYPE_VOID, NULL, 0, call_nothing, NULL, 0),
		OFFER("f", THAW_TYPE_VOID, none, 1, call_nothing, NULL, 0),
		OFFER("f", THAW_TYPE_VOID, none, 17, call_nothing, NULL, 0),
		OFFER("f", THAW_TYPE_VOID, NULL, 0, NULL, NULL, 0),
		OFFER("f", THAW_TYPE_VOID, NULL, 0, call_nothing, NULL, 2),
	};
	struct thaw_host_function twice[] = { mine[0], mine[0] };
	struct thaw_error error;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(open_offering(&bad[i], 1, &error), -EINVAL);
	ck_assert_int_eq(open_offering(twice, 2, &error), -EINVAL);
	ck_assert_str_eq(error.message, "two host functions are called add");
	twice[1].name = repeat('n', 55);
	ck_assert_int_eq(open_offering(twice, 2, &error), 0);
	for (size_t i = 0; i <= THAW_HOST_FUNCTIONS_MAX; i++) {
		many[i] = mine[0];
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		many[i].name = names[i];
	}
	ck_assert_int_eq(open_offering(many, THAW_HOST_FUNCTIONS_MAX, &error),
			 0);
	ck_assert_int_eq(open_offering(many, THAW_HOST_FUNCTIONS_MAX + 1,
				       &error),
			 -EINVAL);
}
END_TEST

START_TEST(a_host_function_that_takes_too_long_is_abandoned)
{
	struct thaw_reply reply;

	open_host(_i, ALL);
	abandoned = 0;
	for (unsigned i = 1; i <= 3; i++) {
		call(thaw, "host", CALL("call_slow", "60000"), 50000000,
		     &reply);
		ck_assert_int_eq(reply.result, THAW_TIMEOUT);
		ck_assert_str_eq(reply.error_message,
				 "not done within its timeout of 50.000 ms: "
				 "host function slow has not answered");
		thaw_reply_release(&reply);
		expect(CALL("call_greet", "\"Ada\""),
		       "{\"result\":\"Hello, Ada, of host\"}");
	}
	/* waits for them */
	thaw_close(thaw);
	ck_assert_uint_eq(abandoned, 3);
	ck_assert_uint_eq(running, 0);
}
END_TEST

START_TEST(polling_goes_on_while_a_host_function_runs)
{
	const struct thaw_invoke_request request = {
		.data = CALL("call_slow", "30"),
		.size = sizeof(CALL("call_slow", "30")) - 1,
	};
	struct thaw_error error;
	struct thaw_reply reply;
	unsigned polls = 0;
	int r;

	open_host(_i, ALL);
	r = thaw_start(thaw, "host", &request, &error, &reply);
	while (!r) {
		polls++;
		r = thaw_poll(&reply, &error);
	}
	ck_assert_msg(r == 1, "%s", error.message);
	ck_assert_uint_ge(polls, 1);
	ck_assert_str_eq(outcome(&reply), "{\"result\":\"0: \"}");
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

#define FUNCTION(name, more)                                           \
	"{\"name\":\"" name "\",\"image\":\"%s/host.elf\",\"memory\":" \
	"\"4MiB\",\"stack\":\"64KiB\",\"max_request\":\"4KiB\","       \
	"\"max_reply\":\"4KiB\",\"timeout\":\"10s\"," more "}"

START_TEST(functions_call_each_other)
{
	offered = (struct offered){ mine, sizeof(mine) / sizeof(*mine) };
	thaw = open_functions(
		backends[_i],
		FUNCTION("host", HOST(",\"invoke:other\"]}")) "," FUNCTION(
			"other", HOST(",\"invoke\"]},"
				      "\"concurrency\":{\"max\":1}")));
	offered = (struct offered){ NULL, 0 };
	for (int i = 0; i < 2; i++) {
		expect(CALL("call_invoke",
			    "\"other\",\"{\\\"function\\\":\\\"call_add\\\","
			    "\\\"args\\\":[20,22]}\""),
		       "{\"result\":\"{\\\\\"result\\\\\":42}\"}");
		/* an error of the other is an error of the call */
		expect(CALL("call_invoke", "\"other\",\"{\\\"function\\\":"
					   "\\\"write_result\\\"}\""),
		       "{\"result\":\"1: function other: Runtime.Fault: *\"}");
		expect(CALL("call_invoke", "\"other\",\"{}\""),
		       "{\"result\":\"3: function other: *\"}");
		/* itself is not listed, and a function that is not there neither */
		expect(CALL("call_invoke", "\"host\",\"{}\""),
		       "{\"result\":\"2: function host: the catalog's "
		       "host.allow lists neither *\"}");
		ck_assert_msg(strstr(call_once(thaw, "other",
					       CALL("call_invoke",
						    "\"no\",\"{}\"")),
				     "2: "),
			      "not found");
		/* other's only vm is busy with the caller */
		ck_assert_msg(
			strstr(call_once(thaw, "other",
					 CALL("call_invoke",
					      "\"other\",\"{\\\"function\\\":"
					      "\\\"call_nothing\\\"}\"")),
			       "5: all 1 vms are busy"),
			"busy");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(recursion_ends)
{
	const char *is;

	open_host(_i, HOST(",\"invoke\"]},\"concurrency\":{\"max\":16}"));
	is = call_once(thaw, "host", CALL("recurse", "0"));
	ck_assert_msg(strstr(is, "at 8: 1: function host: 8 calls"), "%s", is);
	thaw_close(thaw);
	open_host(_i, HOST(",\"invoke\"]},\"concurrency\":{\"max\":3}"));
	is = call_once(thaw, "host", CALL("recurse", "0"));
	ck_assert_msg(strstr(is, "at 2: 5: all 3 vms are busy"), "%s", is);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_callee_ends_with_its_caller)
{
	struct thaw_reply reply;

	open_host(_i, HOST(",\"invoke\"]},\"concurrency\":{\"max\":2}"));
	call(thaw, "host",
	     CALL("call_invoke",
		  "\"host\",\"{\\\"function\\\":\\\"call_slow\\\","
		  "\\\"args\\\":[60000]}\""),
	     100000000, &reply);
	ck_assert_msg(reply.result == THAW_TIMEOUT, "%s", outcome(&reply));
	thaw_reply_release(&reply);
	expect(CALL("call_add", "1,2"), "{\"result\":3}");
	thaw_close(thaw);
}
END_TEST

/* It would be ready after ten seconds. */
START_TEST(a_callee_that_boots_keeps_no_caller)
{
	struct thaw_reply reply;

	offered = (struct offered){ mine, sizeof(mine) / sizeof(*mine) };
	thaw = open_functions(
		backends[_i],
		FUNCTION("host", HOST(",\"invoke\"]}")) "," FUNCTION(
			"other",
			HOST(",\"invoke\"]},\"init_timeout\":\"100ms\","
			     "\"environment\":{\"INIT_MS\":"
			     "\"10000\"}")));
	offered = (struct offered){ NULL, 0 };
	call(thaw, "host", CALL("call_invoke", "\"other\",\"{}\""), 20000000,
	     &reply);
	ck_assert_msg(reply.result == THAW_TIMEOUT, "%s", outcome(&reply));
	thaw_reply_release(&reply);
	expect(CALL("call_add", "1,2"), "{\"result\":3}");
	expect(CALL("call_invoke", "\"other\",\"{}\""),
	       "{\"result\":\"1: function other: not ready within *\"}");
	thaw_close(thaw);
}
END_TEST

static _Atomic bool is_open;

static void call_hangs(void *cookie, struct thaw_host_call *call)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)cookie;
	(void)call;
	running++;
	while (!is_open)
		nanosleep(&ms, NULL);
}

/* They keep threads, and their callers' calls wait: so many, and no more memory. */
START_TEST(host_functions_that_hang_are_bounded)
{
	struct thaw_host_function hanging[sizeof(mine) / sizeof(*mine)];
	unsigned timeouts = 0, refusals = 0;
	struct thaw_reply reply;
	size_t before;

	memcpy(hanging, mine, sizeof(mine));
	hanging[7].call = call_hangs;
	offered = (struct offered){ hanging, sizeof(mine) / sizeof(*mine) };
	thaw = open_guest(backends[0], "host", ALL);
	offered = (struct offered){ NULL, 0 };
	running = 0;
	is_open = false;
	before = private_bytes();
	/* on a slow machine the deadline comes before some of the calls */
	while (timeouts < 2 * HOST_OFFLOADED_MAX && !refusals) {
		call(thaw, "host", CALL("call_slow", "1"), 1000000, &reply);
		timeouts += reply.result == THAW_TIMEOUT;
		refusals += reply.result == THAW_OK;
		if (reply.result == THAW_OK)
			ck_assert_msg(strstr(outcome(&reply),
					     "5: host function"),
				      "%s", outcome(&reply));
		thaw_reply_release(&reply);
	}
	ck_assert_uint_eq(refusals, 1);
	ck_assert_uint_le(running, THAW_HOST_THREADS_MAX / 2);
#ifndef TEST_SANITIZED
	ck_assert_uint_le(private_bytes(), before + (32 << 20));
#else
	(void)before;
#endif
	expect(CALL("call_add", "1,2"), "{\"result\":3}");
	is_open = true;
	thaw_close(thaw);
}
END_TEST

START_TEST(lies_are_answered_with_errors)
{
	char text[64];

	open_host(_i, ALL);
	expect(CALL("lie", "0"), "{\"result\":\"0: *\"}");
	for (int i = 1; i <= 14; i++) {
		snprintf(text, sizeof(text), CALL("lie", "%d"), i);
		expect(text, i == 12 ? "{\"result\":\"[23]: *\"}" :
				       "{\"result\":\"[34]: *\"}");
		expect(CALL("call_add", "1,2"), "{\"result\":3}");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(calls_without_end_take_no_memory)
{
	struct thaw_reply reply;
	size_t before = 0;

	open_host(_i, ALL);
	for (int i = 0; i < 3; i++) {
		call(thaw, "host", CALL("call_often", "4000000000"), 300000000,
		     &reply);
		ck_assert_msg(reply.result == THAW_TIMEOUT, "%s",
			      outcome(&reply));
		thaw_reply_release(&reply);
		ck_assert_uint_gt(reply.exits, 10);
		if (!i)
			before = private_bytes();
	}
#ifndef TEST_SANITIZED
	ck_assert_uint_le(private_bytes(), before + (1 << 20));
#else
	(void)before; /* a sanitizer keeps memory of its own */
#endif
	expect(CALL("call_add", "1,2"), "{\"result\":3}");
	thaw_close(thaw);
}
END_TEST

/* Several callers of one slow function at a time. */
static void *call_in_thread(void *argument)
{
	struct thaw_reply reply;

	for (int i = 0; i < 20; i++) {
		call(thaw, "host", CALL("call_slow", "1"), 0, &reply);
		ck_assert_int_eq(reply.result, THAW_OK);
		thaw_reply_release(&reply);
	}
	return argument;
}

START_TEST(callers_do_not_wait_for_each_other)
{
	pthread_t threads[8];

	open_host(_i, HOST(",\"invoke\"]},\"concurrency\":{\"max\":8}"));
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						call_in_thread, NULL),
				 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host functions");
	TCase *group = tcase_create("host");
	const int count = backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, host_functions_answer, 0, count);
	tcase_add_loop_test(group, a_handler_reads_its_request, 0, count);
	tcase_add_loop_test(group, a_call_takes_one_exit_and_lines_take_none, 0,
			    count);
	tcase_add_loop_test(group, lines_before_a_fault_arrive, 0, count);
	tcase_add_test(group, imports_are_bound_when_the_function_is_deployed);
	tcase_add_test(group, host_functions_that_make_no_sense_are_refused);
	tcase_add_loop_test(group,
			    a_host_function_that_takes_too_long_is_abandoned, 0,
			    count);
	tcase_add_loop_test(group, polling_goes_on_while_a_host_function_runs,
			    0, count);
	tcase_add_loop_test(group, functions_call_each_other, 0, count);
	tcase_add_loop_test(group, recursion_ends, 0, count);
	tcase_add_loop_test(group, a_callee_ends_with_its_caller, 0, count);
	tcase_add_loop_test(group, a_callee_that_boots_keeps_no_caller, 0,
			    count);
	tcase_add_test(group, host_functions_that_hang_are_bounded);
	tcase_add_loop_test(group, lies_are_answered_with_errors, 0, count);
	tcase_add_loop_test(group, calls_without_end_take_no_memory, 0, count);
	tcase_add_loop_test(group, callers_do_not_wait_for_each_other, 0,
			    count);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
