/* invocation_end.h - how an invocation ends: counted, replied, and its vm restored. */
#ifndef EXECUTOR_SERVER_INVOCATION_END_H
#define EXECUTOR_SERVER_INVOCATION_END_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/server/invocation.h"
#include "executor/server/server_limits.h"

/* Whether copying so many bytes of a request or a reply would keep a worker. */
static inline bool invocation_is_large(size_t size)
{
	return size > SERVER_INLINE_BYTES;
}

/* The same for converting a typed call or a typed result. */
static inline bool invocation_converts_much(size_t size)
{
	return size > SERVER_INLINE_TYPED;
}

/*
 * The invocation never began: counts it, and has its starter told. On the thread
 * of its worker.
 */
void invocation_refuse(struct invocation *invocation);

/*
 * The invocation has run (result 0) or failed: replies, and has its vm restored.
 * On the thread of @runner, or, if that is NULL, on one of an offload pool.
 */
void invocation_finish(struct invocation *invocation, struct worker *runner);

/*
 * Replies of others do not wait for an invocation that may take long, which its runner
 * is about to run: submits them. On the thread of its runner.
 */
void invocation_flush_before(const struct invocation *invocation);

#endif
