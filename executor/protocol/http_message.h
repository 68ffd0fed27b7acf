/*
 * http_message.h - one HTTP/1.1 request as the server has it: limits and struct.
 * http_request.h fills it in.
 */
#ifndef EXECUTOR_PROTOCOL_HTTP_MESSAGE_H
#define EXECUTOR_PROTOCOL_HTTP_MESSAGE_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "executor/libthaw.h"
#include "executor/protocol/host.h"
#include "executor/protocol/http_chunks.h"
#include "executor/protocol/http_lines.h"

/*
 * Bytes of request line and headers together; and how many headers there may be,
 * of which proxies let 100 pass.
 */
#define HTTP_HEAD_MAX (16 * 1024)
#define HTTP_HEADERS_MAX 112

/*
 * Separators in the values of Connection. All of its names are compared with each
 * header of a function's request.
 */
#define HTTP_CONNECTION_OPTIONS_MAX 64

/* The first memory for a head, in bytes; each next one is twice as large. */
#define HTTP_HEAD_FIRST 512

/* Bytes of memory for a head, and for a body, that the next request may reuse. */
#define HTTP_KEPT_MAX (4 * 1024)

/*
 * Bytes are received into a body once it has so many, and while it lacks so many: so
 * what a client only announces takes no memory.
 */
#define HTTP_ROOM_FROM (4 * 1024)
#define HTTP_ROOM_MIN (16 * 1024)

enum http_method {
	HTTP_GET_METHOD,
	HTTP_HEAD_METHOD,
	HTTP_POST_METHOD,
	HTTP_PUT_METHOD,
	HTTP_DELETE_METHOD,
	HTTP_OPTIONS_METHOD,
	HTTP_PATCH_METHOD,
	HTTP_OTHER_METHOD,
};

enum http_progress {
	HTTP_MORE,
	HTTP_HEAD_DONE,
	HTTP_DONE,
	HTTP_BAD,
};

struct http_request {
	/* From HTTP_HEAD_DONE on: */
	enum http_method method;
	const char *method_name; /* in capitals; static */
	const char *path;	 /* as it was sent, e.g. "/function/a%20b" */
	const char *query;	 /* after the '?', as it was sent; or "" */
	/* Names are in lower case; values have no blanks around, no controls. */
	struct thaw_attribute headers[HTTP_HEADERS_MAX];
	size_t header_count;
	struct host host;   /* of the target, or else of Host; may be empty */
	const char *origin; /* the header's value, or NULL */
	uint64_t content_length; /* 0 if there is none, or chunked */
	bool is_chunked;
	bool keep_alive;       /* the client wants it, by version and header */
	bool expects_continue; /* wants "100 Continue" before the body */
	bool is_http_1_0;

	/* The caller sets it at HTTP_HEAD_DONE; a larger body is refused: 413. */
	size_t max_body; /* 0 until then */

	/* From HTTP_DONE on. */
	const char *body; /* not zero-terminated */
	size_t body_size;

	/* From HTTP_BAD on. */
	unsigned bad_status;	/* 400, 413, 414, 417, 431, 501, 503, 505 */
	const char *bad_reason; /* a sentence for the client; static */

	struct {
		llhttp_t parser;
		struct http_lines lines;
		/* The strings of the head, one after the other. */
		size_t head_size; /* bytes that arrived */
		struct buffer head;
		size_t string_from; /* where the last string begins */
		size_t header_count;

		bool is_lost; /* llhttp has given up in the request line */
		bool head_done, done;
		struct http_chunks chunks;
		struct buffer body;
	} internal;
};

#endif
