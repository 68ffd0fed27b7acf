/*
 * http_response.h - writes the head of an HTTP/1.1 response (RFC 9112).
 *
 *	http_response_begin(out, 200, keep_alive);
 *	http_response_header(out, "Content-Type", type);
 *	http_response_end(out, body_size);
 *	buffer_append(out, body, body_size);
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_RESPONSE_H
#define EXECUTOR_PROTOCOL_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Content-Length is left out: statuses without a body, such as 204. */
#define HTTP_NO_BODY SIZE_MAX

/*
 * The status line, Date (RFC 9110, 6.6.1; formatted once in a second for a
 * thread), and "Connection: close" unless @keep_alive. A client of HTTP/1.0
 * wants to be told "Connection: keep-alive", by http_response_header().
 */
void http_response_begin(struct buffer *out, unsigned status, bool keep_alive);

/* One header; @name is our own. Control characters in @value become blanks. */
void http_response_header(struct buffer *out, const char *name,
			  const char *value);
void http_response_number(struct buffer *out, const char *name, uint64_t value);

/* Content-Length and the empty line. */
void http_response_end(struct buffer *out, size_t body_size);

/* "Not Found" for 404; "" for what we never send. */
const char *http_status_text(unsigned status);

#endif
