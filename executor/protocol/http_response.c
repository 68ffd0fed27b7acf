/* http_response.c - writes the head of a response. See http_response.h. */
#include "executor/protocol/http_response.h"

#include <string.h>
#include <time.h>

#include "base/date.h"

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

static void append_date(struct buffer *out)
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
	buffer_text(out, date);
}

void http_response_begin(struct buffer *out, unsigned status, bool keep_alive)
{
	buffer_text(out, "HTTP/1.1 ");
	buffer_number(out, status);
	buffer_text(out, " ");
	buffer_text(out, http_status_text(status));
	buffer_text(out, "\r\nDate: ");
	append_date(out);
	buffer_text(out, keep_alive ? "\r\n" : "\r\nConnection: close\r\n");
}

/* Appends text in which a byte that could end the header becomes a blank. */
static void append_tame(struct buffer *out, const char *text)
{
	size_t size = strlen(text);
	char *to = buffer_reserve(out, size);

	if (!to)
		return;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		to[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
	}
	out->size += size;
}

static void append_name(struct buffer *out, const char *name)
{
	buffer_text(out, name);
	buffer_text(out, ": ");
}

void http_response_header(struct buffer *out, const char *name,
			  const char *value)
{
	append_name(out, name);
	append_tame(out, value);
	buffer_text(out, "\r\n");
}

void http_response_number(struct buffer *out, const char *name, uint64_t value)
{
	append_name(out, name);
	buffer_number(out, value);
	buffer_text(out, "\r\n");
}

void http_response_end(struct buffer *out, size_t body_size)
{
	if (body_size != HTTP_NO_BODY)
		http_response_number(out, "Content-Length", body_size);
	buffer_text(out, "\r\n");
}
