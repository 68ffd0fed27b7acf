/*
 * http_connection.c - HTTP/1.1 connections: bytes to requests, responses to bytes.
 * What a request means is for the listener's handler to say.
 *
 * A connection has one request under way at a time. Meanwhile, what follows stays
 * in the socket (the stream is paused), so pipelined requests are answered in order
 * and cost no memory. Each phase has its time limit: head, body, reply, and the
 * wait between requests.
 */
#include "executor/server/http_connection.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/http_response.h"
#include "executor/server/connection.h"
#include "executor/server/invocation_start.h"
#include "executor/server/server_limits.h"

enum phase {
	PHASE_IDLE, /* between requests */
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_RUN, /* the request is whole, its response is not there yet */
	PHASE_SEND,
	PHASE_LINGER, /* the response has gone; what still comes is dropped */
};

struct http_connection {
	struct connection common; /* the first member */
	struct exchange *exchange;
	enum phase phase;
	const struct http_handler *handler;
	bool continuing;   /* "100 Continue" is being sent */
	bool ready;	   /* the response waits for that */
	bool client_ended; /* it sends no more */
	bool unread;	   /* something has come that was not read */
	bool send_is_last; /* close after the response */
	bool limit_is_due; /* its phase has no limit yet */
};

static const char continue_text[] = "HTTP/1.1 100 Continue\r\n\r\n";

static struct http_connection *
http_connection_of_stream(struct io_stream *stream)
{
	return (struct http_connection *)stream;
}

static const struct server_options *
http_connection_options_of(const struct http_connection *connection)
{
	return &connection->common.worker->shared->options;
}

/* The client has nothing to do with it any more; an invocation may still have. */
static void http_connection_let_go(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	connection->exchange = NULL;
	exchange->connection = NULL;
	budget_leave(&exchange->account, BUDGET_OF_CLIENT);
}

/*
 * How long a request may take to arrive while the server drains: half of the drain
 * timeout, so that a request that never ends does not use up all of it.
 */
static uint64_t
http_connection_drain_limit(const struct http_connection *connection)
{
	return http_connection_options_of(connection)->drain_timeout_ns / 2;
}

static uint64_t
http_connection_arrival_limit(const struct http_connection *connection,
			      uint64_t limit_ns)
{
	uint64_t most_ns = http_connection_drain_limit(connection);

	return connection->common.worker->draining && limit_ns > most_ns ?
		       most_ns :
		       limit_ns;
}

/* How long its phase may take; UINT64_MAX: the function's own timeouts hold. */
static uint64_t
http_connection_phase_limit(const struct http_connection *connection)
{
	const struct server_options *options =
		http_connection_options_of(connection);

	switch (connection->phase) {
	case PHASE_IDLE:
		return connection->common.worker->draining ?
			       SERVER_DRAIN_IDLE_NS :
			       options->idle_timeout_ns;
	case PHASE_HEAD:
		return http_connection_arrival_limit(connection,
						     options->head_timeout_ns);
	case PHASE_BODY:
		return http_connection_arrival_limit(connection,
						     options->body_timeout_ns);
	case PHASE_SEND:
		return options->send_timeout_ns;
	case PHASE_LINGER:
		return SERVER_LINGER_NS;
	case PHASE_RUN:
	default:
		return UINT64_MAX;
	}
}

static void http_connection_enter(struct http_connection *connection,
				  enum phase phase)
{
	uint64_t limit_ns;

	connection->phase = phase;
	/* most requests come whole: a clock is read only if there is a wait */
	connection->limit_is_due = phase == PHASE_HEAD || phase == PHASE_BODY;
	if (connection->limit_is_due)
		return;
	limit_ns = http_connection_phase_limit(connection);
	if (limit_ns == UINT64_MAX)
		connection_limit_none(&connection->common);
	else
		connection_limit(&connection->common, limit_ns);
}

/* What has come and has not been received counts as well. */
static bool http_connection_has_unread(const struct http_connection *connection)
{
	int size = 0;

	return connection->unread ||
	       (!ioctl(connection->common.stream.fd, FIONREAD, &size) &&
		size > 0);
}

/*
 * Ends the connection after the response, so that the client gets all of it. If the
 * socket were closed with something unread, the kernel would reset the connection,
 * and the client would lose what it has not read yet (RFC 9112, 9.6).
 */
static void http_connection_end(struct http_connection *connection)
{
	if (!connection->client_ended &&
	    http_connection_has_unread(connection)) {
		shutdown(connection->common.stream.fd, SHUT_WR);
		http_connection_enter(connection, PHASE_LINGER);
		io_stream_resume(&connection->common.stream);
		return;
	}
	connection_close(&connection->common);
}

/* Sends the response, of which @sent bytes are gone. */
HOT static void http_connection_send_rest(struct http_connection *connection,
					  size_t sent)
{
	struct exchange *exchange = connection->exchange;
	const struct iovec pieces[] = {
		{ exchange->out.data + sent, exchange->out.size - sent },
		{ exchange->body, exchange->body_size },
	};

	connection->ready = false;
	http_connection_enter(connection, PHASE_SEND);
	io_stream_send(&connection->common.stream, pieces,
		       exchange->body ? 2 : 1);
}

HOT static void http_connection_send_now(struct http_connection *connection)
{
	const struct buffer *out = &connection->exchange->out;

	if (out->failed || !out->size)
		connection_close(&connection->common);
	else
		http_connection_send_rest(connection, 0);
}

/* Copies what is behind @sent bytes of a body in the vm. False: there is no memory. */
static bool http_connection_keep_view(struct exchange *exchange, size_t sent)
{
	const char *rest = exchange->view + sent;

	exchange->view = NULL;
	exchange->body_size -= sent;
	if (!exchange->body_size)
		return true;
	exchange->body = malloc(exchange->body_size);
	if (!exchange->body)
		return false;
	memcpy(exchange->body, rest, exchange->body_size);
	budget_take_anyway(&exchange->account, exchange->body_size);
	return true;
}

/*
 * The body is in the vm, which is not kept for slow clients: what the kernel does not
 * take at once is copied.
 */
static void http_connection_send_view(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;
	const struct buffer *out = &exchange->out;
	const struct iovec pieces[] = {
		{ out->data, out->size },
		{ (char *)(uintptr_t)exchange->view, exchange->body_size },
	};
	size_t sent = 0, head;

	if (!connection->continuing && !out->failed)
		sent = io_stream_send_some(&connection->common.stream, pieces,
					   2);
	head = sent < out->size ? sent : out->size;
	if (out->failed || !http_connection_keep_view(exchange, sent - head))
		connection_close(&connection->common);
	else if (!connection->continuing)
		http_connection_send_rest(connection, head);
}

HOT void http_connection_send(struct exchange *exchange)
{
	struct http_connection *connection = exchange->connection;

	if (!connection || connection->common.closing)
		return;
	connection->send_is_last = !exchange->keep_alive;
	connection->ready = true;
	if (exchange->view)
		http_connection_send_view(connection);
	else if (!connection->continuing)
		http_connection_send_now(connection);
}

/* The request cannot be read, or is refused before its body. */
static void http_connection_refuse(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	if (!exchange->status) {
		exchange->status = exchange->request.bad_status;
		exchange->reason = exchange->request.bad_reason;
	}
	connection->unread = true;
	exchange->keep_alive = false;
	http_connection_enter(connection, PHASE_RUN);
	connection->handler->refuse(exchange);
	http_connection_send(exchange);
}

static void http_connection_refuse_for_memory(struct exchange *exchange)
{
	if (exchange->status)
		return;
	exchange->status = 503;
	exchange->reason = budget_reason(exchange->account.refused);
}

/*
 * What is kept of the request counts for its function from now on. A request that
 * would take memory is refused once too much is taken.
 */
static void http_connection_charge(struct exchange *exchange)
{
	struct deployment *deployment = exchange->deployment;

	budget_join(&exchange->account, BUDGET_OF_FUNCTION,
		    deployment ? &deployment->share :
				 &exchange->worker->shared->others);
	if ((deployment || exchange->request.method == HTTP_POST_METHOD) &&
	    !budget_allows(&exchange->account, 0))
		http_connection_refuse_for_memory(exchange);
}

static void http_connection_take_head(struct http_connection *connection)
{
	static const struct iovec piece = { (char *)continue_text,
					    sizeof(continue_text) - 1 };
	struct exchange *exchange = connection->exchange;
	struct http_request *request = &exchange->request;

	exchange->keep_alive = request->keep_alive &&
			       !connection->common.worker->draining;
	exchange->is_head = request->method == HTTP_HEAD_METHOD;
	http_connection_enter(connection, PHASE_BODY);
	connection->handler->head(exchange);
	http_connection_charge(exchange);
	if (!request->expects_continue || request->is_http_1_0)
		return;
	/* a client that asks first can be refused before its body is read */
	if (exchange->status || request->content_length > request->max_body) {
		if (!exchange->status) {
			exchange->status = 413;
			exchange->reason = "the request is too large";
		}
		return;
	}
	connection->continuing = true;
	io_stream_send(&connection->common.stream, &piece, 1);
}

/* Whether it is answered before its body is read. */
static bool http_connection_is_refused_early(const struct exchange *exchange)
{
	return exchange->status && exchange->request.expects_continue;
}

static void http_connection_take_request(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	metrics_add(&connection->common.worker->shared->metrics.requests_total,
		    1);
	http_connection_enter(connection, PHASE_RUN);
	if (exchange->status) {
		connection->handler->refuse(exchange);
		http_connection_send(exchange);
	} else {
		connection->handler->request(exchange);
	}
}

/*
 * Begins a request. There has to be memory for an answer at least, but a client that
 * has used up its share gets no more than that.
 */
static bool http_connection_begin_request(struct http_connection *connection)
{
	struct exchange *exchange = exchange_acquire(connection->common.worker);
	struct budget_account *account;

	if (!exchange) {
		connection_close(&connection->common);
		return false;
	}
	account = &exchange->account;
	exchange->connection = connection;
	exchange->checks_host = connection->common.listener->checks_hosts;
	connection->exchange = exchange;
	connection_open_account(&connection->common, account);
	budget_take_anyway(account, exchange_memory(exchange));
	http_connection_enter(connection, PHASE_HEAD);
	if (budget_allows(account, 0) || account->refused != BUDGET_CLIENT_FULL)
		return true;
	http_connection_refuse_for_memory(exchange);
	http_connection_refuse(connection);
	return false;
}

/* The head may never come to an end, and say which function it is for. */
static void http_connection_wait_for_more(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	if (connection->phase == PHASE_HEAD)
		budget_join(&exchange->account, BUDGET_OF_FUNCTION,
			    &exchange->worker->shared->others);
	if (connection->limit_is_due)
		connection_limit(&connection->common,
				 http_connection_phase_limit(connection));
	connection->limit_is_due = false;
}

HOT static size_t http_connection_on_received(struct io_stream *stream,
					      const void *data, size_t size)
{
	struct http_connection *connection = http_connection_of_stream(stream);
	struct metrics_server *metrics =
		&connection->common.worker->shared->metrics;
	size_t taken = 0, used;

	if (connection->phase == PHASE_LINGER)
		return size;
	if (connection->phase == PHASE_RUN || connection->phase == PHASE_SEND) {
		connection->unread = true;
		return 0;
	}
	if (!connection->exchange && !http_connection_begin_request(connection))
		return size;
	for (;;) {
		enum http_progress progress =
			http_request_parse(&connection->exchange->request,
					   (const char *)data + taken,
					   size - taken, &used);

		taken += used;
		switch (progress) {
		case HTTP_MORE:
			http_connection_wait_for_more(connection);
			return size;
		case HTTP_HEAD_DONE:
			http_connection_take_head(connection);
			if (!http_connection_is_refused_early(
				    connection->exchange))
				break;
			http_connection_refuse(connection);
			return taken;
		case HTTP_DONE:
			connection->unread = taken < size;
			http_connection_take_request(connection);
			return taken;
		case HTTP_BAD:
			metrics_add(&metrics->bad_requests_total, 1);
			http_connection_refuse(connection);
			return taken;
		}
	}
}

/* A large body is received to where it stays. */
static size_t http_connection_on_room(struct io_stream *stream, size_t waiting,
				      void **ret_to)
{
	struct http_connection *connection = http_connection_of_stream(stream);

	return connection->phase == PHASE_BODY ?
		       http_request_room(&connection->exchange->request,
					 waiting, ret_to) :
		       0;
}

static void http_connection_on_filled(struct io_stream *stream, size_t size)
{
	struct http_connection *connection = http_connection_of_stream(stream);

	if (http_request_filled(&connection->exchange->request, size) ==
	    HTTP_MORE)
		return;
	connection->unread = false;
	http_connection_take_request(connection);
}

/* The response has been sent. */
static void http_connection_next_request(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	http_connection_let_go(connection);
	exchange_release(exchange);
	if (connection->send_is_last) {
		http_connection_end(connection);
		return;
	}
	http_connection_enter(connection, PHASE_IDLE);
	io_stream_resume(&connection->common.stream);
}

HOT static void http_connection_on_sent(struct io_stream *stream, int error)
{
	struct http_connection *connection = http_connection_of_stream(stream);

	if (error) {
		connection_close(&connection->common);
		return;
	}
	if (connection->continuing) {
		connection->continuing = false;
		if (connection->ready)
			http_connection_send_now(connection);
		return;
	}
	http_connection_next_request(connection);
}

static void http_connection_on_ended(struct io_stream *stream, int error)
{
	struct http_connection *connection = http_connection_of_stream(stream);

	connection->client_ended = true;
	/* the client may still read the response */
	if (!error && (connection->phase == PHASE_RUN ||
		       connection->phase == PHASE_SEND)) {
		connection->exchange->keep_alive = false;
		connection->send_is_last = true;
		return;
	}
	connection_close(&connection->common);
}

static void http_connection_on_expired(struct connection *common)
{
	struct http_connection *connection = (struct http_connection *)common;

	if ((connection->phase != PHASE_HEAD &&
	     connection->phase != PHASE_BODY) ||
	    connection->continuing) {
		connection_close(&connection->common);
		return;
	}
	connection->exchange->status = 408;
	connection->exchange->reason = "the request did not arrive in time";
	http_connection_refuse(connection);
}

static void http_connection_on_drain(struct connection *common)
{
	struct http_connection *connection = (struct http_connection *)common;
	const uint64_t most_ns = http_connection_drain_limit(connection);

	/* a request that is on its way at this moment is still answered */
	if (connection->phase == PHASE_IDLE)
		connection_limit(common, SERVER_DRAIN_IDLE_NS);
	else if (connection->exchange)
		connection->exchange->keep_alive = false;
	if ((connection->phase == PHASE_HEAD ||
	     connection->phase == PHASE_BODY) &&
	    common->until_ns > clock_now_ns() + most_ns)
		connection_limit(common, most_ns);
}

static void http_connection_on_free(struct connection *common)
{
	struct http_connection *connection = (struct http_connection *)common;
	struct exchange *exchange = connection->exchange;

	if (exchange) {
		http_connection_let_go(connection);
		invocation_abandon(&exchange->invocation);
		exchange_release(exchange);
	}
	connection_done(common);
	free(connection);
}

void http_connection_open(struct listener *listener, int fd)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		close(fd);
		return;
	}
	connection->handler = listener->handler;
	connection->common.expired = http_connection_on_expired;
	connection->common.drain = http_connection_on_drain;
	connection->common.free = http_connection_on_free;
	connection->common.stream.received = http_connection_on_received;
	connection->common.stream.room = http_connection_on_room;
	connection->common.stream.filled = http_connection_on_filled;
	connection->common.stream.ended = http_connection_on_ended;
	connection->common.stream.sent = http_connection_on_sent;
	if (!connection_open(&connection->common, listener, fd)) {
		free(connection);
		return;
	}
	http_connection_enter(connection, PHASE_IDLE);
}
