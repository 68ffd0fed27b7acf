/*
 * fake_engine.h - pools of vms, invocations and offload threads whose every step is
 * the test's: it takes the place of snapshot/pool.h, executor/invoke.h and
 * base/offload.h in a test program. Nothing runs by itself, there is one thread.
 *
 * A request of the content type FAKE_SCRIPT is a script: each slice of its run takes
 * the next character.
 *
 *	.  the slice is over, and others had the CPU
 *	#  the slice is over, and the function has used fake_engine.burn_ns
 *	z  the function sleeps for FAKE_SLEEP_NS
 *	p  the run is polled from now on (as the first)
 *	o  a poll finds that it runs; so does the next, until fake_engine.polls_end
 *	e  it has ended; so does a script without a next character
 *	L  it has ended with more than a worker copies itself
 *	T  it has ended with more than a worker converts itself
 *	!  the engine has failed
 *
 * Calls and results of functions with is_typed are made and taken, without a look at
 * them, and the trace says so.
 *
 * Any other request runs until its first slice on an offload thread, or is polled.
 */
#ifndef TESTS_UNIT_FAKE_ENGINE_H
#define TESTS_UNIT_FAKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/offload.h"
#include "snapshot/pool.h"

#define FAKE_SCRIPT "test/script"
#define FAKE_SLEEP_NS UINT64_C(5000000000)
#define FAKE_VMS_MAX 4

/* Where a thread is, for the trace; a worker's is the digit of its index. */
#define FAKE_ON_OFFLOAD 'o'
#define FAKE_ON_BUILDER 'b'

/* What was pushed, in order. */
struct offload_pool {
	struct offload_work *first, **last;
	char place;
};

struct fake_engine {
	struct offload_pool offload, builders;
	bool others_wait; /* for a thread: what offload_is_waiting() says */

	int check_result; /* of invoke_request_check() */
	int take_result;  /* of pool_take() and pool_grow(), which make vms */
	bool grows;	  /* who waits for a new vm is in line meanwhile */
	int call_result;  /* of invoke_typed_make() */
	size_t restore_bytes;
	uint64_t burn_ns;

	/* Of runs without a script. */
	bool is_polled;	   /* the next run */
	bool polls_end;	   /* polled runs; those with a script, too */
	size_t reply_size; /* 0: a small one */

	char place;	  /* of the calling thread */
	unsigned running; /* begun and not ended */
	int calls;	  /* typed ones, made and not dropped */
	size_t sum;	  /* of the bytes that were read of requests */
	char trace[2048];
};

extern struct fake_engine fake_engine;

/* At the beginning of a test. */
void fake_engine_reset(void);

/* A pool of vms that are there, and of others that can be made. For fake_pool_free(). */
struct pool *fake_pool_create(unsigned idle, unsigned unmade);

/* Nobody has a vm of it, or waits for one. */
bool fake_pool_is_quiet(const struct pool *pool);

/* How many wait in line. */
unsigned fake_pool_waiting(const struct pool *pool);

/* Takes an idle vm, as another server would; gives it back, to the first in line. */
struct vm *fake_pool_hold(struct pool *pool);

/* The pool must be quiet. NULL is fine. */
void fake_pool_free(struct pool *pool);

/* Runs the next work of @offload. False: there is none. */
bool fake_offload_run(struct offload_pool *offload);

/* Adds "VERB NAME@PLACE" to the trace. */
void fake_note(const char *verb, const char *name);

/*
 * What has happened since the last call, as "begin a@0 1000us, restore a@0"; slices
 * have their lengths. Valid until the next call.
 */
const char *fake_trace(void);

#endif
