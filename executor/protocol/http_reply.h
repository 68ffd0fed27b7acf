/*
 * http_reply.h - the client's side: one HTTP/1.1 response (RFC 9112), parsed as it
 * arrives.
 *
 *	struct http_reply reply = HTTP_REPLY_INIT(max_body);
 *
 *	http_reply_reset(&reply);	before each response
 *	... bytes arrive:
 *	r = http_reply_parse(&reply, data, size, &used);
 *	1: it is whole; 0: more is needed; -EPROTO, -E2BIG, -ENOMEM
 *	http_reply_done(&reply);
 *
 * At the end of the connection call http_reply_end(), since a body without a length
 * ends there. The memory is kept from one response to the next. One thread at a
 * time.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_REPLY_H
#define EXECUTOR_PROTOCOL_HTTP_REPLY_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "executor/protocol/http_chunks.h"

/* Status line and headers together, in bytes. */
#define HTTP_REPLY_HEAD_MAX (64 * 1024)

struct http_reply {
	unsigned status;
	bool keep_alive;
	struct buffer head; /* "name\0value\0"..., names in lower case */
	struct buffer body;
	/* The caller sets it after http_reply_reset(): HEAD is answered without body. */
	bool is_head;

	struct {
		llhttp_t parser;
		bool head_done, is_chunked, done;
		struct http_chunks chunks;
		int error;
	} internal;
};

#define HTTP_REPLY_INIT(max_body)                         \
	{                                                 \
		.head = BUFFER_INIT(HTTP_REPLY_HEAD_MAX), \
		.body = BUFFER_INIT(max_body)             \
	}

void http_reply_reset(struct http_reply *reply);

/*
 * Takes up to @size bytes; *@ret_used is how many, as what follows a whole response
 * belongs to the next. Skips "100 Continue" and its like. Returns 1 if the response
 * is whole; 0 if more bytes are needed; -EPROTO, -E2BIG or -ENOMEM.
 */
int http_reply_parse(struct http_reply *reply, const void *data, size_t size,
		     size_t *ret_used);

/* Returns 1 if the response is whole, -EPROTO if the connection ended too early. */
int http_reply_end(struct http_reply *reply);

/* Frees the memory. http_reply_reset() makes the struct usable again. */
void http_reply_done(struct http_reply *reply);

/* Returns the value of the header @name (in lower case), or NULL. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

#endif
