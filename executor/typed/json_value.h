/*
 * json_value.h - one value of JSON as a value of a type, and back. Any thread.
 *
 * docs/typed-functions.md has the rules.
 */
#ifndef EXECUTOR_TYPED_JSON_VALUE_H
#define EXECUTOR_TYPED_JSON_VALUE_H

#include <stddef.h>

#include "base/buffer.h"
#include "guest/abi/thaw_types.h"

/*
 * Reads the value of JSON at @text, which json_check() has passed, as @type;
 * THAW_TYPE_NONE takes the type that fits it best. Text and bytes go to *@room, which
 * has place for @size + 1 bytes, and is advanced behind them. Returns 0; -EINVAL: it
 * is of another type; -ERANGE: the type has no such value.
 */
int json_value_read(const char *text, size_t size, enum thaw_type type,
		    char **room, struct thaw_value *ret_value);

/* Appends @value, whose text is UTF-8; null for THAW_TYPE_VOID. */
void json_value_write(const struct thaw_value *value, struct buffer *out);

/* What values @type has, for messages: "bool (true or false)"; static. */
const char *json_value_expected(enum thaw_type type);

/* Room for what json_value_given() writes. */
#define JSON_GIVEN_MAX 64

/*
 * Writes what the value of JSON at @text is to @to, for messages: "the string
 * "abc"". Returns @to.
 */
const char *json_value_given(const char *text, size_t size,
			     char to[static JSON_GIVEN_MAX]);

#endif
