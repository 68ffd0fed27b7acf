/*
 * invoke_host.h - an invocation calls the host: the doorbell's CALL. For invoke.c.
 *
 * What the guest asks for is copied once, checked, and given to the host function. A
 * function that takes long runs elsewhere meanwhile, and the invocation rests, as it
 * does while it sleeps.
 */
#ifndef EXECUTOR_INVOKE_HOST_H
#define EXECUTOR_INVOKE_HOST_H

#include <stdbool.h>

struct host_call;
struct thaw_reply;

/*
 * The guest has rung for a call. Returns 0: the answer is in its result window; 1: the
 * host function runs; or -errno: the answer cannot be written.
 */
int invoke_host_begin(struct thaw_reply *reply);

/* As invoke_host_begin(), later: writes the answer if there is one by now. */
int invoke_host_end(struct thaw_reply *reply);

/*
 * If the invocation waits for a host function: has @notify called once it has answered,
 * by any thread. False: it need not wait, and @notify is not called.
 */
bool invoke_host_notify(struct thaw_reply *reply, void (*notify)(void *cookie),
			void *cookie);

/*
 * Takes that back, before the invocation goes on. False: @notify is being called, or has
 * been.
 */
bool invoke_host_withdraw(struct thaw_reply *reply);

/* Waits for the answer until the invocation's deadline. */
void invoke_host_wait(struct thaw_reply *reply);

/* The name of the host function that it has called last. */
const char *invoke_host_name(const struct thaw_reply *reply);

/*
 * Has @run called on a thread for what takes long, and the call finished then, unless it
 * has been abandoned by that time. If too many wait already, it is finished as busy.
 */
void invoke_host_offload(struct host_call *call,
			 void (*run)(struct host_call *call));

/*
 * For those who invoke a function for another one: make the answer of an invocation
 * that could not begin, because of @r, and of one that has ended.
 */
void invoke_host_refuse(struct host_call *call, int r, const char *why);
void invoke_host_take(struct host_call *call, const char *function,
		      const struct thaw_reply *reply);

/* The invocation is over, whether or not a host function still runs for it. */
void invoke_host_done(struct thaw_reply *reply);

#endif
