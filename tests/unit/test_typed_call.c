/*
 * test_typed_call.c - typed calls and results: as JSON and as messages, good ones
 * and hostile ones. The image is made here, and no guest runs.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "executor/typed/call.h"
#include "executor/typed/message.h"
#include "executor/typed/result.h"
#include "executor/typed/values.h"
#include "tests/unit/elf_builder.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"

static struct error error;
static struct image *image;

static const struct thaw_function_entry functions[] = {
	{ .returns = THAW_TYPE_INT,
	  .count = 2,
	  .types = { THAW_TYPE_INT, THAW_TYPE_INT },
	  .name = "add",
	  .parameters = "a, b" },
	{ .returns = THAW_TYPE_VOID, .name = "nothing" },
	{ .returns = THAW_TYPE_STRING,
	  .count = 2,
	  .types = { THAW_TYPE_STRING, THAW_TYPE_BYTES },
	  .name = "join",
	  .parameters = "text, data" },
	{ .flags = THAW_FUNCTION_DISPATCH },
};

static void open_image(size_t count)
{
	static struct elf_builder elf;

	elf_builder_executable(&elf);
	elf_builder_add_section(&elf, ".thaw_functions", functions,
				count * sizeof(*functions));
	ck_assert_msg(!image_parse(elf.bytes, elf.size, "test", &error, &image),
		      "%s", error.message);
}

static void set_up(void)
{
	open_image(3);
}

static void tear_down(void)
{
	image_close(image);
}

static int make(const char *text, const char *name, struct typed_call *call)
{
	const struct typed_request request = {
		.data = text,
		.size = strlen(text),
		.name = name,
	};

	error.message[0] = '\0';
	return typed_call_make(&(struct typed_target){ image_functions(image),
						       NULL },
			       &request, &error, call);
}

static void refuses(const char *text, const char *name, int r, const char *why)
{
	struct typed_call call;

	ck_assert_msg(make(text, name, &call) == r, "%s: %s", text,
		      error.message);
	ck_assert_msg(strstr(error.message, why), "%s: not \"%s\": %s", text,
		      why, error.message);
	typed_call_done(&call);
}

/* Reads a call that was made. Returns the number of values. */
static unsigned read_call(const struct typed_call *call,
			  struct message *message)
{
	ck_assert_msg(!message_read(call->message, call->size,
				    THAW_MESSAGE_CALL, &error, message),
		      "%s", error.message);
	return message->head.count;
}

static const struct {
	const char *text, *name;
} sums[] = {
	{ "{\"function\":\"add\",\"args\":[20,22]}", NULL },
	{ "{\"args\":[20,22],\"function\":\"add\"}", NULL },
	{ " { \"function\" : \"add\" , \"args\" : [ 20 , 22 ] } \n", NULL },
	{ "{\"args\":[20,22]}", "add" },
	{ "{\"function\":\"add\",\"args\":[20,22]}", "add" },
	{ "[20,22]", "add" },
	{ "\t[20 ,\r\n22]", "add" },
	{ "{\"function\":\"add\",\"args\":[20,22]}", "" },
};

START_TEST(a_call_has_several_forms)
{
	struct message message;
	struct typed_call call;

	ck_assert_msg(!make(sums[_i].text, sums[_i].name, &call), "%s",
		      error.message);
	ck_assert_uint_eq(read_call(&call, &message), 2);
	ck_assert_str_eq(call.function->name, "add");
	ck_assert_uint_eq(message.head.function, 0);
	ck_assert_int_eq(message.values[0].type, THAW_TYPE_INT);
	ck_assert_int_eq(message.values[0].as.i32, 20);
	ck_assert_int_eq(message.values[1].as.i32, 22);
	typed_call_done(&call);
	typed_call_done(&call);
}
END_TEST

START_TEST(a_call_without_arguments_may_be_empty)
{
	static const char *const texts[] = { "", " \n", "[]", "{}",
					     "{\"args\":[]}" };
	struct message message;
	struct typed_call call;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ck_assert_msg(!make(texts[i], "nothing", &call), "%s",
			      error.message);
		ck_assert_uint_eq(read_call(&call, &message), 0);
		typed_call_done(&call);
	}
}
END_TEST

START_TEST(text_and_bytes_are_behind_the_items)
{
	struct message message;
	struct typed_call call;

	ck_assert_int_eq(make("[\"na\\u00efve\",\"AAEC\"]", "join", &call), 0);
	ck_assert_uint_eq(read_call(&call, &message), 2);
	ck_assert_str_eq(message.values[0].as.string.data, "na\xc3\xafve");
	ck_assert_uint_eq(message.values[0].as.string.size, 6);
	ck_assert_uint_eq(message.values[1].as.bytes.size, 3);
	ck_assert_mem_eq(message.values[1].as.bytes.data, "\0\1\2", 3);
	ck_assert_uint_eq(call.size, 24 + 2 * 16 + 8 + 8);
	typed_call_done(&call);
}
END_TEST

static const struct {
	const char *text, *name;
	int r;
	const char *why;
} wrong[] = {
	{ "[1]", "add", -EINVAL,
	  "add: expected 2 arguments, given 1: int add(int a, int b)" },
	{ "[1,2,3]", "add", -EINVAL, "expected 2 arguments, given 3" },
	{ "", "add", -EINVAL, "expected 2 arguments, given 0" },
	{ "[1]", "nothing", -EINVAL, "expected 0 arguments, given 1" },
	{ "[1,\"2\"]", "add", -EINVAL,
	  "add: argument 2 (b): expected int (-2147483648 to 2147483647), "
	  "given the string \"2\"" },
	{ "[null,2]", "add", -EINVAL, "argument 1 (a): expected int" },
	{ "[1,2147483648]", "add", -EINVAL, "given the number 2147483648" },
	{ "[1,[[[2]]]]", "add", -EINVAL, "given a list" },
	{ "[\"\\u0000\",\"\"]", "join", -EINVAL, "argument 1 (text)" },
	{ "[\"\",\"???\"]", "join", -EINVAL, "argument 2 (data)" },
	{ "[1,2]", "ad", -ENOSYS,
	  "no such function: \"ad\": did you mean add" },
	{ "[1,2]", "quite_another", -ENOSYS, "no such function" },
	{ "{\"function\":\"Add\",\"args\":[1,2]}", NULL, -ENOSYS,
	  "did you mean add" },
	{ "{\"function\":\"\"}", NULL, -ENOSYS, "the name is empty" },
	{ "{\"function\":\"a\\u0064d\",\"args\":[1,2]}", NULL, -ENOSYS,
	  "no such function" },
	{ "[1,2]", NULL, -EINVAL, "the call names no function" },
	{ "", NULL, -EINVAL, "the call names no function" },
	{ "{\"function\":\"add\",\"args\":[1,2]}", "nothing", -EINVAL,
	  "the call is of \"add\", and was sent to nothing" },
	{ "{\"function\":1}", NULL, -EINVAL,
	  "\"function\" of the call: expected a string, given the number 1" },
	{ "{\"function\":\"add\",\"args\":{}}", NULL, -EINVAL,
	  "\"args\" of the call: expected a list, given an object" },
	{ "{\"function\":\"add\",\"function\":\"add\"}", NULL, -EINVAL,
	  "two \"function\"" },
	{ "{\"args\":[1,2],\"args\":[1,2]}", "add", -EINVAL, "two \"args\"" },
	{ "{\"arguments\":[1,2]}", "add", -EINVAL, "the key \"arguments\"" },
	{ "20", "add", -EINVAL, "a call is {" },
	{ "\"add\"", NULL, -EINVAL, "a call is {" },
	{ "[20,22", "add", -EINVAL, "is not JSON: it ends too early" },
	{ "[20,22]]", "add", -EINVAL, "is not JSON: see byte 8" },
	{ "[20,\xff]", "add", -EINVAL, "see byte 5" },
	{ "[\"\xff\",\"\"]", "join", -EINVAL, "not UTF-8" },
	{ "[+1,2]", "add", -EINVAL, "is not JSON" },
	{ "[01,2]", "add", -EINVAL, "is not JSON" },
	{ "[NaN,2]", "add", -EINVAL, "is not JSON" },
};

START_TEST(what_is_wrong_is_said_with_its_place)
{
	refuses(wrong[_i].text, wrong[_i].name, wrong[_i].r, wrong[_i].why);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	static char text[200001];

	memset(text, '[', sizeof(text) - 1);
	refuses(text, "add", -EINVAL, "nested too deep");
}
END_TEST

START_TEST(long_names_are_refused)
{
	static char text[4000];

	memset(text, 'n', sizeof(text) - 1);
	refuses("[]", text, -ENOSYS, "63");
	memcpy(text, "{\"function\":\"", 13);
	memcpy(text + sizeof(text) - 3, "\"}", 2);
	refuses(text, NULL, -ENOSYS, "63");
}
END_TEST

START_TEST(the_entry_of_a_catalog_is_the_only_function)
{
	const struct declaration *only =
		declarations_find(image_functions(image), "add");
	const struct typed_target target = { image_functions(image), only };
	struct typed_request request = { .data = "[1,2]", .size = 5 };
	struct typed_call call;

	ck_assert_int_eq(typed_call_make(&target, &request, &error, &call), 0);
	ck_assert_ptr_eq(call.function, only);
	typed_call_done(&call);
	request.name = "nothing";
	ck_assert_int_eq(typed_call_make(&target, &request, &error, &call),
			 -ENOSYS);
	ck_assert_ptr_nonnull(strstr(error.message, "makes this add"));
}
END_TEST

START_TEST(the_dispatch_function_takes_other_names)
{
	struct message message;
	struct typed_call call;

	image_close(image);
	open_image(4);
	ck_assert_int_eq(make("[1,-1,1.5,\"x\",true,18446744073709551615]",
			      "other", &call),
			 0);
	ck_assert_ptr_null(call.function);
	ck_assert_uint_eq(read_call(&call, &message), 6);
	ck_assert_uint_eq(message.head.function, THAW_FUNCTION_NAMED);
	ck_assert_str_eq((const char *)call.message + message.head.name,
			 "other");
	ck_assert_int_eq(message.values[0].type, THAW_TYPE_LONG);
	ck_assert_int_eq(message.values[2].type, THAW_TYPE_DOUBLE);
	ck_assert_int_eq(message.values[3].type, THAW_TYPE_STRING);
	ck_assert_int_eq(message.values[4].type, THAW_TYPE_BOOL);
	ck_assert_int_eq(message.values[5].type, THAW_TYPE_ULONG);
	typed_call_done(&call);
	refuses("[1,null]", "other", -EINVAL,
		"argument 2: expected a number, a string or a boolean, given "
		"null");
	refuses("[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]", "other", -EINVAL,
		"17 arguments; a call has 16 at most");
	refuses("[1]", "add", -EINVAL, "expected 2 arguments");
}
END_TEST

/* Messages */

static const struct thaw_value twenty = { .type = THAW_TYPE_INT,
					  .as = { .i32 = 20 } };

static void *pack(const char *name, const struct thaw_value *values,
		  size_t count, size_t *size)
{
	const struct typed_values call = {
		.name = name,
		.values = values,
		.count = count,
	};
	void *message;

	ck_assert_msg(!typed_values_pack(&call, &error, &message, size), "%s",
		      error.message);
	return message;
}

static int make_of_message(const void *message, size_t size,
			   struct typed_call *call)
{
	const struct typed_request request = {
		.data = message,
		.size = size,
		.is_message = true,
	};

	return typed_call_make(&(struct typed_target){ image_functions(image),
						       NULL },
			       &request, &error, call);
}

START_TEST(a_message_of_a_caller_goes_as_it_is)
{
	const struct thaw_value values[] = { twenty, twenty };
	struct typed_call call;
	size_t size;
	void *message = pack("add", values, 2, &size);

	ck_assert_msg(!make_of_message(message, size, &call), "%s",
		      error.message);
	ck_assert_ptr_eq(call.message, message);
	ck_assert_uint_eq(call.size, size);
	ck_assert_ptr_null(call.memory);
	ck_assert_str_eq(call.function->name, "add");
	free(message);
}
END_TEST

START_TEST(types_of_a_message_are_checked)
{
	struct thaw_value values[] = { twenty, twenty, twenty };
	const struct typed_values as_long = {
		.name = "add",
		.values = values,
		.count = 2,
		.returns = THAW_TYPE_LONG,
	};
	struct typed_call call;
	void *message;
	size_t size;

	message = pack("add", values, 3, &size);
	ck_assert_int_eq(make_of_message(message, size, &call), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "expected 2 arguments"));
	free(message);
	values[1].type = THAW_TYPE_UINT;
	message = pack("add", values, 2, &size);
	ck_assert_int_eq(make_of_message(message, size, &call), -EINVAL);
	ck_assert_str_eq(error.message,
			 "add: argument 2 (b): expected int, given uint");
	free(message);
	message = pack("ad", values, 2, &size);
	ck_assert_int_eq(make_of_message(message, size, &call), -ENOSYS);
	free(message);
	values[1].type = THAW_TYPE_INT;
	ck_assert_int_eq(typed_values_pack(&as_long, &error, &message, &size),
			 0);
	ck_assert_int_eq(make_of_message(message, size, &call), -EINVAL);
	ck_assert_str_eq(error.message, "add: returns int, and not long");
	free(message);
}
END_TEST

START_TEST(what_cannot_be_packed_is_refused)
{
	static char name[THAW_NAME_MAX + 1];
	struct thaw_value values[THAW_PARAMETERS_MAX + 1] = { twenty };
	struct typed_values call = { .values = values };
	void *message;
	size_t size;
	struct {
		const char *name;
		size_t count;
		int type;
	} bad[] = {
		{ "", 1, THAW_TYPE_INT },
		{ NULL, 1, THAW_TYPE_INT },
		{ name, 1, THAW_TYPE_INT },
		{ "add", 17, THAW_TYPE_INT },
		{ "add", 1, THAW_TYPE_VOID },
		{ "add", 1, THAW_TYPE_NONE },
		{ "add", 1, 99 },
	};

	memset(name, 'n', sizeof(name) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		values[0].type = (enum thaw_type)bad[i].type;
		call.name = bad[i].name;
		call.count = bad[i].count;
		ck_assert_int_eq(typed_values_pack(&call, &error, &message,
						   &size),
				 -EINVAL);
	}
	call.name = "add";
	call.count = 1;
	values[0] = (struct thaw_value){
		.type = THAW_TYPE_BYTES,
		.as = { .bytes = { "", (size_t)THAW_MESSAGE_MAX + 1 } },
	};
	ck_assert_int_eq(typed_values_pack(&call, &error, &message, &size),
			 -E2BIG);
	values[0].as.bytes.size = THAW_MESSAGE_MAX;
	ck_assert_int_eq(typed_values_pack(&call, &error, &message, &size),
			 -E2BIG);
}
END_TEST

/* A call of "join" with "abc" and five bytes, to be spoilt. */
struct joined {
	struct thaw_message head;
	struct thaw_item items[2];
	char name[8], text[8], data[8];
};

static struct joined joined;

static void make_joined(void)
{
	const struct thaw_value values[] = {
		{ .type = THAW_TYPE_STRING, .as = { .string = { "abc", 3 } } },
		{ .type = THAW_TYPE_BYTES, .as = { .bytes = { "12345", 5 } } },
	};
	size_t size;
	void *message = pack("join", values, 2, &size);

	ck_assert_uint_eq(size, sizeof(joined));
	memcpy(&joined, message, size);
	free(message);
}

#define SPOIL(name, statement)         \
	static void spoil_##name(void) \
	{                              \
		statement;             \
	}
SPOIL(size, joined.head.size--)
SPOIL(kind, joined.head.kind = THAW_MESSAGE_RESULT)
SPOIL(count, joined.head.count = 17)
SPOIL(more, joined.head.count = 16)
SPOIL(index, joined.head.function = 0)
SPOIL(returns, joined.head.returns = THAW_TYPE_VOID + 1)
SPOIL(no_name, joined.head.name_size = 0)
SPOIL(long_name, joined.head.name_size = THAW_NAME_MAX)
SPOIL(name_wraps, joined.head.name = UINT64_MAX - 7)
SPOIL(name_is_head, joined.head.name = 0)
SPOIL(name_is_odd, joined.head.name += 1)
SPOIL(name_without_zero, memset(joined.name, 'n', 8); joined.head.name_size = 8)
SPOIL(name_with_zero, joined.name[1] = '\0')
SPOIL(type, joined.items[0].type = 99)
SPOIL(no_type, joined.items[0].type = THAW_TYPE_NONE)
SPOIL(void_type, joined.items[0].type = THAW_TYPE_VOID)
SPOIL(text_wraps, joined.items[0].bits = UINT64_MAX - 7)
SPOIL(text_is_odd, joined.items[0].bits += 4)
SPOIL(text_in_items, joined.items[0].bits = sizeof(struct thaw_message))
SPOIL(text_at_end, joined.items[0].bits = sizeof(joined))
SPOIL(text_ends, joined.items[0].size = UINT32_MAX)
SPOIL(text_without_zero, joined.items[0].size = 7; memset(joined.text, 'x', 8))
SPOIL(text_with_zero, joined.text[1] = '\0')
SPOIL(text_is_not_utf8, joined.text[1] = '\xff')
SPOIL(data_end, joined.items[1].size = 9)
SPOIL(data_wrap, joined.items[1].bits = UINT64_MAX - 7)
SPOIL(int_has_size, joined.items[0].type = THAW_TYPE_INT)
SPOIL(int_is_large,
      joined.items[0] = (struct thaw_item){ .type = THAW_TYPE_INT };
      joined.items[0].bits = 0xffffffff)
SPOIL(uint_is_large,
      joined.items[0] = (struct thaw_item){ .type = THAW_TYPE_UINT };
      joined.items[0].bits = UINT64_C(1) << 32)
SPOIL(float_is_large,
      joined.items[0] = (struct thaw_item){ .type = THAW_TYPE_FLOAT };
      joined.items[0].bits = UINT64_C(1) << 32)
SPOIL(bool_is_two,
      joined.items[0] = (struct thaw_item){ .type = THAW_TYPE_BOOL };
      joined.items[0].bits = 2)

static void (*const spoils[])(void) = {
	spoil_size,	      spoil_kind,
	spoil_count,	      spoil_more,
	spoil_index,	      spoil_returns,
	spoil_no_name,	      spoil_long_name,
	spoil_name_wraps,     spoil_name_is_head,
	spoil_name_is_odd,    spoil_name_without_zero,
	spoil_name_with_zero, spoil_type,
	spoil_no_type,	      spoil_void_type,
	spoil_text_wraps,     spoil_text_is_odd,
	spoil_text_in_items,  spoil_text_at_end,
	spoil_text_ends,      spoil_text_without_zero,
	spoil_text_with_zero, spoil_text_is_not_utf8,
	spoil_data_end,	      spoil_data_wrap,
	spoil_int_has_size,   spoil_int_is_large,
	spoil_uint_is_large,  spoil_float_is_large,
	spoil_bool_is_two,
};

START_TEST(a_message_that_is_wrong_is_refused)
{
	struct typed_call call;

	make_joined();
	ck_assert_msg(!make_of_message(&joined, sizeof(joined), &call), "%s",
		      error.message);
	spoils[_i]();
	ck_assert_int_lt(make_of_message(&joined, sizeof(joined), &call), 0);
}
END_TEST

START_TEST(a_message_that_is_cut_is_refused)
{
	/* behind that there are only zeros */
	const size_t enough = offsetof(struct joined, data) + 5;
	struct typed_call call;

	for (size_t size = 0; size < sizeof(joined); size++) {
		/* of its own size, so that a sanitizer sees what is read */
		void *part = malloc(size ? size : 1);

		make_joined();
		memcpy(part, &joined, size);
		ck_assert_int_eq(make_of_message(part, size, &call), -EINVAL);
		joined.head.size = (uint32_t)size;
		memcpy(part, &joined, size);
		ck_assert_int_eq(make_of_message(part, size, &call),
				 size < enough ? -EINVAL : 0);
		free(part);
	}
}
END_TEST

/* Results */

static int take(struct typed_call *call, const struct thaw_value *value,
		size_t max)
{
	struct thaw_message head = { .kind = THAW_MESSAGE_RESULT };
	const unsigned count = value->type == THAW_TYPE_VOID ? 0 : 1;
	const size_t size = thaw_message_size(value, count, 0);
	void *bytes = malloc(size);
	int r;

	thaw_message_write(&head, NULL, value, count, bytes);
	r = typed_result_take(call, bytes, size, max, &error);
	free(bytes);
	return r;
}

static void results_in(const char *text, const char *name,
		       const struct thaw_value *value, const char *expected)
{
	struct typed_call call;

	ck_assert_int_eq(make(text, name, &call), 0);
	ck_assert_msg(!take(&call, value, 4096), "%s", error.message);
	ck_assert_uint_eq(call.size, strlen(expected));
	ck_assert_mem_eq(call.message, expected, call.size);
	typed_call_done(&call);
}

START_TEST(a_result_is_json_for_who_sends_json)
{
	const struct thaw_value nothing = { .type = THAW_TYPE_VOID };
	const struct thaw_value text = {
		.type = THAW_TYPE_STRING,
		.as = { .string = { "a\"\n", 3 } },
	};

	results_in("[20,22]", "add", &twenty, "{\"result\":20}");
	results_in("[]", "nothing", &nothing, "{\"result\":null}");
	results_in("[\"\",\"\"]", "join", &text, "{\"result\":\"a\\\"\\n\"}");
}
END_TEST

START_TEST(a_result_is_a_message_for_who_sends_one)
{
	const struct thaw_value values[] = { twenty, twenty };
	struct thaw_value value;
	struct typed_call call;
	size_t size;
	void *message = pack("add", values, 2, &size);

	ck_assert_int_eq(make_of_message(message, size, &call), 0);
	ck_assert_int_eq(take(&call, &twenty, 4096), 0);
	ck_assert_int_eq(typed_values_unpack(call.message, call.size, &error,
					     &value),
			 0);
	ck_assert_int_eq(value.type, THAW_TYPE_INT);
	ck_assert_int_eq(value.as.i32, 20);
	typed_call_done(&call);
	free(message);
}
END_TEST

START_TEST(a_result_of_another_type_is_refused)
{
	struct thaw_value value = { .type = THAW_TYPE_LONG };
	struct typed_call call;

	ck_assert_int_eq(make("[20,22]", "add", &call), 0);
	ck_assert_int_eq(take(&call, &value, 4096), -EPROTO);
	ck_assert_str_eq(error.message, "long, and add returns int");
	value.type = THAW_TYPE_VOID;
	ck_assert_int_eq(take(&call, &value, 4096), -EPROTO);
	typed_call_done(&call);
	ck_assert_int_eq(make("[]", "nothing", &call), 0);
	ck_assert_int_eq(take(&call, &twenty, 4096), -EPROTO);
	typed_call_done(&call);
}
END_TEST

START_TEST(a_result_has_max_reply_bytes_as_json)
{
	struct typed_call call;

	ck_assert_int_eq(make("[20,22]", "add", &call), 0);
	ck_assert_int_eq(take(&call, &twenty, strlen("{\"result\":20}")), 0);
	typed_call_done(&call);
	ck_assert_int_eq(make("[20,22]", "add", &call), 0);
	ck_assert_int_eq(take(&call, &twenty, strlen("{\"result\":20}") - 1),
			 -E2BIG);
	typed_call_done(&call);
}
END_TEST

START_TEST(no_bytes_are_no_result)
{
	struct typed_call call;

	ck_assert_int_eq(make("[20,22]", "add", &call), 0);
	ck_assert_int_eq(typed_result_take(&call, NULL, 0, 4096, &error),
			 -EPROTO);
	ck_assert_int_eq(typed_result_take(&call, "{\"result\":1}", 12, 4096,
					   &error),
			 -EPROTO);
	typed_call_done(&call);
}
END_TEST

static void add_messages(TCase *tests)
{
	tcase_add_test(tests, a_message_of_a_caller_goes_as_it_is);
	tcase_add_test(tests, types_of_a_message_are_checked);
	tcase_add_test(tests, what_cannot_be_packed_is_refused);
	tcase_add_loop_test(tests, a_message_that_is_wrong_is_refused, 0,
			    (int)(sizeof(spoils) / sizeof(*spoils)));
	tcase_add_test(tests, a_message_that_is_cut_is_refused);
	tcase_add_test(tests, a_result_is_json_for_who_sends_json);
	tcase_add_test(tests, a_result_is_a_message_for_who_sends_one);
	tcase_add_test(tests, a_result_of_another_type_is_refused);
	tcase_add_test(tests, a_result_has_max_reply_bytes_as_json);
	tcase_add_test(tests, no_bytes_are_no_result);
}

int main(void)
{
	Suite *suite = suite_create("typed call");
	TCase *tests = tcase_create("calls");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_call_has_several_forms, 0,
			    (int)(sizeof(sums) / sizeof(*sums)));
	tcase_add_test(tests, a_call_without_arguments_may_be_empty);
	tcase_add_test(tests, text_and_bytes_are_behind_the_items);
	tcase_add_loop_test(tests, what_is_wrong_is_said_with_its_place, 0,
			    (int)(sizeof(wrong) / sizeof(*wrong)));
	tcase_add_test(tests, deep_nesting_is_refused);
	tcase_add_test(tests, long_names_are_refused);
	tcase_add_test(tests, the_entry_of_a_catalog_is_the_only_function);
	tcase_add_test(tests, the_dispatch_function_takes_other_names);
	add_messages(tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
