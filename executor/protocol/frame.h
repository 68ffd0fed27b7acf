/*
 * frame.h - the frames of the unix socket protocol, both directions. Bytes in,
 * structs out; no I/O. docs/protocol.md describes them byte for byte.
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

/* Bytes behind the header, at most; the function's own limit is less. */
#define FRAME_BODY_MAX (65 * 1024 * 1024)

/*
 * Requests in flight on one connection, at most: the server reads no further
 * until it has answered one.
 */
#define FRAME_PIPELINE_MAX 64

enum frame_kind {
	FRAME_REQUEST = 1,
	FRAME_REPLY = 2,
};

/* frame_reply.status: the function ran, and how it ended; or it did not. */
enum frame_status {
	FRAME_OK = 0,
	FRAME_ERROR = 1, /* the function reported an error, broke a limit */
	FRAME_FAULT = 2,
	FRAME_TIMEOUT = 3,
	FRAME_BAD_REQUEST = 16, /* content type, id or frame is no good */
	FRAME_NOT_FOUND = 17,
	FRAME_TOO_LARGE = 18,
	FRAME_THROTTLED = 19,
	FRAME_NOT_READY = 20, /* not deployed, or draining */
	FRAME_FAILED = 21,    /* thaw failed */
};

struct frame_request {
	uint64_t id;	     /* the client's, not 0; comes back in the reply */
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
 * Whether @size bytes hold a whole frame of @kind: its size with the header, or
 * 0: more are needed, at least *@ret_need in all; -EPROTO: never one: close
 * the connection; -E2BIG: larger than @max_body behind the header, *@ret_need
 * in all: it can be skipped. Larger than FRAME_BODY_MAX is -EPROTO.
 */
int64_t frame_size(const void *bytes, size_t size, enum frame_kind kind,
		   size_t max_body, size_t *ret_need);

/* The id of a frame of which at least the header is there. */
uint64_t frame_id(const void *frame);

/*
 * Reads what comes before a request's data, as soon as that is there: to look
 * at the function's limits before the rest has come. Returns 1 (data is NULL,
 * but size what it will be), 0: more bytes are needed, or -EPROTO.
 */
int frame_peek_request(const void *bytes, size_t size,
		       struct frame_request *ret_request);

/* Reads a whole frame. -EPROTO: sizes or characters that cannot be. */
int frame_read_request(const void *frame, size_t size,
		       struct frame_request *ret_request);
int frame_read_reply(const void *frame, size_t size,
		     struct frame_reply *ret_reply);

/*
 * Writes all of a frame but its data, which the caller sends behind it, into
 * @head (FRAME_HEAD_MAX bytes, and those of attributes and headers). Returns the
 * bytes written, or -E2BIG.
 */
#define FRAME_HEAD_MAX (FRAME_HEADER_SIZE + 2560)
#define FRAME_PAIRS_MAX (THAW_ATTRIBUTES_SIZE_MAX + THAW_HEADERS_SIZE_MAX)
int frame_write_request(const struct frame_request *request, void *head);
int frame_write_reply(const struct frame_reply *reply, void *head);

#endif
