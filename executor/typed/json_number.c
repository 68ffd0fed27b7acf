/* json_number.c - see json_number.h. */
#include "executor/typed/json_number.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C locale, in which the point is a point; it lives as long as the process. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t number_locale(void)
{
	pthread_once(&c_locale_once, make_c_locale);
	return c_locale;
}

bool json_number_is_integer(const char *text, size_t size)
{
	return !memchr(text, '.', size) && !memchr(text, 'e', size) &&
	       !memchr(text, 'E', size);
}

/* The digits at @text; false if they are too large. */
static bool read_digits(const char *text, size_t size, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (unsigned)(text[i] - '0'),
					   &number))
			return false;
	*ret_number = number;
	return true;
}

static int set_unsigned(enum thaw_type type, uint64_t number,
			struct thaw_value *value)
{
	if (type == THAW_TYPE_UINT) {
		if (number > UINT32_MAX)
			return -ERANGE;
		value->as.u32 = (uint32_t)number;
	} else {
		value->as.u64 = number;
	}
	return 0;
}

static int set_signed(enum thaw_type type, bool is_negative, uint64_t number,
		      struct thaw_value *value)
{
	const uint64_t most = type == THAW_TYPE_INT ? INT32_MAX : INT64_MAX;
	const int64_t signed_number =
		(int64_t)(is_negative ? 0 - number : number);

	if (number > most + is_negative)
		return -ERANGE;
	if (type == THAW_TYPE_INT)
		value->as.i32 = (int32_t)signed_number;
	else
		value->as.i64 = signed_number;
	return 0;
}

static int read_integer(const char *text, size_t size, enum thaw_type type,
			struct thaw_value *value)
{
	const bool is_negative = *text == '-';
	uint64_t number;

	if (!json_number_is_integer(text, size))
		return -EINVAL;
	if (!read_digits(text + is_negative, size - is_negative, &number))
		return -ERANGE;
	if (type == THAW_TYPE_INT || type == THAW_TYPE_LONG)
		return set_signed(type, is_negative, number, value);
	if (is_negative && number)
		return -ERANGE;
	return set_unsigned(type, number, value);
}

int json_number_read(const char *text, size_t size, enum thaw_type type,
		     char *room, struct thaw_value *ret_value)
{
	ret_value->type = type;
	if (type != THAW_TYPE_FLOAT && type != THAW_TYPE_DOUBLE)
		return read_integer(text, size, type, ret_value);
	memcpy(room, text, size);
	room[size] = '\0';
	if (type == THAW_TYPE_FLOAT) {
		ret_value->as.f32 = strtof_l(room, NULL, number_locale());
		return isinf(ret_value->as.f32) ? -ERANGE : 0;
	}
	ret_value->as.f64 = strtod_l(room, NULL, number_locale());
	return isinf(ret_value->as.f64) ? -ERANGE : 0;
}

static bool is_same(const struct thaw_value *value, const char *text)
{
	if (value->type == THAW_TYPE_FLOAT)
		return strtof(text, NULL) == value->as.f32;
	return strtod(text, NULL) == value->as.f64;
}

/* A finite one, in the C locale. */
static void write_digits(const struct thaw_value *value, char *to)
{
	const bool is_float = value->type == THAW_TYPE_FLOAT;
	const double number = is_float ? (double)value->as.f32 : value->as.f64;
	const int most = is_float ? 9 : 17;

	for (int digits = is_float ? 6 : 15; digits <= most; digits++) {
		snprintf(to, JSON_NUMBER_MAX, "%.*g", digits, number);
		if (is_same(value, to))
			break;
	}
	if (!strpbrk(to, ".e"))
		strcat(to, ".0");
}

static void write_floating(const struct thaw_value *value, char *to)
{
	const double number = value->type == THAW_TYPE_FLOAT ?
				      (double)value->as.f32 :
				      value->as.f64;
	locale_t before;

	if (isnan(number)) {
		strcpy(to, "\"NaN\"");
	} else if (isinf(number)) {
		strcpy(to, number < 0 ? "\"-Infinity\"" : "\"Infinity\"");
	} else {
		before = uselocale(number_locale());
		write_digits(value, to);
		uselocale(before);
	}
}

const char *json_number_write(const struct thaw_value *value,
			      char to[static JSON_NUMBER_MAX])
{
	switch (value->type) {
	case THAW_TYPE_INT:
		snprintf(to, JSON_NUMBER_MAX, "%" PRId32, value->as.i32);
		break;
	case THAW_TYPE_UINT:
		snprintf(to, JSON_NUMBER_MAX, "%" PRIu32, value->as.u32);
		break;
	case THAW_TYPE_LONG:
		snprintf(to, JSON_NUMBER_MAX, "%" PRId64, value->as.i64);
		break;
	case THAW_TYPE_ULONG:
		snprintf(to, JSON_NUMBER_MAX, "%" PRIu64, value->as.u64);
		break;
	default:
		write_floating(value, to);
		break;
	}
	return to;
}
