/* json_write.c - strings of JSON. See json_write.h. */
#include "base/json_write.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* The letter after the backslash; 0: the character has none. */
static char find_letter(uint32_t point)
{
	switch (point) {
	case '"':
	case '\\':
		return (char)point;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	}
	return 0;
}

/* "\u001f", without a terminating zero. */
#define NUMBER_SIZE 6

static void write_number(char *to, uint32_t point)
{
	static const char digits[] = "0123456789abcdef";

	to[0] = '\\';
	to[1] = 'u';
	for (unsigned i = 0; i < 4; i++)
		to[2 + i] = digits[point >> (12 - 4 * i) & 15];
}

size_t json_escape(const char *text, size_t size,
		   char piece[static JSON_ESCAPED_MAX], size_t *ret_taken)
{
	uint32_t point = 0;
	size_t length = text_decode(text, size, &point);
	char letter = find_letter(point);

	*ret_taken = length ? length : 1;
	if (letter) {
		piece[0] = '\\';
		piece[1] = letter;
		return 2;
	}
	if (length && !text_is_control(point)) {
		memcpy(piece, text, length);
		return length;
	}
	write_number(piece, length ? point : 0xfffd);
	return NUMBER_SIZE;
}

/* Most bytes of most texts do, and need no json_escape(). */
static bool stands_for_itself(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

void json_write_string(struct buffer *out, const char *text, size_t size)
{
	char piece[JSON_ESCAPED_MAX];
	size_t start = 0, taken;

	buffer_append(out, "\"", 1);
	for (size_t i = 0; i < size && !out->failed; i += taken) {
		size_t length;

		taken = 1;
		if (stands_for_itself(text[i]))
			continue;
		length = json_escape(text + i, size - i, piece, &taken);
		if (piece[0] != '\\')
			continue;
		buffer_append(out, text + start, i - start);
		buffer_append(out, piece, length);
		start = i + taken;
	}
	buffer_append(out, text + start, size - start);
	buffer_append(out, "\"", 1);
}

void json_write_text(struct buffer *out, const char *text)
{
	json_write_string(out, text, strlen(text));
}
