/* http_response.c - writes the head of a response. See http_response.h. */
#include "executor/protocol/http_response.h"

#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/hot.h"

/* clang-format off */
static const struct status {
	unsigned code;
	const char *text;
} statuses[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 207, "Multi-Status" },
	{ 208, "Already Reported" },
	{ 226, "IM Used" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 425, "Too Early" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 506, "Variant Also Negotiates" },
	{ 507, "Insufficient Storage" },
	{ 508, "Loop Detected" },
	{ 511, "Network Authentication Required" },
};
/* clang-format on */

const char *http_status_text(unsigned status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].code == status)
			return statuses[i].text;
	return "";
}

#define DATE_SIZE (sizeof("Thu, 01 Jan 1970 00:00:00 GMT") - 1)

static char *response_put(char *to, const char *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

/* @text is a literal. */
#define response_put_literal(to, text) response_put(to, text, sizeof(text) - 1)

static char *put_date(char *to)
{
	static _Thread_local char date[DATE_TEXT_MAX];
	static _Thread_local time_t formatted;
	struct timespec now;

	/* the coarse clock is read from memory, and only seconds count */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != formatted) {
		date_format_http((uint64_t)now.tv_sec, date);
		formatted = now.tv_sec;
	}
	return response_put(to, date, DATE_SIZE);
}

/* What has been written in the room that buffer_reserve() has made. */
static void wrote_to(struct buffer *out, const char *end)
{
	out->size = (size_t)(end - out->data);
}

HOT void http_response_begin(struct buffer *out, unsigned status,
			     bool keep_alive)
{
	static const char close[] = "Connection: close\r\n";
	const char *reason = http_status_text(status);
	const size_t size = strlen(reason);
	char *to =
		buffer_reserve(out, sizeof("HTTP/1.1 200 \r\nDate: \r\n") +
					    size + DATE_SIZE + sizeof(close));

	if (!to)
		return;
	to = response_put_literal(to, "HTTP/1.1 ");
	*to++ = (char)('0' + status / 100 % 10);
	*to++ = (char)('0' + status / 10 % 10);
	*to++ = (char)('0' + status % 10);
	*to++ = ' ';
	to = response_put(to, reason, size);
	to = response_put_literal(to, "\r\nDate: ");
	to = put_date(to);
	to = response_put_literal(to, "\r\n");
	if (!keep_alive)
		to = response_put_literal(to, close);
	wrote_to(out, to);
}

/* Each of the eight bytes, taken alone. */
#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether none of eight bytes is a control character. */
static bool is_tame(uint64_t bytes)
{
	const uint64_t del = bytes ^ BYTES(0x7f);

	return !(((bytes - BYTES(' ')) & ~bytes & BYTES(0x80)) |
		 ((del - BYTES(1)) & ~del & BYTES(0x80)));
}

/* Writes text in which a byte that could end the header becomes a blank. */
static char *put_tame(char *to, const char *text, size_t size)
{
	uint64_t bytes;
	size_t i = 0;

	for (; i + sizeof(bytes) <= size; i += sizeof(bytes)) {
		memcpy(&bytes, text + i, sizeof(bytes));
		if (!is_tame(bytes))
			break;
		memcpy(to + i, &bytes, sizeof(bytes));
	}
	for (; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		to[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
	}
	return to + size;
}

HOT void http_response_header(struct buffer *out, const char *name,
			      const char *value)
{
	const size_t name_size = strlen(name), size = strlen(value);
	char *to = buffer_reserve(out, name_size + size + 4);

	if (!to)
		return;
	to = response_put(to, name, name_size);
	to = response_put_literal(to, ": ");
	to = put_tame(to, value, size);
	wrote_to(out, response_put_literal(to, "\r\n"));
}

HOT void http_response_number(struct buffer *out, const char *name,
			      uint64_t value)
{
	const size_t name_size = strlen(name);
	char *to = buffer_reserve(out, name_size + BUFFER_NUMBER_MAX + 4);

	if (!to)
		return;
	to = response_put(to, name, name_size);
	to = response_put_literal(to, ": ");
	to = buffer_put_number(to, value);
	wrote_to(out, response_put_literal(to, "\r\n"));
}

HOT void http_response_end(struct buffer *out, size_t body_size)
{
	if (body_size != HTTP_NO_BODY)
		http_response_number(out, "Content-Length", body_size);
	buffer_append(out, "\r\n", 2);
}
