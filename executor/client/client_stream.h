/*
 * client_stream.h - the frames of one client's connection, without their
 * meaning: sends requests, and keeps replies until they are asked for.
 *
 *	r = client_stream_open(&stream, path, err);
 *	stream.expected++;
 *	client_stream_send(&stream, head, head_size, data, size);
 *	frame = client_stream_next(&stream, &size);	blocks
 *	if (stream.broken)
 *		return client_stream_error(&stream, err);
 *	client_stream_close(&stream);
 *
 * One thread at a time. A stream that has broken stays so: only replies that
 * came before can still be had.
 */
#ifndef EXECUTOR_CLIENT_CLIENT_STREAM_H
#define EXECUTOR_CLIENT_CLIENT_STREAM_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "executor/protocol/frame.h"

struct client_stream {
	/* Replies the server owes; the caller's. More break the stream. */
	unsigned expected;
	int broken; /* -errno for good; 0 */

	int fd;
	/* Before @start, done with; whole frames until @end. */
	struct buffer received;
	size_t start, end;
	unsigned replies; /* whole frames */
	size_t need;	  /* bytes from @end to the end of the next, or more */
	struct buffer held; /* with the frame that was asked for last */
	struct error reason;
};

/* Connects to the unix socket at @path. */
int client_stream_open(struct client_stream *stream, const char *path,
		       struct error *err);
void client_stream_close(struct client_stream *stream);

/*
 * Sends both, or breaks the stream. What comes meanwhile is received, so that
 * a server that cannot get rid of its replies does not stop reading for good.
 */
void client_stream_send(struct client_stream *stream, const void *head,
			size_t head_size, const void *data, size_t size);

/*
 * Waits for a reply: its frame, whole but not read yet, valid until the next
 * call; or NULL: the stream is broken.
 */
const char *client_stream_next(struct client_stream *stream, size_t *ret_size);

/* Breaks the stream, unless it is: what came was not a reply of ours. */
void client_stream_break(struct client_stream *stream);

/* Why it is broken, as -errno with a message. */
int client_stream_error(const struct client_stream *stream, struct error *err);

/* What a status of FRAME_BAD_REQUEST or above means, as -errno. */
int client_stream_refusal(const struct frame_reply *reply, struct error *err);

#endif
