/* host.c - calls host functions for Hyperlight's guests. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hyperlight_internal.h"

/* Where the clock begins that is not the real one: 2021-01-01, UTC. */
#define FALLBACK_S 1609459200

/* What the getters take. */
static hl_ReturnValue *last;

/* Names that thaw has others for. */
static const struct {
	const char *name, *ours;
} renamed[] = {
	{ "HostPrint", "print" },
	{ "HostRead", "read" },
};

static const char *our_name(const char *name)
{
	for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
		if (!strcmp(name, renamed[i].name))
			return renamed[i].ours;
	return name;
}

/* Seconds and nanoseconds, 64 bits each; NULL after an error. */
static hl_ReturnValue *current_time(void)
{
	struct timespec monotonic;
	struct thaw_value now;
	uint64_t time[2];
	const int status =
		thaw_host_call("time", NULL, 0, THAW_TYPE_ULONG, &now);

	if (status == THAW_HOST_OK) {
		time[0] = now.as.u64 / 1000000000;
		time[1] = now.as.u64 % 1000000000;
	} else if (status == THAW_HOST_NOT_FOUND) {
		clock_gettime(CLOCK_MONOTONIC, &monotonic);
		time[0] = FALLBACK_S + (uint64_t)monotonic.tv_sec;
		time[1] = (uint64_t)monotonic.tv_nsec;
	} else {
		return NULL;
	}
	return hl_result_from_Bytes((const uint8_t *)time, sizeof(time));
}

hl_ReturnValue *
hl_call_host_function_with_result(const hl_FunctionCall *function_call)
{
	const char *name = function_call->function_name;
	struct thaw_value values[THAW_PARAMETERS_MAX], result;
	const uintptr_t count = function_call->parameters_len;
	const enum thaw_type returns =
		hyperlight_type_of_return(function_call->return_type);

	if (!name || !*name)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"a host function is called without a name");
	if (count > THAW_PARAMETERS_MAX)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"%s is called with %zu arguments; %d are "
				"allowed",
				name, (size_t)count, THAW_PARAMETERS_MAX);
	if (returns == THAW_TYPE_NONE)
		hyperlight_fail(hl_ErrorCode_UnsupportedParameterType,
				"%s is to return type %d, which does not exist",
				name, (int)function_call->return_type);
	if (!strcmp(name, "CurrentTime") && !count &&
	    function_call->return_type == hl_ReturnType_VecBytes)
		return current_time();
	for (uintptr_t i = 0; i < count; i++)
		values[i] = hyperlight_value_of(&function_call->parameters[i]);
	if (thaw_host_call(our_name(name), values, (unsigned)count, returns,
			   &result))
		return NULL;
	return hyperlight_result_of(&result, function_call->return_type);
}

void hl_call_host_function(const hl_FunctionCall *function_call)
{
	hl_free_return_value(last);
	last = hl_call_host_function_with_result(function_call);
	if (!last)
		hyperlight_fail(hl_ErrorCode_HostFunctionError, "%s: %s",
				function_call->function_name,
				thaw_host_message());
}

/* Takes the last result, whose text or bytes are the caller's from now on. */
static hl_ParameterValue take(hl_ReturnType type, const char *name)
{
	hl_ParameterValue value;

	if (!last)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"there is no result of a host function to get "
				"as %s",
				name);
	if (last->tag != type)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"the result of the host function is no %s",
				name);
	value = last->value;
	free(last);
	last = NULL;
	return value;
}

#define GETTER(type, ctype)                                    \
	ctype hl_get_host_return_value_as_##type(void)         \
	{                                                      \
		return take(hl_ReturnType_##type, #type).type; \
	}
GETTER(Int, int32_t)
GETTER(UInt, uint32_t)
GETTER(Long, int64_t)
GETTER(ULong, uint64_t)
GETTER(Float, float)
GETTER(Double, double)
GETTER(Bool, bool)
GETTER(String, const char *)

hl_Vec *hl_get_host_return_value_as_VecBytes(void)
{
	const hl_ParameterValue value =
		take(hl_ReturnType_VecBytes, "VecBytes");
	hl_Vec *vec = hyperlight_allocate(sizeof(*vec));

	*vec = value.VecBytes;
	return vec;
}

hl_ByteChunks *hl_get_host_return_value_as_ByteChunks(void)
{
	const hl_ParameterValue value =
		take(hl_ReturnType_ByteChunks, "ByteChunks");
	hl_ByteChunks *chunks = hyperlight_allocate(sizeof(*chunks));

	*chunks = value.ByteChunks;
	return chunks;
}

int hl_get_utc_offset(int *offset)
{
	if (!offset)
		return -1;
	*offset = 0;
	return 0;
}
