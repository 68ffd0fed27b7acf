/*
 * http_reply.h - the client's side: one HTTP/1.1 response (RFC 9112), parsed as
 * it arrives. For `thaw invoke --url`, `thaw top`, `thaw bench --url` and so on.
 *
 *	struct http_reply reply = HTTP_REPLY_INIT(max_body);
 *
 *	http_reply_reset(&reply);	before each response
 *	... bytes arrive:
 *	r = http_reply_parse(&reply, data, size, &used);
 *	1: it is whole; 0: more is needed; -EPROTO, -E2BIG, -ENOMEM
 *	http_reply_done(&reply);
 *
 * At the end of the connection call http_reply_end(): a body without a length
 * ends there. Keeps its memory from one response to the next.
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
	/* To be set behind http_reply_reset(): it answers HEAD, without a body. */
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
 * Takes up to @size bytes; *@ret_used says how many: what is behind a whole
 * response belongs to the next one. "100 Continue" and its like are skipped.
 */
int http_reply_parse(struct http_reply *reply, const void *data, size_t size,
		     size_t *ret_used);

/* 1: the response is whole; -EPROTO: the connection ended in the midst of it. */
int http_reply_end(struct http_reply *reply);

/* Frees the memory; http_reply_reset() makes it usable again. */
void http_reply_done(struct http_reply *reply);

/* The value of the header called @name (lower case), or NULL. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

#endif
