/*
 * hyperlight.c - a Hyperlight guest: functions that give back what they get, and that
 * use memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyperlight.h"

#define ARRAY_BYTES (1 << 20)
#define PATTERN 0xa5

static uint8_t array[ARRAY_BYTES];
static int32_t counter;
static uint8_t *pattern;
static int runs_of_main;

static const char *echo(const char *value)
{
	return value;
}

static float echo_float(float value)
{
	return value;
}

static double echo_double(double value)
{
	return value;
}

static int32_t echo_int(int32_t value)
{
	return value;
}

static uint32_t echo_uint(uint32_t value)
{
	return value;
}

static int64_t echo_long(int64_t value)
{
	return value;
}

static uint64_t echo_ulong(uint64_t value)
{
	return value;
}

static bool echo_bool(bool value)
{
	return value;
}

static void no_op(void)
{
}

WRAP_SAME(echo, String)
WRAP_SAME(echo_float, Float)
WRAP_SAME(echo_double, Double)
WRAP_SAME(echo_int, Int)
WRAP_SAME(echo_uint, UInt)
WRAP_SAME(echo_long, Long)
WRAP_SAME(echo_ulong, ULong)
WRAP_SAME(echo_bool, Bool)
HYPERLIGHT_WRAP_FUNCTION(no_op, Void, 0)

static result *echo_bytes(const hl_FunctionCall *call)
{
	const hl_Vec bytes = call->parameters[0].value.VecBytes;

	return FROM(Bytes)(bytes.data, bytes.len);
}

/* In place: arguments may be written. */
static result *set_to_zero(const hl_FunctionCall *call)
{
	const hl_Vec bytes = call->parameters[0].value.VecBytes;

	memset(bytes.data, 0, bytes.len);
	return FROM(Bytes)(bytes.data, bytes.len);
}

static result *large_in_small_out(const hl_FunctionCall *call)
{
	const hl_Vec bytes = call->parameters[0].value.VecBytes;

	if (bytes.len != 24 << 10)
		hl_set_error(hl_ErrorCode_GuestError, "no 24 KiB");
	return FROM(Bytes)(bytes.data, 8 << 10);
}

/* The sum of the lengths of bytes and text. */
static result *large_parameters(const hl_FunctionCall *call)
{
	return FROM(ULong)(call->parameters[0].value.VecBytes.len +
			   strlen(call->parameters[1].value.String));
}

static const char *shout(const char *text)
{
	/* not const in the call */
	for (char *at = (char *)text; *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	return text;
}

WRAP_SAME(shout, String)

static int set_static(void)
{
	for (size_t i = 0; i < sizeof(array); i++)
		array[i] = (uint8_t)i;
	return sizeof(array);
}

static int32_t add_to_static(int32_t value)
{
	return counter += value;
}

static int32_t get_static(void)
{
	return counter;
}

static int32_t add_to_static_and_fail(int32_t value)
{
	counter += value;
	hl_set_error(hl_ErrorCode_GuestError, "Crash on purpose");
	return counter;
}

HYPERLIGHT_WRAP_FUNCTION(set_static, Int, 0)
WRAP_SAME(add_to_static, Int)
HYPERLIGHT_WRAP_FUNCTION(get_static, Int, 0)
WRAP_SAME(add_to_static_and_fail, Int)

static int32_t runs(void)
{
	return runs_of_main;
}

HYPERLIGHT_WRAP_FUNCTION(runs, Int, 0)

static uint64_t write_pattern(uint64_t size)
{
	pattern = malloc(size);
	if (!pattern)
		hl_set_error(hl_ErrorCode_MallocFailed, "no pattern");
	else
		memset(pattern, PATTERN, size);
	return size;
}

/* Whether the pattern is still there. */
static bool read_pattern(uint64_t size)
{
	for (uint64_t i = 0; pattern && i < size; i++)
		if (pattern[i] != PATTERN)
			return false;
	return pattern;
}

WRAP_SAME(write_pattern, ULong)
HYPERLIGHT_WRAP_FUNCTION(read_pattern, Bool, 1, ULong)

static int call_malloc(int32_t size)
{
	void *memory = malloc((size_t)size);

	use(memory);
	if (!memory)
		hl_set_error(hl_ErrorCode_GuestError, "Malloc Failed");
	return size;
}

static int malloc_and_free(int32_t size)
{
	void *memory = malloc((size_t)size);

	use(memory);
	if (!memory)
		hl_set_error(hl_ErrorCode_GuestError, "Malloc Failed");
	free(memory);
	return size;
}

/* Alignment, and that what was freed is there again. */
static int test_malloc(int32_t rounds)
{
	for (int32_t i = 0; i < rounds; i++) {
		const size_t align = (size_t)16 << i % 8;
		char *one = malloc((size_t)i + 1);
		char *other = calloc((size_t)i + 1, 3);
		char *aligned = aligned_alloc(align, align);

		if (!one || !other || !aligned || other[i * 3] ||
		    (uintptr_t)aligned % align)
			hl_set_error(hl_ErrorCode_GuestError, "bad malloc");
		one = realloc(one, 4096);
		free(one);
		free(other);
		free(aligned);
	}
	return rounds;
}

WRAP_SAME(call_malloc, Int)
WRAP_SAME(malloc_and_free, Int)
WRAP_SAME(test_malloc, Int)

static uint64_t next_random_long(void)
{
	return (uint64_t)random() << 32 | (uint64_t)random();
}

static int32_t next_random(void)
{
	return rand();
}

HYPERLIGHT_WRAP_FUNCTION(next_random_long, ULong, 0)
HYPERLIGHT_WRAP_FUNCTION(next_random, Int, 0)

/* Registers of floating point: arguments in vectors. */
static double use_vectors(double a, double b, float c)
{
	double sums[16];
	double all = 0;

	for (int i = 0; i < 16; i++)
		sums[i] = a * i + b - (double)c;
	for (int i = 0; i < 16; i++)
		all += sums[i];
	return all;
}

HYPERLIGHT_WRAP_FUNCTION(use_vectors, Double, 3, Double, Double, Float)

static result *first_twice(const hl_FunctionCall *call)
{
	(void)call;
	return FROM(Int)(1);
}

static result *second_twice(const hl_FunctionCall *call)
{
	(void)call;
	return FROM(Long)(2);
}

static void register_memory(void)
{
	HYPERLIGHT_REGISTER_FUNCTION("SetStatic", set_static);
	HYPERLIGHT_REGISTER_FUNCTION("AddToStatic", add_to_static);
	HYPERLIGHT_REGISTER_FUNCTION("GetStatic", get_static);
	HYPERLIGHT_REGISTER_FUNCTION("AddToStaticAndFail",
				     add_to_static_and_fail);
	HYPERLIGHT_REGISTER_FUNCTION("AllocAndWritePattern", write_pattern);
	HYPERLIGHT_REGISTER_FUNCTION("ReadPattern", read_pattern);
	HYPERLIGHT_REGISTER_FUNCTION("CallMalloc", call_malloc);
	HYPERLIGHT_REGISTER_FUNCTION("MallocAndFree", malloc_and_free);
	HYPERLIGHT_REGISTER_FUNCTION("TestMalloc", test_malloc);
	HYPERLIGHT_REGISTER_FUNCTION("RunsOfMain", runs);
}

void hyperlight_main(void)
{
	const hl_ParameterType large[] = { hl_ParameterType_VecBytes,
					   hl_ParameterType_String };

	runs_of_main++;
	HYPERLIGHT_REGISTER_FUNCTION("Echo", echo);
	HYPERLIGHT_REGISTER_FUNCTION("EchoFloat", echo_float);
	HYPERLIGHT_REGISTER_FUNCTION("EchoDouble", echo_double);
	HYPERLIGHT_REGISTER_FUNCTION("EchoI32", echo_int);
	HYPERLIGHT_REGISTER_FUNCTION("EchoU32", echo_uint);
	HYPERLIGHT_REGISTER_FUNCTION("EchoI64", echo_long);
	HYPERLIGHT_REGISTER_FUNCTION("EchoU64", echo_ulong);
	HYPERLIGHT_REGISTER_FUNCTION("EchoBool", echo_bool);
	HYPERLIGHT_REGISTER_FUNCTION("NoOp", no_op);
	HYPERLIGHT_REGISTER_FUNCTION("Shout", shout);
	HYPERLIGHT_REGISTER_FUNCTION("NextRandom", next_random);
	HYPERLIGHT_REGISTER_FUNCTION("NextRandomLong", next_random_long);
	HYPERLIGHT_REGISTER_FUNCTION("UseSSE2Registers", use_vectors);
	register_bytes("GetSizePrefixedBuffer", echo_bytes);
	register_bytes("SetByteArrayToZero", set_to_zero);
	register_bytes("24K_in_8K_out", large_in_small_out);
	hl_register_function_definition("LargeParameters", large_parameters, 2,
					large, hl_ReturnType_ULong);
	hl_register_function_definition("Twice", first_twice, 1, large,
					hl_ReturnType_Int);
	hl_register_function_definition("Twice", second_twice, 0, NULL,
					hl_ReturnType_Long);
	register_memory();
	register_prints();
	register_faults();
	register_host_calls();
	register_mistakes();
}

/* The first argument is the name of a host function, the others are its arguments. */
static result *call_any(const hl_FunctionCall *call)
{
	const hl_FunctionCall other = {
		.function_name = call->parameters[0].value.String,
		.parameters = call->parameters + 1,
		.parameters_len = call->parameters_len - 1,
		.return_type = hl_ReturnType_Int,
	};

	hl_call_host_function(&other);
	return FROM(Int)(hl_get_host_return_value_as_Int());
}

result *c_guest_dispatch_function(const hl_FunctionCall *call)
{
	if (!strcmp(call->function_name, "FuzzHostFunc") &&
	    call->parameters_len &&
	    call->parameters[0].tag == hl_ParameterType_String)
		return call_any(call);
	if (!strcmp(call->function_name,
		    "ThisIsNotARealFunctionButTheNameIsImportant"))
		return FROM(Int)(99);
	if (!strcmp(call->function_name, "Tags")) {
		static char text[128];
		size_t length = 0;

		for (uintptr_t i = 0; i < call->parameters_len; i++)
			length +=
				(size_t)snprintf(text + length,
						 sizeof(text) - length, "%d ",
						 (int)call->parameters[i].tag);
		snprintf(text + length, sizeof(text) - length, "-> %d",
			 (int)call->return_type);
		return FROM(String)(text);
	}
	return NULL;
}
