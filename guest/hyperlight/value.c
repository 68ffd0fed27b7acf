/* value.c - values of thaw as Hyperlight's parameters, and the other way. */
#include <stdlib.h>
#include <string.h>

#include "hyperlight_internal.h"

static const enum thaw_type types_of_parameters[] = {
	[hl_ParameterType_Int] = THAW_TYPE_INT,
	[hl_ParameterType_UInt] = THAW_TYPE_UINT,
	[hl_ParameterType_Long] = THAW_TYPE_LONG,
	[hl_ParameterType_ULong] = THAW_TYPE_ULONG,
	[hl_ParameterType_Float] = THAW_TYPE_FLOAT,
	[hl_ParameterType_Double] = THAW_TYPE_DOUBLE,
	[hl_ParameterType_String] = THAW_TYPE_STRING,
	[hl_ParameterType_Bool] = THAW_TYPE_BOOL,
	[hl_ParameterType_VecBytes] = THAW_TYPE_BYTES,
	[hl_ParameterType_ByteChunks] = THAW_TYPE_BYTES,
};

static const enum thaw_type types_of_returns[] = {
	[hl_ReturnType_Int] = THAW_TYPE_INT,
	[hl_ReturnType_UInt] = THAW_TYPE_UINT,
	[hl_ReturnType_Long] = THAW_TYPE_LONG,
	[hl_ReturnType_ULong] = THAW_TYPE_ULONG,
	[hl_ReturnType_Float] = THAW_TYPE_FLOAT,
	[hl_ReturnType_Double] = THAW_TYPE_DOUBLE,
	[hl_ReturnType_String] = THAW_TYPE_STRING,
	[hl_ReturnType_Bool] = THAW_TYPE_BOOL,
	[hl_ReturnType_Void] = THAW_TYPE_VOID,
	[hl_ReturnType_VecBytes] = THAW_TYPE_BYTES,
	[hl_ReturnType_ByteChunks] = THAW_TYPE_BYTES,
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

enum thaw_type hyperlight_type_of_parameter(hl_ParameterType type)
{
	return (unsigned)type < COUNT(types_of_parameters) ?
		       types_of_parameters[type] :
		       THAW_TYPE_NONE;
}

enum thaw_type hyperlight_type_of_return(hl_ReturnType type)
{
	return (unsigned)type < COUNT(types_of_returns) ?
		       types_of_returns[type] :
		       THAW_TYPE_NONE;
}

hl_ReturnType hyperlight_return_of(enum thaw_type type)
{
	for (unsigned i = 0; i < COUNT(types_of_returns); i++)
		if (types_of_returns[i] == type)
			return (hl_ReturnType)i;
	return hl_ReturnType_Void;
}

static hl_ParameterType parameter_of(enum thaw_type type)
{
	unsigned i = 0;

	while (i < hl_ParameterType_VecBytes && types_of_parameters[i] != type)
		i++;
	return (hl_ParameterType)i;
}

void *hyperlight_allocate(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory) {
		hyperlight_end_if_set();
		hyperlight_fail(hl_ErrorCode_MallocFailed,
				"no memory for %zu bytes", size);
	}
	return memory;
}

/* Copies to @*to, with a zero behind it, and moves that on. */
static char *copy(char **to, const void *data, size_t size)
{
	char *at = *to;

	if (size)
		memcpy(at, data, size);
	at[size] = '\0';
	*to += thaw_message_room(size);
	return at;
}

void hyperlight_parameters(const struct thaw_value *values, unsigned count,
			   hl_Parameter *parameters)
{
	size_t size = 0;
	char *to = NULL;

	for (unsigned i = 0; i < count; i++)
		if (thaw_type_has_bytes(values[i].type))
			size += thaw_message_room(thaw_value_size(&values[i]));
	if (size)
		to = hyperlight_allocate(size);
	for (unsigned i = 0; i < count; i++) {
		const struct thaw_value *value = &values[i];
		hl_Parameter *parameter = &parameters[i];

		parameter->tag = parameter_of(value->type);
		if (value->type == THAW_TYPE_STRING) {
			parameter->value.String = copy(&to,
						       value->as.string.data,
						       value->as.string.size);
		} else if (value->type == THAW_TYPE_BYTES) {
			const size_t len = value->as.bytes.size;
			char *data = copy(&to, value->as.bytes.data, len);

			parameter->value.VecBytes =
				(hl_Vec){ (uint8_t *)data, len };
		} else {
			/* all others are at the start of both unions */
			memcpy(&parameter->value, &value->as,
			       sizeof(value->as.u64));
		}
	}
}

static struct thaw_value value_of_string(const char *text)
{
	if (!text)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"a String argument of a host function is NULL");
	return thaw_value_string(text);
}

/* The chunks as one run of bytes, in memory that nobody frees. */
static struct thaw_value value_of_chunks(const hl_ByteChunks *chunks)
{
	struct thaw_bytes bytes = { NULL, 0 };
	char *to;

	for (uintptr_t i = 0; i < chunks->count; i++)
		bytes.size += chunks->chunks[i].len;
	to = hyperlight_allocate(bytes.size);
	bytes.data = to;
	for (uintptr_t i = 0; i < chunks->count; i++) {
		const hl_ByteChunk *chunk = &chunks->chunks[i];

		if (chunk->len)
			memcpy(to, chunk->data, chunk->len);
		to += chunk->len;
	}
	return thaw_value_bytes(bytes);
}

struct thaw_value hyperlight_value_of(const hl_Parameter *parameter)
{
	struct thaw_value value = {
		.type = hyperlight_type_of_parameter(parameter->tag),
	};

	switch (parameter->tag) {
	case hl_ParameterType_String:
		return value_of_string(parameter->value.String);
	case hl_ParameterType_VecBytes:
		value.as.bytes = (struct thaw_bytes){
			parameter->value.VecBytes.data,
			parameter->value.VecBytes.len,
		};
		return value;
	case hl_ParameterType_ByteChunks:
		return value_of_chunks(&parameter->value.ByteChunks);
	default:
		break;
	}
	if (value.type == THAW_TYPE_NONE)
		hyperlight_fail(hl_ErrorCode_UnsupportedParameterType,
				"there is no parameter type %d",
				(int)parameter->tag);
	memcpy(&value.as, &parameter->value, sizeof(value.as.u64));
	return value;
}
