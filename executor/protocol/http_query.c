/* http_query.c - see http_query.h. */
#include "executor/protocol/http_query.h"

#include <string.h>

#include "base/hot.h"
#include "executor/protocol/http_lines.h"

/* Reads two hexadecimal digits; -1 if they are not there. */
static int hex_byte(const char *from, const char *end)
{
	int high, low;

	if (end - from < 2)
		return -1;
	high = http_hex_digit(from[0]);
	low = http_hex_digit(from[1]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

HOT int http_decode(const char *from, size_t size, char *to, size_t to_size)
{
	const char *end = from + size;
	size_t used = 0;

	while (from < end) {
		int byte = (unsigned char)*from++;

		if (byte == '%') {
			byte = hex_byte(from, end);
			if (byte < 0)
				return -1;
			from += 2;
		}
		if (byte < ' ' || byte == 0x7f || used >= to_size)
			return -1;
		to[used++] = (char)byte;
	}
	if (used >= to_size)
		return -1;
	to[used] = '\0';
	return (int)used;
}

bool http_query_get(const char *query, const char *name, char *value,
		    size_t size)
{
	size_t name_size = strlen(name);

	for (;;) {
		size_t length = strcspn(query, "&");

		if (length > name_size && query[name_size] == '=' &&
		    !memcmp(query, name, name_size))
			return http_decode(query + name_size + 1,
					   length - name_size - 1, value,
					   size) >= 0;
		if (!query[length])
			return false;
		query += length + 1;
	}
}
