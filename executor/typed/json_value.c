/* json_value.c - see json_value.h. */
#include "executor/typed/json_value.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_write.h"
#include "executor/typed/json_number.h"

/* Of a message, without its quotes and dots. */
#define GIVEN_TEXT_MAX 24

static bool is_number(const char *text)
{
	return *text == '-' || (*text >= '0' && *text <= '9');
}

static bool is_floating(enum thaw_type type)
{
	return type == THAW_TYPE_FLOAT || type == THAW_TYPE_DOUBLE;
}

static uint32_t hexadecimal(const char *text)
{
	uint32_t number = 0;

	for (int i = 0; i < 4; i++) {
		const char c = text[i];

		number = number << 4 |
			 (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return number;
}

/* Writes the character as UTF-8, and returns what is behind it. */
static char *put_character(char *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (char)point;
		return to;
	}
	if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (point & 0x3f));
	return to;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/*
 * Takes the escape "\uXXXX" at *@at, and the second of a pair. Returns the code
 * point; 0 if it is half of a pair, or the zero.
 */
static uint32_t take_unicode(const char **at, const char *end)
{
	const uint32_t unit = hexadecimal(*at + 2);
	uint32_t other;

	*at += 6;
	if (is_low(unit))
		return 0;
	if (!is_high(unit))
		return unit;
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0;
	other = hexadecimal(*at + 2);
	*at += 6;
	if (!is_low(other))
		return 0;
	return 0x10000 + ((unit & 0x3ff) << 10) + (other & 0x3ff);
}

/* The character of a short escape. */
static char unescape(char c)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found = strchr(from, c);

	return found ? to[found - from] : c;
}

/*
 * Undoes the escapes of the string of JSON at @text, with its quotes, into @to, where
 * a zero ends it. Returns its length, or -ERANGE: there is a zero in it, or half of a
 * surrogate pair.
 */
static int64_t read_text(const char *text, size_t size, char *to)
{
	const char *at = text + 1, *end = text + size - 1;
	char *out = to;

	while (at < end) {
		uint32_t point;

		if (*at != '\\') {
			*out++ = *at++;
		} else if (at[1] != 'u') {
			*out++ = unescape(at[1]);
			at += 2;
		} else {
			point = take_unicode(&at, end);
			if (!point)
				return -ERANGE;
			out = put_character(out, point);
		}
	}
	*out = '\0';
	return out - to;
}

/* "NaN", "Infinity", "-Infinity" */
static int read_special(const char *text, size_t size, enum thaw_type type,
			struct thaw_value *value)
{
	static const struct {
		const char *text;
		float number;
	} specials[] = {
		{ "\"NaN\"", NAN },
		{ "\"Infinity\"", INFINITY },
		{ "\"-Infinity\"", -INFINITY },
	};

	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
		if (size != strlen(specials[i].text) ||
		    memcmp(text, specials[i].text, size) != 0)
			continue;
		if (type == THAW_TYPE_FLOAT)
			value->as.f32 = specials[i].number;
		else
			value->as.f64 = (double)specials[i].number;
		return 0;
	}
	return -EINVAL;
}

static int read_string(const char *text, size_t size, enum thaw_type type,
		       char **room, struct thaw_value *value)
{
	int64_t length;
	int count;

	if (is_floating(type))
		return read_special(text, size, type, value);
	if (type != THAW_TYPE_STRING && type != THAW_TYPE_BYTES)
		return -EINVAL;
	length = read_text(text, size, *room);
	if (length < 0)
		return (int)length;
	if (type == THAW_TYPE_STRING) {
		value->as.string = (struct thaw_text){ *room, (size_t)length };
		*room += length + 1;
		return 0;
	}
	/* in place: the bytes are fewer than the digits they are made of */
	count = base64_decode(*room, (size_t)length, *room, (size_t)length);
	if (count < 0)
		return -ERANGE;
	value->as.bytes = (struct thaw_bytes){ *room, (size_t)count };
	*room += count;
	return 0;
}

/* The type that a value of JSON has by itself; NONE: it has none. */
static enum thaw_type natural_type(const char *text, size_t size, char *room)
{
	struct thaw_value value;

	if (*text == '"')
		return THAW_TYPE_STRING;
	if (*text == 't' || *text == 'f')
		return THAW_TYPE_BOOL;
	if (!is_number(text))
		return THAW_TYPE_NONE;
	if (!json_number_read(text, size, THAW_TYPE_LONG, room, &value))
		return THAW_TYPE_LONG;
	if (!json_number_read(text, size, THAW_TYPE_ULONG, room, &value))
		return THAW_TYPE_ULONG;
	return THAW_TYPE_DOUBLE;
}

int json_value_read(const char *text, size_t size, enum thaw_type type,
		    char **room, struct thaw_value *ret_value)
{
	if (type == THAW_TYPE_NONE)
		type = natural_type(text, size, *room);
	ret_value->type = type;
	if (*text == '"')
		return read_string(text, size, type, room, ret_value);
	if (*text == 't' || *text == 'f') {
		ret_value->as.boolean = *text == 't';
		return type == THAW_TYPE_BOOL ? 0 : -EINVAL;
	}
	if (!is_number(text) || type == THAW_TYPE_NONE ||
	    type == THAW_TYPE_BOOL || type == THAW_TYPE_STRING ||
	    type == THAW_TYPE_BYTES)
		return -EINVAL;
	return json_number_read(text, size, type, *room, ret_value);
}

void json_value_write(const struct thaw_value *value, struct buffer *out)
{
	char number[JSON_NUMBER_MAX];

	switch (value->type) {
	case THAW_TYPE_STRING:
		json_write_string(out, value->as.string.data,
				  value->as.string.size);
		break;
	case THAW_TYPE_BYTES:
		buffer_text(out, "\"");
		base64_encode(value->as.bytes.data, value->as.bytes.size, out);
		buffer_text(out, "\"");
		break;
	case THAW_TYPE_BOOL:
		buffer_text(out, value->as.boolean ? "true" : "false");
		break;
	case THAW_TYPE_NONE:
	case THAW_TYPE_VOID:
		buffer_text(out, "null");
		break;
	default:
		buffer_text(out, json_number_write(value, number));
		break;
	}
}

const char *json_value_expected(enum thaw_type type)
{
	static const char *const expected[] = {
		[THAW_TYPE_NONE] = "a number, a string or a boolean",
		[THAW_TYPE_INT] = "int (-2147483648 to 2147483647)",
		[THAW_TYPE_UINT] = "uint (0 to 4294967295)",
		[THAW_TYPE_LONG] = "long (-9223372036854775808 to "
				   "9223372036854775807)",
		[THAW_TYPE_ULONG] = "ulong (0 to 18446744073709551615)",
		[THAW_TYPE_FLOAT] = "float (up to 3.4e38, \"NaN\", "
				    "\"Infinity\" or \"-Infinity\")",
		[THAW_TYPE_DOUBLE] = "double (up to 1.8e308, \"NaN\", "
				     "\"Infinity\" or \"-Infinity\")",
		[THAW_TYPE_STRING] = "string (without U+0000 and half "
				     "surrogate pairs)",
		[THAW_TYPE_BOOL] = "bool (true or false)",
		[THAW_TYPE_BYTES] = "bytes (a string of base64)",
		[THAW_TYPE_VOID] = "nothing",
	};

	return expected[type];
}

const char *json_value_given(const char *text, size_t size,
			     char to[static JSON_GIVEN_MAX])
{
	const bool is_whole = size <= GIVEN_TEXT_MAX;
	const char *rest = is_whole ? "" : *text == '"' ? "...\"" : "...";
	const char *kind = "";
	size_t length = is_whole ? size : GIVEN_TEXT_MAX;

	/* not in the middle of a character of UTF-8 */
	while (!is_whole && (text[length] & 0xc0) == 0x80)
		length--;

	if (*text == '[')
		return "a list";
	if (*text == '{')
		return "an object";
	if (*text == '"')
		kind = "the string ";
	else if (is_number(text))
		kind = "the number ";
	snprintf(to, JSON_GIVEN_MAX, "%s%.*s%s", kind, (int)length, text, rest);
	return to;
}
