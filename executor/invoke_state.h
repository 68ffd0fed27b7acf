/*
 * invoke_state.h - what the engine keeps of an invocation in its struct thaw_reply,
 * where libthaw's callers see reserved words. So an invocation needs no memory but
 * the caller's. For invoke*.c, and for those who call them and take care of vms
 * themselves.
 */
#ifndef EXECUTOR_INVOKE_STATE_H
#define EXECUTOR_INVOKE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/libthaw.h"
#include "executor/typed/call.h"
#include "snapshot/guest_log.h"

struct function;
struct host_call;
struct vm;

/* Aliases the words: stores to them, and to this, keep their order. */
struct __attribute__((may_alias)) invoke_state {
	struct function *function;
	struct vm *vm; /* NULL: the reply is done with, or has never been */
	const struct thaw_invoke_request *request;
	uint64_t start_ns; /* of the run, which ends after the reply's run_ns */
	uint64_t timeout_ns;
	uint64_t slice_end_ns;	/* 0: runs as long as it takes */
	uint64_t wake_ns;	/* it sleeps until then; 0: no */
	char *headers;		/* owned; NULL: the reply has none */
	struct host_call *host; /* owned; NULL: it has called no host function */
	struct guest_log_progress log; /* of its lines */
	bool is_polled;		       /* the vm waits inside the guest */
	bool is_pending;	       /* it has not ended */
	bool is_again;		       /* the second try, in a restored vm */
	bool is_resting;    /* between two runs: a line logged, or asleep */
	bool is_waiting;    /* it rests until a host function has answered */
	bool clean;	    /* it has ended as the function meant to */
	bool leaves_result; /* the caller takes a typed one himself */
	struct typed_call typed; /* of a function whose requests are such */
};

_Static_assert(sizeof(struct invoke_state) <=
		       sizeof(((struct thaw_reply *)0)->reserved),
	       "fits; if more words were reserved, the ABI would change");
_Static_assert(_Alignof(struct invoke_state) <= _Alignof(uint64_t), "aligned");

/* The state in @reply, which is not const whatever the pointer says. */
static inline struct invoke_state *invoke_state(const struct thaw_reply *reply)
{
	return (struct invoke_state *)(uintptr_t)reply->reserved;
}

/* When it has ended, once it has. */
static inline uint64_t invoke_end_ns(const struct thaw_reply *reply)
{
	return invoke_state(reply)->start_ns + reply->run_ns;
}

/* When it is stopped. */
static inline uint64_t invoke_deadline(const struct invoke_state *state)
{
	return state->start_ns + state->timeout_ns;
}

/*
 * How many invocations have called each other up to that of @request, by the host
 * function `invoke`. Such a request takes a vm that is free, or none.
 */
static inline uint64_t invoke_depth(const struct thaw_invoke_request *request)
{
	return request->reserved[0];
}

/* When the first of them is stopped, and so all of them are; 0: it is the first. */
static inline uint64_t invoke_end_of(const struct thaw_invoke_request *request)
{
	return request->reserved[1];
}

#endif
