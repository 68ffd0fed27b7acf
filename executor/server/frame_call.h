/*
 * frame_call.h - one request of the unix socket protocol and its invocation. A
 * worker keeps a few to use again. See frame_connection.c.
 */
#ifndef EXECUTOR_SERVER_FRAME_CALL_H
#define EXECUTOR_SERVER_FRAME_CALL_H

#include <stdbool.h>

#include "base/budget.h"
#include "base/buffer.h"
#include "executor/protocol/frame.h"
#include "executor/server/connection.h"
#include "executor/server/deployment.h"
#include "executor/server/invocation.h"

struct frame_call {
	struct connection *connection;
	struct budget_account account; /* pays for all of it */
	struct deployment *deployment; /* held; NULL: not known yet */
	struct frame_call *next,
		**link; /* among the free ones, or those under way */
	struct buffer frame;
	struct frame_request request;
	struct thaw_attribute *pairs; /* attributes, then headers; or NULL */
	struct invocation invocation;
};

/* A call for a frame that begins on @connection. NULL: no memory. */
struct frame_call *frame_call_acquire(struct connection *connection);

/* Gives it back: it is over. */
void frame_call_release(struct frame_call *call);

/*
 * Gives its invocation the attributes and headers of the request. False: there is
 * no memory for them.
 */
bool frame_call_take_pairs(struct frame_call *call);

/* Finds the function @name, if there is one; what is kept counts for that. */
void frame_call_find_function(struct frame_call *call, const char *name);

/* Frees those that @worker keeps. */
void frame_call_free_all(struct worker *worker);

#endif
