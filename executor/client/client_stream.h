/*
 * client_stream.h - the frames of one client's connection. Sends requests, and keeps
 * replies until the caller asks for them; does not look into either.
 *
 *	r = client_stream_open(&stream, path, err);
 *	stream.expected++;
 *	client_stream_send(&stream, head, head_size, data, size);
 *	frame = client_stream_next(&stream, &size);	blocks
 *	if (stream.broken)
 *		return client_stream_error(&stream, err);
 *	client_stream_close(&stream);
 *
 * One thread at a time. A stream that has broken stays broken: only replies that came
 * before can still be read.
 */
#ifndef EXECUTOR_CLIENT_CLIENT_STREAM_H
#define EXECUTOR_CLIENT_CLIENT_STREAM_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "executor/protocol/frame.h"

struct client_stream {
	/* Replies that the caller waits for. One more breaks the stream. */
	unsigned expected;
	int broken; /* -errno, for good; 0: it is not */

	int fd;
	/* Bytes before @start are done with; whole frames end at @end. */
	struct buffer received;
	size_t start, end;
	unsigned replies; /* whole frames */
	size_t need;	  /* bytes from @end to the end of the next, or more */
	struct buffer held; /* the frame that was asked for last */
	struct error reason;
};

/* Connects to the unix socket at @path. */
int client_stream_open(struct client_stream *stream, const char *path,
		       struct error *err);
void client_stream_close(struct client_stream *stream);

/*
 * Sends @head and @data, or breaks the stream. Receives replies in the meantime, since
 * a server that cannot send its replies stops reading requests.
 */
void client_stream_send(struct client_stream *stream, const void *head,
			size_t head_size, const void *data, size_t size);

/*
 * Waits for a reply. Returns its frame, whole but unchecked, valid until the next
 * call, or NULL if the stream is broken.
 */
const char *client_stream_next(struct client_stream *stream, size_t *ret_size);

/* Breaks the stream, if it is not broken, because the last frame was no reply. */
void client_stream_break(struct client_stream *stream);

/* Returns why the stream is broken, as -errno with a message. */
int client_stream_error(const struct client_stream *stream, struct error *err);

/* Returns what a status of FRAME_BAD_REQUEST or above means, as -errno. */
int client_stream_refusal(const struct frame_reply *reply, struct error *err);

#endif
