/*
 * exchange.h - one HTTP request and its response, on a connection that has one
 * under way. A worker keeps a few to use again.
 *
 * http_connection.c reads the request and sends `out`. In between, the handler of
 * its listener (http_connection.h) decides what the request means. All of it runs
 * on the worker's thread, unless said otherwise.
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

enum exchange_kind {
	EXCHANGE_PLAIN, /* /function/NAME, and paths that are no function's */
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
	char id[INVOCATION_ID_SIZE]; /* of the request; the client's or ours */
	bool checks_host;	     /* its listener does; host_check.h */
	bool keep_alive;
	bool is_head; /* only the head of the response is sent */

	/* Of an invocation. */
	struct deployment *deployment;	/* held; NULL: no such function */
	char name[LAMBDA_NAME_MAX + 1]; /* as the client has it */
	struct lambda_call call;
	struct lambda_error lambda_error;
	enum cloudevents_mode event;
	struct thaw_attribute attributes[INVOCATION_ATTRIBUTES_MAX];
	struct invocation invocation;
	struct buffer text; /* an event's envelope, a log, a JSON text */

	struct buffer out;
	/* The body behind that, if it is a reply that is not copied again. */
	char *body;
	size_t body_size;
	/* The same in the vm: borrowed until replied() is over. NULL: see body. */
	const char *view;

	/* Of exchange_inspect(). */
	void (*inspect)(struct exchange *exchange);
	void (*then)(struct exchange *exchange);
	size_t text_paid;
	struct offload_work work;
	struct io_message message;
};

/*
 * An exchange for @worker, as if nothing had been in it before, with one reference.
 * exchange_release() gives it back. NULL: no memory.
 */
struct exchange *exchange_acquire(struct worker *worker);

/* Takes one more reference; gives it back. */
void exchange_hold(struct exchange *exchange);
void exchange_release(struct exchange *exchange);

/* The bytes of memory that it takes. */
size_t exchange_memory(const struct exchange *exchange);

/* Frees those that @worker keeps. */
void exchange_free_all(struct worker *worker);

/* The exchange that has @invocation. */
struct exchange *exchange_of_invocation(struct invocation *invocation);

/*
 * Has @inspect look at all of the request's body, and then @then go on: on a thread
 * of the offload pool if the body is so large that it would keep the worker.
 * @inspect, on any thread, uses nothing of the exchange but the request, `text`,
 * `reason` and `lambda_error`; @then is not called if the client has gone.
 */
void exchange_inspect(struct exchange *exchange,
		      void (*inspect)(struct exchange *exchange),
		      void (*then)(struct exchange *exchange));

#endif
