/*
 * http_connection.c - HTTP/1.1 connections: bytes to requests, responses to
 * bytes. What a request means is in routes.c.
 *
 * One request of a connection is under way at a time: while it is, what follows
 * stays in the socket (the stream is held), so pipelined requests are answered
 * in order and cost no memory. Each phase has its time: head, body, reply, and
 * between requests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/protocol/budget_reason.h"
#include "executor/protocol/http_response.h"
#include "executor/server/connection.h"
#include "executor/server/exchange.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

/* Exchanges a worker keeps for later, and the bytes of a buffer they keep. */
#define FREE_EXCHANGES_MAX 256
#define KEPT_BUFFER_MAX (16 * 1024)

/* Head and largest body of a response. */
#define RESPONSE_MAX (65 * 1024 * 1024)

enum phase {
	PHASE_IDLE, /* between requests */
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_RUN, /* the request is whole, its response is not there yet */
	PHASE_SEND,
	PHASE_LINGER, /* all is said; what still comes is dropped */
};

struct http_connection {
	struct connection common; /* the first member */
	struct exchange *exchange;
	enum phase phase;
	bool is_admin;
	bool is_metrics; /* of the admin's, what is only read */
	bool checks_hosts;
	bool continuing;   /* "100 Continue" is being sent */
	bool ready;	   /* and the response behind it is there */
	bool client_ended; /* it sends no more */
	bool unread;	   /* of the request, or behind it, is what came */
	bool send_is_last; /* close behind the response */
};

static const char continue_text[] = "HTTP/1.1 100 Continue\r\n\r\n";

static struct http_connection *of_stream(struct io_stream *stream)
{
	return (struct http_connection *)stream;
}

static const struct server_options *
options_of(const struct http_connection *connection)
{
	return &connection->common.worker->server->options;
}

static struct exchange *create_exchange(void)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	invocation_init(&exchange->invocation);
	http_request_init(&exchange->request, &exchange->account);
	exchange->out = exchange->text = (struct buffer){
		.max = RESPONSE_MAX,
		.account = &exchange->account,
		.may_exceed = true,
	};
	return exchange;
}

static size_t memory_of(const struct exchange *exchange)
{
	return sizeof(*exchange) + http_request_memory(&exchange->request) +
	       exchange->out.capacity + exchange->text.capacity;
}

/* What it has come to, on its worker: paid for now. */
static void on_worked(struct io_message *message)
{
	struct exchange *exchange =
		container_of(message, struct exchange, message);

	exchange->text.account = &exchange->account;
	budget_take_anyway(&exchange->account,
			   exchange->text.capacity - exchange->text_paid);
	exchange->worker->invocation_count--;
	if (exchange->connection)
		exchange->then(exchange);
	exchange_release(exchange);
}

static void run_work(struct offload_work *work)
{
	struct exchange *exchange = container_of(work, struct exchange, work);

	exchange->inspect(exchange);
	exchange->message.deliver = on_worked;
	io_post(exchange->worker->io, NULL, &exchange->message);
}

void exchange_inspect(struct exchange *exchange,
		      void (*inspect)(struct exchange *exchange),
		      void (*then)(struct exchange *exchange))
{
	struct server *server = exchange->worker->server;

	if (exchange->request.body_size <= SERVER_INLINE_BYTES) {
		inspect(exchange);
		then(exchange);
		return;
	}
	exchange_hold(exchange);
	exchange->worker->invocation_count++;
	exchange->inspect = inspect;
	exchange->then = then;
	/* the account is the worker's */
	exchange->text.account = NULL;
	exchange->text_paid = exchange->text.capacity;
	exchange->work.run = run_work;
	metrics_add(&server->metrics.offloaded_total, 1);
	(void)!offload_push(server->offload, exchange->deployment->runs,
			    &exchange->work);
}

/* What the last request has left behind is forgotten. */
static void begin_exchange(struct exchange *exchange,
			   struct http_connection *connection)
{
	exchange->references = 1;
	exchange->worker = connection->common.worker;
	exchange->connection = connection;
	exchange->deployment = NULL;
	exchange->status = 0;
	exchange->reason = "";
	exchange->lambda_error.status = 0;
	exchange->kind = EXCHANGE_PLAIN;
	exchange->event = CLOUDEVENTS_NONE;
	exchange->id[0] = '\0';
	exchange->name[0] = '\0';
	exchange->is_head = false;
	exchange->keep_alive = false;
	exchange->invocation.wants_log = false;
}

/* A new one, or NULL. */
static struct exchange *get_exchange(struct http_connection *connection)
{
	struct worker *worker = connection->common.worker;
	struct exchange *exchange = worker->free_exchanges;

	if (exchange) {
		worker->free_exchanges = exchange->next;
		worker->free_count--;
	} else {
		exchange = create_exchange();
		if (!exchange)
			return NULL;
	}
	begin_exchange(exchange, connection);
	return exchange;
}

static void free_exchange(struct exchange *exchange)
{
	http_request_done(&exchange->request);
	buffer_done(&exchange->out);
	buffer_done(&exchange->text);
	buffer_done(&exchange->invocation.log);
	free(exchange);
}

void exchange_hold(struct exchange *exchange)
{
	exchange->references++;
}

void exchange_release(struct exchange *exchange)
{
	struct worker *worker = exchange->worker;

	if (--exchange->references)
		return;
	budget_close(&exchange->account);
	deployment_release(exchange->deployment);
	free(exchange->body);
	exchange->body = NULL;
	http_request_reset(&exchange->request);
	buffer_shrink(&exchange->out, KEPT_BUFFER_MAX);
	buffer_shrink(&exchange->text, KEPT_BUFFER_MAX);
	buffer_shrink(&exchange->invocation.log, KEPT_BUFFER_MAX);
	if (worker->free_count >= FREE_EXCHANGES_MAX) {
		free_exchange(exchange);
		return;
	}
	exchange->next = worker->free_exchanges;
	worker->free_exchanges = exchange;
	worker->free_count++;
}

void exchange_free_all(struct worker *worker)
{
	while (worker->free_exchanges) {
		struct exchange *exchange = worker->free_exchanges;

		worker->free_exchanges = exchange->next;
		free_exchange(exchange);
	}
}

/* The client takes no part in it any more; what runs may still need it. */
static void let_go(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	connection->exchange = NULL;
	exchange->connection = NULL;
	budget_leave(&exchange->account, BUDGET_OF_CLIENT);
}

/*
 * For a request to arrive when the server drains: half of the time it has, so
 * that one that does not come to an end is not what the server ends with.
 */
static uint64_t drain_limit(const struct http_connection *connection)
{
	return options_of(connection)->drain_timeout_ns / 2;
}

static uint64_t arrival_limit(const struct http_connection *connection,
			      uint64_t limit_ns)
{
	uint64_t most_ns = drain_limit(connection);

	return connection->common.worker->draining && limit_ns > most_ns ?
		       most_ns :
		       limit_ns;
}

static void enter(struct http_connection *connection, enum phase phase)
{
	const struct server_options *options = options_of(connection);
	uint64_t limit_ns = 0;

	connection->phase = phase;
	switch (phase) {
	case PHASE_IDLE:
		limit_ns = connection->common.worker->draining ?
				   SERVER_DRAIN_IDLE_NS :
				   options->idle_timeout_ns;
		break;
	case PHASE_HEAD:
		limit_ns = arrival_limit(connection, options->head_timeout_ns);
		break;
	case PHASE_BODY:
		limit_ns = arrival_limit(connection, options->body_timeout_ns);
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
 * The connection has nothing more to say: in a way that the client hears it. If
 * it were closed with something unread, the system would have the client drop
 * what it has not read of the response (RFC 9112, 9.6).
 */
static void end(struct http_connection *connection)
{
	if (connection->unread && !connection->client_ended) {
		shutdown(connection->common.stream.fd, SHUT_WR);
		enter(connection, PHASE_LINGER);
		io_stream_resume(&connection->common.stream);
		return;
	}
	connection_close(&connection->common);
}

static void send_now(struct http_connection *connection)
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
	enter(connection, PHASE_SEND);
	io_stream_send(&connection->common.stream, pieces,
		       connection->exchange->body ? 2 : 1);
}

void exchange_send(struct exchange *exchange)
{
	struct http_connection *connection = exchange->connection;

	if (!connection || connection->common.closing)
		return;
	connection->send_is_last = !exchange->keep_alive;
	connection->ready = true;
	if (!connection->continuing)
		send_now(connection);
}

/* The request cannot be read, or is refused before its body. */
static void refuse(struct http_connection *connection)
{
	connection->unread = true;
	connection->exchange->keep_alive = false;
	enter(connection, PHASE_RUN);
	route_refuse(connection->exchange);
	exchange_send(connection->exchange);
}

static void refuse_for_memory(struct exchange *exchange)
{
	if (exchange->status)
		return;
	exchange->status = 503;
	exchange->reason = budget_reason(exchange->account.refused);
}

/*
 * What is kept of the request counts for its function. Nothing is begun that
 * would take memory once too much of it is taken.
 */
static void charge(struct exchange *exchange)
{
	struct deployment *deployment = exchange->deployment;

	budget_join(&exchange->account, BUDGET_OF_FUNCTION,
		    deployment ? &deployment->share :
				 &exchange->worker->server->others);
	if ((deployment || exchange->request.method == HTTP_POST_METHOD) &&
	    !budget_allows(&exchange->account, 0))
		refuse_for_memory(exchange);
}

static void take_head(struct http_connection *connection)
{
	static const struct iovec piece = { (char *)continue_text,
					    sizeof(continue_text) - 1 };
	struct exchange *exchange = connection->exchange;
	struct http_request *request = &exchange->request;

	exchange->keep_alive = request->keep_alive &&
			       !connection->common.worker->draining;
	exchange->is_head = request->method == HTTP_HEAD_METHOD;
	enter(connection, PHASE_BODY);
	if (connection->checks_hosts)
		route_check_host(exchange);
	if (!exchange->status && connection->is_admin)
		admin_route_head(exchange);
	else if (!exchange->status)
		route_head(exchange);
	charge(exchange);
	if (!request->expects_continue || request->is_http_1_0)
		return;
	/* whoever asks first need not be sent away with its body read */
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

/* Whether the head alone is reason enough to answer. */
static bool is_refused_early(const struct exchange *exchange)
{
	return exchange->status && exchange->request.expects_continue;
}

static void take_request(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	metrics_add(&connection->common.worker->server->metrics.requests_total,
		    1);
	enter(connection, PHASE_RUN);
	if (exchange->status) {
		route_refuse(exchange);
		exchange_send(exchange);
	} else if (connection->is_metrics) {
		metrics_route(exchange);
	} else if (connection->is_admin) {
		admin_route(exchange);
	} else {
		route(exchange);
	}
}

/*
 * There has to be memory for an answer at least. But a client that has taken its
 * share gets no more than that.
 */
static bool begin_request(struct http_connection *connection)
{
	struct exchange *exchange = get_exchange(connection);
	struct budget_account *account;

	if (!exchange) {
		connection_close(&connection->common);
		return false;
	}
	account = &exchange->account;
	connection->exchange = exchange;
	connection_open_account(&connection->common, account);
	budget_take_anyway(account, memory_of(exchange));
	enter(connection, PHASE_HEAD);
	if (budget_allows(account, 0) || account->refused != BUDGET_CLIENT_FULL)
		return true;
	refuse_for_memory(exchange);
	refuse(connection);
	return false;
}

/* The head may never say which function it is for. */
static void wait_for_more(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	if (connection->phase == PHASE_HEAD)
		budget_join(&exchange->account, BUDGET_OF_FUNCTION,
			    &exchange->worker->server->others);
}

static size_t on_received(struct io_stream *stream, const void *data,
			  size_t size)
{
	struct http_connection *connection = of_stream(stream);
	struct metrics_server *metrics =
		&connection->common.worker->server->metrics;
	size_t taken = 0, used;

	if (connection->phase == PHASE_LINGER)
		return size;
	if (connection->phase == PHASE_RUN || connection->phase == PHASE_SEND) {
		connection->unread = true;
		return 0;
	}
	if (!connection->exchange && !begin_request(connection))
		return size;
	for (;;) {
		enum http_progress progress =
			http_request_parse(&connection->exchange->request,
					   (const char *)data + taken,
					   size - taken, &used);

		taken += used;
		switch (progress) {
		case HTTP_MORE:
			wait_for_more(connection);
			return size;
		case HTTP_HEAD_DONE:
			take_head(connection);
			if (!is_refused_early(connection->exchange))
				break;
			refuse(connection);
			return taken;
		case HTTP_DONE:
			connection->unread = taken < size;
			take_request(connection);
			return taken;
		case HTTP_BAD:
			metrics_add(&metrics->bad_requests_total, 1);
			refuse(connection);
			return taken;
		}
	}
}

/* The response has gone: what next? */
static void next_request(struct http_connection *connection)
{
	struct exchange *exchange = connection->exchange;

	let_go(connection);
	exchange_release(exchange);
	if (connection->send_is_last) {
		end(connection);
		return;
	}
	enter(connection, PHASE_IDLE);
	io_stream_resume(&connection->common.stream);
}

static void on_sent(struct io_stream *stream, int error)
{
	struct http_connection *connection = of_stream(stream);

	if (error) {
		connection_close(&connection->common);
		return;
	}
	if (connection->continuing) {
		connection->continuing = false;
		if (connection->ready)
			send_now(connection);
		return;
	}
	next_request(connection);
}

static void on_ended(struct io_stream *stream, int error)
{
	struct http_connection *connection = of_stream(stream);

	connection->client_ended = true;
	/* it may still read what it has asked for */
	if (!error && (connection->phase == PHASE_RUN ||
		       connection->phase == PHASE_SEND)) {
		connection->exchange->keep_alive = false;
		connection->send_is_last = true;
		return;
	}
	connection_close(&connection->common);
}

static void on_timer(struct timer *timer)
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
	refuse(connection);
}

static void on_drain(struct connection *common)
{
	struct http_connection *connection = (struct http_connection *)common;
	const uint64_t most_ns = drain_limit(connection);

	/* what its client sends at this moment is still answered */
	if (connection->phase == PHASE_IDLE)
		connection_limit(common, SERVER_DRAIN_IDLE_NS);
	else if (connection->exchange)
		connection->exchange->keep_alive = false;
	if ((connection->phase == PHASE_HEAD ||
	     connection->phase == PHASE_BODY) &&
	    common->timer.at_ns > clock_now_ns() + most_ns)
		connection_limit(common, most_ns);
}

static void on_free(struct connection *common)
{
	struct http_connection *connection = (struct http_connection *)common;
	struct exchange *exchange = connection->exchange;

	if (exchange) {
		let_go(connection);
		invocation_abandon(&exchange->invocation);
		exchange_release(exchange);
	}
	if (connection->is_metrics)
		common->worker->server->metrics_connections--;
	connection_done(common);
	free(connection);
}

static void open_connection(struct door *door, int fd, bool is_admin,
			    bool is_metrics)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		close(fd);
		return;
	}
	connection->is_admin = is_admin;
	connection->is_metrics = is_metrics;
	connection->checks_hosts = door->checks_hosts;
	connection->common.timer.fire = on_timer;
	connection->common.drain = on_drain;
	connection->common.free = on_free;
	connection->common.stream.received = on_received;
	connection->common.stream.ended = on_ended;
	connection->common.stream.sent = on_sent;
	if (!connection_open(&connection->common, door->worker, fd)) {
		free(connection);
		return;
	}
	if (is_metrics)
		door->worker->server->metrics_connections++;
	enter(connection, PHASE_IDLE);
}

void http_connection_open(struct door *door, int fd)
{
	open_connection(door, fd, false, false);
}

void http_admin_connection_open(struct door *door, int fd)
{
	open_connection(door, fd, true, false);
}

/* Who reads the metrics leaves places for whoever administers. */
void http_metrics_connection_open(struct door *door, int fd)
{
	struct server *server = door->worker->server;

	if (server->metrics_connections < SERVER_METRICS_CONNECTIONS) {
		open_connection(door, fd, true, true);
		return;
	}
	metrics_add(&server->metrics.connections_total, 1);
	metrics_add(&server->metrics.connections_refused, 1);
	close(fd);
}
