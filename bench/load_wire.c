/* load_wire.c - see load_wire.h. */
#include "bench/load_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/limits.h"
#include "executor/protocol/frame.h"

/* Largest request line and headers, whose parts are all bounded. */
#define HEAD_MAX 1024

/* Largest body of a reply. */
#define BODY_MAX FRAME_BODY_MAX

/* A connection has one request at a time, so all requests can use one id. */
#define REQUEST_ID 1

/* Memory that a connection keeps between replies. */
#define KEEP_MAX (64 * UNITS_KIB)

#define NAME_CHARACTERS                                    \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV" \
	"WXYZ0123456789_.-"

static bool load_is_name(const char *text)
{
	const size_t size = strlen(text);

	return size && size <= LIMIT_NAME_MAX &&
	       strspn(text, NAME_CHARACTERS) == size;
}

static bool is_content_type(const char *text)
{
	const size_t max = sizeof(((struct frame_request *)0)->content_type);

	if (!*text || strlen(text) >= max)
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static int write_http(char *head, const struct load_target *target,
		      const char *function, const char *content_type,
		      size_t size)
{
	return snprintf(head, HEAD_MAX,
			"POST /function/%s HTTP/1.1\r\n"
			"Host: %s\r\n"
			"User-Agent: thaw-bench\r\n"
			"%s%s%s"
			"Content-Length: %zu\r\n\r\n",
			function, target->host,
			content_type ? "Content-Type: " : "",
			content_type ? content_type : "",
			content_type ? "\r\n" : "", size);
}

static int write_frame(char *head, const char *function,
		       const char *content_type, const void *data, size_t size)
{
	struct frame_request request = { .id = REQUEST_ID,
					 .data = data,
					 .size = size };

	snprintf(request.function, sizeof(request.function), "%s", function);
	if (content_type)
		snprintf(request.content_type, sizeof(request.content_type),
			 "%s", content_type);
	return frame_write_request(&request, head);
}

_Static_assert(FRAME_HEAD_MAX >= HEAD_MAX, "room for either");

int load_request_make(struct load_request *request,
		      const struct load_target *target, const char *function,
		      const char *content_type, const void *data, size_t size)
{
	char head[FRAME_HEAD_MAX];
	int used;

	if (!load_is_name(function) ||
	    (content_type && !is_content_type(content_type)))
		return -EINVAL;
	if (target->protocol == LOAD_HTTP)
		used = write_http(head, target, function, content_type, size);
	else
		used = write_frame(head, function, content_type, data, size);
	if (used < 0)
		return used;
	request->size = (size_t)used + size;
	request->bytes = malloc(request->size);
	if (!request->bytes)
		return -ENOMEM;
	memcpy(request->bytes, head, (size_t)used);
	if (size)
		memcpy(request->bytes + used, data, size);
	return 0;
}

void load_request_done(struct load_request *request)
{
	free(request->bytes);
	request->bytes = NULL;
}

void load_reply_init(struct load_reply *reply, enum load_protocol protocol)
{
	*reply = (struct load_reply){
		.protocol = protocol,
		.http = HTTP_REPLY_INIT(BODY_MAX),
		.frame = BUFFER_INIT(FRAME_HEADER_SIZE + BODY_MAX),
	};
	load_reply_reset(reply);
}

void load_reply_done(struct load_reply *reply)
{
	http_reply_done(&reply->http);
	buffer_done(&reply->frame);
}

void load_reply_reset(struct load_reply *reply)
{
	if (reply->http.body.capacity > KEEP_MAX)
		buffer_done(&reply->http.body);
	if (reply->frame.capacity > KEEP_MAX)
		buffer_done(&reply->frame);
	http_reply_reset(&reply->http);
	buffer_clear(&reply->frame);
}

static int finish_http(struct load_reply *reply)
{
	reply->status = reply->http.status;
	reply->keep_alive = reply->http.keep_alive;
	return reply->status < LOAD_STATUS_MAX ? 1 : -EPROTO;
}

static int finish_frame(struct load_reply *reply, const void *frame,
			size_t size)
{
	struct frame_reply fields;
	int r = frame_read_reply(frame, size, &fields);

	if (r)
		return r;
	if (fields.id != REQUEST_ID && fields.id != 0)
		return -EPROTO;
	reply->status = fields.status;
	/* id 0 concerns the connection, which ends */
	reply->keep_alive = fields.id != 0;
	return reply->status < LOAD_STATUS_MAX ? 1 : -EPROTO;
}

/*
 * Adds the bytes that the frame in progress still needs, as far as they are
 * there.
 */
static int add_to_frame(struct load_reply *reply, const char *bytes,
			size_t size, size_t *used)
{
	struct buffer *frame = &reply->frame;

	for (;;) {
		size_t need, more;
		int64_t whole = frame_size(frame->data, frame->size,
					   FRAME_REPLY, BODY_MAX, &need);

		if (whole < 0)
			return (int)whole;
		if (whole)
			return finish_frame(reply, frame->data, (size_t)whole);
		if (*used == size)
			return 0;
		more = need - frame->size;
		if (more > size - *used)
			more = size - *used;
		buffer_append(frame, bytes + *used, more);
		if (frame->failed)
			return -ENOMEM;
		*used += more;
	}
}

/* A frame that arrives in one piece is used without a copy. */
static int feed_frame(struct load_reply *reply, const char *bytes, size_t size,
		      size_t *used)
{
	if (!reply->frame.size) {
		size_t need;
		int64_t whole =
			frame_size(bytes, size, FRAME_REPLY, BODY_MAX, &need);

		if (whole < 0)
			return (int)whole;
		if (whole) {
			*used = (size_t)whole;
			return finish_frame(reply, bytes, (size_t)whole);
		}
	}
	return add_to_frame(reply, bytes, size, used);
}

int load_reply_feed(struct load_reply *reply, const void *bytes, size_t size,
		    size_t *ret_used)
{
	int r;

	*ret_used = 0;
	if (reply->protocol == LOAD_FRAMES)
		return feed_frame(reply, bytes, size, ret_used);
	r = http_reply_parse(&reply->http, bytes, size, ret_used);
	return r == 1 ? finish_http(reply) : r;
}

int load_reply_end(struct load_reply *reply)
{
	int r;

	if (reply->protocol == LOAD_FRAMES)
		return -EPROTO;
	r = http_reply_end(&reply->http);
	if (r == 1)
		r = finish_http(reply);
	reply->keep_alive = false;
	return r == 1 ? 1 : -EPROTO;
}

bool load_status_is_ok(enum load_protocol protocol, unsigned status)
{
	if (protocol == LOAD_HTTP)
		return status >= 200 && status < 300;
	return status == FRAME_OK;
}

const char *load_status_text(enum load_protocol protocol, unsigned status,
			     char text[static LOAD_STATUS_TEXT_MAX])
{
	static const char *const names[] = {
		[FRAME_OK] = "ok",
		[FRAME_ERROR] = "error",
		[FRAME_FAULT] = "fault",
		[FRAME_TIMEOUT] = "timeout",
		[FRAME_BAD_REQUEST] = "bad request",
		[FRAME_NOT_FOUND] = "not found",
		[FRAME_TOO_LARGE] = "too large",
		[FRAME_THROTTLED] = "throttled",
		[FRAME_NOT_READY] = "not ready",
		[FRAME_FAILED] = "failed",
	};
	const char *name = NULL;

	if (protocol == LOAD_FRAMES && status < sizeof(names) / sizeof(*names))
		name = names[status];
	if (name)
		snprintf(text, LOAD_STATUS_TEXT_MAX, "%s", name);
	else
		snprintf(text, LOAD_STATUS_TEXT_MAX, "%u", status);
	return text;
}
