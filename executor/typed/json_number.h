/*
 * json_number.h - numbers of JSON as values of the types that a function declares:
 * exact, whatever the process's locale is. Any thread; nothing is allocated.
 */
#ifndef EXECUTOR_TYPED_JSON_NUMBER_H
#define EXECUTOR_TYPED_JSON_NUMBER_H

#include <stddef.h>

#include "guest/abi/thaw_types.h"

/* Whether the number of JSON at @text has neither a fraction nor an exponent. */
bool json_number_is_integer(const char *text, size_t size);

/*
 * Reads the number of JSON at @text as @type, an integer or a floating point type.
 * @room has place for @size + 1 bytes. Returns 0; -EINVAL: @type is an integer, and
 * the number is none; -ERANGE: the type has no such value. What is too small for a
 * floating point type becomes 0 with its sign.
 */
int json_number_read(const char *text, size_t size, enum thaw_type type,
		     char *room, struct thaw_value *ret_value);

/* Room for a number and a zero. */
#define JSON_NUMBER_MAX 40

/*
 * Writes a value of an integer or floating point type to @to as JSON has it, and
 * returns @to. A floating point number has a fraction or an exponent, and enough
 * digits to read as the same value; NaN, Infinity and -Infinity are strings.
 */
const char *json_number_write(const struct thaw_value *value,
			      char to[static JSON_NUMBER_MAX]);

#endif
