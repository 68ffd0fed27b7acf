/* base64.c - bytes as text and back, by libsodium. See base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>

#define PADDED sodium_base64_VARIANT_ORIGINAL
#define UNPADDED sodium_base64_VARIANT_ORIGINAL_NO_PADDING

void base64_encode(const void *data, size_t size, struct buffer *out)
{
	/* libsodium writes a terminating zero, which is not kept */
	const size_t text_size = sodium_base64_ENCODED_LEN(size, PADDED);
	char *to = buffer_reserve(out, text_size);

	if (!to)
		return;
	sodium_bin2base64(to, text_size, data, size, PADDED);
	out->size += text_size - 1;
}

/* libsodium 1.0.18 takes such bytes for digits where char is signed. */
static bool has_byte_beyond_ascii(const char *text, size_t size)
{
	unsigned char all = 0;

	for (size_t i = 0; i < size; i++)
		all |= (unsigned char)text[i];
	return all >= 0x80;
}

int base64_decode(const char *text, size_t size, void *to, size_t to_size)
{
	const bool is_padded = size && text[size - 1] == '=';
	const size_t digits = size - is_padded -
			      (is_padded && size > 1 && text[size - 2] == '=');
	const size_t count = digits / 4 * 3 + digits % 4 * 3 / 4;

	if (count > to_size || count > INT_MAX)
		return -ENOSPC;
	if (has_byte_beyond_ascii(text, size) ||
	    sodium_base642bin(to, to_size, text, size, NULL, NULL, NULL,
			      is_padded ? PADDED : UNPADDED))
		return -EINVAL;
	return (int)count;
}
