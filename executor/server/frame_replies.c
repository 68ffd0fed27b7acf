/* frame_replies.c - replies that wait to be sent. See frame_replies.h. */
#include "executor/server/frame_replies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"
#include "executor/server/server_limits.h"

/* The data of a large reply. */
struct frame_large {
	struct frame_large *next;
	size_t at; /* the bytes that they come behind */
	char *data;
	size_t size;
};

void frame_replies_init(struct frame_replies *replies,
			struct budget_account *account)
{
	replies->last = &replies->first;
	replies->bytes = (struct buffer){
		.max = FRAME_REPLIES_MAX,
		.account = account,
		.may_exceed = true,
	};
}

static void frame_replies_drop_first(struct frame_replies *replies)
{
	struct frame_large *large = replies->first;

	replies->first = large->next;
	if (!replies->first)
		replies->last = &replies->first;
	budget_give(replies->bytes.account, large->size);
	free(large->data);
	free(large);
}

HOT void frame_replies_clear(struct frame_replies *replies, size_t kept)
{
	while (replies->first)
		frame_replies_drop_first(replies);
	replies->size = replies->sent = 0;
	buffer_shrink(&replies->bytes, kept);
}

HOT struct iovec frame_replies_next(const struct frame_replies *replies)
{
	const struct frame_large *large = replies->first;
	const size_t end = large ? large->at : replies->bytes.size;

	if (end == replies->sent)
		return (struct iovec){ large->data, large->size };
	return (struct iovec){ replies->bytes.data + replies->sent,
			       end - replies->sent };
}

HOT bool frame_replies_advance(struct frame_replies *replies)
{
	const size_t end = replies->first ? replies->first->at :
					    replies->bytes.size;

	if (replies->sent == end)
		frame_replies_drop_first(replies);
	replies->sent = end;
	return replies->first || replies->sent < replies->bytes.size;
}

/* Memory that holds the data: @invocation's, or a copy. NULL: there is none. */
static char *frame_replies_take(struct invocation *invocation, const void *data,
				size_t size)
{
	char *memory = invocation_take_copy(invocation);

	if (!memory) {
		memory = malloc(size);
		if (memory)
			memcpy(memory, data, size);
	}
	return memory;
}

/* Puts large data into memory of their own. False: there is none. */
static bool frame_replies_put_large(struct frame_replies *replies,
				    const void *data, size_t size,
				    struct invocation *invocation)
{
	struct frame_large *large = malloc(sizeof(*large));

	if (!large)
		return false;
	*large = (struct frame_large){
		.at = replies->bytes.size,
		.data = frame_replies_take(invocation, data, size),
		.size = size,
	};
	if (!large->data) {
		free(large);
		return false;
	}
	budget_take_anyway(replies->bytes.account, size);
	*replies->last = large;
	replies->last = &large->next;
	return true;
}

/*
 * Sends what the kernel takes at once of the first reply, which has a head of @head
 * bytes. Returns how many bytes of the data are gone.
 */
static size_t frame_replies_send_some(struct frame_replies *replies,
				      size_t head,
				      const struct frame_reply *reply,
				      struct io_stream *stream)
{
	const struct iovec pieces[] = {
		{ replies->bytes.data, head },
		{ (void *)(uintptr_t)reply->data, reply->size },
	};

	replies->sent = io_stream_send_some(stream, pieces, 2);
	if (replies->sent <= head)
		return 0;
	head = replies->sent - head;
	replies->sent -= head;
	return head;
}

HOT void frame_replies_put(struct frame_replies *replies,
			   const struct frame_reply *reply,
			   struct invocation *invocation,
			   struct io_stream *stream)
{
	const bool is_large = invocation && reply->size > SERVER_REPLY_SMALL;
	char *to = buffer_reserve(&replies->bytes,
				  FRAME_HEAD_MAX + reply->headers_size);
	int size = to ? frame_write_reply(reply, to) : -ENOMEM;
	size_t gone = 0, rest;
	const char *data;

	if (size < 0) {
		replies->bytes.failed = true;
		return;
	}
	if (stream && is_large && !invocation->copy)
		gone = frame_replies_send_some(replies, (size_t)size, reply,
					       stream);
	rest = reply->size - gone;
	if (gone && !rest) {
		replies->sent = 0;
		return;
	}
	replies->bytes.size += (size_t)size;
	replies->size += (size_t)size + rest;
	if (!rest)
		return;
	data = (const char *)reply->data + gone;
	if (!is_large ||
	    !frame_replies_put_large(replies, data, rest, invocation))
		buffer_append(&replies->bytes, data, rest);
}
