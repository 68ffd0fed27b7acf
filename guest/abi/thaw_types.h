/*
 * thaw_types.h - the types of typed functions, and values of these types. The same for
 * functions (thaw_function.h) and for programs that call them (libthaw.h).
 */
#ifndef THAW_TYPES_H
#define THAW_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most parameters that a typed function has. */
#define THAW_PARAMETERS_MAX 16

enum thaw_type {
	THAW_TYPE_NONE = 0,   /* no type; where one is expected: any will do */
	THAW_TYPE_INT = 1,    /* 32 bit, signed */
	THAW_TYPE_UINT = 2,   /* 32 bit, unsigned */
	THAW_TYPE_LONG = 3,   /* 64 bit, signed */
	THAW_TYPE_ULONG = 4,  /* 64 bit, unsigned */
	THAW_TYPE_FLOAT = 5,  /* IEEE 754 binary32 */
	THAW_TYPE_DOUBLE = 6, /* IEEE 754 binary64 */
	THAW_TYPE_STRING = 7, /* UTF-8 without U+0000 */
	THAW_TYPE_BOOL = 8,
	THAW_TYPE_BYTES = 9, /* any bytes */
	THAW_TYPE_VOID = 10  /* for returns only: there is no value */
};

/* @size bytes, borrowed. The pointer may be NULL if there are none. */
struct thaw_bytes {
	const void *data;
	size_t size;
};

/* @size bytes of UTF-8, borrowed. A zero follows them if thaw has made them. */
struct thaw_text {
	const char *data;
	size_t size;
};

/* A value. It borrows its text or bytes, which must be valid as long as it is. */
struct thaw_value {
	enum thaw_type type; /* says which member is set; of a void none is */
	union {
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
		float f32;
		double f64;
		bool boolean;
		struct thaw_text string;
		struct thaw_bytes bytes;
	} as;
};

#endif
