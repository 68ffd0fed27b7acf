/* http_response.c - writes the head of a response. See http_response.h. */
#include "executor/protocol/http_response.h"

#include <string.h>
#include <time.h>

#include "base/date.h"

const char *http_status_text(unsigned status)
{
	switch (status) {
	case 100:
		return "Continue";
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 203:
		return "Non-Authoritative Information";
	case 204:
		return "No Content";
	case 205:
		return "Reset Content";
	case 206:
		return "Partial Content";
	case 207:
		return "Multi-Status";
	case 208:
		return "Already Reported";
	case 226:
		return "IM Used";
	case 300:
		return "Multiple Choices";
	case 301:
		return "Moved Permanently";
	case 302:
		return "Found";
	case 303:
		return "See Other";
	case 304:
		return "Not Modified";
	case 307:
		return "Temporary Redirect";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 402:
		return "Payment Required";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 407:
		return "Proxy Authentication Required";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 421:
		return "Misdirected Request";
	case 422:
		return "Unprocessable Content";
	case 423:
		return "Locked";
	case 424:
		return "Failed Dependency";
	case 425:
		return "Too Early";
	case 426:
		return "Upgrade Required";
	case 428:
		return "Precondition Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 451:
		return "Unavailable For Legal Reasons";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	case 506:
		return "Variant Also Negotiates";
	case 507:
		return "Insufficient Storage";
	case 508:
		return "Loop Detected";
	case 511:
		return "Network Authentication Required";
	default:
		return "";
	}
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
