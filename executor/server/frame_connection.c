/*
 * frame_connection.c - connections of the unix socket protocol (frame.h):
 * pipelined, answered in the order in which invocations end.
 *
 * Each frame becomes a call of its own. Replies are collected in one buffer
 * while another is being sent, so many leave with one system call. A client that
 * has too much under way, or does not take its replies, is not read from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/frame.h"
#include "executor/server/connection.h"
#include "executor/server/frame_call.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

/* Replies that wait to be sent; beyond, no more requests are read. */
#define REPLIES_MAX (1024 * 1024)
/* And all that there may be: those under way, of the largest size. */
#define REPLIES_HARD_MAX (256 * 1024 * 1024)
/* Bytes a buffer keeps when it is empty: while others are sent, and after. */
#define REPLIES_KEPT (64 * 1024)
#define REPLIES_IDLE (4 * 1024)

/* The data of a large reply, which are sent from where they are. */
struct large {
	struct large *next;
	size_t at; /* the bytes that they come behind */
	char *data;
	size_t size;
};

struct replies {
	struct buffer bytes;
	struct large *first, **last;
	size_t size; /* of all */
	size_t sent; /* of the bytes */
};

struct frame_connection {
	struct connection common; /* the first member */
	struct call *partial;	  /* its frame has not come whole */
	struct call *running;
	unsigned under_way;
	uint64_t skip;		  /* bytes of a frame that was refused */
	struct timer frame_timer; /* of a frame that has not come whole */
	struct replies replies[2];
	struct budget_account account; /* of those, while they have any */
	unsigned filling;	       /* the one that is not being sent */
	bool sending;
	bool held;	  /* not read from */
	bool last;	  /* close when all is sent */
	bool gone;	  /* closed; what is under way frees it */
	uint64_t last_ns; /* when it is not read from any more; 0: no such */
};

static struct frame_connection *of_stream(struct io_stream *stream)
{
	return (struct frame_connection *)stream;
}

static struct frame_connection *of_call(const struct call *call)
{
	return (struct frame_connection *)call->connection;
}

static void init_replies(struct replies *replies,
			 struct budget_account *account)
{
	replies->last = &replies->first;
	replies->bytes = (struct buffer){
		.max = REPLIES_HARD_MAX,
		.account = account,
		.may_exceed = true,
	};
}

static void drop_first(struct replies *replies)
{
	struct large *large = replies->first;

	replies->first = large->next;
	if (!replies->first)
		replies->last = &replies->first;
	budget_give(replies->bytes.account, large->size);
	free(large->data);
	free(large);
}

static void clear(struct replies *replies, size_t kept)
{
	while (replies->first)
		drop_first(replies);
	replies->size = replies->sent = 0;
	buffer_shrink(&replies->bytes, kept);
}

static void free_connection(struct frame_connection *connection)
{
	if (connection->partial)
		call_release(connection->partial);
	clear(&connection->replies[0], 0);
	clear(&connection->replies[1], 0);
	budget_close(&connection->account);
	connection_done(&connection->common);
	free(connection);
}

/* There will be replies in its buffers. */
static void begin_replies(struct frame_connection *connection)
{
	if (connection->account.purse)
		return;
	connection_open_account(&connection->common, &connection->account);
	budget_take_anyway(&connection->account,
			   connection->replies[0].bytes.capacity +
				   connection->replies[1].bytes.capacity);
}

/* None are there: what stays is little, and as much for each connection. */
static void end_replies(struct frame_connection *connection)
{
	budget_close(&connection->account);
	clear(&connection->replies[0], REPLIES_IDLE);
	clear(&connection->replies[1], REPLIES_IDLE);
}

/* All replies that are there have been sent. */
static void wait_for_more(struct frame_connection *connection)
{
	struct timers *timers = &connection->common.worker->timers;
	struct timer *timer = &connection->common.timer;

	if (connection->common.closing)
		return;
	if (connection->last && !connection->under_way)
		connection_close(&connection->common);
	else if (connection->last_ns && !connection->last)
		timer_set(timers, timer, connection->last_ns);
	else
		timer_clear(timers, timer);
}

/* Sends the next of what is being sent: bytes, or the data of a large reply. */
static void send_some(struct frame_connection *connection)
{
	struct replies *out = &connection->replies[connection->filling ^ 1];
	const struct large *large = out->first;
	size_t end = large ? large->at : out->bytes.size;
	struct iovec piece = { out->bytes.data + out->sent, end - out->sent };

	if (!piece.iov_len)
		piece = (struct iovec){ large->data, large->size };
	io_stream_send(&connection->common.stream, &piece, 1);
}

/* What send_some() has sent is over; false: so is all of it. */
static bool is_more_to_send(struct replies *out)
{
	const size_t end = out->first ? out->first->at : out->bytes.size;

	if (out->sent == end)
		drop_first(out);
	out->sent = end;
	return out->first || out->sent < out->bytes.size;
}

/* Sends what is there, unless something is on its way already. */
static void send_replies(struct frame_connection *connection)
{
	struct replies *out = &connection->replies[connection->filling];

	if (connection->sending || connection->common.closing)
		return;
	if (out->bytes.failed) {
		connection_close(&connection->common);
		return;
	}
	if (!out->size) {
		wait_for_more(connection);
		return;
	}
	connection->filling ^= 1;
	connection->sending = true;
	connection_limit(&connection->common,
			 connection->common.worker->server->options
				 .send_timeout_ns);
	send_some(connection);
}

/* Whether there is room for a reply of @size bytes; if not, why. */
static const char *no_room_for(struct frame_connection *connection, size_t size)
{
	const struct replies *out = &connection->replies[connection->filling];

	if (size <= SERVER_REPLY_SMALL)
		return NULL;
	if (out->size + size + FRAME_HEAD_MAX > REPLIES_HARD_MAX)
		return "the function has replied, but more replies wait for "
		       "this client than are kept: take them sooner";
	if (!budget_allows(&connection->account, size))
		return budget_reason(connection->account.refused);
	return NULL;
}

/* Appends the data, which are those of @invocation, or without it. */
static void put_data(struct replies *out, const void *data, size_t size,
		     struct invocation *invocation)
{
	struct large *large = NULL;

	out->size += size;
	if (invocation && size > SERVER_REPLY_SMALL)
		large = malloc(sizeof(*large));
	if (large)
		*large = (struct large){
			.at = out->bytes.size,
			.data = invocation_take_copy(invocation),
			.size = size,
		};
	if (!large || !large->data) {
		free(large);
		buffer_append(&out->bytes, data, size);
		return;
	}
	budget_take_anyway(out->bytes.account, size);
	*out->last = large;
	out->last = &large->next;
}

/* @invocation, which @reply is of, or NULL. */
static void put_reply(struct frame_connection *connection,
		      const struct frame_reply *reply,
		      struct invocation *invocation)
{
	struct replies *out = &connection->replies[connection->filling];
	char *to;
	int size;

	begin_replies(connection);
	to = buffer_reserve(&out->bytes, FRAME_HEAD_MAX + reply->headers_size);
	size = to ? frame_write_reply(reply, to) : -ENOMEM;
	if (size < 0) {
		out->bytes.failed = true;
	} else {
		out->bytes.size += (size_t)size;
		out->size += (size_t)size;
		put_data(out, reply->data, reply->size, invocation);
	}
	send_replies(connection);
}

/* An answer to a frame that will not run. */
static void refuse(struct frame_connection *connection, uint64_t id,
		   enum frame_status status, const char *message)
{
	struct frame_reply reply = { .id = id, .status = status };

	strncpy(reply.error_message, message, sizeof(reply.error_message) - 1);
	put_reply(connection, &reply, NULL);
}

/* The frame cannot be read: nothing behind it can. */
static size_t give_up(struct frame_connection *connection, size_t size)
{
	metrics_add(&connection->common.worker->server->metrics
			     .bad_requests_total,
		    1);
	connection->last = true;
	refuse(connection, 0, FRAME_BAD_REQUEST,
	       "this is no frame of the protocol: see docs/protocol.md");
	return size;
}

static enum frame_status status_of(int result)
{
	switch (result) {
	case -EBUSY:
	case -EAGAIN:
		return FRAME_THROTTLED;
	case -EINPROGRESS:
		return FRAME_NOT_READY;
	case -E2BIG:
		return FRAME_TOO_LARGE;
	case -EINVAL:
		return FRAME_BAD_REQUEST;
	default:
		return FRAME_FAILED;
	}
}

static void on_replied(struct invocation *invocation)
{
	struct call *call = container_of(invocation, struct call, invocation);
	const struct thaw_reply *from = &invocation->reply;
	struct frame_reply reply;
	const char *reason;

	if (of_call(call)->gone)
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
		reply.status = status_of(invocation->result);
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
	/* who says nothing of HTTP may not know what that is */
	if (!invocation->result && call->pairs) {
		reply.http_status = from->status;
		reply.headers = from->headers;
		reply.headers_size = from->headers_size;
	}
	begin_replies(of_call(call));
	reason = no_room_for(of_call(call), reply.size);
	if (reason)
		refuse(of_call(call), reply.id, FRAME_THROTTLED, reason);
	else
		put_reply(of_call(call), &reply, invocation);
}

static bool is_full(const struct frame_connection *connection)
{
	return connection->under_way >= FRAME_PIPELINE_MAX ||
	       connection->replies[connection->filling].size >= REPLIES_MAX;
}

static void read_on(struct frame_connection *connection)
{
	if (!connection->held || is_full(connection) ||
	    connection->common.closing)
		return;
	connection->held = false;
	io_stream_resume(&connection->common.stream);
}

static void on_ended(struct invocation *invocation)
{
	struct call *call = container_of(invocation, struct call, invocation);
	struct frame_connection *connection = of_call(call);

	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	call_release(call);
	connection->under_way--;
	if (connection->gone) {
		if (!connection->under_way)
			free_connection(connection);
		return;
	}
	read_on(connection);
	if (connection->last)
		send_replies(connection);
}

static void start(struct call *call)
{
	struct frame_connection *connection = of_call(call);
	const struct frame_request *from = &call->request;
	struct invocation *invocation = &call->invocation;

	call_find_function(call, from->function);
	if (!call->deployment || !budget_allows(&call->account, 0)) {
		refuse(connection, from->id,
		       call->deployment ? FRAME_THROTTLED : FRAME_NOT_FOUND,
		       call->deployment ?
			       budget_reason(call->account.refused) :
			       "no such function: see `thaw functions list`");
		call_release(call);
		return;
	}
	invocation->worker = connection->common.worker;
	invocation->deployment = call->deployment;
	invocation->replied = on_replied;
	invocation->ended = on_ended;
	invocation->request = (struct thaw_invoke_request){
		.data = from->data,
		.size = from->size,
		.content_type = *from->content_type ? from->content_type : NULL,
		.id = *from->request_id ? from->request_id : NULL,
		.timeout_ns = from->timeout_ns,
	};
	if (!call_take_pairs(call)) {
		refuse(connection, from->id, FRAME_THROTTLED,
		       budget_reason(call->account.refused));
		call_release(call);
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
 * More bytes of a frame that is not there yet, @need in all. Refuses one that is
 * too large before it is kept.
 */
static int check_partial(struct call *call, size_t need)
{
	struct frame_connection *connection = of_call(call);
	const struct buffer *frame = &call->frame;
	struct frame_request request;
	int r = frame_peek_request(frame->data, frame->size, &request);

	if (r != 1)
		return r;
	call_find_function(call, request.function);
	if (request.size <= (call->deployment ?
				     call->deployment->spec->max_request :
				     SERVER_BODY_MAX))
		return 0;
	connection->skip = need - frame->size;
	refuse(connection, request.id, FRAME_TOO_LARGE,
	       "the request is larger than the function's max_request");
	return -E2BIG;
}

/* There is no memory for the frame: @rest bytes of it are still to come. */
static void drop_partial(struct frame_connection *connection, uint64_t rest)
{
	struct call *call = connection->partial;

	connection->partial = NULL;
	connection->skip = rest;
	refuse(connection, frame_id(call->frame.data), FRAME_THROTTLED,
	       budget_reason(call->account.refused));
	call_release(call);
}

/* The frame in call->frame is whole. */
static int take(struct call *call)
{
	int r = frame_read_request(call->frame.data, call->frame.size,
				   &call->request);

	if (r) {
		call_release(call);
		return r;
	}
	metrics_add(&call->connection->worker->server->metrics.requests_total,
		    1);
	start(call);
	return 0;
}

/* Adds @size bytes to the call that is being read. */
static struct call *add(struct frame_connection *connection, const char *data,
			size_t size)
{
	struct call *call = connection->partial;

	if (!call)
		call = connection->partial = call_acquire(&connection->common);
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
static size_t take_some(struct frame_connection *connection, const char *data,
			size_t size)
{
	struct call *call = connection->partial;
	size_t have = call ? call->frame.size : 0, need, part;
	int64_t whole;
	int r;

	/* the header first: it says how much more is to come */
	part = have < FRAME_HEADER_SIZE ? FRAME_HEADER_SIZE - have : 0;
	if (part > size)
		part = size;
	call = part ? add(connection, data, part) : call;
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
		if (rest && !add(connection, data + part - rest, rest)) {
			drop_partial(connection,
				     need - call->frame.size - rest);
			return part;
		}
		whole = call->frame.size == need;
	}
	if (whole) {
		connection->partial = NULL;
		r = take(call);
	} else if (call->frame.size >= FRAME_HEADER_SIZE) {
		r = check_partial(call, need);
		if (r == -E2BIG) {
			connection->partial = NULL;
			r = 0;
			call_release(call);
		}
	} else {
		r = 0;
	}
	return r ? 0 : part;
}

/* Takes what it can; returns how much. */
static size_t take_all(struct frame_connection *connection, const char *data,
		       size_t size)
{
	size_t taken = 0, part;

	while (taken < size && !is_full(connection)) {
		if (connection->skip) {
			part = connection->skip < size - taken ?
				       (size_t)connection->skip :
				       size - taken;
			connection->skip -= part;
		} else {
			part = take_some(connection, data + taken,
					 size - taken);
		}
		if (!part)
			return give_up(connection, size);
		taken += part;
		if (connection->common.closing)
			return size;
	}
	connection->held = taken < size;
	return taken;
}

static size_t on_received(struct io_stream *stream, const void *data,
			  size_t size)
{
	struct frame_connection *connection = of_stream(stream);
	struct worker *worker = connection->common.worker;
	struct timer *timer = &connection->frame_timer;
	size_t taken;

	if (connection->last_ns && clock_now_ns() >= connection->last_ns)
		connection->last = true;
	if (connection->last)
		return size;
	taken = take_all(connection, data, size);
	if (!connection->partial && !connection->skip)
		timer_clear(&worker->timers, timer);
	else if (!timer->link && !connection->common.closing)
		timer_set(&worker->timers, timer,
			  clock_now_ns() +
				  worker->server->options.body_timeout_ns);
	return taken;
}

/* The rest of a frame does not come. */
static void on_frame_timer(struct timer *timer)
{
	struct frame_connection *connection =
		container_of(timer, struct frame_connection, frame_timer);

	connection_close(&connection->common);
}

static void on_sent(struct io_stream *stream, int error)
{
	struct frame_connection *connection = of_stream(stream);
	struct replies *sent = &connection->replies[connection->filling ^ 1];

	if (error) {
		connection->sending = false;
		connection_close(&connection->common);
		return;
	}
	if (is_more_to_send(sent)) {
		send_some(connection);
		return;
	}
	connection->sending = false;
	clear(sent, REPLIES_KEPT);
	send_replies(connection);
	if (!connection->sending)
		end_replies(connection);
	read_on(connection);
}

static void on_client_ended(struct io_stream *stream, int error)
{
	struct frame_connection *connection = of_stream(stream);

	connection->last = true;
	if (error)
		connection_close(&connection->common);
	else
		send_replies(connection);
}

/* The client does not take its replies; or the server has drained for long. */
static void on_timer(struct timer *timer)
{
	struct frame_connection *connection =
		container_of(timer, struct frame_connection, common.timer);

	connection->last = true;
	if (connection->sending)
		connection_close(&connection->common);
	else
		send_replies(connection);
}

/*
 * Requests that are here already, and those of the next moment, are answered;
 * then the connection closes.
 */
static void on_drain(struct connection *common)
{
	struct frame_connection *connection = (struct frame_connection *)common;

	connection->last_ns = clock_now_ns() + SERVER_DRAIN_IDLE_NS;
	if (!connection->sending)
		wait_for_more(connection);
}

static void on_free(struct connection *common)
{
	struct frame_connection *connection = (struct frame_connection *)common;
	struct call *call, *next;

	timer_clear(&common->worker->timers, &connection->frame_timer);
	connection->gone = true;
	connection->under_way++; /* it is not freed meanwhile */
	for (call = connection->running; call; call = next) {
		next = call->next;
		invocation_abandon(&call->invocation);
	}
	if (!--connection->under_way)
		free_connection(connection);
}

void frame_connection_open(struct door *door, int fd)
{
	struct worker *worker = door->worker;
	struct frame_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		close(fd);
		return;
	}
	init_replies(&connection->replies[0], &connection->account);
	init_replies(&connection->replies[1], &connection->account);
	connection->common.timer.fire = on_timer;
	connection->frame_timer.fire = on_frame_timer;
	connection->common.drain = on_drain;
	connection->common.free = on_free;
	connection->common.stream.received = on_received;
	connection->common.stream.ended = on_client_ended;
	connection->common.stream.sent = on_sent;
	if (!connection_open(&connection->common, worker, fd))
		free(connection);
}
