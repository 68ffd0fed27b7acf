/*
 * invocation.h - one invocation on its way through the server.
 *
 * It is started on the worker whose connection it came in by, and waits in that
 * worker's run queue. It runs there, on an idle worker that took it over, or, if
 * it takes long, on a thread of the offload pool, and is answered where it came
 * in. The hot path:
 *
 *	http_connection.c or frame_connection.c
 *	invocation_start.c	admission, its turn, a vm
 *	invocation_run.c	its slices, on a worker or on another thread
 *	executor/invoke.c	the run itself, which goes on in vm/
 *	invocation_end.c	its reply, and a clean vm
 */
#ifndef EXECUTOR_SERVER_INVOCATION_H
#define EXECUTOR_SERVER_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/offload.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/libthaw.h"
#include "executor/server/deployment.h"
#include "executor/server/deployment_load.h"
#include "executor/server/run_queue.h"
#include "snapshot/pool.h"

struct worker;

/* Replies up to this size travel between threads without memory of their own. */
#define INVOCATION_SMALL 1024

/* What is kept of an invocation's log lines for its caller, in bytes. */
#define INVOCATION_LOG_KEPT (16 * 1024)

/* Of a request: its attributes, and the bytes of its id with the zero. */
#define INVOCATION_ATTRIBUTES_MAX 8
#define INVOCATION_ID_SIZE 64

struct invocation {
	/* The starter sets these; all of it stays until ended(). */
	struct worker *worker;	       /* whose thread starts it */
	struct deployment *deployment; /* held by the starter */
	struct thaw_invoke_request request;
	struct budget_account *account; /* pays for it; on @worker's thread */
	bool wants_log;			/* keep the last lines in @log */
	bool drops_reply;		/* nobody wants the reply's data */
	bool comes_again; /* being put off is no outcome, and is not logged */
	/*
	 * Called on the worker's thread. Either it has run: result is 0, and the
	 * reply's data are borrowed for the call. Or it never will: result is
	 * -errno, and error says why. -EINPROGRESS: the function is being
	 * deployed; -EBUSY, -EAGAIN: throttled; -E2BIG, -EINVAL: the request;
	 * else what deploying or thaw failed with.
	 */
	void (*replied)(struct invocation *invocation);
	/* Called soon after that: nothing refers to it any more. */
	void (*ended)(struct invocation *invocation);

	int result;
	struct error error;
	struct thaw_reply reply;
	struct buffer log;

	uint64_t arrived_ns;
	uint64_t ready_ns; /* since when it waits for nothing but its turn and a vm */
	struct worker *runner; /* the worker that has it now */
	struct vm *vm;	       /* handed out and not begun; NULL: to be built */
	struct load_waiter load; /* its wait until its function is loaded */
	int load_result;
	struct pool_waiter waiter;
	struct timer timer; /* of its waits, and of its sleep */
	struct io_message message;
	struct offload_work work;
	struct run_entry entry;		/* in its runner's queue */
	struct invocation *next_polled; /* of its runner's */
	uint64_t polled_ns;		/* since when it is polled */
	uint64_t used_ns; /* time of CPUs, on threads of the offload pool */
	bool is_wrong;	  /* what its client has sent: the error says what */
	bool begun;
	bool was_offloaded; /* some of it has run on another thread than a worker's */
	bool is_whole;	  /* all of it has */
	bool awaits_load; /* it waits until its function is loaded; its runner's */
	bool in_line;	  /* it waits for a vm; its runner's */
	bool has_turn;	  /* the wait is over: it has @vm, or may build one */
	bool is_first; /* nothing has run in @vm, which was made for it or others */
	bool has_call; /* a typed call is made of the request, or needs not be */
	size_t charged; /* to @account, for that */
	/* Nobody waits for its reply: it need not begin. Any thread. */
	_Atomic bool abandoned;
	char *copy; /* of the reply, or a typed result; NULL: elsewhere, or in small */
	char small[INVOCATION_SMALL];
};

/*
 * Initialises @invocation, whatever its memory held: once, before its first start.
 * It can be started again after ended().
 */
void invocation_init(struct invocation *invocation);

/*
 * Puts it into its runner's queue, as the last or the first of its function. On
 * the runner's thread.
 */
void invocation_queue(struct invocation *invocation);
void invocation_queue_first(struct invocation *invocation);

/*
 * Has @run called on a thread of the offload pool, in the function's share. What
 * invocation_push() pushes may be over before it returns. Any thread.
 */
void invocation_offload(struct invocation *invocation,
			void (*run)(struct offload_work *work));
void invocation_push(struct offload_pool *pool, struct deployment *deployment,
		     struct offload_share *share, struct offload_work *work);

/*
 * In replied(): takes the memory of the reply's data, which the caller frees.
 * NULL: the data are elsewhere, and borrowed.
 */
char *invocation_take_copy(struct invocation *invocation);

/* Whether its result is that it cannot begin now, but could later. */
bool invocation_is_put_off(const struct invocation *invocation);

#endif
