/*
 * load_wire.h - a request to a function as the bytes that are sent, and the
 * reply as they arrive; HTTP or the socket protocol. No I/O.
 *
 *	load_request_make(&request, &target, "hello", NULL, data, size);
 *	struct load_reply reply;
 *	load_reply_init(&reply, target.protocol);
 *
 *	... send request.bytes; then, as bytes arrive,
 *	r = load_reply_feed(&reply, bytes, size, &used);
 *	1: it is whole, reply.status says which; 0: more is needed; -errno
 */
#ifndef BENCH_LOAD_WIRE_H
#define BENCH_LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "bench/load_target.h"
#include "executor/protocol/http_reply.h"

/* All statuses, of either protocol, are below this. */
#define LOAD_STATUS_MAX 1000

struct load_request {
	char *bytes;
	size_t size;
};

/*
 * Makes a request with @size bytes of @data, and @content_type unless that is
 * NULL. -EINVAL: no function can have this name, or the content type is not
 * valid; -ENOMEM.
 */
int load_request_make(struct load_request *request,
		      const struct load_target *target, const char *function,
		      const char *content_type, const void *data, size_t size);
void load_request_done(struct load_request *request);

struct load_reply {
	enum load_protocol protocol;
	unsigned status; /* HTTP's, or enum frame_status */
	bool keep_alive; /* the connection can be used again */
	struct http_reply http;
	struct buffer frame; /* a frame that has arrived in part */
};

void load_reply_init(struct load_reply *reply, enum load_protocol protocol);
void load_reply_done(struct load_reply *reply);

/* Prepares for the next reply. */
void load_reply_reset(struct load_reply *reply);

/* Takes up to @size bytes; *@ret_used says how many. 1, 0, or -errno. */
int load_reply_feed(struct load_reply *reply, const void *bytes, size_t size,
		    size_t *ret_used);

/*
 * Takes the end of the connection: 1 if that completes the reply, else -EPROTO.
 */
int load_reply_end(struct load_reply *reply);

/* Whether the status says that the function succeeded. */
bool load_status_is_ok(enum load_protocol protocol, unsigned status);

/* Returns the status as text: "200", "429"; "ok", "throttled". */
#define LOAD_STATUS_TEXT_MAX 32
const char *load_status_text(enum load_protocol protocol, unsigned status,
			     char text[static LOAD_STATUS_TEXT_MAX]);

#endif
