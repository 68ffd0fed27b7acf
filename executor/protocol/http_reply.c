/* http_reply.c - one HTTP response, for the client. See http_reply.h. */
#include "executor/protocol/http_reply.h"

#include <errno.h>
#include <string.h>

static struct http_reply *reply_of(llhttp_t *parser)
{
	return parser->data;
}

/* Ends the parsing; -1 tells llhttp to stop. */
static int reply_fail(struct http_reply *reply, int error)
{
	reply->internal.error = error;
	return -1;
}

static int reply_append(struct http_reply *reply, struct buffer *to,
			const char *data, size_t size)
{
	if (size > to->max - to->size)
		return reply_fail(reply, -E2BIG);
	buffer_append(to, data, size);
	return to->failed ? reply_fail(reply, -ENOMEM) : 0;
}

static int add_to_head(llhttp_t *parser, const char *data, size_t size)
{
	struct http_reply *reply = reply_of(parser);

	return reply_append(reply, &reply->head, data, size);
}

static int add_name(llhttp_t *parser, const char *data, size_t size)
{
	struct buffer *head = &reply_of(parser)->head;
	size_t from = head->size;
	int r = add_to_head(parser, data, size);

	for (; from < head->size; from++)
		if (head->data[from] >= 'A' && head->data[from] <= 'Z')
			head->data[from] += 'a' - 'A';
	return r;
}

static int end_name(llhttp_t *parser)
{
	return add_to_head(parser, "", 1);
}

/* The zero after the name ends the search for blanks. */
static int end_value(llhttp_t *parser)
{
	struct buffer *head = &reply_of(parser)->head;

	while (head->data[head->size - 1] == ' ' ||
	       head->data[head->size - 1] == '\t')
		head->size--;
	return add_to_head(parser, "", 1);
}

static bool has_body(unsigned status)
{
	return status / 100 != 1 && status != HTTP_STATUS_NO_CONTENT &&
	       status != HTTP_STATUS_NOT_MODIFIED;
}

/* Nobody here asks for another protocol, so 101 is no answer. */
static int end_reply_head(llhttp_t *parser)
{
	struct http_reply *reply = reply_of(parser);

	reply->status = parser->status_code;
	if (parser->http_major != 1 || reply->status < 100 ||
	    reply->status == HTTP_STATUS_SWITCHING_PROTOCOLS)
		return reply_fail(reply, -EPROTO);
	if ((parser->flags & F_CONTENT_LENGTH) && !reply->is_head &&
	    parser->content_length > reply->body.max)
		return reply_fail(reply, -E2BIG);
	reply->keep_alive = llhttp_should_keep_alive(parser);
	reply->internal.head_done = true;
	/* llhttp does not read all extensions */
	reply->internal.is_chunked = (parser->flags & F_CHUNKED) &&
				     !reply->is_head && has_body(reply->status);
	if (reply->internal.is_chunked)
		return HPE_PAUSED;
	/* 1: no body follows, whatever its size is said to be */
	return reply->is_head && reply->status / 100 != 1;
}

static int add_to_reply_body(llhttp_t *parser, const char *data, size_t size)
{
	struct http_reply *reply = reply_of(parser);

	return reply_append(reply, &reply->body, data, size);
}

static void forget_reply(struct http_reply *reply)
{
	reply->status = 0;
	reply->keep_alive = false;
	buffer_clear(&reply->head);
	buffer_clear(&reply->body);
	reply->internal.head_done = false;
	reply->internal.is_chunked = false;
	reply->internal.done = false;
	reply->internal.chunks = (struct http_chunks){ .room = SIZE_MAX };
	reply->internal.error = 0;
}

static int end_message(llhttp_t *parser)
{
	struct http_reply *reply = reply_of(parser);

	if (reply->status / 100 == 1) {
		forget_reply(reply);
		return 0;
	}
	reply->internal.done = true;
	return HPE_PAUSED;
}

void http_reply_reset(struct http_reply *reply)
{
	static const llhttp_settings_t settings = {
		.on_header_field = add_name,
		.on_header_field_complete = end_name,
		.on_header_value = add_to_head,
		.on_header_value_complete = end_value,
		.on_headers_complete = end_reply_head,
		.on_body = add_to_reply_body,
		.on_message_complete = end_message,
	};

	forget_reply(reply);
	reply->is_head = false;
	llhttp_init(&reply->internal.parser, HTTP_RESPONSE, &settings);
	reply->internal.parser.data = reply;
}

static int parse_reply_chunks(struct http_reply *reply, const char *data,
			      size_t size, size_t *ret_used)
{
	enum http_chunks_event event;
	size_t used;

	*ret_used = 0;
	do {
		const char *at = data + *ret_used;

		event = http_chunks_take(&reply->internal.chunks, at,
					 size - *ret_used, &used);
		if (event == HTTP_CHUNKS_BAD)
			return -EPROTO;
		if (event == HTTP_CHUNKS_DATA &&
		    reply_append(reply, &reply->body, at, used))
			return reply->internal.error;
		*ret_used += used;
	} while (event == HTTP_CHUNKS_SIZE || event == HTTP_CHUNKS_DATA);
	reply->internal.done = event == HTTP_CHUNKS_END;
	return reply->internal.done;
}

int http_reply_parse(struct http_reply *reply, const void *data, size_t size,
		     size_t *ret_used)
{
	llhttp_t *parser = &reply->internal.parser;
	const char *from = data;
	size_t head;
	int r;

	if (reply->internal.done) {
		*ret_used = 0;
		return 1;
	}
	if (!size) {
		*ret_used = 0;
		return 0;
	}
	if (reply->internal.is_chunked)
		return parse_reply_chunks(reply, from, size, ret_used);
	switch (llhttp_execute(parser, from, size)) {
	case HPE_OK:
		*ret_used = size;
		return 0;
	case HPE_PAUSED:
		head = (size_t)(llhttp_get_error_pos(parser) - from);
		*ret_used = head;
		if (!reply->internal.is_chunked)
			return 1;
		r = parse_reply_chunks(reply, from + head, size - head,
				       ret_used);
		*ret_used += head;
		return r;
	default:
		return reply->internal.error ? reply->internal.error : -EPROTO;
	}
}

int http_reply_end(struct http_reply *reply)
{
	llhttp_finish(&reply->internal.parser);
	return reply->internal.done ? 1 : -EPROTO;
}

void http_reply_done(struct http_reply *reply)
{
	buffer_done(&reply->head);
	buffer_done(&reply->body);
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	size_t at = 0;

	if (!reply->internal.head_done)
		return NULL;
	while (at < reply->head.size) {
		const char *found = reply->head.data + at;
		const char *value = found + strlen(found) + 1;

		if (!strcmp(found, name))
			return value;
		at = (size_t)(value + strlen(value) + 1 - reply->head.data);
	}
	return NULL;
}
