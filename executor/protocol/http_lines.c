/* http_lines.c - see http_lines.h. */
#include "executor/protocol/http_lines.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "base/hot.h"

HOT bool http_is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

int http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Always false. */
static bool bad(struct http_lines *lines, unsigned status, const char *reason)
{
	lines->bad_status = status;
	lines->bad_reason = reason;
	return false;
}

static bool lines_is_digit(uint64_t c)
{
	return c >= '0' && c <= '9';
}

/* The version is checked here, as llhttp accepts RTSP and ICE as well. */
static bool check_request_line(struct http_lines *lines)
{
	const uint64_t version = lines->last & 0xffffff;

	if (lines->blanks != 2 || lines->word_size != sizeof(lines->last) ||
	    lines->last >> 24 != UINT64_C(0x485454502f) || /* "HTTP/" */
	    !lines_is_digit(version >> 16) || (version >> 8 & 0xff) != '.' ||
	    !lines_is_digit(version & 0xff))
		return bad(lines, 400,
			   "the request line is no method, path and HTTP "
			   "version, with a blank between them");
	if (version != 0x312e30 && version != 0x312e31) /* "1.0", "1.1" */
		return bad(lines, 505,
			   "this server speaks HTTP/1.1 and HTTP/1.0");
	lines->has_request_line = true;
	return true;
}

static bool lines_end_line(struct http_lines *lines)
{
	bool is_empty = !lines->in_line;

	lines->in_line = lines->in_value = false;
	if (lines->has_request_line)
		lines->has_ended = is_empty;
	else if (!is_empty)
		return check_request_line(lines);
	else if (++lines->empty_lines > HTTP_EMPTY_LINES_MAX)
		return bad(lines, 400,
			   "there are empty lines instead of a request");
	return true;
}

/* A byte that no method has, such as the first one of TLS, ends it at once. */
static bool check_request_byte(struct http_lines *lines, char byte)
{
	if (byte == ' ') {
		lines->blanks++;
		lines->word_size = 0;
		return true;
	}
	if (!lines->blanks && !http_is_token(byte))
		return bad(lines, 400, "this is not an HTTP request");
	lines->word_size++;
	lines->last = lines->last << 8 | (unsigned char)byte;
	return true;
}

static bool check_byte(struct http_lines *lines, char byte)
{
	if (lines->after_cr != (byte == '\n'))
		return bad(lines, 400,
			   "lines must end in a carriage return and a line "
			   "feed");
	lines->after_cr = byte == '\r';
	if (byte == '\n')
		return lines_end_line(lines);
	if (byte == '\r')
		return true;
	if (!lines->in_line && (byte == ' ' || byte == '\t'))
		return bad(lines, 400, "a line must not begin with a blank");
	lines->in_line = true;
	if (!lines->has_request_line)
		return check_request_byte(lines, byte);
	lines->in_value |= byte == ':';
	return true;
}

/* Each of the eight bytes, taken alone. */
#define BYTES(byte) (UINT64_C(0x0101010101010101) * (unsigned char)(byte))

/* The top bit of each byte that is below @limit is set; others above the lowest may be. */
static uint64_t bytes_below(uint64_t bytes, unsigned char limit)
{
	return (bytes - BYTES(limit)) & ~bytes & BYTES(0x80);
}

/* Skips to the next byte that is below @limit, or @other; eight at once. */
static const char *lines_skip_to(const char *at, const char *end,
				 unsigned char limit, char other)
{
	uint64_t bytes, found;

	for (; end - at >= (ptrdiff_t)sizeof(bytes); at += sizeof(bytes)) {
		memcpy(&bytes, at, sizeof(bytes));
		bytes = le64toh(bytes);
		found = bytes_below(bytes, limit) |
			bytes_below(bytes ^ BYTES(other), 1);
		if (found)
			return at + __builtin_ctzll(found) / 8;
	}
	while (at < end && (unsigned char)*at >= limit && *at != other)
		at++;
	return at;
}

/* Takes the bytes up to the end of a word of the request line that is no method. */
static const char *lines_take_word(struct http_lines *lines, const char *at,
				   const char *end)
{
	const char *to = lines_skip_to(at, end, ' ' + 1, '\r');
	const size_t size = (size_t)(to - at);

	lines->word_size += size;
	if (size >= sizeof(lines->last)) {
		memcpy(&lines->last, to - sizeof(lines->last),
		       sizeof(lines->last));
		lines->last = be64toh(lines->last);
		return to;
	}
	for (; at < to; at++)
		lines->last = lines->last << 8 | (unsigned char)*at;
	return to;
}

/* Within a line, goes to the next byte that matters. */
static const char *lines_skip(struct http_lines *lines, const char *at,
			      const char *end)
{
	if (!lines->in_line || lines->after_cr)
		return at;
	if (!lines->has_request_line)
		return lines->blanks ? lines_take_word(lines, at, end) : at;
	return lines_skip_to(at, end, ' ', lines->in_value ? '\r' : ':');
}

HOT size_t http_lines_take(struct http_lines *lines, const char *data,
			   size_t size)
{
	const char *at = data, *end = data + size;

	while (!lines->has_ended && (at = lines_skip(lines, at, end)) < end) {
		if (lines->in_value && !lines->after_cr && *at == '\t')
			break;
		/* the end of a line, in one step if it is there whole */
		if (lines->in_line && !lines->after_cr && end - at > 1 &&
		    at[0] == '\r' && at[1] == '\n') {
			if (!lines_end_line(lines)) {
				at++;
				break;
			}
			at += 2;
			continue;
		}
		if (!check_byte(lines, *at))
			break;
		at++;
	}
	return (size_t)(at - data);
}
