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

/* A size for statuses without a body, such as 204: no Content-Length. */
#define HTTP_NO_BODY SIZE_MAX

/*
 * Appends the status line, Date (RFC 9110, 6.6.1; a thread formats it once a
 * second), and "Connection: close" unless @keep_alive. For an HTTP/1.0 client the
 * caller adds "Connection: keep-alive" with http_response_header().
 */
void http_response_begin(struct buffer *out, unsigned status, bool keep_alive);

/* Append one header. @name is trusted; controls in @value become blanks. */
void http_response_header(struct buffer *out, const char *name,
			  const char *value);
void http_response_number(struct buffer *out, const char *name, uint64_t value);

/* Appends Content-Length and the empty line. */
void http_response_end(struct buffer *out, size_t body_size);

/* Returns "Not Found" for 404, and so on; "" for an unknown status. */
const char *http_status_text(unsigned status);

#endif
