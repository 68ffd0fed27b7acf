/*
 * http_lines.h - checks the lines of a request's head, byte by byte, before llhttp
 * gets them.
 *
 * llhttp accepts some wrong line ends, lines that continue in the next, and several
 * blanks between words, which a server in front of this one may read differently.
 * It refuses tabs around a value, which are as good as blanks, so the caller
 * replaces the tabs of values.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_LINES_H
#define EXECUTOR_PROTOCOL_HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty lines before a request; some clients send one after a body. */
#define HTTP_EMPTY_LINES_MAX 4

struct http_lines {
	uint64_t last; /* up to eight bytes of the request line's word */
	size_t word_size;
	unsigned blanks; /* of the request line */
	unsigned empty_lines;
	bool in_line, in_value, after_cr;
	bool has_request_line; /* there is one, and it is well-formed */
	bool has_ended;	       /* the head has */

	/* What is wrong with the byte after those taken; 0: nothing. */
	unsigned bad_status;
	const char *bad_reason; /* static */
};

/*
 * Checks @size more bytes. Returns how many of them are right, up to the last one of
 * the head. If it returns less, the next byte is wrong, or is a tab of a value,
 * after which the caller goes on.
 */
size_t http_lines_take(struct http_lines *lines, const char *data, size_t size);

/* Returns whether @c may be in a token (RFC 9110, 5.6.2). */
bool http_is_token(char c);

/* Returns the value of the hexadecimal digit @c, or -1. */
int http_hex_digit(char c);

#endif
