/*
 * invocation_end.c - an invocation has run, or never will: its reply, and a clean
 * vm for the next one. See invocation_end.h.
 */
#include "executor/server/invocation_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/invoke.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/invocation_log.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/*
 * So many replies are submitted at once, at most. They wait for others so long, and then
 * no longer than one more run of a function that took so long the last time.
 */
#define FLUSH_REPLIES 16
#define FLUSH_NS (300 * NS_PER_US)

static void invocation_on_returned(struct io_message *message);

static enum metrics_outcome invocation_outcome(const struct thaw_reply *reply)
{
	switch (reply->result) {
	case THAW_OK:
		return METRICS_OK;
	case THAW_TIMEOUT:
		return METRICS_TIMEOUT;
	case THAW_FAULT:
		return strcmp(reply->error_type, "Runtime.OutOfMemory") ?
			       METRICS_CRASH :
			       METRICS_OOM;
	default:
		return strcmp(reply->error_type,
			      "Function.ResponseSizeTooLarge") ?
			       METRICS_FUNCTION_ERROR :
			       METRICS_TOO_LARGE;
	}
}

static enum metrics_outcome
invocation_refusal_outcome(const struct invocation *invocation)
{
	const int result = invocation->result;

	if (invocation->is_wrong)
		return METRICS_REFUSED;
	if (result == -EBUSY || result == -EAGAIN)
		return METRICS_THROTTLED;
	return result == -E2BIG ? METRICS_TOO_LARGE : METRICS_FAILED;
}

/* Counts, and logs, what it has come to. Any thread. */
HOT static void invocation_account(const struct invocation *invocation)
{
	struct metrics_function *metrics =
		&invocation->deployment->stats->metrics;
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->comes_again && invocation_is_put_off(invocation))
		return;
	invocation_log_end(invocation);
	if (invocation->result) {
		metrics_add(&metrics->outcomes[invocation_refusal_outcome(
				    invocation)],
			    1);
		return;
	}
	metrics_add(&metrics->outcomes[invocation_outcome(reply)], 1);
	metrics_add(&metrics->exits, reply->exits);
}

/* Counts how long it took, after the reply has gone. Any thread. */
HOT static void invocation_observe(const struct invocation *invocation)
{
	struct metrics_function *metrics =
		&invocation->deployment->stats->metrics;
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->result)
		return;
	atomic_store_explicit(&invocation->deployment->run_ns, reply->run_ns,
			      memory_order_relaxed);
	metrics_observe(&metrics->duration, reply->queue_ns + reply->run_ns);
	metrics_observe(&metrics->phases[METRICS_QUEUE], reply->queue_ns);
	metrics_observe(&metrics->phases[METRICS_RUN], reply->run_ns);
}

/*
 * Gives up its place among those admitted. This comes before the reply: a client
 * that has the reply may send its next request at once, and that request is to
 * wait for the vm, not to be refused. Any thread.
 */
static void invocation_leave(const struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	metrics_subtract(&deployment->stats->metrics.inflight, 1);
	atomic_fetch_sub_explicit(&deployment->admitted, 1,
				  memory_order_relaxed);
}

/* Restores the vm for the next invocation. Any thread. */
HOT static void invocation_restore(struct deployment *deployment,
				   struct thaw_reply *reply)
{
	struct metrics_function *metrics = &deployment->stats->metrics;

	if (invoke_state(reply)->vm) {
		invoke_release(reply);
		metrics_add(&metrics->restores, 1);
		metrics_add(&metrics->copied_bytes, reply->copied_bytes);
		metrics_observe(&metrics->phases[METRICS_RESTORE],
				reply->restore_ns);
		atomic_store_explicit(&deployment->restore_ns,
				      reply->restore_ns, memory_order_relaxed);
	}
}

/* A vm that is restored on a thread of the offload pool. */
struct restoration {
	struct offload_work work; /* the first member */
	struct deployment *deployment;
	struct thaw_reply reply;
};

static void invocation_run_restoration(struct offload_work *work)
{
	struct restoration *restoration = (struct restoration *)work;

	invocation_restore(restoration->deployment, &restoration->reply);
	deployment_release(restoration->deployment);
	free(restoration);
}

/*
 * The same on a worker, which has other work: if much is to be copied, a thread
 * of the offload pool does it, in the function's share.
 */
HOT static void invocation_restore_on_worker(struct shared *shared,
					     struct deployment *deployment,
					     bool was_offloaded,
					     struct thaw_reply *reply)
{
	struct restoration *restoration = NULL;

	if (!invoke_state(reply)->vm)
		return;
	/* what has run on another thread has had the time to write a lot */
	if (was_offloaded ||
	    invoke_restore_bytes(reply) > SERVER_INLINE_RESTORE)
		restoration = malloc(sizeof(*restoration));
	if (!restoration) {
		invocation_restore(deployment, reply);
		return;
	}
	metrics_add(&deployment->stats->metrics.restores_offloaded, 1);
	restoration->work.run = invocation_run_restoration;
	restoration->deployment = deployment_hold(deployment);
	restoration->reply = *reply;
	invoke_state(reply)->vm = NULL;
	invocation_push(shared->offload, deployment, deployment->runs,
			&restoration->work);
}

/* On its worker's thread. */
static void invocation_tell(struct invocation *invocation)
{
	/* the call is over; a starter that keeps the result pays for that */
	if (invocation->charged)
		budget_give(invocation->account, invocation->charged);
	invocation->charged = 0;
	invocation->replied(invocation);
	free(invocation_take_copy(invocation));
}

/* Nothing refers to it any more. */
static void invocation_over(struct invocation *invocation)
{
	invocation->worker->invocation_count--;
	invocation->ended(invocation);
}

static void invocation_submit(struct worker *worker)
{
	io_flush(worker->io);
	worker->waiting_replies = 0;
}

/* Submits replies, unless more will follow soon. */
static void invocation_flush(struct worker *worker, uint64_t now_ns)
{
	if (!worker->waiting_replies++)
		worker->waiting_since_ns = now_ns;
	if (worker->queue.count && worker->waiting_replies < FLUSH_REPLIES &&
	    now_ns - worker->waiting_since_ns < FLUSH_NS)
		return;
	invocation_submit(worker);
}

HOT void invocation_flush_before(const struct invocation *invocation)
{
	struct worker *runner = invocation->runner;
	const uint64_t run_ns =
		atomic_load_explicit(&invocation->deployment->run_ns,
				     memory_order_relaxed);

	if (runner->waiting_replies &&
	    (invocation->begun || !run_ns || run_ns > FLUSH_NS))
		invocation_submit(runner);
}

/* Takes a typed result; its memory needs no other copy. */
static void invocation_take_result(struct invocation *invocation)
{
	invoke_typed_take(&invocation->reply);
	invocation->copy = invoke_typed_take_memory(&invocation->reply);
}

/* Copies the reply's data and headers out of the vm, for another thread. */
static void invocation_copy_reply(struct invocation *invocation)
{
	struct thaw_reply *reply = &invocation->reply;
	const size_t size = reply->size + reply->headers_size;
	char *to = invocation->small;

	if (invocation->drops_reply)
		reply->size = reply->headers_size = 0;
	if (invocation->result || !size || invocation->drops_reply ||
	    invocation->copy)
		return;
	if (size > sizeof(invocation->small)) {
		to = invocation->copy = malloc(size);
		if (!to) {
			invocation->result =
				error_set(&invocation->error, -ENOMEM,
					  "no memory for a reply of %zu bytes",
					  size);
			return;
		}
	}
	memcpy(to, reply->data, reply->size);
	reply->data = to;
	to += reply->size;
	if (reply->headers_size)
		memcpy(to, reply->headers, reply->headers_size);
	reply->headers = to;
}

/*
 * It has ended on another thread than its worker's: @from's, or, if that is NULL,
 * one of an offload pool.
 */
static void invocation_send_back(struct invocation *invocation,
				 struct worker *from)
{
	struct deployment *deployment = deployment_hold(invocation->deployment);
	const bool was_offloaded = invocation->was_offloaded;
	struct thaw_reply reply;

	invocation_copy_reply(invocation);
	invocation_account(invocation);
	invocation_observe(invocation);
	invocation_leave(invocation);
	reply = invocation->reply;
	invoke_state(&invocation->reply)->vm = NULL;
	invocation->message.deliver = invocation_on_returned;
	io_post(invocation->worker->io, from ? from->io : NULL,
		&invocation->message);
	/* from here on the invocation belongs to its worker */
	if (from)
		invocation_restore_on_worker(from->shared, deployment,
					     was_offloaded, &reply);
	else
		invocation_restore(deployment, &reply);
	deployment_release(deployment);
}

static void invocation_on_returned(struct io_message *message)
{
	struct invocation *invocation = INVOCATION_OF(message, message);

	invocation_tell(invocation);
	invocation_flush(invocation->worker, clock_now_ns());
	invocation_over(invocation);
}

/* Copies a large reply out of the vm, or converts it. */
static void invocation_run_finish(struct offload_work *work)
{
	struct invocation *invocation = INVOCATION_OF(work, work);

	invocation->was_offloaded = true;
	invocation_finish(invocation, NULL);
}

/* Whether what is to be done with its reply would keep a worker. */
static bool invocation_ends_with_much(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->result || !invoke_state(reply)->vm)
		return false;
	if (invoke_typed_is_due(reply))
		return invocation_converts_much(reply->size);
	return invocation_is_large(reply->size) && !invocation->drops_reply;
}

void invocation_refuse(struct invocation *invocation)
{
	invocation_account(invocation);
	invocation_tell(invocation);
	invocation->ended(invocation);
}

HOT void invocation_finish(struct invocation *invocation, struct worker *runner)
{
	struct thaw_reply *reply = &invocation->reply;

	if (invocation->result) {
		invoke_typed_drop(reply);
		invoke_state(reply)->vm = NULL;
	}
	if (runner && invocation_ends_with_much(invocation)) {
		invocation_offload(invocation, invocation_run_finish);
		return;
	}
	if (!invocation->result && invoke_typed_is_due(reply))
		invocation_take_result(invocation);
	if (!runner || runner != invocation->worker) {
		invocation_send_back(invocation, runner);
		return;
	}
	invocation_account(invocation);
	invocation_leave(invocation);
	invocation_tell(invocation);
	invocation_flush(runner, invocation->result ? clock_now_ns() :
						      invoke_end_ns(reply));
	invocation_observe(invocation);
	invocation_restore_on_worker(runner->shared, invocation->deployment,
				     invocation->was_offloaded, reply);
	invocation_over(invocation);
}
