/*
 * exchange.h - one HTTP request and its response, on a connection that has one
 * under way. A worker keeps a few to use again.
 *
 * http_connection.c reads the request and sends `out`; in between routes.c, or
 * admin_routes.c on the admin listener, decides what the request means:
 *
 *	route_check_host()	at a loopback address: for us?
 *	route_head()	the head is there: how large may the body be?
 *	route()		the request is whole: fill `out` and call
 *			exchange_send(), now or later
 */
#ifndef EXECUTOR_SERVER_EXCHANGE_H
#define EXECUTOR_SERVER_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "executor/protocol/cloudevents.h"
#include "executor/protocol/http_request.h"
#include "executor/protocol/lambda.h"
#include "executor/server/invocation.h"

struct http_connection;

#define EXCHANGE_ATTRIBUTES_MAX 8
#define EXCHANGE_ID_SIZE 64

enum exchange_kind {
	EXCHANGE_PLAIN, /* /function/NAME, and whatever is nobody's */
	EXCHANGE_LAMBDA,
};

struct exchange {
	struct http_connection *connection; /* NULL: the client has gone */
	struct worker *worker;
	struct exchange *next;	       /* in the worker's list of free ones */
	unsigned references;	       /* the connection's, its invocation's */
	struct budget_account account; /* pays for all of it */

	struct http_request request;
	enum exchange_kind kind;
	unsigned status;    /* what it is to be refused with; 0: nothing */
	const char *reason; /* for that; static */
	char id[EXCHANGE_ID_SIZE]; /* of the request; from the client or ours */
	bool keep_alive;
	bool is_head; /* only the head of the response is sent */

	/* Of an invocation. */
	struct deployment *deployment;	/* held; NULL: no such function */
	char name[LAMBDA_NAME_MAX + 1]; /* as the client has it */
	struct lambda_call call;
	struct lambda_error lambda_error;
	enum cloudevents_mode event;
	struct thaw_attribute attributes[EXCHANGE_ATTRIBUTES_MAX];
	struct invocation invocation;
	struct buffer text; /* an event's envelope, a log, a JSON text */

	struct buffer out;
	/* The body behind that, if it is a reply that is not copied again. */
	char *body;
	size_t body_size;

	/* Of exchange_inspect(). */
	void (*inspect)(struct exchange *exchange);
	void (*then)(struct exchange *exchange);
	size_t text_paid;
	struct offload_work work;
	struct io_message message;
};

/* Refuses what is for another host, or from a page of one; host_check.c. */
void route_check_host(struct exchange *exchange);

void route_head(struct exchange *exchange);
void route(struct exchange *exchange);

/* The same for the admin listener. */
void admin_route_head(struct exchange *exchange);
void admin_route(struct exchange *exchange);

/* On the metrics listener, which is read only. */
void metrics_route(struct exchange *exchange);

/*
 * A request that could not be read (request.bad_*), a head that was refused
 * (status): fills `out`.
 */
void route_refuse(struct exchange *exchange);

/* Sends `out`, and goes on with the connection. */
void exchange_send(struct exchange *exchange);

/* One more who needs it; gives it back. */
void exchange_hold(struct exchange *exchange);
void exchange_release(struct exchange *exchange);

/*
 * Has @inspect look at all of the request's body, and then @then go on: by a job if
 * the body is so large that it would keep the worker. @inspect, on any thread, uses
 * nothing of the exchange but the request, `text`, `reason` and `lambda_error`;
 * @then is not called if the client has gone.
 */
void exchange_inspect(struct exchange *exchange,
		      void (*inspect)(struct exchange *exchange),
		      void (*then)(struct exchange *exchange));

/* Frees those that are kept. */
void exchange_free_all(struct worker *worker);

/* The request's id, made if the client has sent none. */
void exchange_make_id(struct exchange *exchange);

/*
 * A response in steps: the head, with X-Call-Id; more headers; the end, with
 * @body, which may be in any buffer but `out`.
 */
void respond_begin(struct exchange *exchange, unsigned status,
		   const char *type);
void respond_end(struct exchange *exchange, const void *body, size_t size);

/* All of them at once. */
void respond(struct exchange *exchange, unsigned status, const char *type,
	     const void *body, size_t size);

/*
 * An error as RFC 9457 has it, into exchange->text; @error_type, of a function's
 * error, may be NULL. And a whole response with it.
 */
#define PROBLEM_TYPE "application/problem+json"
void write_problem(struct exchange *exchange, unsigned status,
		   const char *error_type, const char *detail);
void respond_problem(struct exchange *exchange, unsigned status,
		     const char *detail);

/* The end, with what the function has replied; in its replied(). */
void respond_reply(struct exchange *exchange);

/*
 * The function has replied: whether there is memory for that, of which small replies
 * have as much as they need. If not, the invocation has a result and an error.
 */
bool respond_has_room(struct exchange *exchange);

/*
 * Gives the invocation's request the headers of the client's that are not about
 * the connection: no others are kept from then on; and fills `out` with the
 * function's reply. answer.c. The header tells a function's own status from one of
 * the server's.
 */
#define ANSWER_STATUS_HEADER "X-Function-Status"
void answer_take_headers(struct exchange *exchange);
void answer_respond(struct exchange *exchange);

#endif
