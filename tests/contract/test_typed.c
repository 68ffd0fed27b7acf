/*
 * test_typed.c - typed functions of guests: each type at its edges, by JSON and by
 * values; errors before and in the guest; and guests that lie about their results.
 */
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi/thaw_typed.h"
#include "tests/contract/support/guests.h"

static struct thaw *thaw;
static struct thaw_error error;

static void open_typed(int backend, const char *more)
{
	thaw = open_guest(backends[backend], "typed", more);
}

/* Sends @text as it is, as a client of HTTP would with this path. */
static int send_call(const char *text, const char *path,
		     struct thaw_reply *reply)
{
	const struct thaw_attribute attribute = { "path", path };
	const struct thaw_invoke_request request = {
		.data = text,
		.size = strlen(text),
		.attributes = &attribute,
		.attribute_count = path ? 1 : 0,
	};

	return thaw_invoke(thaw, "typed", &request, &error, reply);
}

static const char *answer(const char *text, const char *path)
{
	struct thaw_reply reply;
	const char *is;
	int r = send_call(text, path, &reply);

	ck_assert_msg(!r, "%s: %s", text, error.message);
	is = outcome(&reply);
	if (reply.result == THAW_OK)
		ck_assert_str_eq(reply.content_type, "application/json");
	thaw_reply_release(&reply);
	return is;
}

static const struct {
	const char *text;
	const char *outcome; /* a pattern */
} calls[] = {
	{ "{\"function\":\"add\",\"args\":[20,22]}", "{\"result\":42}" },
	{ "{\"function\":\"add\",\"args\":[2147483647,1]}",
	  "{\"result\":-2147483648}" },
	{ "{\"function\":\"nothing\"}", "{\"result\":null}" },
	{ "{\"function\":\"same_int\",\"args\":[-2147483648]}",
	  "{\"result\":-2147483648}" },
	{ "{\"function\":\"same_uint\",\"args\":[4294967295]}",
	  "{\"result\":4294967295}" },
	{ "{\"function\":\"same_long\",\"args\":[-9223372036854775808]}",
	  "{\"result\":-9223372036854775808}" },
	{ "{\"function\":\"same_ulong\",\"args\":[18446744073709551615]}",
	  "{\"result\":18446744073709551615}" },
	{ "{\"function\":\"same_float\",\"args\":[0.1]}", "{\"result\":0.1}" },
	{ "{\"function\":\"same_double\",\"args\":[-0.0]}",
	  "{\"result\":-0.0}" },
	{ "{\"function\":\"same_double\",\"args\":[\"NaN\"]}",
	  "{\"result\":\"NaN\"}" },
	{ "{\"function\":\"same_float\",\"args\":[\"-Infinity\"]}",
	  "{\"result\":\"-Infinity\"}" },
	{ "{\"function\":\"same_bool\",\"args\":[true]}", "{\"result\":true}" },
	{ "{\"function\":\"same_string\",\"args\":[\"\"]}",
	  "{\"result\":\"\"}" },
	{ "{\"function\":\"same_string\",\"args\":[\"\\u00e9\\ud83d\\ude00\"]}",
	  "{\"result\":\"\xc3\xa9\xf0\x9f\x98\x80\"}" },
	{ "{\"function\":\"same_bytes\",\"args\":[\"\"]}",
	  "{\"result\":\"\"}" },
	{ "{\"function\":\"same_bytes\",\"args\":[\"AAH/gA==\"]}",
	  "{\"result\":\"AAH/gA==\"}" },
	{ "{\"function\":\"all\",\"args\":[-1,2,-3,4,1.5,2.5,true,\"h\","
	  "\"aQ==\",1,2,3,4,5,6,\"end\"]}",
	  "{\"result\":\"-1 2 -3 4 1.5 2.5 1 h i 1 2 3 4 5 6 end\"}" },
	{ "{\"function\":\"divide\",\"args\":[7,2]}", "{\"result\":3}" },
	{ "{\"function\":\"divide\",\"args\":[7,0]}",
	  "Typed.DivisionByZero: 7 / 0" },
	{ "{\"function\":\"fault\"}", "Runtime.Fault: *(handler fault)*" },
	{ "{\"function\":\"null\"}",
	  "Runtime.HandlerError: the function returned NULL for a string" },
	{ "{\"function\":\"latin1\"}",
	  "Function.InvalidResponse: the function's result: *not UTF-8" },
	{ "{\"function\":\"fill\",\"args\":[3000]}", "{\"result\":\"eHh4*\"}" },
	/* as JSON they are too large, as they are they are not */
	{ "{\"function\":\"fill\",\"args\":[4000]}",
	  "Function.ResponseSizeTooLarge: as JSON *max_reply of 4096" },
	{ "{\"function\":\"fill\",\"args\":[5000]}",
	  "Function.ResponseSizeTooLarge: a reply of 50* bytes *" },
	{ "{\"function\":\"other\",\"args\":[1,\"a\",true,1.5]}",
	  "{\"result\":\"other: 3 7 8 6\"}" },
	{ "{\"function\":\"no_such\"}",
	  "Function.NotFound: no such function: no_such" },
};

START_TEST(json_calls_functions)
{
	open_typed(_i, "");
	/* twice: nothing of the first is left */
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(*calls); i++) {
		const size_t n = i % (sizeof(calls) / sizeof(*calls));
		const char *is = answer(calls[n].text, NULL);

		ck_assert_msg(!fnmatch(calls[n].outcome, is, 0), "%s: %s",
			      calls[n].text, is);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_path_names_the_function)
{
	struct thaw_reply reply;

	open_typed(_i, "");
	ck_assert_str_eq(answer("[20,22]", "/add"), "{\"result\":42}");
	ck_assert_str_eq(answer("{\"args\":[20,22]}", "/add"),
			 "{\"result\":42}");
	ck_assert_str_eq(answer("", "/nothing"), "{\"result\":null}");
	ck_assert_int_eq(send_call("[1,2]", "/", &reply), -EINVAL);
	thaw_close(thaw);
}
END_TEST

START_TEST(the_entry_names_the_function)
{
	struct thaw_reply reply;

	open_typed(_i, "\"entry\":\"add\"");
	ck_assert_str_eq(answer("[20,22]", NULL), "{\"result\":42}");
	ck_assert_str_eq(answer("[20,22]", "/"), "{\"result\":42}");
	ck_assert_int_eq(send_call("[]", "/nothing", &reply), -ENOSYS);
	thaw_close(thaw);
}
END_TEST

START_TEST(an_entry_that_is_none_is_refused)
{
	open_typed(_i, "\"entry\":\"ad\"");
	ck_assert_int_eq(thaw_deploy(thaw, "typed", &error), -ENOENT);
	ck_assert_msg(strstr(error.message, "add"), "%s", error.message);
	thaw_close(thaw);
}
END_TEST

/* The vm has not run: no invocation and no exit is counted. */
START_TEST(wrong_arguments_are_refused_before_the_guest_runs)
{
	static const struct {
		const char *text;
		const char *why;
	} wrong[] = {
		{ "{\"function\":\"add\",\"args\":[1]}",
		  "function typed: add: expected 2 arguments, given 1: int "
		  "add(int a, int b)" },
		{ "{\"function\":\"add\",\"args\":[1,2147483648]}",
		  "function typed: add: argument 2 (b): expected int "
		  "(-2147483648 to 2147483647), given the number 2147483648" },
		{ "no JSON", "function typed: the call is not JSON*" },
	};
	struct thaw_reply reply;
	struct thaw_stats stats;

	open_typed(_i, "");
	ck_assert_int_eq(thaw_deploy(thaw, "typed", &error), 0);
	for (int n = 0; n < 100; n++) {
		const size_t i = (size_t)n % 3;

		ck_assert_int_eq(send_call(wrong[i].text, NULL, &reply),
				 -EINVAL);
		ck_assert_msg(!fnmatch(wrong[i].why, error.message, 0), "%s",
			      error.message);
	}
	ck_assert_int_eq(thaw_get_stats(thaw, "typed", &error, &stats), 0);
	ck_assert_uint_eq(stats.polled + stats.exited, 0);
	/* the only vm is still there */
	ck_assert_str_eq(answer("[20,22]", "/add"), "{\"result\":42}");
	thaw_close(thaw);
}
END_TEST

/* The function is named once, as by other refusals. */
START_TEST(a_wrong_call_to_a_base_is_told_like_others)
{
	thaw = open_functions(backends[_i],
			      "{\"name\":\"typed\",\"image\":\"%s/typed.elf\"},"
			      "{\"name\":\"layer\",\"base\":\"typed\","
			      "\"init\":{\"text\":\"no JSON\"}}");
	ck_assert_int_eq(thaw_deploy(thaw, "layer", &error), -EINVAL);
	ck_assert_msg(!fnmatch("function layer: the call is not JSON*",
			       error.message, 0),
		      "%s", error.message);
	thaw_close(thaw);
}
END_TEST

/* The SDK moves it to its place, whichever way that is. */
START_TEST(a_text_may_be_made_in_the_reply_buffer)
{
	static const unsigned offsets[] = { 0, 1, 8, 39, 40, 41, 48, 100 };
	static const unsigned sizes[] = { 0, 1, 7, 8, 9, 40, 1000, 3000 };

	open_typed(_i, "");
	for (unsigned i = 0; i < 64; i++) {
		const unsigned size = sizes[i % 8];
		char text[64], expected[4096] = "{\"result\":\"";
		size_t used = strlen(expected);

		for (unsigned j = 0; j < size; j++)
			expected[used++] = (char)('a' + j % 26);
		strcpy(expected + used, "\"}");
		snprintf(text, sizeof(text), "[%u,%u]", offsets[i / 8], size);
		ck_assert_str_eq(answer(text, "/in_place"), expected);
	}
	ck_assert_str_eq(answer("[20]", "/entry_add"), "{\"result\":20}");
	thaw_close(thaw);
}
END_TEST

/* Another invocation has the only vm, and nobody may wait for it. */
START_TEST(a_wrong_call_needs_no_vm)
{
	const struct thaw_attribute path = { "path", "/add" };
	const struct thaw_invoke_request request = {
		.data = "[20,22]",
		.size = 7,
		.attributes = &path,
		.attribute_count = 1,
	};
	struct thaw_reply reply, other;

	open_typed(_i, "\"concurrency\":{\"max\":1,\"queue\":0}");
	ck_assert_int_ge(thaw_start(thaw, "typed", &request, &error, &reply),
			 0);
	ck_assert_int_eq(send_call("[1]", "/add", &other), -EINVAL);
	ck_assert_int_eq(send_call("[1,2]", "/add", &other), -EBUSY);
	while (!thaw_poll(&reply, &error))
		;
	ck_assert_str_eq(outcome(&reply), "{\"result\":42}");
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(guests_that_lie_about_results_fail_alone)
{
	open_typed(_i, "");
	for (int i = 0; i < 24; i++) {
		char text[64];
		const char *is;

		snprintf(text, sizeof(text), "[%d]", i % 12);
		is = answer(text, "/lie");
		ck_assert_msg(!strncmp(is, "Function.InvalidResponse: ", 26),
			      "%s: %s", text, is);
		ck_assert_str_eq(answer("[20,22]", "/add"), "{\"result\":42}");
	}
	/* 12 is no lie */
	ck_assert_str_eq(answer("[12]", "/lie"), "{\"result\":\"yes\"}");
	thaw_close(thaw);
}
END_TEST

/* They are not even looked at: a result is what it is, and so is an error. */
START_TEST(status_and_headers_of_a_typed_reply_do_not_count)
{
	static const int statuses[] = { 0, 204, 404, 99, 600 };
	static const unsigned sizes[] = { 0, 4, 5, 4097 };
	struct thaw_reply reply;
	char text[64];

	open_typed(_i, "");
	for (unsigned i = 0; i < 40; i++) {
		const bool is_result = i % 2;

		snprintf(text, sizeof(text), "[%d,%u,%s]", statuses[i / 2 % 5],
			 sizes[i / 10], is_result ? "true" : "false");
		ck_assert_int_eq(send_call(text, "/lie_with_head", &reply), 0);
		if (is_result)
			ck_assert_str_eq(outcome(&reply),
					 "{\"result\":\"yes\"}");
		else
			ck_assert_str_eq(reply.error_type,
					 "Function.InvalidResponse");
		ck_assert_uint_eq(reply.status, 0);
		ck_assert_uint_eq(reply.headers_size, 0);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

/* Memory that a guest goes on to write is not the snapshot's, which is not checked. */
static void open_unverified(int backend)
{
	const struct engine_options options =
		backend_options(backends[backend]);
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"defaults\":{\"memory\":\"4MiB\",\"stack\":\"64KiB\",%s},"
		 "\"functions\":[{\"name\":\"typed\",\"image\":\"%s/typed.elf\","
		 "\"max_request\":\"4KiB\",\"max_reply\":\"4KiB\","
		 "\"concurrency\":{\"max\":1}}]}",
		 backend_defaults(backends[backend]), TEST_GUESTS);
	ck_assert_msg(!engine_open_text(text, strlen(text), "test.json",
					&options, &error, &thaw),
		      "%s", error.message);
}

/*
 * What the host uses is what it has checked, whatever the guest writes meanwhile. The
 * guest goes on to write, so its next invocation may end with its time.
 */
START_TEST(a_result_that_changes_while_it_is_read_is_valid_or_refused)
{
	static const char *const whats[] = { "[0]", "[1]", "[2]", "[3]" };
	struct thaw_attribute path = { "path", NULL };
	struct thaw_invoke_request request = {
		.attributes = &path,
		.attribute_count = 1,
		.timeout_ns = 50000000,
	};
	struct thaw_reply reply;
	unsigned read = 0;
	const char *is;

	open_unverified(_i);
	for (int i = 0; i < 40; i++) {
		path.value = "/flip";
		request.data = whats[i % 4];
		request.size = 3;
		ck_assert_int_eq(thaw_invoke(thaw, "typed", &request, &error,
					     &reply),
				 0);
		is = outcome(&reply);
		if (reply.result == THAW_OK)
			/* {"result":"eee..."} */
			ck_assert(strspn(is + 11, "e") == 3000 &&
				  !strcmp(is + 11 + 3000, "\"}"));
		else
			ck_assert_msg(!strncmp(is, "Function.InvalidResponse",
					       24) ||
					      reply.result == THAW_TIMEOUT,
				      "%s", is);
		read += reply.result != THAW_TIMEOUT;
		thaw_reply_release(&reply);
		path.value = "/nothing";
		request.size = 0;
		ck_assert_int_eq(thaw_invoke(thaw, "typed", &request, &error,
					     &reply),
				 0);
		thaw_reply_release(&reply);
		ck_assert_str_eq(answer("[20,22]", "/add"), "{\"result\":42}");
	}
	ck_assert_uint_ge(read, 1);
	thaw_close(thaw);
}
END_TEST

/* By values, without JSON */

static int call_values(const char *name, const struct thaw_value *values,
		       size_t count, struct thaw_reply *reply,
		       struct thaw_value *result)
{
	const struct thaw_typed_call of = {
		.name = name,
		.arguments = values,
		.count = count,
	};

	return thaw_call(thaw, "typed", &of, &error, reply, result);
}

/* What @name gives back is the same, bit for bit. */
static void comes_back(const char *name, const struct thaw_value *value)
{
	struct thaw_value result;
	struct thaw_reply reply;
	int r = call_values(name, value, 1, &reply, &result);

	ck_assert_msg(!r, "%s: %s", name, error.message);
	ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
	ck_assert_str_eq(reply.content_type, THAW_TYPED_CONTENT_TYPE);
	ck_assert_int_eq(result.type, value->type);
	switch (value->type) {
	case THAW_TYPE_STRING:
		ck_assert_uint_eq(result.as.string.size, value->as.string.size);
		ck_assert_str_eq(result.as.string.data, value->as.string.data);
		break;
	case THAW_TYPE_BYTES:
		ck_assert_uint_eq(result.as.bytes.size, value->as.bytes.size);
		if (value->as.bytes.size)
			ck_assert_mem_eq(result.as.bytes.data,
					 value->as.bytes.data,
					 value->as.bytes.size);
		break;
	case THAW_TYPE_LONG:
	case THAW_TYPE_ULONG:
	case THAW_TYPE_DOUBLE:
		ck_assert_uint_eq(result.as.u64, value->as.u64);
		break;
	case THAW_TYPE_BOOL:
		ck_assert(result.as.boolean == value->as.boolean);
		break;
	default:
		ck_assert_uint_eq(result.as.u32, value->as.u32);
		break;
	}
	thaw_reply_release(&reply);
}

static const char bytes[256] = { 1, 0, 3 };

#define VALUE(word, constant, member, ...)                               \
	{                                                                \
		"same_" #word,                                           \
		{                                                        \
			.type = constant, .as = {.member = __VA_ARGS__ } \
		}                                                        \
	}
static const struct {
	const char *name;
	struct thaw_value value;
} same[] = {
	VALUE(int, THAW_TYPE_INT, i32, INT32_MIN),
	VALUE(int, THAW_TYPE_INT, i32, -1),
	VALUE(int, THAW_TYPE_INT, i32, INT32_MAX),
	VALUE(uint, THAW_TYPE_UINT, u32, 0),
	VALUE(uint, THAW_TYPE_UINT, u32, UINT32_MAX),
	VALUE(long, THAW_TYPE_LONG, i64, INT64_MIN),
	VALUE(long, THAW_TYPE_LONG, i64, -1),
	VALUE(long, THAW_TYPE_LONG, i64, INT64_MAX),
	VALUE(ulong, THAW_TYPE_ULONG, u64, 0),
	VALUE(ulong, THAW_TYPE_ULONG, u64, UINT64_MAX),
	VALUE(bool, THAW_TYPE_BOOL, boolean, false),
	VALUE(bool, THAW_TYPE_BOOL, boolean, true),
	VALUE(float, THAW_TYPE_FLOAT, f32, -0.0f),
	VALUE(float, THAW_TYPE_FLOAT, f32, 0.1f),
	VALUE(float, THAW_TYPE_FLOAT, f32, 1e-45f),
	VALUE(float, THAW_TYPE_FLOAT, f32, INFINITY),
	VALUE(float, THAW_TYPE_FLOAT, f32, NAN),
	VALUE(double, THAW_TYPE_DOUBLE, f64, -0.0),
	VALUE(double, THAW_TYPE_DOUBLE, f64, 0.1),
	VALUE(double, THAW_TYPE_DOUBLE, f64, 5e-324),
	VALUE(double, THAW_TYPE_DOUBLE, f64, -INFINITY),
	VALUE(double, THAW_TYPE_DOUBLE, f64, NAN),
	VALUE(string, THAW_TYPE_STRING, string, { "", 0 }),
	VALUE(string, THAW_TYPE_STRING, string, { "na\xc3\xafve", 6 }),
	VALUE(string, THAW_TYPE_STRING, string, { "1234567", 7 }),
	VALUE(string, THAW_TYPE_STRING, string, { "12345678", 8 }),
	VALUE(bytes, THAW_TYPE_BYTES, bytes, { NULL, 0 }),
	VALUE(bytes, THAW_TYPE_BYTES, bytes, { bytes, 1 }),
	VALUE(bytes, THAW_TYPE_BYTES, bytes, { bytes, 8 }),
	VALUE(bytes, THAW_TYPE_BYTES, bytes, { bytes, 255 }),
};

START_TEST(values_come_back_as_they_were)
{
	open_typed(_i, "");
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		comes_back(same[i].name, &same[i].value);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_nan_keeps_its_bits_without_json)
{
	const uint64_t bits = UINT64_C(0xfff8dead0000beef);
	struct thaw_value value = { .type = THAW_TYPE_DOUBLE };

	open_typed(_i, "");
	memcpy(&value.as.f64, &bits, sizeof(bits));
	comes_back("same_double", &value);
	thaw_close(thaw);
}
END_TEST

START_TEST(calls_by_value_fail_as_others_do)
{
	const struct thaw_value values[] = {
		{ .type = THAW_TYPE_INT, .as = { .i32 = 7 } },
		{ .type = THAW_TYPE_INT, .as = { .i32 = 0 } },
	};
	const struct thaw_value text = {
		.type = THAW_TYPE_STRING,
		.as = { .string = { "a\0b", 3 } },
	};
	struct thaw_value result;
	struct thaw_reply reply;

	open_typed(_i, "");
	ck_assert_int_eq(call_values("divide", values, 2, &reply, &result), 0);
	ck_assert_str_eq(outcome(&reply), "Typed.DivisionByZero: 7 / 0");
	ck_assert_int_eq(result.type, THAW_TYPE_NONE);
	thaw_reply_release(&reply);
	ck_assert_int_eq(call_values("divide", values, 1, &reply, &result),
			 -EINVAL);
	ck_assert_int_eq(call_values("same_uint", values, 1, &reply, &result),
			 -EINVAL);
	ck_assert_str_eq(error.message,
			 "function typed: same_uint: argument 1 (value): "
			 "expected uint, given int");
	ck_assert_int_eq(call_values("same_string", &text, 1, &reply, &result),
			 -EINVAL);
	ck_assert_int_eq(call_values("nothing", NULL, 0, &reply, &result), 0);
	ck_assert_int_eq(result.type, THAW_TYPE_VOID);
	thaw_reply_release(&reply);
	ck_assert_int_eq(call_values("other", values, 2, &reply, &result), 0);
	ck_assert_str_eq(result.as.string.data, "other: 1 1");
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

/* Those of a dispatch function are known only when it has returned. */
START_TEST(results_are_of_the_type_that_the_caller_expects)
{
	struct thaw_typed_call of = { .name = "other" };
	struct thaw_value result;
	struct thaw_reply reply;

	open_typed(_i, "");
	of.returns = THAW_TYPE_STRING;
	ck_assert_int_eq(thaw_call(thaw, "typed", &of, &error, &reply, &result),
			 0);
	ck_assert_str_eq(result.as.string.data, "other:");
	thaw_reply_release(&reply);
	of.returns = THAW_TYPE_INT;
	ck_assert_int_eq(thaw_call(thaw, "typed", &of, &error, &reply, &result),
			 0);
	ck_assert_str_eq(outcome(&reply),
			 "Function.InvalidResponse: the function's result: "
			 "string, and the caller expects int");
	thaw_reply_release(&reply);
	of.name = "nothing";
	ck_assert_int_eq(thaw_call(thaw, "typed", &of, &error, &reply, &result),
			 -EINVAL);
	ck_assert_str_eq(error.message,
			 "function typed: nothing: returns void, and not int");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_large_call_is_no_larger_than_max_request)
{
	static const char data[8192];
	struct thaw_value value = { .type = THAW_TYPE_BYTES };
	struct thaw_value result;
	struct thaw_reply reply;

	open_typed(_i, "\"max_reply\":\"16KiB\"");
	/* head, item, "same_bytes" and the bytes with a zero are 4096 */
	value.as.bytes = (struct thaw_bytes){ data, 4096 - 24 - 16 - 16 - 8 };
	ck_assert_msg(!call_values("same_bytes", &value, 1, &reply, &result),
		      "%s", error.message);
	thaw_reply_release(&reply);
	value.as.bytes.size += 8;
	ck_assert_int_eq(call_values("same_bytes", &value, 1, &reply, &result),
			 -E2BIG);
	thaw_close(thaw);
}
END_TEST

START_TEST(typed_functions_may_be_in_cxx)
{
	struct thaw_value result;
	struct thaw_reply reply;
	const struct thaw_value values[] = {
		{ .type = THAW_TYPE_STRING, .as = { .string = { "ab", 2 } } },
		{ .type = THAW_TYPE_UINT, .as = { .u32 = 3 } },
	};
	const struct thaw_typed_call of = {
		.name = "repeat",
		.arguments = values,
		.count = 2,
		.returns = THAW_TYPE_STRING,
	};

	thaw = open_guest(backends[_i], "typed_cxx", "");
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(!thaw_call(thaw, "typed_cxx", &of, &error, &reply,
					 &result),
			      "%s", error.message);
		ck_assert_str_eq(result.as.string.data, "ababab");
		thaw_reply_release(&reply);
	}
	ck_assert_str_eq(call_once(thaw, "typed_cxx",
				   "{\"function\":\"mean\",\"args\":[1,2]}"),
			 "{\"result\":1.5}");
	ck_assert_str_eq(call_once(thaw, "typed_cxx",
				   "{\"function\":\"tail\",\"args\":[\"AAEC\","
				   "1]}"),
			 "{\"result\":\"AQI=\"}");
	thaw_close(thaw);
}
END_TEST

START_TEST(without_a_dispatch_function_a_name_is_refused)
{
	static const char text[] = "{\"function\":\"meen\",\"args\":[1,2]}";
	const struct thaw_invoke_request request = {
		.data = text,
		.size = sizeof(text) - 1,
	};
	struct thaw_reply reply;

	thaw = open_guest(backends[_i], "typed_cxx", "");
	ck_assert_int_eq(thaw_invoke(thaw, "typed_cxx", &request, &error,
				     &reply),
			 -ENOSYS);
	ck_assert_str_eq(error.message,
			 "function typed_cxx: no such function: \"meen\": did "
			 "you mean mean?");
	thaw_close(thaw);
}
END_TEST

START_TEST(handlers_have_no_typed_calls)
{
	const struct thaw_typed_call of = { .name = "add" };
	struct thaw_value result;
	struct thaw_reply reply;

	thaw = open_guest(backends[_i], "cxx", "");
	ck_assert_int_eq(thaw_call(thaw, "cxx", &of, &error, &reply, &result),
			 -EPROTO);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("typed");
	TCase *group = tcase_create("typed");
	const int count = backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, json_calls_functions, 0, count);
	tcase_add_loop_test(group, a_path_names_the_function, 0, count);
	tcase_add_loop_test(group, the_entry_names_the_function, 0, count);
	tcase_add_loop_test(group, an_entry_that_is_none_is_refused, 0, 1);
	tcase_add_loop_test(group,
			    wrong_arguments_are_refused_before_the_guest_runs,
			    0, count);
	tcase_add_loop_test(group, a_text_may_be_made_in_the_reply_buffer, 0,
			    count);
	tcase_add_loop_test(group,
			    status_and_headers_of_a_typed_reply_do_not_count, 0,
			    count);
	/* in the cooperative isolation, the last one */
	tcase_add_loop_test(
		group,
		a_result_that_changes_while_it_is_read_is_valid_or_refused, 3,
		count > 3 ? count : 3);
	tcase_add_loop_test(group, a_wrong_call_needs_no_vm, 0, count);
	tcase_add_loop_test(group, guests_that_lie_about_results_fail_alone, 0,
			    count);
	tcase_add_loop_test(group, values_come_back_as_they_were, 0, count);
	tcase_add_loop_test(group, a_nan_keeps_its_bits_without_json, 0, count);
	tcase_add_loop_test(group, calls_by_value_fail_as_others_do, 0, count);
	tcase_add_loop_test(group,
			    results_are_of_the_type_that_the_caller_expects, 0,
			    count);
	tcase_add_loop_test(group, a_large_call_is_no_larger_than_max_request,
			    0, count);
	tcase_add_loop_test(group, typed_functions_may_be_in_cxx, 0, count);
	tcase_add_loop_test(group,
			    without_a_dispatch_function_a_name_is_refused, 0,
			    1);
	tcase_add_loop_test(group, a_wrong_call_to_a_base_is_told_like_others,
			    0, 1);
	tcase_add_loop_test(group, handlers_have_no_typed_calls, 0, 1);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
