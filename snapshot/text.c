/* text.c - replaces what is not printable. See text.h. */
#include "snapshot/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The code point at @text and its length in bytes, or 0 if it is not UTF-8. */
static size_t decode(const uint8_t *text, size_t size, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1 :
			text[0] < 0xc0 ? 0 :
			text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 :
			text[0] < 0xf8 ? 4 :
					 0;
	uint32_t point = length == 1 ? text[0] : text[0] & (0x7f >> length);

	if (!length || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return 0;
	*ret_point = point;
	return length;
}

static bool is_control(uint32_t point)
{
	return (point < ' ' && point != '\t') ||
	       (point >= 0x7f && point < 0xa0);
}

void text_clean(char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		uint32_t point = 0;
		size_t length =
			decode((const uint8_t *)text + i, size - i, &point);

		if (length && !is_control(point)) {
			i += length;
			continue;
		}
		for (size_t end = i + (length ? length : 1); i < end; i++)
			text[i] = '?';
	}
}

void text_clean_ascii(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}
