/*
 * result.c - results: each constructor under the names of both generations. A result is
 * one piece of memory but for its text or bytes, which hl_free_return_value() frees.
 */
#include <stdlib.h>
#include <string.h>

#include "hyperlight_internal.h"

/* In hl_ReturnValue.reserved: so what is no result is told from one. */
#define MAGIC 0x54574148

bool hyperlight_result_is(const hl_ReturnValue *result)
{
	return result->reserved == MAGIC &&
	       hyperlight_type_of_return(result->tag) != THAW_TYPE_NONE;
}

static hl_ReturnValue *make(hl_ReturnType tag)
{
	hl_ReturnValue *result = hyperlight_allocate(sizeof(*result));

	memset(result, 0, sizeof(*result));
	result->tag = tag;
	result->reserved = MAGIC;
	return result;
}

/* A copy with a zero behind it. */
static void *copy(const void *data, size_t size)
{
	char *to = hyperlight_allocate(size + 1);

	if (size)
		memcpy(to, data, size);
	to[size] = '\0';
	return to;
}

/* Defines a constructor of a scalar under both names. */
#define SCALAR(type, ctype)                                           \
	hl_ReturnValue *hl_flatbuffer_result_from_##type(ctype);      \
	hl_ReturnValue *hl_result_from_##type(ctype value)            \
	{                                                             \
		hl_ReturnValue *result = make(hl_ReturnType_##type);  \
                                                                      \
		result->value.type = value;                           \
		return result;                                        \
	}                                                             \
	hl_ReturnValue *hl_flatbuffer_result_from_##type(ctype value) \
	{                                                             \
		return hl_result_from_##type(value);                  \
	}
SCALAR(Int, int32_t)
SCALAR(UInt, uint32_t)
SCALAR(Long, int64_t)
SCALAR(ULong, uint64_t)
SCALAR(Float, float)
SCALAR(Double, double)
SCALAR(Bool, bool)

hl_ReturnValue *hl_flatbuffer_result_from_Void(void);
hl_ReturnValue *hl_flatbuffer_result_from_String(const char *value);
hl_ReturnValue *hl_flatbuffer_result_from_Bytes(const uint8_t *data,
						uintptr_t len);

hl_ReturnValue *hl_result_from_Void(void)
{
	return make(hl_ReturnType_Void);
}

hl_ReturnValue *hl_flatbuffer_result_from_Void(void)
{
	return hl_result_from_Void();
}

hl_ReturnValue *hl_result_from_String(const char *value)
{
	if (!value)
		hyperlight_fail(hl_ErrorCode_GuestError,
				"a String result is made of NULL");
	return hl_result_from_StringBytes((const uint8_t *)value,
					  strlen(value));
}

hl_ReturnValue *hl_flatbuffer_result_from_String(const char *value)
{
	return hl_result_from_String(value);
}

hl_ReturnValue *hl_result_from_StringBytes(const uint8_t *data, uintptr_t len)
{
	hl_ReturnValue *result = make(hl_ReturnType_String);

	if (len && memchr(data, '\0', len))
		hyperlight_fail(hl_ErrorCode_GuestError,
				"a String result has a zero in it");
	result->value.String = copy(data, len);
	return result;
}

hl_ReturnValue *hl_result_from_Bytes(const uint8_t *data, uintptr_t len)
{
	hl_ReturnValue *result = make(hl_ReturnType_VecBytes);

	result->value.VecBytes = (hl_Vec){ copy(data, len), len };
	return result;
}

hl_ReturnValue *hl_flatbuffer_result_from_Bytes(const uint8_t *data,
						uintptr_t len)
{
	return hl_result_from_Bytes(data, len);
}

/* As bytes with another name: one chunk, in the same piece of memory as the list. */
static hl_ByteChunks chunks_of(const void *data, size_t size)
{
	hl_ByteChunk *chunk = hyperlight_allocate(sizeof(*chunk) + size);

	chunk->data = (const uint8_t *)(chunk + 1);
	chunk->len = size;
	if (size)
		memcpy(chunk + 1, data, size);
	return (hl_ByteChunks){ chunk, 1 };
}

hl_ReturnValue *hl_result_from_ByteChunks(hl_ByteChunks value)
{
	const hl_Parameter parameter = {
		.tag = hl_ParameterType_ByteChunks,
		.value = { .ByteChunks = value },
	};
	const struct thaw_value bytes = hyperlight_value_of(&parameter);

	return hyperlight_result_of(&bytes, hl_ReturnType_ByteChunks);
}

hl_ReturnValue *hyperlight_result_of(const struct thaw_value *value,
				     hl_ReturnType type)
{
	hl_ReturnValue *result = make(type);

	switch (type) {
	case hl_ReturnType_String:
		result->value.String =
			copy(value->as.string.data, value->as.string.size);
		break;
	case hl_ReturnType_VecBytes:
		result->value.VecBytes = (hl_Vec){
			copy(value->as.bytes.data, value->as.bytes.size),
			value->as.bytes.size,
		};
		break;
	case hl_ReturnType_ByteChunks:
		result->value.ByteChunks =
			chunks_of(value->as.bytes.data, value->as.bytes.size);
		break;
	default:
		/* all others are at the start of both unions */
		memcpy(&result->value, &value->as, sizeof(value->as.u64));
		break;
	}
	return result;
}

void hl_free_return_value(hl_ReturnValue *value)
{
	if (!value)
		return;
	if (value->tag == hl_ReturnType_String)
		free(value->value.String);
	if (value->tag == hl_ReturnType_VecBytes)
		free(value->value.VecBytes.data);
	if (value->tag == hl_ReturnType_ByteChunks)
		free((void *)value->value.ByteChunks.chunks);
	free(value);
}

void hl_free_byte_chunks(hl_ByteChunks *chunks)
{
	if (!chunks)
		return;
	free((void *)chunks->chunks);
	free(chunks);
}
