/*
 * frame.h - the frames of the unix socket protocol, in both directions. Bytes in,
 * structs out; no I/O; any thread. docs/protocol.md describes every byte.
 */
#ifndef EXECUTOR_PROTOCOL_FRAME_H
#define EXECUTOR_PROTOCOL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "executor/libthaw.h"
#include "executor/limits.h"

#define FRAME_VERSION 1

/* Bytes of a frame's header, of either kind. */
#define FRAME_HEADER_SIZE 48

/* Bytes after the header, at most; a function's own limit is lower. */
#define FRAME_BODY_MAX (65 * 1024 * 1024)

/*
 * Requests in flight on one connection, at most. With so many, the server reads on
 * only after it has answered one.
 */
#define FRAME_PIPELINE_MAX 64

enum frame_kind {
	FRAME_REQUEST = 1,
	FRAME_REPLY = 2,
};

/* frame_reply.status: how the function ended (below 16), or why it did not run. */
enum frame_status {
	FRAME_OK = 0,
	FRAME_ERROR = 1, /* the function reported an error or broke a limit */
	FRAME_FAULT = 2,
	FRAME_TIMEOUT = 3,
	FRAME_BAD_REQUEST = 16, /* content type, id or frame is not valid */
	FRAME_NOT_FOUND = 17,
	FRAME_TOO_LARGE = 18,
	FRAME_THROTTLED = 19,
	FRAME_NOT_READY = 20, /* not deployed, or draining */
	FRAME_FAILED = 21,    /* the server failed */
};

struct frame_request {
	uint64_t id;	     /* the client's, not 0; the reply repeats it */
	uint64_t timeout_ns; /* 0: the function's */
	/* Zero-terminated copies. */
	char function[LIMIT_NAME_MAX + 1];
	char content_type[128];
	char request_id[64]; /* "": the server makes one */
	/* Pairs as of http_headers.h, into the frame. */
	const char *attributes, *headers;
	size_t attributes_size, headers_size;
	const void *data; /* into the frame */
	size_t size;
};

struct frame_reply {
	uint64_t id; /* the request's; 0: about the connection, which ends */
	enum frame_status status;
	uint64_t queue_ns, run_ns;
	char content_type[128];
	char request_id[64];
	char error_type[64];
	char error_message[2048];
	/* Of FRAME_OK: what the function answers in HTTP, as struct thaw_reply. */
	unsigned http_status;
	size_t headers_size;
	const char *headers; /* into the frame */
	const void *data;    /* into the frame */
	size_t size;
};

/*
 * Finds the end of a frame of @kind. Returns
 *
 *	its size with the header, if the @size bytes hold all of it;
 *	0, if more are needed: at least *@ret_need in all;
 *	-E2BIG, if more than @max_body bytes follow the header: the caller can
 *		skip it, *@ret_need bytes in all;
 *	-EPROTO, if it is no frame, or is larger than FRAME_BODY_MAX: the caller
 *		closes the connection.
 */
int64_t frame_size(const void *bytes, size_t size, enum frame_kind kind,
		   size_t max_body, size_t *ret_need);

/* Returns the id of a frame of which at least the header is there. */
uint64_t frame_id(const void *frame);

/*
 * Reads what comes before a request's data as soon as it is there, so that the
 * caller can apply the function's limits before the rest arrives. Returns 1, with
 * data NULL and the size that it will have; 0 if more bytes are needed; -EPROTO.
 */
int frame_peek_request(const void *bytes, size_t size,
		       struct frame_request *ret_request);

/* Read a whole frame. Return 0, or -EPROTO if a size or character is not valid. */
int frame_read_request(const void *frame, size_t size,
		       struct frame_request *ret_request);
int frame_read_reply(const void *frame, size_t size,
		     struct frame_reply *ret_reply);

/*
 * Write all of a frame but its data, which the caller sends after it, into @head:
 * room for FRAME_HEAD_MAX bytes and for the attributes and headers. Return the
 * number of bytes written, or -E2BIG.
 */
#define FRAME_HEAD_MAX (FRAME_HEADER_SIZE + 2560)
#define FRAME_PAIRS_MAX (THAW_ATTRIBUTES_SIZE_MAX + THAW_HEADERS_SIZE_MAX)
int frame_write_request(const struct frame_request *request, void *head);
int frame_write_reply(const struct frame_reply *reply, void *head);

#endif
