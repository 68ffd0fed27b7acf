/*
 * client.c - invokes functions of a server over its unix socket: one
 * connection, one thread at a time. See libthaw.h, and client_stream.h for the
 * bytes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "executor/client/client_stream.h"
#include "executor/http_headers.h"
#include "executor/io/runtime_dir.h"
#include "executor/libthaw.h"
#include "executor/protocol/frame.h"
#include "executor/thaw_error.h"
#include "executor/typed/values.h"
#include "guest/abi/thaw_typed.h"

_Static_assert(THAW_CLIENT_IN_FLIGHT_MAX == FRAME_PIPELINE_MAX, "one limit");
_Static_assert(FRAME_OK == (int)THAW_OK && FRAME_ERROR == (int)THAW_ERROR &&
		       FRAME_FAULT == (int)THAW_FAULT &&
		       FRAME_TIMEOUT == (int)THAW_TIMEOUT,
	       "results are the first statuses");

struct thaw_client {
	struct client_stream stream;
	uint64_t last_id;
	/* Ids, in no order; as many as the stream expects replies. */
	uint64_t in_flight[FRAME_PIPELINE_MAX];
	/* Of the request that is being sent. */
	char head[FRAME_HEAD_MAX + FRAME_PAIRS_MAX];
	char pairs[FRAME_PAIRS_MAX];
};

int thaw_connect(const char *path, struct thaw_error *error,
		 struct thaw_client **ret_client)
{
	char usual[RUNTIME_PATH_MAX];
	struct thaw_client *client;
	int r;

	r = path ? 0 :
		   runtime_path(RUNTIME_SOCKET, false, thaw_error_inner(error),
				usual);
	if (r)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return error_set(thaw_error_inner(error), -ENOMEM,
				 "no memory to connect");
	r = client_stream_open(&client->stream, path ? path : usual,
			       thaw_error_inner(error));
	if (r) {
		free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

void thaw_disconnect(struct thaw_client *client)
{
	if (!client)
		return;
	client_stream_close(&client->stream);
	free(client);
}

static int copy_short_text(char *to, size_t size, const char *from,
			   const char *what, struct error *err)
{
	if (strlen(from) >= size)
		return error_set(err, -EINVAL, "a %s may have %zu characters",
				 what, size - 1);
	strcpy(to, from);
	return 0;
}

/* Copies attributes and headers to @to, and sets the frame's fields for them. */
static int fill_pairs(struct frame_request *frame,
		      const struct thaw_invoke_request *request, char *to,
		      struct error *err)
{
	int r = http_attributes_check(request->attributes,
				      request->attribute_count, err);

	if (!r)
		r = http_headers_check(request->headers, request->header_count,
				       err);
	if (r)
		return r;
	frame->attributes = to;
	to = http_headers_write(to, request->attributes,
				request->attribute_count);
	frame->headers = to;
	frame->attributes_size = (size_t)(to - frame->attributes);
	to = http_headers_write(to, request->headers, request->header_count);
	frame->headers_size = (size_t)(to - frame->headers);
	return 0;
}

static int fill_frame(struct frame_request *frame, const char *function,
		      const struct thaw_invoke_request *request,
		      struct error *err)
{
	int r = copy_short_text(frame->function, sizeof(frame->function),
				function, "function's name", err);

	if (!r && request->content_type)
		r = copy_short_text(frame->content_type,
				    sizeof(frame->content_type),
				    request->content_type, "content type", err);
	if (!r && request->id)
		r = copy_short_text(frame->request_id,
				    sizeof(frame->request_id), request->id,
				    "request id", err);
	frame->timeout_ns = request->timeout_ns;
	frame->data = request->data;
	frame->size = request->size;
	return r;
}

/* Writes what goes before the data to client->head. Returns its size, or -errno. */
static int write_request_head(struct thaw_client *client, const char *function,
			      const struct thaw_invoke_request *request,
			      struct error *err)
{
	struct frame_request frame = { .id = client->last_id + 1 }, read;
	char *head = client->head;
	int r = fill_frame(&frame, function, request, err);

	if (!r)
		r = fill_pairs(&frame, request, client->pairs, err);
	if (r)
		return r;
	r = frame_write_request(&frame, head);
	if (r < 0)
		return error_set(err, r,
				 "a request of %zu bytes is larger than any "
				 "function may take",
				 request->size);
	/* the server would close the connection */
	if (frame_peek_request(head, (size_t)r, &read) != 1)
		return error_set(err, -EINVAL,
				 "the function's name, the content type and "
				 "the request id must be printable ASCII, and "
				 "the name not empty");
	return r;
}

static void remember_id(struct thaw_client *client, uint64_t id)
{
	client->in_flight[client->stream.expected++] = id;
}

/* Takes @id from those in flight. Returns whether it was among them. */
static bool forget_id(struct thaw_client *client, uint64_t id)
{
	unsigned *count = &client->stream.expected;

	for (unsigned i = 0; i < *count; i++)
		if (client->in_flight[i] == id) {
			client->in_flight[i] = client->in_flight[--*count];
			return true;
		}
	return false;
}

int thaw_client_send(struct thaw_client *client, const char *function,
		     const struct thaw_invoke_request *request,
		     uint64_t *ret_id, struct thaw_error *error)
{
	struct client_stream *stream = &client->stream;
	int head_size;

	if (stream->broken)
		return client_stream_error(stream, thaw_error_inner(error));
	if (stream->expected == FRAME_PIPELINE_MAX)
		return error_set(thaw_error_inner(error), -EBUSY,
				 "%d requests are in flight, which is the "
				 "limit: receive a reply first",
				 FRAME_PIPELINE_MAX);
	head_size = write_request_head(client, function, request,
				       thaw_error_inner(error));
	if (head_size < 0)
		return head_size;
	/* first, since the server may refuse it after its first bytes */
	remember_id(client, ++client->last_id);
	client_stream_send(stream, client->head, (size_t)head_size,
			   request->data, request->size);
	if (stream->broken) {
		forget_id(client, client->last_id);
		return client_stream_error(stream, thaw_error_inner(error));
	}
	*ret_id = client->last_id;
	return 0;
}

static void give_reply(const struct frame_reply *reply,
		       struct thaw_client_reply *ret_reply)
{
	_Static_assert(sizeof(reply->content_type) ==
				       sizeof(ret_reply->content_type) &&
			       sizeof(reply->request_id) ==
				       sizeof(ret_reply->request_id) &&
			       sizeof(reply->error_type) ==
				       sizeof(ret_reply->error_type) &&
			       sizeof(reply->error_message) ==
				       sizeof(ret_reply->error_message),
		       "strings fit");
	ret_reply->result = (enum thaw_result)reply->status;
	ret_reply->data = reply->data;
	ret_reply->size = reply->size;
	strcpy(ret_reply->content_type, reply->content_type);
	strcpy(ret_reply->request_id, reply->request_id);
	strcpy(ret_reply->error_type, reply->error_type);
	strcpy(ret_reply->error_message, reply->error_message);
	ret_reply->queue_ns = reply->queue_ns;
	ret_reply->run_ns = reply->run_ns;
	ret_reply->status = reply->http_status;
	ret_reply->headers = reply->headers;
	ret_reply->headers_size = reply->headers_size;
}

int thaw_client_receive(struct thaw_client *client,
			struct thaw_client_reply *ret_reply,
			struct thaw_error *error)
{
	struct client_stream *stream = &client->stream;
	struct frame_reply reply;
	const char *frame;
	size_t size;

	ret_reply->id = 0;
	if (!stream->expected && !stream->broken)
		return error_set(thaw_error_inner(error), -ENODATA,
				 "no request is in flight: send one first");
	frame = client_stream_next(stream, &size);
	if (frame && (frame_read_reply(frame, size, &reply) ||
		      !forget_id(client, reply.id))) {
		client_stream_break(stream);
		frame = NULL;
	}
	if (!frame)
		return client_stream_error(stream, thaw_error_inner(error));
	ret_reply->id = reply.id;
	if (reply.status >= FRAME_BAD_REQUEST)
		return client_stream_refusal(&reply, thaw_error_inner(error));
	give_reply(&reply, ret_reply);
	return 0;
}

int thaw_client_invoke(struct thaw_client *client, const char *function,
		       const struct thaw_invoke_request *request,
		       struct thaw_error *error,
		       struct thaw_client_reply *ret_reply)
{
	uint64_t id;
	int r;

	ret_reply->id = 0;
	if (client->stream.expected && !client->stream.broken)
		return error_set(thaw_error_inner(error), -EBUSY,
				 "%u requests are in flight: receive their "
				 "replies first",
				 client->stream.expected);
	r = thaw_client_send(client, function, request, &id, error);
	return r ? r : thaw_client_receive(client, ret_reply, error);
}

int thaw_client_call(struct thaw_client *client, const char *function,
		     const struct thaw_typed_call *call,
		     struct thaw_error *error,
		     struct thaw_client_reply *ret_reply,
		     struct thaw_value *ret_value)
{
	const struct typed_values values = {
		.name = call->name,
		.values = call->arguments,
		.count = call->count,
		.returns = call->returns,
	};
	struct thaw_invoke_request request = { .data = NULL };
	struct error *err = thaw_error_inner(error);
	void *message;
	size_t size;
	int r = typed_values_pack(&values, err, &message, &size);

	if (r)
		return r;
	if (call->request)
		request = *call->request;
	request.data = message;
	request.size = size;
	request.content_type = THAW_TYPED_CONTENT_TYPE;
	r = thaw_client_invoke(client, function, &request, error, ret_reply);
	free(message);
	if (r)
		return r;
	ret_value->type = THAW_TYPE_NONE;
	return ret_reply->result == THAW_OK ?
		       typed_values_unpack(ret_reply->data, ret_reply->size,
					   err, ret_value) :
		       0;
}
