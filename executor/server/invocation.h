/*
 * invocation.h - one invocation on its way through the server.
 *
 * Started on the worker whose connection it came in by, it waits in that
 * worker's run queue, runs there, on an idle worker that took it over, or, if it
 * takes long, on a thread of offload.h, and is answered where it came in. The hot
 * path: http_connection.c or frame_connection.c -> invocation.c ->
 * invocation_run.c -> executor/invoke.c, which goes on in vm/ and snapshot/.
 */
#ifndef EXECUTOR_SERVER_INVOCATION_H
#define EXECUTOR_SERVER_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/offload.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/libthaw.h"
#include "executor/server/deployment.h"
#include "snapshot/pool.h"

struct worker;

/* Replies up to this size travel between threads without memory of their own. */
#define INVOCATION_SMALL 1024

struct invocation {
	/* The starter's; all of it stays until ended(). */
	struct worker *worker;	       /* whose thread starts it */
	struct deployment *deployment; /* held by the starter */
	struct thaw_invoke_request request;
	bool wants_log;	  /* keep the last lines in @log */
	bool drops_reply; /* nobody is told its data */
	bool comes_again; /* when it is put off: that is no outcome, no line */
	/*
	 * On the worker's thread: it has run (result 0: see reply, whose data
	 * are borrowed for the call), or it never will (-errno, and error).
	 * -EINPROGRESS: the function is being deployed; -EBUSY, -EAGAIN:
	 * throttled; -E2BIG, -EINVAL: the request; else what deploying or thaw
	 * failed with.
	 */
	void (*replied)(struct invocation *invocation);
	/* Soon after that: nothing refers to it any more. */
	void (*ended)(struct invocation *invocation);

	int result;
	struct error error;
	struct thaw_reply reply;
	struct buffer log;

	uint64_t arrived_ns;
	struct worker *runner; /* it is in its hands */
	struct vm *vm;	       /* handed out and not begun; NULL: to be made */
	struct pool_waiter waiter;
	struct timer timer; /* of the queue */
	struct io_message message;
	struct offload_work work;
	struct invocation *next;
	uint64_t popped;    /* of the queue, when it was put into it */
	uint64_t polled_ns; /* since when it is looked at */
	uint64_t used_ns;   /* of CPUs, as a job */
	bool begun;
	bool was_offloaded; /* some of it has run on another thread than a worker's */
	bool is_whole; /* all of it has */
	bool in_line;  /* for a vm; its runner's */
	bool has_turn; /* that has come: @vm, or leave to make one */
	/* Nobody waits for its reply: it need not begin. Any thread. */
	_Atomic bool abandoned;
	char *copy; /* of the reply, for another thread; NULL: in small */
	char small[INVOCATION_SMALL];
};

/*
 * Makes all of @invocation known, whatever its memory held: once, before the
 * first start. It can be started again after ended().
 */
void invocation_init(struct invocation *invocation);

/* Starts it, on its worker's thread; replied() may be called at once. */
void invocation_start(struct invocation *invocation);

/*
 * In replied(): the memory of the reply's data, for the caller to free; NULL: they
 * are elsewhere, and borrowed.
 */
char *invocation_take_copy(struct invocation *invocation);

/* Whether its result is that it cannot begin now, but could later. */
bool invocation_is_put_off(const struct invocation *invocation);

/*
 * Nobody waits for its reply any more: it does not begin if it has not. On its
 * worker's thread, from invocation_start() until ended(), which may be called at
 * once. Before and after that it does nothing.
 */
void invocation_abandon(struct invocation *invocation);

/*
 * Runs what @worker has waiting, a few at most, and looks at what is polled.
 * False: there is nothing, it may sleep.
 */
bool invocations_run(struct worker *worker);

#endif
