/*
 * http_lines.c - the lines of a request's head and around its chunks, looked at
 * byte by byte. Next file to read: http_request.c.
 *
 * llhttp takes some line ends that are none, and lines that go on in the next:
 * another server in front of us may have read them differently.
 */
#include "executor/server/http_internal.h"

/* The version is read from the line: llhttp takes RTSP and ICE as well. */
static bool check_request_line(struct http_request *request, uint64_t last)
{
	if (last >> 24 != UINT64_C(0x485454502f)) /* "HTTP/" */
		return http_bad(request, 400,
				"the request line does not end in an HTTP "
				"version");
	last &= 0xffffff;
	if (last != 0x312e30 && last != 0x312e31) /* "1.0", "1.1" */
		return http_bad(request, 505,
				"this server speaks HTTP/1.1 and HTTP/1.0");
	return true;
}

static bool end_line(struct http_request *request)
{
	struct http_lines *lines = &request->internal.lines;
	bool is_empty = lines->line_size == 0;

	lines->line_size = 0;
	if (lines->has_request_line)
		return true;
	if (is_empty && ++lines->empty_lines > HTTP_EMPTY_LINES_MAX)
		return http_bad(request, 400,
				"there are empty lines instead of a request");
	if (is_empty)
		return true;
	lines->has_request_line = true;
	return check_request_line(request, lines->last);
}

static bool check_byte(struct http_request *request, char byte)
{
	struct http_lines *lines = &request->internal.lines;

	if (lines->after_cr != (byte == '\n'))
		return http_bad(request, 400,
				"lines must end in a carriage return and a "
				"line feed");
	lines->after_cr = byte == '\r';
	if (byte == '\n')
		return end_line(request);
	if (byte == '\r')
		return true;
	if (!lines->line_size++ && (byte == ' ' || byte == '\t'))
		return http_bad(request, 400,
				"a line must not begin with a blank");
	if (!lines->has_request_line)
		lines->last = lines->last << 8 | (unsigned char)byte;
	return true;
}

/* From within a line to its end, or @end: nothing is to be said of the rest. */
static const char *skip_line(const struct http_request *request, const char *at,
			     const char *end)
{
	const struct http_lines *lines = &request->internal.lines;

	if (!lines->has_request_line || !lines->line_size || lines->after_cr ||
	    request->internal.head_done)
		return at;
	while (at < end && *at != '\r' && *at != '\n')
		at++;
	return at;
}

bool http_lines_check(struct http_request *request, const char *end)
{
	const char *at = request->internal.lines.unchecked;

	while ((at = skip_line(request, at, end)) < end) {
		if (request->internal.head_done &&
		    ++request->internal.overhead > HTTP_CHUNK_OVERHEAD_MAX)
			return http_bad(request, 400,
					"the chunks are too small for what is "
					"around them");
		if (!check_byte(request, *at++))
			return false;
	}
	request->internal.lines.unchecked = end;
	return true;
}
