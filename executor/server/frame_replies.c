/* frame_replies.c - replies that wait to be sent. See frame_replies.h. */
#include "executor/server/frame_replies.h"

#include <errno.h>
#include <stdlib.h>

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

void frame_replies_clear(struct frame_replies *replies, size_t kept)
{
	while (replies->first)
		frame_replies_drop_first(replies);
	replies->size = replies->sent = 0;
	buffer_shrink(&replies->bytes, kept);
}

struct iovec frame_replies_next(const struct frame_replies *replies)
{
	const struct frame_large *large = replies->first;
	const size_t end = large ? large->at : replies->bytes.size;

	if (end == replies->sent)
		return (struct iovec){ large->data, large->size };
	return (struct iovec){ replies->bytes.data + replies->sent,
			       end - replies->sent };
}

bool frame_replies_advance(struct frame_replies *replies)
{
	const size_t end = replies->first ? replies->first->at :
					    replies->bytes.size;

	if (replies->sent == end)
		frame_replies_drop_first(replies);
	replies->sent = end;
	return replies->first || replies->sent < replies->bytes.size;
}

/* Appends the data: by their memory if they are large and @invocation's. */
static void frame_replies_put_data(struct frame_replies *replies,
				   const void *data, size_t size,
				   struct invocation *invocation)
{
	struct frame_large *large = NULL;

	replies->size += size;
	if (invocation && size > SERVER_REPLY_SMALL)
		large = malloc(sizeof(*large));
	if (large)
		*large = (struct frame_large){
			.at = replies->bytes.size,
			.data = invocation_take_copy(invocation),
			.size = size,
		};
	if (!large || !large->data) {
		free(large);
		buffer_append(&replies->bytes, data, size);
		return;
	}
	budget_take_anyway(replies->bytes.account, size);
	*replies->last = large;
	replies->last = &large->next;
}

void frame_replies_put(struct frame_replies *replies,
		       const struct frame_reply *reply,
		       struct invocation *invocation)
{
	char *to = buffer_reserve(&replies->bytes,
				  FRAME_HEAD_MAX + reply->headers_size);
	int size = to ? frame_write_reply(reply, to) : -ENOMEM;

	if (size < 0) {
		replies->bytes.failed = true;
		return;
	}
	replies->bytes.size += (size_t)size;
	replies->size += (size_t)size;
	frame_replies_put_data(replies, reply->data, reply->size, invocation);
}
