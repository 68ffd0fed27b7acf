/*
 * utf8.h - UTF-8 and Latin-1 letters, for the samples that read text.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes of one code point */
#define UTF8_APOSTROPHE 0x2019

/*
 * Decodes the code point at the start of @text. Returns the bytes it takes, or
 * 0 if they are not UTF-8 (also: overlong, a surrogate, cut off, no bytes).
 */
static inline size_t utf8_decode(const uint8_t *text, size_t size,
				 uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t point;
	size_t n, i;

	if (size == 0)
		return 0;
	if (text[0] < 0x80) {
		*ret_point = text[0];
		return 1;
	}
	n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4 || n > size)
		return 0;
	point = text[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

/* Writes @point, which must be valid, and returns the bytes it took. */
static inline size_t utf8_encode(uint32_t point, char out[UTF8_MAX])
{
	size_t n = point < 0x80	   ? 1 :
		   point < 0x800   ? 2 :
		   point < 0x10000 ? 3 :
				     4;
	size_t i;

	if (n == 1) {
		out[0] = (char)point;
		return 1;
	}
	for (i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)((0xf00 >> n & 0xf0) | point);
	return n;
}

/* The letters of Latin-1, ASCII's among them. */
static inline bool latin1_is_upper(uint32_t point)
{
	return (point >= 'A' && point <= 'Z') ||
	       (point >= 0xc0 && point <= 0xde && point != 0xd7);
}

static inline bool latin1_is_letter(uint32_t point)
{
	return (point >= 'A' && point <= 'Z') ||
	       (point >= 'a' && point <= 'z') ||
	       (point >= 0xc0 && point <= 0xff && point != 0xd7 &&
		point != 0xf7);
}

/*
 * A letter of any script: beyond Latin-1, all that is not known to be
 * punctuation, a sign or an emoji.
 */
static inline bool utf8_is_letter(uint32_t point)
{
	if (point < 0x100)
		return latin1_is_letter(point);
	return !(point >= 0x2000 && point <= 0x2bff) &&
	       !(point >= 0x3000 && point <= 0x303f) && /* CJK punctuation */
	       !(point >= 0xe000 && point <= 0xf8ff) && /* private use */
	       !(point >= 0xfe00 && point <= 0xfe6f) && /* selectors, forms */
	       !(point >= 0xff00 && point <= 0xff0f) && /* fullwidth signs */
	       !(point >= 0xfff0 && point <= 0xffff) && /* such as U+FFFD */
	       !(point >= 0x1f000 && point <= 0x1faff);
}

/* Without effect on what has no other case in Latin-1. */
static inline uint32_t latin1_lower(uint32_t point)
{
	return latin1_is_upper(point) ? point + 0x20 : point;
}

static inline uint32_t latin1_upper(uint32_t point)
{
	if (latin1_is_letter(point) && !latin1_is_upper(point) &&
	    point != 0xdf && point != 0xff)
		return point - 0x20;
	return point;
}

#endif
