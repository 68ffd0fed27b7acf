/* base64.c - bytes as text and back. See base64.h. */
#include "executor/server/base64.h"

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

/* The characters without padding; SIZE_MAX if that is not as it should be. */
static size_t without_padding(const char *text, size_t size)
{
	size_t used = size;

	while (used && size - used < 2 && text[used - 1] == '=')
		used--;
	if (used % 4 == 1 || (used < size && size % 4))
		return SIZE_MAX;
	return used;
}

int base64_decode(const char *text, size_t size, void *to, size_t to_size)
{
	uint8_t *bytes = to;
	size_t used = without_padding(text, size), count = 0;
	uint32_t bits = 0;
	unsigned int held = 0;

	if (used == SIZE_MAX || used / 4 >= INT_MAX / 3)
		return -EINVAL;
	if (used * 3 / 4 > to_size)
		return -ENOSPC;
	for (size_t i = 0; i < used; i++) {
		unsigned int value = value_of(text[i]);

		if (value == 64)
			return -EINVAL;
		bits = bits << 6 | value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		bytes[count++] = (uint8_t)(bits >> held);
	}
	/* what is left of the last character stands for nothing */
	return bits & ((1u << held) - 1) ? -EINVAL : (int)count;
}
