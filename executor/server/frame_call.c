/* frame_call.c - calls of the unix socket protocol. See frame_call.h. */
#include "executor/server/frame_call.h"

#include <stdlib.h>

#include "base/hot.h"
#include "executor/http_headers.h"
#include "executor/protocol/budget_reason.h"

/* Free calls a worker keeps, and the bytes of a frame that each of them keeps. */
#define FREE_CALLS_MAX 256
#define FRAME_KEPT (16 * 1024)

static void frame_call_free(struct frame_call *call)
{
	buffer_done(&call->frame);
	buffer_done(&call->invocation.log);
	free(call);
}

void frame_call_free_all(struct worker *worker)
{
	while (worker->free_calls) {
		struct frame_call *call = worker->free_calls;

		worker->free_calls = call->next;
		frame_call_free(call);
	}
}

static struct frame_call *frame_call_create(void)
{
	struct frame_call *call = malloc(sizeof(*call));

	if (!call)
		return NULL;
	call->next = NULL;
	call->link = NULL;
	call->pairs = NULL;
	call->frame = (struct buffer){ .account = &call->account };
	call->request = (struct frame_request){ 0 };
	invocation_init(&call->invocation);
	return call;
}

/* There has to be memory to refuse a request by its id, at least. */
HOT struct frame_call *frame_call_acquire(struct connection *connection)
{
	struct worker *worker = connection->worker;
	struct frame_call *call = worker->free_calls;

	if (call) {
		worker->free_calls = call->next;
		worker->free_call_count--;
	} else {
		call = frame_call_create();
		if (!call)
			return NULL;
	}
	call->connection = connection;
	call->deployment = NULL;
	call->frame.max = FRAME_HEADER_SIZE + FRAME_BODY_MAX;
	connection_open_account(connection, &call->account);
	budget_take_anyway(&call->account,
			   sizeof(*call) + call->frame.capacity);
	return call;
}

HOT void frame_call_release(struct frame_call *call)
{
	struct worker *worker = call->connection->worker;

	budget_close(&call->account);
	deployment_release(call->deployment);
	free(call->pairs);
	call->pairs = NULL;
	buffer_shrink(&call->frame, FRAME_KEPT);
	if (worker->free_call_count >= FREE_CALLS_MAX) {
		frame_call_free(call);
		return;
	}
	call->next = worker->free_calls;
	worker->free_calls = call;
	worker->free_call_count++;
}

/* Those in @size bytes of the frame, one to each of @to. */
static void frame_call_read_pairs(const char *bytes, size_t size,
				  struct thaw_attribute *to)
{
	const char *name, *value;

	for (size_t at = 0; http_headers_next(bytes, size, &at, &name, &value);)
		*to++ = (struct thaw_attribute){ name, value };
}

HOT bool frame_call_take_pairs(struct frame_call *call)
{
	const struct frame_request *from = &call->request;
	struct thaw_invoke_request *request = &call->invocation.request;
	size_t attributes, headers, size;

	http_headers_are_whole(from->attributes, from->attributes_size,
			       &attributes);
	http_headers_are_whole(from->headers, from->headers_size, &headers);
	size = (attributes + headers) * sizeof(*call->pairs);
	if (!size)
		return true;
	if (budget_take(&call->account, size))
		call->pairs = malloc(size);
	if (!call->pairs)
		return false;
	frame_call_read_pairs(from->attributes, from->attributes_size,
			      call->pairs);
	frame_call_read_pairs(from->headers, from->headers_size,
			      call->pairs + attributes);
	request->attributes = call->pairs;
	request->attribute_count = attributes;
	request->headers = call->pairs + attributes;
	request->header_count = headers;
	return true;
}

HOT void frame_call_find_function(struct frame_call *call, const char *name)
{
	struct worker *worker = call->connection->worker;
	struct deployment *deployment;

	if (call->deployment)
		return;
	deployment = generation_find(worker->generation, name);
	if (deployment)
		call->deployment = deployment_hold(deployment);
	budget_join(&call->account, BUDGET_OF_FUNCTION,
		    deployment ? &deployment->share : &worker->shared->others);
}
