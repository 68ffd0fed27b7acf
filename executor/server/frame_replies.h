/*
 * frame_replies.h - replies of the socket protocol that wait to be sent to one
 * client: bytes, and between them the data of large replies, which are sent from
 * where they are.
 *
 *	frame_replies_put(&replies, &reply, invocation);
 *	do
 *		io_stream_send(stream, (piece = frame_replies_next(&replies)), 1);
 *	while (frame_replies_advance(&replies));	once that is sent
 *	frame_replies_clear(&replies, kept);
 *
 * On the thread of the connection that has them.
 */
#ifndef EXECUTOR_SERVER_FRAME_REPLIES_H
#define EXECUTOR_SERVER_FRAME_REPLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/budget.h"
#include "base/buffer.h"
#include "executor/io/io.h"
#include "executor/protocol/frame.h"
#include "executor/server/invocation.h"

/* The most bytes of them: those of all invocations under way, of the largest size. */
#define FRAME_REPLIES_MAX (256 * 1024 * 1024)

struct frame_replies {
	struct buffer bytes; /* failed: a reply is missing */
	struct frame_large *first, **last;
	size_t size; /* of all */
	size_t sent; /* of the bytes */
};

/* @account pays for what is kept. */
void frame_replies_init(struct frame_replies *replies,
			struct budget_account *account);

/* Forgets all of them, and keeps @kept bytes of memory for others. */
void frame_replies_clear(struct frame_replies *replies, size_t kept);

/*
 * Adds @reply. @invocation, whose reply it is, is NULL for a refusal; the memory
 * of its data may be taken over. Otherwise they are copied. If there are no others and
 * nothing is being sent, @stream may be other than NULL: what the kernel takes at once
 * of a large reply is not copied, and if that is all, there still are no replies.
 */
void frame_replies_put(struct frame_replies *replies,
		       const struct frame_reply *reply,
		       struct invocation *invocation, struct io_stream *stream);

/* What is to be sent next; there has to be something. */
struct iovec frame_replies_next(const struct frame_replies *replies);

/* That has been sent. False: it was the last of them. */
bool frame_replies_advance(struct frame_replies *replies);

#endif
