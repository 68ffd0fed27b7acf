/* text.c - see text.h. */
#include "base/text.h"

#include <string.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/hot.h"

/* Returns the length of a character that begins with @first; 0: none does. */
static size_t length_of(uint8_t first)
{
	return first < 0x80 ? 1 :
	       first < 0xc0 ? 0 :
	       first < 0xe0 ? 2 :
	       first < 0xf0 ? 3 :
	       first < 0xf8 ? 4 :
			      0;
}

size_t text_decode(const char *text, size_t size, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *bytes = (const uint8_t *)text;
	size_t length = size ? length_of(bytes[0]) : 0;
	uint32_t point;

	if (!length || length > size)
		return 0;
	point = length == 1 ? bytes[0] : bytes[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return 0;
	*ret_point = point;
	return length;
}

bool text_is_utf8(const char *text, size_t size)
{
	for (size_t i = 0, length; i < size; i += length) {
		uint32_t point;

		length = text_decode(text + i, size - i, &point);
		if (!length)
			return false;
	}
	return true;
}

bool text_is_control(uint32_t point)
{
	return (point < ' ' && point != '\t') ||
	       (point >= 0x7f && point < 0xa0);
}

void text_clean(char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		uint32_t point = 0;
		size_t length = text_decode(text + i, size - i, &point);

		if (length && !text_is_control(point)) {
			i += length;
			continue;
		}
		for (size_t end = i + (length ? length : 1); i < end; i++)
			text[i] = '?';
	}
}

/* Each of the eight bytes, taken alone. */
#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether eight bytes are printable ASCII. */
static bool text_are_printable(const char *text)
{
	uint64_t bytes, del;

	memcpy(&bytes, text, sizeof(bytes));
	del = bytes ^ BYTES(0x7f);
	return !((bytes | ((bytes - BYTES(' ')) & ~bytes) |
		  ((del - BYTES(1)) & ~del)) &
		 BYTES(0x80));
}

HOT void text_clean_ascii(char *text, size_t size)
{
	size_t i = 0;

	while (size - i >= 8 && text_are_printable(text + i))
		i += 8;
	for (; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}
