/*
 * http_lines.h - the lines of a request's head, looked at byte by byte before
 * llhttp is given them.
 *
 * llhttp takes some line ends that are none, lines that go on in the next, and
 * more than one blank between words: another server in front of us may have read
 * them differently. And it does not know that a tab is as good as a blank around a
 * value: so tabs of values are for the caller to replace.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_LINES_H
#define EXECUTOR_PROTOCOL_HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty lines before a request, which some clients send behind a body. */
#define HTTP_EMPTY_LINES_MAX 4

struct http_lines {
	uint64_t last; /* up to eight bytes of the request line's word */
	size_t word_size;
	unsigned blanks; /* of the request line */
	unsigned empty_lines;
	bool in_line, in_value, after_cr;
	bool has_request_line; /* and it is well-formed */
	bool has_ended;	       /* the head has */

	/* What is wrong with the byte behind those taken; 0: nothing. */
	unsigned bad_status;
	const char *bad_reason; /* static */
};

/*
 * Looks at @size bytes more. Returns how many of them are fine, up to and including
 * the head's last one. If there are more, the next one is wrong, or a tab of a
 * value, behind which it goes on.
 */
size_t http_lines_take(struct http_lines *lines, const char *data, size_t size);

/* A character of a token (RFC 9110, 5.6.2). */
bool http_is_token(char c);

/* What the hexadecimal digit @c stands for, or -1. */
int http_hex_digit(char c);

#endif
