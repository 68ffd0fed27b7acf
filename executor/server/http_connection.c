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
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
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

static void http_connection_enter(struct http_connection *connection,
				  enum phase phase)
{
	const struct server_options *options =
		http_connection_options_of(connection);
	uint64_t limit_ns = 0;

	connection->phase = phase;
	switch (phase) {
	case PHASE_IDLE:
		limit_ns = connection->common.worker->draining ?
				   SERVER_DRAIN_IDLE_NS :
				   options->idle_timeout_ns;
		break;
	case PHASE_HEAD:
		limit_ns =
			http_connection_arrival_limit(connection,
						      options->head_timeout_ns);
		break;
	case PHASE_BODY:
		limit_ns =
			http_connection_arrival_limit(connection,
						      options->body_timeout_ns);
		break;
	case PHASE_SEND:
		limit_ns = options->send_timeout_ns;
		break;
	case PHASE_LINGER:
		limit_ns = SERVER_LINGER_NS;
		break;
	case PHASE_RUN: /* the function's own timeouts hold */
		timer_clear(&connection->common.worker->timers,
			    &connection->common.timer);
		return;
	}
	connection_limit(&connection->common, limit_ns);
}

/*
 * Ends the connection after the response, so that the client gets all of it. If the
 * socket were closed with something unread, the kernel would reset the connection,
 * and the client would lose what it has not read yet (RFC 9112, 9.6).
 */
static void http_connection_end(struct http_connection *connection)
{
	if (connection->unread && !connection->client_ended) {
		shutdown(connection->common.stream.fd, SHUT_WR);
		http_connection_enter(connection, PHASE_LINGER);
		io_stream_resume(&connection->common.stream);
		return;
	}
	connection_close(&connection->common);
}

static void http_connection_send_now(struct http_connection *connection)
{
	struct buffer *out = &connection->exchange->out;
	const struct iovec pieces[] = {
		{ out->data, out->size },
		{ connection->exchange->body, connection->exchange->body_size },
	};

	connection->ready = false;
	if (out->failed || !out->size) {
		connection_close(&connection->common);
		return;
	}
	http_connection_enter(connection, PHASE_SEND);
	io_stream_send(&connection->common.stream, pieces,
		       connection->exchange->body ? 2 : 1);
}

void http_connection_send(struct exchange *exchange)
{
	struct http_connection *connection = exchange->connection;

	if (!connection || connection->common.closing)
		return;
	connection->send_is_last = !exchange->keep_alive;
	connection->ready = true;
	if (!connection->continuing)
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
}

static size_t http_connection_on_received(struct io_stream *stream,
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

static void http_connection_on_sent(struct io_stream *stream, int error)
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

static void http_connection_on_timer(struct timer *timer)
{
	struct http_connection *connection =
		container_of(timer, struct http_connection, common.timer);

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
	    common->timer.at_ns > clock_now_ns() + most_ns)
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
	connection->common.timer.fire = http_connection_on_timer;
	connection->common.drain = http_connection_on_drain;
	connection->common.free = http_connection_on_free;
	connection->common.stream.received = http_connection_on_received;
	connection->common.stream.ended = http_connection_on_ended;
	connection->common.stream.sent = http_connection_on_sent;
	if (!connection_open(&connection->common, listener, fd)) {
		free(connection);
		return;
	}
	http_connection_enter(connection, PHASE_IDLE);
}
