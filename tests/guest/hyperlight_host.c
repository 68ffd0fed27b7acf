/*
 * hyperlight_host.c - functions of a Hyperlight guest that call host functions, well
 * and badly.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hyperlight.h"

/* Calls @name with @count parameters. */
static void call_host(const char *name, hl_ReturnType returns,
		      const hl_Parameter *parameters, size_t count)
{
	const hl_FunctionCall call = {
		.function_name = name,
		.parameters = parameters,
		.parameters_len = count,
		.return_type = returns,
	};

	hl_call_host_function(&call);
}

static void call_with_text(const char *name, hl_ReturnType returns,
			   const char *text)
{
	const hl_Parameter parameter = {
		.tag = hl_ParameterType_String,
		.value = { .String = (char *)text },
	};

	call_host(name, returns, &parameter, 1);
}

/* The text with something before it. */
static const char *prefixed(const char *prefix, const char *text)
{
	char *both = malloc(strlen(prefix) + strlen(text) + 1);

	if (!both)
		abort();
	return strcat(strcpy(both, prefix), text);
}

static int guest_method_1(const char *text)
{
	call_with_text("HostMethod1", hl_ReturnType_Int,
		       prefixed("Hello from GuestFunction1, ", text));
	return hl_get_host_return_value_as_Int();
}

static int guest_method_2(const char *text)
{
	call_with_text("HostMethod1", hl_ReturnType_Int,
		       prefixed("Hello from GuestFunction2, ", text));
	return hl_get_host_return_value_as_Int();
}

static int guest_method_3(const char *text)
{
	call_with_text("HostMethod1", hl_ReturnType_Int,
		       prefixed("Hello from GuestFunction3, ", text));
	return hl_get_host_return_value_as_Int();
}

static void guest_method_4(void)
{
	call_with_text("HostMethod4", hl_ReturnType_Void,
		       "Hello from GuestFunction4");
}

static int add(int32_t a, int32_t b)
{
	const hl_Parameter parameters[] = {
		{ .tag = hl_ParameterType_Int, .value = { .Int = a } },
		{ .tag = hl_ParameterType_Int, .value = { .Int = b } },
	};

	call_host("HostAdd", hl_ReturnType_Int, parameters, 2);
	return hl_get_host_return_value_as_Int();
}

/* One that gives the value to a host function that gives it back. */
#define ROUND_TRIP(word, type, ctype)                                         \
	static ctype round_trip_##word(ctype value)                           \
	{                                                                     \
		const hl_Parameter parameter = {                              \
			.tag = hl_ParameterType_##type,                       \
			.value = { .type = value },                           \
		};                                                            \
                                                                              \
		call_host("HostSame" #type, hl_ReturnType_##type, &parameter, \
			  1);                                                 \
		return hl_get_host_return_value_as_##type();                  \
	}                                                                     \
	WRAP_SAME(round_trip_##word, type)
ROUND_TRIP(int, Int, int32_t)
ROUND_TRIP(uint, UInt, uint32_t)
ROUND_TRIP(long, Long, int64_t)
ROUND_TRIP(ulong, ULong, uint64_t)
ROUND_TRIP(float, Float, float)
ROUND_TRIP(double, Double, double)
ROUND_TRIP(bool, Bool, bool)

static const char *round_trip_string(const char *text)
{
	call_with_text("HostSameString", hl_ReturnType_String, text);
	return hl_get_host_return_value_as_String();
}

static result *round_trip_bytes(const hl_FunctionCall *call)
{
	hl_Vec *bytes;
	result *same;

	call_host("HostSameVecBytes", hl_ReturnType_VecBytes, call->parameters,
		  1);
	bytes = hl_get_host_return_value_as_VecBytes();
	same = FROM(Bytes)(bytes->data, bytes->len);
	free(bytes->data);
	free(bytes);
	return same;
}

/* In a loop: its errors, too, end only this invocation. */
static int host_call_loop(const char *name, int32_t rounds)
{
	for (int32_t i = 0; i < rounds; i++)
		call_host(name, hl_ReturnType_Void, NULL, 0);
	return rounds;
}

static int call_host_then_spin(const char *name)
{
	call_host(name, hl_ReturnType_Void, NULL, 0);
	for (;;)
		__asm__ volatile("");
	return 0;
}

static int call_host_spin(void)
{
	call_host("Spin", hl_ReturnType_Void, NULL, 0);
	return 0;
}

static int host_print(const char *text)
{
	call_with_text("HostPrint", hl_ReturnType_Int, text);
	return hl_get_host_return_value_as_Int();
}

static result *host_read(const hl_FunctionCall *call)
{
	const hl_Vec *bytes;

	call_host("HostRead", hl_ReturnType_VecBytes, call->parameters, 1);
	bytes = hl_get_host_return_value_as_VecBytes();
	return FROM(Bytes)(bytes->data, bytes->len);
}

/* Seconds of CurrentTime; and of the C library. */
static uint64_t current_time(void)
{
	const hl_Vec *bytes;
	uint64_t parts[2];

	call_host("CurrentTime", hl_ReturnType_VecBytes, NULL, 0);
	bytes = hl_get_host_return_value_as_VecBytes();
	if (bytes->len != sizeof(parts))
		hl_set_error(hl_ErrorCode_GuestError, "not 16 bytes");
	memcpy(parts, bytes->data, sizeof(parts));
	if (parts[1] >= 1000000000)
		hl_set_error(hl_ErrorCode_GuestError, "nanoseconds");
	return parts[0];
}

static uint64_t time_of_c(void)
{
	int offset;

	if (hl_get_utc_offset(&offset) || offset || !hl_get_utc_offset(NULL))
		hl_set_error(hl_ErrorCode_GuestError, "no offset");
	return (uint64_t)time(NULL);
}

/* Getters that do not fit. */

static int get_nothing(void)
{
	return hl_get_host_return_value_as_Int();
}

static int get_twice(void)
{
	add(1, 2);
	return hl_get_host_return_value_as_Int();
}

static uint32_t get_other_type(void)
{
	const hl_Parameter parameters[] = {
		{ .tag = hl_ParameterType_Int, .value = { .Int = 1 } },
		{ .tag = hl_ParameterType_Int, .value = { .Int = 2 } },
	};

	call_host("HostAdd", hl_ReturnType_Int, parameters, 2);
	return hl_get_host_return_value_as_UInt();
}

static void call_unnamed(void)
{
	call_host(NULL, hl_ReturnType_Void, NULL, 0);
}

static void call_with_null(void)
{
	call_with_text("HostPrint", hl_ReturnType_Int, NULL);
}

static void call_with_odd_type(void)
{
	const hl_Parameter parameter = { .tag = (hl_ParameterType)77 };

	call_host("HostPrint", hl_ReturnType_Int, &parameter, 1);
}

static void call_with_17(void)
{
	const hl_Parameter parameters[17] = { { .tag = hl_ParameterType_Int } };

	call_host("HostPrint", hl_ReturnType_Int, parameters, 17);
}

static void call_for_odd_type(void)
{
	call_host("HostPrint", (hl_ReturnType)77, NULL, 0);
}

HYPERLIGHT_WRAP_FUNCTION(guest_method_1, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(guest_method_2, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(guest_method_3, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(guest_method_4, Void, 0)
HYPERLIGHT_WRAP_FUNCTION(add, Int, 2, Int, Int)
WRAP_SAME(round_trip_string, String)
HYPERLIGHT_WRAP_FUNCTION(host_call_loop, Int, 2, String, Int)
HYPERLIGHT_WRAP_FUNCTION(call_host_then_spin, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(call_host_spin, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(host_print, Int, 1, String)
HYPERLIGHT_WRAP_FUNCTION(current_time, ULong, 0)
HYPERLIGHT_WRAP_FUNCTION(time_of_c, ULong, 0)
HYPERLIGHT_WRAP_FUNCTION(get_nothing, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(get_twice, Int, 0)
HYPERLIGHT_WRAP_FUNCTION(get_other_type, UInt, 0)
HYPERLIGHT_WRAP_FUNCTION(call_unnamed, Void, 0)
HYPERLIGHT_WRAP_FUNCTION(call_with_null, Void, 0)
HYPERLIGHT_WRAP_FUNCTION(call_with_odd_type, Void, 0)
HYPERLIGHT_WRAP_FUNCTION(call_with_17, Void, 0)
HYPERLIGHT_WRAP_FUNCTION(call_for_odd_type, Void, 0)

#if HYPERLIGHT_GENERATION >= 2

/* Whether the host function of that name ends with an error. */
static bool call_expects_error(const char *name)
{
	const hl_FunctionCall call = {
		.function_name = name,
		.return_type = hl_ReturnType_Int,
	};
	hl_ReturnValue *value = hl_call_host_function_with_result(&call);
	const bool is_error = !value;

	hl_free_return_value(value);
	return is_error;
}

HYPERLIGHT_WRAP_FUNCTION(call_expects_error, Bool, 1, String)

/* Chunks of a call, each in two, to the host and back. */
static hl_ReturnValue *round_trip_chunks(const hl_FunctionCall *call)
{
	const hl_ByteChunks *given = &call->parameters[0].value.ByteChunks;
	const size_t half = given->chunks[0].len / 2;
	const hl_ByteChunk halves[] = {
		{ given->chunks[0].data, half },
		{ given->chunks[0].data + half, given->chunks[0].len - half },
	};
	const hl_Parameter parameter = {
		.tag = hl_ParameterType_ByteChunks,
		.value = { .ByteChunks = { halves, 2 } },
	};
	hl_ReturnValue *same;
	hl_ByteChunks *chunks;

	call_host("HostSameVecBytes", hl_ReturnType_ByteChunks, &parameter, 1);
	chunks = hl_get_host_return_value_as_ByteChunks();
	same = hl_result_from_ByteChunks(*chunks);
	hl_free_byte_chunks(chunks);
	hl_free_byte_chunks(NULL);
	return same;
}

/* Chunks of a call in the other order, an empty one between them. */
static hl_ReturnValue *turn_chunks(const hl_FunctionCall *call)
{
	const hl_ByteChunks *given = &call->parameters[0].value.ByteChunks;
	const size_t half = given->chunks[0].len / 2;
	const hl_ByteChunk turned[] = {
		{ given->chunks[0].data + half, given->chunks[0].len - half },
		{ NULL, 0 },
		{ given->chunks[0].data, half },
	};

	return hl_result_from_ByteChunks((hl_ByteChunks){ turned, 3 });
}

static hl_ReturnValue *text_with_zero(const hl_FunctionCall *call)
{
	(void)call;
	return hl_result_from_StringBytes((const uint8_t *)"a\0b", 3);
}

static hl_ReturnValue *text_without_zero(const hl_FunctionCall *call)
{
	hl_ReturnValue *other = hl_result_from_String("other");

	(void)call;
	hl_free_return_value(other);
	return hl_result_from_StringBytes((const uint8_t *)"abc", 2);
}

static void register_second_generation(void)
{
	const hl_ParameterType types[] = { hl_ParameterType_ByteChunks };

	HYPERLIGHT_REGISTER_FUNCTION("CallHostExpectError", call_expects_error);
	hl_register_function_definition("RoundTripHostByteChunks",
					round_trip_chunks, 1, types,
					hl_ReturnType_ByteChunks);
	hl_register_function_definition("TurnChunks", turn_chunks, 1, types,
					hl_ReturnType_ByteChunks);
	hl_register_function_definition("TextWithZero", text_with_zero, 0, NULL,
					hl_ReturnType_String);
	hl_register_function_definition("TextWithoutZero", text_without_zero, 0,
					NULL, hl_ReturnType_String);
}

#else
static void register_second_generation(void)
{
}
#endif

void call_host_in_init(const char *name)
{
	call_host(name, hl_ReturnType_VecBytes, NULL, 0);
}

static void register_round_trips(void)
{
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostI32", round_trip_int);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostU32", round_trip_uint);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostI64", round_trip_long);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostU64", round_trip_ulong);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostFloat", round_trip_float);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostDouble", round_trip_double);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostBool", round_trip_bool);
	HYPERLIGHT_REGISTER_FUNCTION("RoundTripHostString", round_trip_string);
	register_bytes("RoundTripHostVecBytes", round_trip_bytes);
}

void register_host_calls(void)
{
	const hl_ParameterType size[] = { hl_ParameterType_ULong };

	HYPERLIGHT_REGISTER_FUNCTION("GuestMethod1", guest_method_1);
	HYPERLIGHT_REGISTER_FUNCTION("GuestMethod2", guest_method_2);
	HYPERLIGHT_REGISTER_FUNCTION("GuestMethod3", guest_method_3);
	HYPERLIGHT_REGISTER_FUNCTION("GuestMethod4", guest_method_4);
	HYPERLIGHT_REGISTER_FUNCTION("Add", add);
	HYPERLIGHT_REGISTER_FUNCTION("HostCallLoop", host_call_loop);
	HYPERLIGHT_REGISTER_FUNCTION("CallHostThenSpin", call_host_then_spin);
	HYPERLIGHT_REGISTER_FUNCTION("CallHostSpin", call_host_spin);
	HYPERLIGHT_REGISTER_FUNCTION("CallHostPrint", host_print);
	HYPERLIGHT_REGISTER_FUNCTION("CallCurrentTime", current_time);
	HYPERLIGHT_REGISTER_FUNCTION("TimeOfC", time_of_c);
	HYPERLIGHT_REGISTER_FUNCTION("GetNothing", get_nothing);
	HYPERLIGHT_REGISTER_FUNCTION("GetTwice", get_twice);
	HYPERLIGHT_REGISTER_FUNCTION("GetOtherType", get_other_type);
	HYPERLIGHT_REGISTER_FUNCTION("CallUnnamed", call_unnamed);
	HYPERLIGHT_REGISTER_FUNCTION("CallWithNull", call_with_null);
	HYPERLIGHT_REGISTER_FUNCTION("CallWithOddType", call_with_odd_type);
	HYPERLIGHT_REGISTER_FUNCTION("CallWith17", call_with_17);
	HYPERLIGHT_REGISTER_FUNCTION("CallForOddType", call_for_odd_type);
	hl_register_function_definition("CallHostRead", host_read, 1, size,
					hl_ReturnType_VecBytes);
	register_round_trips();
	register_second_generation();
}
