/*
 * frame_connection.c - connections of the unix socket protocol (frame.h):
 * pipelined, answered in the order in which invocations end.
 *
 * Each frame becomes a call of its own. Replies are collected in one buffer while
 * another is being sent, so many leave with one system call. While a client has too
 * much under way, or does not take its replies, nothing is read from it.
 */
#include "executor/server/frame_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/frame.h"
#include "executor/server/connection.h"
#include "executor/server/frame_call.h"
#include "executor/server/frame_replies.h"
#include "executor/server/invocation_start.h"
#include "executor/server/server_limits.h"

/* Bytes of replies that wait to be sent; beyond, no more requests are read. */
#define REPLIES_MAX (1024 * 1024)
/* Bytes a buffer keeps when it is empty: while others are sent, and after. */
#define REPLIES_KEPT (64 * 1024)
#define REPLIES_IDLE (4 * 1024)
/*
 * Bytes are received into a frame once it has so many, and while it lacks so many: so
 * what a client only announces takes no memory.
 */
#define FRAME_ROOM_FROM (4 * 1024)
#define FRAME_ROOM_MIN (16 * 1024)

struct frame_connection {
	struct connection common;   /* the first member */
	struct frame_call *partial; /* its frame has not come whole */
	struct frame_call *running;
	unsigned under_way;
	uint64_t skip;		  /* bytes of a frame that was refused */
	struct timer frame_timer; /* of a frame that has not come whole */
	struct frame_replies replies[2];
	struct budget_account account; /* of those, while they have any */
	unsigned filling;	       /* the one that is not being sent */
	bool sending;
	bool paused;	  /* not read from */
	bool last;	  /* close when all replies are sent */
	bool gone;	  /* closed; what is under way frees it */
	uint64_t last_ns; /* nothing is read from then on; 0: no end is set */
};

static struct frame_connection *
frame_connection_of_stream(struct io_stream *stream)
{
	return (struct frame_connection *)stream;
}

static struct frame_connection *
frame_connection_of_call(const struct frame_call *call)
{
	return (struct frame_connection *)call->connection;
}

static void frame_connection_free(struct frame_connection *connection)
{
	if (connection->partial)
		frame_call_release(connection->partial);
	frame_replies_clear(&connection->replies[0], 0);
	frame_replies_clear(&connection->replies[1], 0);
	budget_close(&connection->account);
	connection_done(&connection->common);
	free(connection);
}

/* Its buffers are about to have replies. */
static void frame_connection_begin_replies(struct frame_connection *connection)
{
	if (connection->account.purse)
		return;
	connection_open_account(&connection->common, &connection->account);
	budget_take_anyway(&connection->account,
			   connection->replies[0].bytes.capacity +
				   connection->replies[1].bytes.capacity);
}

/* It has no replies: what is kept is little, and the same for each connection. */
static void frame_connection_end_replies(struct frame_connection *connection)
{
	budget_close(&connection->account);
	frame_replies_clear(&connection->replies[0], REPLIES_IDLE);
	frame_replies_clear(&connection->replies[1], REPLIES_IDLE);
}

/* All replies that are there have been sent. */
HOT static void
frame_connection_wait_for_more(struct frame_connection *connection)
{
	if (connection->common.closing)
		return;
	if (connection->last && !connection->under_way)
		connection_close(&connection->common);
	else if (connection->last_ns && !connection->last)
		connection_limit_to(&connection->common, connection->last_ns);
	else
		connection_limit_none(&connection->common);
}

/* Sends the next of what is being sent. */
static void frame_connection_send_some(struct frame_connection *connection)
{
	const struct iovec piece = frame_replies_next(
		&connection->replies[connection->filling ^ 1]);

	io_stream_send(&connection->common.stream, &piece, 1);
}

/* Sends what is there, unless something is on its way already. */
HOT static void
frame_connection_send_replies(struct frame_connection *connection)
{
	struct frame_replies *out = &connection->replies[connection->filling];

	if (connection->sending || connection->common.closing)
		return;
	if (out->bytes.failed) {
		connection_close(&connection->common);
		return;
	}
	if (!out->size) {
		frame_connection_wait_for_more(connection);
		return;
	}
	connection->filling ^= 1;
	connection->sending = true;
	connection_limit(&connection->common,
			 connection->common.worker->shared->options
				 .send_timeout_ns);
	frame_connection_send_some(connection);
}

/* Whether there is room for a reply of @size bytes; if not, why. */
static const char *
frame_connection_no_room_for(struct frame_connection *connection, size_t size)
{
	const struct frame_replies *out =
		&connection->replies[connection->filling];

	if (size <= SERVER_REPLY_SMALL)
		return NULL;
	if (out->size + size + FRAME_HEAD_MAX > FRAME_REPLIES_MAX)
		return "the function has replied, but more replies wait for "
		       "this client than are kept: take them sooner";
	if (!budget_allows(&connection->account, size))
		return budget_reason(connection->account.refused);
	return NULL;
}

/* @invocation, whose reply @reply is, or NULL. */
static void frame_connection_put_reply(struct frame_connection *connection,
				       const struct frame_reply *reply,
				       struct invocation *invocation)
{
	struct frame_replies *out = &connection->replies[connection->filling];
	const bool is_first = !out->size && !connection->sending &&
			      !connection->common.closing;

	frame_connection_begin_replies(connection);
	frame_replies_put(out, reply, invocation,
			  is_first ? &connection->common.stream : NULL);
	frame_connection_send_replies(connection);
	if (!out->size && !connection->sending)
		frame_connection_end_replies(connection);
}

/* Answers a frame that will not run. */
static void frame_connection_refuse(struct frame_connection *connection,
				    uint64_t id, enum frame_status status,
				    const char *message)
{
	struct frame_reply reply = { .id = id, .status = status };

	strncpy(reply.error_message, message, sizeof(reply.error_message) - 1);
	frame_connection_put_reply(connection, &reply, NULL);
}

/* The frame cannot be read, and so nothing after it can. */
static size_t frame_connection_give_up(struct frame_connection *connection,
				       size_t size)
{
	metrics_add(&connection->common.worker->shared->metrics
			     .bad_requests_total,
		    1);
	connection->last = true;
	frame_connection_refuse(
		connection, 0, FRAME_BAD_REQUEST,
		"this is no frame of the protocol: see docs/protocol.md");
	return size;
}

static enum frame_status frame_status_of(int result)
{
	switch (result) {
	case -EBUSY:
	case -EAGAIN:
		return FRAME_THROTTLED;
	case -EINPROGRESS:
		return FRAME_NOT_READY;
	case -ENOSYS:
		return FRAME_NOT_FOUND;
	case -E2BIG:
		return FRAME_TOO_LARGE;
	case -EINVAL:
		return FRAME_BAD_REQUEST;
	default:
		return FRAME_FAILED;
	}
}

HOT static void frame_connection_on_replied(struct invocation *invocation)
{
	struct frame_call *call =
		container_of(invocation, struct frame_call, invocation);
	const struct thaw_reply *from = &invocation->reply;
	struct frame_reply reply;
	const char *reason;

	if (frame_connection_of_call(call)->gone)
		return;
	reply.id = call->request.id;
	reply.content_type[0] = reply.error_type[0] = '\0';
	reply.error_message[0] = reply.request_id[0] = '\0';
	reply.data = NULL;
	reply.size = 0;
	reply.queue_ns = reply.run_ns = 0;
	reply.http_status = 0;
	reply.headers = NULL;
	reply.headers_size = 0;
	if (invocation->result) {
		reply.status = frame_status_of(invocation->result);
		stpncpy(reply.error_message, invocation->error.message,
			sizeof(reply.error_message) - 1)[0] = '\0';
	} else {
		reply.status = (enum frame_status)from->result;
		reply.queue_ns = from->queue_ns;
		reply.run_ns = from->run_ns;
		strcpy(reply.content_type, from->content_type);
		strcpy(reply.request_id, from->id);
		strcpy(reply.error_type, from->error_type);
		strcpy(reply.error_message, from->error_message);
		reply.data = from->data;
		reply.size = from->size;
	}
	/* a client that sends nothing of HTTP may not know what that is */
	if (!invocation->result && call->pairs) {
		reply.http_status = from->status;
		reply.headers = from->headers;
		reply.headers_size = from->headers_size;
	}
	frame_connection_begin_replies(frame_connection_of_call(call));
	reason = frame_connection_no_room_for(frame_connection_of_call(call),
					      reply.size);
	if (reason)
		frame_connection_refuse(frame_connection_of_call(call),
					reply.id, FRAME_THROTTLED, reason);
	else
		frame_connection_put_reply(frame_connection_of_call(call),
					   &reply, invocation);
}

static bool frame_connection_is_full(const struct frame_connection *connection)
{
	return connection->under_way >= FRAME_PIPELINE_MAX ||
	       connection->replies[connection->filling].size >= REPLIES_MAX;
}

static void frame_connection_read_on(struct frame_connection *connection)
{
	if (!connection->paused || frame_connection_is_full(connection) ||
	    connection->common.closing)
		return;
	connection->paused = false;
	io_stream_resume(&connection->common.stream);
}

HOT static void frame_connection_on_ended(struct invocation *invocation)
{
	struct frame_call *call =
		container_of(invocation, struct frame_call, invocation);
	struct frame_connection *connection = frame_connection_of_call(call);

	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	frame_call_release(call);
	connection->under_way--;
	if (connection->gone) {
		if (!connection->under_way)
			frame_connection_free(connection);
		return;
	}
	frame_connection_read_on(connection);
	if (connection->last)
		frame_connection_send_replies(connection);
}

static void frame_connection_start(struct frame_call *call)
{
	struct frame_connection *connection = frame_connection_of_call(call);
	const struct frame_request *from = &call->request;
	struct invocation *invocation = &call->invocation;

	frame_call_find_function(call, from->function);
	if (!call->deployment || !budget_allows(&call->account, 0)) {
		frame_connection_refuse(
			connection, from->id,
			call->deployment ? FRAME_THROTTLED : FRAME_NOT_FOUND,
			call->deployment ?
				budget_reason(call->account.refused) :
				"no such function: see `thaw functions list`");
		frame_call_release(call);
		return;
	}
	invocation->worker = connection->common.worker;
	invocation->account = &call->account;
	invocation->deployment = call->deployment;
	invocation->replied = frame_connection_on_replied;
	invocation->ended = frame_connection_on_ended;
	invocation->request = (struct thaw_invoke_request){
		.data = from->data,
		.size = from->size,
		.content_type = *from->content_type ? from->content_type : NULL,
		.id = *from->request_id ? from->request_id : NULL,
		.timeout_ns = from->timeout_ns,
	};
	if (!frame_call_take_pairs(call)) {
		frame_connection_refuse(connection, from->id, FRAME_THROTTLED,
					budget_reason(call->account.refused));
		frame_call_release(call);
		return;
	}
	connection->under_way++;
	call->next = connection->running;
	if (call->next)
		call->next->link = &call->next;
	call->link = &connection->running;
	connection->running = call;
	invocation_start(invocation);
}

/*
 * More bytes have come of a frame of @need bytes, and not all of it. Refuses one
 * that is too large before it is kept. Returns 0, -E2BIG: it was refused, or
 * -EPROTO.
 */
static int frame_connection_check_partial(struct frame_call *call, size_t need)
{
	struct frame_connection *connection = frame_connection_of_call(call);
	const struct buffer *frame = &call->frame;
	struct frame_request request;
	int r;

	/* an earlier piece had all that this looks at, and has passed */
	if (call->deployment)
		return 0;
	r = frame_peek_request(frame->data, frame->size, &request);
	if (r != 1)
		return r;
	frame_call_find_function(call, request.function);
	if (request.size <= (call->deployment ?
				     call->deployment->spec->max_request :
				     SERVER_BODY_MAX))
		return 0;
	connection->skip = need - frame->size;
	frame_connection_refuse(
		connection, request.id, FRAME_TOO_LARGE,
		"the request is larger than the function's max_request");
	return -E2BIG;
}

/* There is no memory for the frame: @rest bytes of it are still to come. */
static void frame_connection_drop_partial(struct frame_connection *connection,
					  uint64_t rest)
{
	struct frame_call *call = connection->partial;

	connection->partial = NULL;
	connection->skip = rest;
	frame_connection_refuse(connection, frame_id(call->frame.data),
				FRAME_THROTTLED,
				budget_reason(call->account.refused));
	frame_call_release(call);
}

/* The frame in call->frame is whole. */
static int frame_connection_take_call(struct frame_call *call)
{
	int r = frame_read_request(call->frame.data, call->frame.size,
				   &call->request);

	if (r) {
		frame_call_release(call);
		return r;
	}
	metrics_add(&call->connection->worker->shared->metrics.requests_total,
		    1);
	frame_connection_start(call);
	return 0;
}

/* Adds @size bytes to the call that is being read. */
static struct frame_call *
frame_connection_add(struct frame_connection *connection, const char *data,
		     size_t size)
{
	struct frame_call *call = connection->partial;

	if (!call)
		call = connection->partial =
			frame_call_acquire(&connection->common);
	if (!call)
		return NULL;
	call->frame.may_exceed = call->frame.size + size <= FRAME_HEADER_SIZE;
	buffer_append(&call->frame, data, size);
	return call->frame.failed ? NULL : call;
}

/*
 * Takes bytes up to the end of one frame, or all there are. Returns how many, 0
 * if the connection cannot go on.
 */
static size_t frame_connection_take_some(struct frame_connection *connection,
					 const char *data, size_t size)
{
	struct frame_call *call = connection->partial;
	size_t have = call ? call->frame.size : 0, need, part;
	int64_t whole;
	int r;

	/* the header first: it says how much more is to come */
	part = have < FRAME_HEADER_SIZE ? FRAME_HEADER_SIZE - have : 0;
	if (part > size)
		part = size;
	call = part ? frame_connection_add(connection, data, part) : call;
	if (!call)
		return 0;
	whole = frame_size(call->frame.data, call->frame.size, FRAME_REQUEST,
			   FRAME_BODY_MAX, &need);
	if (whole < 0)
		return 0;
	if (!whole && call->frame.size >= FRAME_HEADER_SIZE) {
		size_t rest = need - call->frame.size;

		call->frame.max = need;
		if (rest > size - part)
			rest = size - part;
		part += rest;
		if (rest && !frame_connection_add(connection,
						  data + part - rest, rest)) {
			frame_connection_drop_partial(connection,
						      need - call->frame.size -
							      rest);
			return part;
		}
		whole = call->frame.size == need;
	}
	if (whole) {
		connection->partial = NULL;
		r = frame_connection_take_call(call);
	} else if (call->frame.size >= FRAME_HEADER_SIZE) {
		r = frame_connection_check_partial(call, need);
		if (r == -E2BIG) {
			connection->partial = NULL;
			r = 0;
			frame_call_release(call);
		}
	} else {
		r = 0;
	}
	return r ? 0 : part;
}

/* Takes what it can; returns how much. */
static size_t frame_connection_take_all(struct frame_connection *connection,
					const char *data, size_t size)
{
	size_t taken = 0, part;

	while (taken < size && !frame_connection_is_full(connection)) {
		if (connection->skip) {
			part = connection->skip < size - taken ?
				       (size_t)connection->skip :
				       size - taken;
			connection->skip -= part;
		} else {
			part = frame_connection_take_some(connection,
							  data + taken,
							  size - taken);
		}
		if (!part)
			return frame_connection_give_up(connection, size);
		taken += part;
		if (connection->common.closing)
			return size;
	}
	connection->paused = taken < size;
	return taken;
}

/* Whether no more requests are taken. */
HOT static bool frame_connection_is_over(struct frame_connection *connection)
{
	if (connection->last_ns && clock_now_ns() >= connection->last_ns)
		connection->last = true;
	return connection->last;
}

/* Sets the time in which the rest of a frame has to come, if one has begun. */
HOT static void frame_connection_time_frame(struct frame_connection *connection)
{
	struct worker *worker = connection->common.worker;
	struct timer *timer = &connection->frame_timer;

	if (!connection->partial && !connection->skip)
		timer_clear(&worker->timers, timer);
	else if (!timer->link && !connection->common.closing)
		timer_set(&worker->timers, timer,
			  clock_now_ns() +
				  worker->shared->options.body_timeout_ns);
}

HOT static size_t frame_connection_on_received(struct io_stream *stream,
					       const void *data, size_t size)
{
	struct frame_connection *connection =
		frame_connection_of_stream(stream);
	size_t taken;

	if (frame_connection_is_over(connection))
		return size;
	taken = frame_connection_take_all(connection, data, size);
	frame_connection_time_frame(connection);
	return taken;
}

/* The rest of a large frame, which has passed the checks, is received to its place. */
static size_t frame_connection_on_room(struct io_stream *stream, size_t waiting,
				       void **ret_to)
{
	struct frame_connection *connection =
		frame_connection_of_stream(stream);
	struct frame_call *call = connection->partial;
	size_t rest, room;
	char *to;

	if (!call || !call->deployment ||
	    frame_connection_is_full(connection) ||
	    frame_connection_is_over(connection))
		return 0;
	rest = call->frame.max - call->frame.size;
	if (rest < FRAME_ROOM_MIN || call->frame.size < FRAME_ROOM_FROM)
		return 0;
	room = buffer_reserve_some(&call->frame, waiting, rest, &to);
	if (room)
		*ret_to = to;
	return room;
}

static void frame_connection_on_filled(struct io_stream *stream, size_t size)
{
	struct frame_connection *connection =
		frame_connection_of_stream(stream);
	struct frame_call *call = connection->partial;

	call->frame.size += size;
	if (call->frame.size < call->frame.max)
		return;
	connection->partial = NULL;
	if (frame_connection_take_call(call))
		frame_connection_give_up(connection, 0);
	frame_connection_time_frame(connection);
}

/* The rest of a frame does not come. */
static void frame_connection_on_frame_timer(struct timer *timer)
{
	struct frame_connection *connection =
		container_of(timer, struct frame_connection, frame_timer);

	connection_close(&connection->common);
}

HOT static void frame_connection_on_sent(struct io_stream *stream, int error)
{
	struct frame_connection *connection =
		frame_connection_of_stream(stream);
	struct frame_replies *sent =
		&connection->replies[connection->filling ^ 1];

	if (error) {
		connection->sending = false;
		connection_close(&connection->common);
		return;
	}
	if (frame_replies_advance(sent)) {
		frame_connection_send_some(connection);
		return;
	}
	connection->sending = false;
	frame_replies_clear(sent, REPLIES_KEPT);
	frame_connection_send_replies(connection);
	if (!connection->sending)
		frame_connection_end_replies(connection);
	frame_connection_read_on(connection);
}

static void frame_connection_on_client_ended(struct io_stream *stream,
					     int error)
{
	struct frame_connection *connection =
		frame_connection_of_stream(stream);

	connection->last = true;
	if (error)
		connection_close(&connection->common);
	else
		frame_connection_send_replies(connection);
}

/* The client does not take its replies; or the server has drained for long. */
static void frame_connection_on_expired(struct connection *common)
{
	struct frame_connection *connection = (struct frame_connection *)common;

	connection->last = true;
	if (connection->sending)
		connection_close(&connection->common);
	else
		frame_connection_send_replies(connection);
}

/*
 * Requests that are here already, and those of the next moment, are answered;
 * then the connection closes.
 */
static void frame_connection_on_drain(struct connection *common)
{
	struct frame_connection *connection = (struct frame_connection *)common;

	connection->last_ns = clock_now_ns() + SERVER_DRAIN_IDLE_NS;
	if (!connection->sending)
		frame_connection_wait_for_more(connection);
}

static void frame_connection_on_free(struct connection *common)
{
	struct frame_connection *connection = (struct frame_connection *)common;
	struct frame_call *call, *next;

	timer_clear(&common->worker->timers, &connection->frame_timer);
	connection->gone = true;
	connection->under_way++; /* so it is not freed meanwhile */
	for (call = connection->running; call; call = next) {
		next = call->next;
		invocation_abandon(&call->invocation);
	}
	if (!--connection->under_way)
		frame_connection_free(connection);
}

void frame_connection_open(struct listener *listener, int fd)
{
	struct frame_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		close(fd);
		return;
	}
	frame_replies_init(&connection->replies[0], &connection->account);
	frame_replies_init(&connection->replies[1], &connection->account);
	connection->common.expired = frame_connection_on_expired;
	connection->frame_timer.fire = frame_connection_on_frame_timer;
	connection->common.drain = frame_connection_on_drain;
	connection->common.free = frame_connection_on_free;
	connection->common.stream.received = frame_connection_on_received;
	connection->common.stream.room = frame_connection_on_room;
	connection->common.stream.filled = frame_connection_on_filled;
	connection->common.stream.ended = frame_connection_on_client_ended;
	connection->common.stream.sent = frame_connection_on_sent;
	if (!connection_open(&connection->common, listener, fd))
		free(connection);
}
