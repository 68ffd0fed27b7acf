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

struct call {
	struct connection *connection;
	struct budget_account account; /* pays for all of it */
	struct deployment *deployment; /* held; NULL: not known yet */
	struct call *next, **link; /* among the free ones, or those under way */
	struct buffer frame;
	struct frame_request request;
	struct thaw_attribute *pairs; /* attributes, then headers; or NULL */
	struct invocation invocation;
};

/* One for a frame that begins on @connection, or NULL. */
struct call *call_acquire(struct connection *connection);

/* It is over. */
void call_release(struct call *call);

/*
 * Gives its invocation what comes along with the request. False: there is no
 * memory for that.
 */
bool call_take_pairs(struct call *call);

/* Finds the function it names, if there is one; what is kept counts for that. */
void call_find_function(struct call *call, const char *name);

#endif
