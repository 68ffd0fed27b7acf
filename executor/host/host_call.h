/*
 * host_call.h - the calls that one invocation makes of host functions, one at a time.
 *
 *	call = host_call_create(max_size)
 *	...
 *	host_call_read(call, bytes, size)		of the guest, copied once
 *	host_call_begin(call)
 *	... the function runs, here or on another thread, and sets the result ...
 *	host_call_finish(call)
 *	...
 *	host_call_is_finished(call), host_call_wait() or host_call_notify()
 *	use(call->answer, call->answer_size)
 *
 * The invocation has a reference, and so does a host function that runs on another
 * thread: an invocation that is stopped at its deadline abandons the call, and the
 * function ends when it likes.
 */
#ifndef EXECUTOR_HOST_HOST_CALL_H
#define EXECUTOR_HOST_HOST_CALL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/offload.h"
#include "executor/libthaw.h"
#include "executor/typed/message.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_host.h"

struct host_caller;
struct host_function;
struct host_functions;

/* Room for the reason of an error, its zero included. */
#define HOST_MESSAGE_MAX 512

/* Memory for arguments, and for a result, that is kept from one call to the next. */
#define HOST_KEPT_MAX ((size_t)64 * 1024)

enum host_call_state {
	HOST_CALL_IDLE,	    /* none is under way */
	HOST_CALL_PENDING,  /* the function runs */
	HOST_CALL_FINISHED, /* its result is there */
	HOST_CALL_ABANDONED /* nobody waits for that any more */
};

struct host_call {
	struct thaw_host_call given; /* what a host function sees; first */

	/* The invocation's; a host function does not use these. */
	const struct host_function *function; /* that is called */
	struct message message;		      /* its arguments, in @bytes */
	size_t input_taken; /* bytes of the request that `read` has returned */
	uint64_t depth;	    /* of the invocation: see invoke_depth() */
	/* Of the answer: what the guest is to find in its result window. */
	void *answer;
	size_t answer_size;

	struct host_caller *facts; /* of the function that calls */

	/* For a function that runs elsewhere. */
	struct thaw_reply *reply; /* whose call; while it is not abandoned */
	struct offload_work work;
	void (*run)(struct host_call *call); /* what that does */

	/* host_call.c's. */
	pthread_mutex_t lock; /* of the state, the notice and the references */
	pthread_cond_t finished;
	enum host_call_state state;
	bool has_begun; /* false: the function waits for a thread */
	unsigned references;
	void (*notify)(void *cookie);
	void *notify_cookie;
	size_t max_size;
	void *bytes;
	size_t capacity, answer_capacity;
	char id[THAW_ID_MAX];
	char caller[THAW_FUNCTION_MAX];
};

/*
 * Returns a call with one reference, for the invocation @id of the function @caller;
 * arguments and results may have @max_size bytes. NULL: no memory.
 */
struct host_call *host_call_create(const char *caller, const char *id,
				   uint64_t deadline_ns, size_t max_size);

/* Any thread. The last reference frees it. NULL is fine. */
struct host_call *host_call_hold(struct host_call *call);
void host_call_release(struct host_call *call);

/*
 * Takes the @size bytes at @bytes, a call as guest/abi/thaw_typed.h has it, which may
 * change meanwhile: they are copied once. Returns THAW_HOST_OK, or what the answer,
 * which is set, says.
 */
enum thaw_host_status host_call_read(struct host_call *call, const void *bytes,
				     size_t size);

/*
 * Finds the function that was read, among those that may be called, and compares its
 * types with the arguments. Returns THAW_HOST_OK, or what the answer, which is set, says.
 */
enum thaw_host_status host_call_choose(struct host_call *call,
				       const struct host_functions *allowed);

/*
 * Makes the answer: an error, or a result, which must be of the type that the function
 * returns. host_call_return() returns as thaw_host_return().
 */
void host_call_fail(struct host_call *call, enum thaw_host_status status,
		    const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int host_call_return(struct host_call *call, const struct thaw_value *result);

/* The function begins; and is over. Any thread may finish it. */
void host_call_begin(struct host_call *call);
void host_call_finish(struct host_call *call);

/*
 * For a function that waits for a thread: it has not begun after all, and begins now.
 * host_call_take() returns false if nobody waits for its result any more; the arguments
 * are gone then.
 */
void host_call_queue(struct host_call *call);
bool host_call_take(struct host_call *call);

/* Frees what is large of the memory of a call that is over. */
void host_call_trim(struct host_call *call);

bool host_call_is_finished(struct host_call *call);
bool host_call_is_abandoned(struct host_call *call);

/* Waits until it is finished, or @deadline_ns has come. Returns whether it is finished. */
bool host_call_wait(struct host_call *call, uint64_t deadline_ns);

/*
 * Has @notify called once, by any thread, when the call is finished. False: it is
 * finished already, and @notify is not called.
 */
bool host_call_notify(struct host_call *call, void (*notify)(void *cookie),
		      void *cookie);

/* Takes that back. False: too late, it is being called, or has been. */
bool host_call_withdraw(struct host_call *call);

/* Gives the invocation's reference back, whatever the state. NULL is fine. */
void host_call_abandon(struct host_call *call);

/* The call that a host function was given. */
static inline struct host_call *host_call_of(const struct thaw_host_call *given)
{
	return (struct host_call *)(uintptr_t)given;
}

#endif
