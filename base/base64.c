/* base64.c - bytes as text and back. See base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes, or the last one or two, as four characters. */
static void encode_group(const uint8_t *from, size_t size, char *to)
{
	uint32_t bits = (uint32_t)from[0] << 16;

	if (size > 1)
		bits |= (uint32_t)from[1] << 8;
	if (size > 2)
		bits |= from[2];
	to[0] = digits[bits >> 18];
	to[1] = digits[bits >> 12 & 63];
	to[2] = size > 1 ? digits[bits >> 6 & 63] : '=';
	to[3] = size > 2 ? digits[bits & 63] : '=';
}

void base64_encode(const void *data, size_t size, struct buffer *out)
{
	const uint8_t *from = data;
	size_t groups = size / 3 + (size % 3 != 0);
	char *to = groups ? buffer_reserve(out, groups * 4) : NULL;

	if (!to)
		return;
	for (; size > 3; size -= 3, from += 3, to += 4)
		encode_group(from, 3, to);
	encode_group(from, size, to);
	out->size += groups * 4;
}

/* A digit's value; 64 for what is none. */
static unsigned int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_check_add(struct base64_check *check, char c)
{
	const unsigned int value = value_of(c);

	if (c == '=')
		return check->padding++ < 2;
	if (value == 64 || check->padding)
		return false;
	check->bits = check->bits << 6 | value;
	check->digits++;
	return true;
}

/* What is left of the last digit stands for nothing. */
bool base64_check_end(const struct base64_check *check)
{
	static const uint32_t left[] = { 0, UINT32_MAX, 15, 3 };
	const size_t last = check->digits % 4;

	return last != 1 && !(check->bits & left[last]) &&
	       (!check->padding || base64_is_padded(check));
}

bool base64_is_padded(const struct base64_check *check)
{
	return (check->digits + check->padding) % 4 == 0;
}

int base64_decode(const char *text, size_t size, void *to, size_t to_size)
{
	static const unsigned int shifts[] = { 0, 0, 4, 2 };
	struct base64_check check = { 0 };
	uint8_t *bytes = to;
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		if (!base64_check_add(&check, text[i]))
			return -EINVAL;
		/* the first of four digits makes no byte yet */
		if (check.padding || check.digits % 4 == 1)
			continue;
		if (count == to_size || count == INT_MAX)
			return -ENOSPC;
		bytes[count++] =
			(uint8_t)(check.bits >> shifts[check.digits % 4]);
	}
	return base64_check_end(&check) ? (int)count : -EINVAL;
}
