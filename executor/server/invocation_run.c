/*
 * invocation_run.c - where an invocation runs, and for how long. What comes before
 * is in invocation_start.c, the run itself in executor/invoke.c, and what comes
 * after in invocation_end.c.
 *
 * A worker runs an invocation for a slice of time, the inline budget. One that is
 * not over by then goes on on a thread of the offload pool. So does one that needs
 * a new vm, and so do all of a function whose last ones took too long. A thread of
 * the offload pool stops after a slice, too, if others wait for it. An invocation
 * that sleeps is a timer of its runner, wherever it ran.
 */
#include "executor/server/invocation_run.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hot.h"
#include "executor/invoke.h"
#include "executor/invoke_host.h"
#include "executor/invoke_state.h"
#include "executor/server/invocation_end.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/* deployment.slowness: a run over budget adds some, others subtract one. */
#define SLOW_STEP 2
#define SLOW_FROM 4
#define SLOW_MAX 8

static void invocation_run_offloaded(struct offload_work *work);

/* Remembers whether a run was over budget, for where the next ones begin. */
static void invocation_learn(struct deployment *deployment, bool slow)
{
	int32_t now = atomic_load_explicit(&deployment->slowness,
					   memory_order_relaxed);
	int32_t next = slow ? now + SLOW_STEP : now - 1;

	if (next < 0)
		next = 0;
	if (next > SLOW_MAX)
		next = SLOW_MAX;
	/* an update that gets lost is one run of many */
	if (next != now)
		atomic_store_explicit(&deployment->slowness, next,
				      memory_order_relaxed);
}

/* Its sleep, or its time, is over: it waits for its turn again. */
static void invocation_on_wake(struct timer *timer)
{
	struct invocation *invocation = INVOCATION_OF(timer, timer);
	struct thaw_reply *reply = &invocation->reply;

	/* else the answer that it waits for is on its way */
	if (!invoke_state(reply)->is_waiting || invoke_host_withdraw(reply))
		invocation_queue_first(invocation);
}

static void invocation_on_answered(struct io_message *message)
{
	struct invocation *invocation = INVOCATION_OF(message, message);

	timer_clear(&invocation->runner->timers, &invocation->timer);
	invocation_queue_first(invocation);
}

/* The host function that it waits for has answered. Any thread. */
static void invocation_on_answer(void *cookie)
{
	struct invocation *invocation = cookie;

	invocation->message.deliver = invocation_on_answered;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

/* It sleeps, or waits for a host function. On its runner's thread. */
static void invocation_rest(struct invocation *invocation)
{
	struct thaw_reply *reply = &invocation->reply;

	if (invoke_state(reply)->is_waiting &&
	    !invoke_host_notify(reply, invocation_on_answer, invocation)) {
		invocation_queue_first(invocation);
		return;
	}
	invocation->timer.fire = invocation_on_wake;
	timer_set(&invocation->runner->timers, &invocation->timer,
		  invoke_wake_ns(reply));
}

static void invocation_on_rest(struct io_message *message)
{
	invocation_rest(INVOCATION_OF(message, message));
}

/* It sleeps, and its runner is to set the timer. Any thread. */
static void invocation_send_to_rest(struct invocation *invocation)
{
	invocation->message.deliver = invocation_on_rest;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

static void invocation_count_start(const struct invocation *invocation,
				   enum metrics_start start)
{
	metrics_add(&invocation->deployment->stats->metrics.starts[start], 1);
}

static int invocation_begin(struct invocation *invocation, uint64_t slice_ns)
{
	struct vm *vm = invocation->vm;

	invocation->vm = NULL;
	invocation->begun = true;
	return invoke_on(invocation->deployment->function, vm,
			 &invocation->request, invocation->arrived_ns, slice_ns,
			 &invocation->error, &invocation->reply);
}

/* Whether it could go on at once. */
static bool invocation_is_stopped(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;

	return !invoke_state(reply)->is_polled && !invoke_wake_ns(reply);
}

/*
 * Runs it for a slice. If that is not enough, perhaps other threads have used much
 * of the time: it runs for half a slice more, and the CPU time of that tells. It
 * does so a few times only, because a CPU may hold a thread up without counting that
 * as its time, as it does for bus locks. Returns as invoke_on().
 */
HOT static int invocation_run_slices(struct invocation *invocation)
{
	const uint64_t slice_ns =
		invocation->deployment->spec->inline_budget_ns;
	uint64_t before_ns = 0, used_ns = 0;
	int r = invocation->begun ? invoke_more(&invocation->reply, slice_ns,
						&invocation->error) :
				    invocation_begin(invocation, slice_ns);

	for (unsigned more = 0;
	     !r && invocation_is_stopped(invocation) &&
	     more < SERVER_INLINE_MORE && used_ns < slice_ns / 4;
	     more++) {
		before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
		r = invoke_more(&invocation->reply, slice_ns / 2,
				&invocation->error);
		used_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
	}
	return r;
}

/* Runs slices until it is over, or sleeps, or others wait for the thread. */
static int invocation_run_offload_slices(struct invocation *invocation)
{
	struct offload_pool *offload = invocation->worker->shared->offload;
	const uint64_t before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	struct thaw_reply *reply = &invocation->reply;
	int r;

	invocation->was_offloaded = true;
	if (!invocation->begun) {
		invocation->is_whole = true;
		r = invocation_begin(invocation, SERVER_OFFLOAD_SLICE_NS);
	} else {
		r = invoke_more(reply, SERVER_OFFLOAD_SLICE_NS,
				&invocation->error);
	}
	while (!r && !invoke_wake_ns(reply) &&
	       !offload_is_waiting(offload, invocation->deployment->runs))
		r = invoke_more(reply, SERVER_OFFLOAD_SLICE_NS,
				&invocation->error);
	invocation->used_ns +=
		clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
	return r;
}

static void invocation_run_offloaded(struct offload_work *work)
{
	struct invocation *invocation = INVOCATION_OF(work, work);
	struct deployment *deployment = invocation->deployment;
	int r = invocation_run_offload_slices(invocation);

	if (!r && invoke_wake_ns(&invocation->reply)) {
		invocation_send_to_rest(invocation);
		return;
	}
	if (!r) {
		/* behind those that wait; it may be over before this returns */
		(void)offload_push(invocation->worker->shared->offload,
				   deployment->runs, &invocation->work);
		return;
	}
	invocation->result = r < 0 ? r : 0;
	if (!invocation->result && invocation->is_whole)
		/* not by the clock: other threads come first here */
		invocation_learn(deployment,
				 invocation->used_ns >
					 deployment->spec->inline_budget_ns);
	invocation_finish(invocation, NULL);
}

/* Builds a new vm, and runs the first slices in it. */
static void invocation_build_and_run(struct offload_work *work)
{
	struct invocation *invocation = INVOCATION_OF(work, work);
	int r = pool_take(invocation->deployment->function->pool, NULL,
			  &invocation->error, &invocation->vm);

	invocation->was_offloaded = true;
	if (!r) {
		invocation_count_start(invocation, METRICS_SNAPSHOT);
		r = invocation_run_slices(invocation);
	}
	if (!r) {
		if (invoke_wake_ns(&invocation->reply))
			invocation_send_to_rest(invocation);
		else
			invocation_offload(invocation,
					   invocation_run_offloaded);
		return;
	}
	invocation->result = r < 0 ? r : 0;
	invocation_finish(invocation, NULL);
}

/* Goes on with what has run on its runner's thread; @r as of invoke_on(). */
HOT static void invocation_take_up(struct invocation *invocation, int r)
{
	struct worker *runner = invocation->runner;

	if (r) {
		invocation->result = r < 0 ? r : 0;
		invocation_learn(invocation->deployment, false);
		invocation_finish(invocation, runner);
	} else if (invoke_wake_ns(&invocation->reply)) {
		invocation_rest(invocation);
	} else if (invoke_state(&invocation->reply)->is_polled) {
		invocation->polled_ns = clock_now_ns();
		invocation->next_polled = runner->polled;
		runner->polled = invocation;
	} else {
		invocation_learn(invocation->deployment, true);
		invocation_offload(invocation, invocation_run_offloaded);
	}
}

static bool invocation_is_slow(const struct deployment *deployment)
{
	return atomic_load_explicit(&deployment->slowness,
				    memory_order_relaxed) >= SLOW_FROM;
}

static void invocation_run_here(struct invocation *invocation)
{
	invocation_flush_before(invocation);
	invocation_take_up(invocation, invocation_run_slices(invocation));
}

HOT void invocation_run_in_vm(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	if (!invocation->vm) {
		invocation->work.run = invocation_build_and_run;
		invocation_push(invocation->worker->shared->builders,
				deployment, deployment->builds,
				&invocation->work);
		return;
	}
	invocation_count_start(invocation, invocation->is_first ?
						   METRICS_SNAPSHOT :
						   METRICS_WARM);
	/*
	 * One that can be polled begins here though its function is slow: that
	 * takes no time, and another thread could not give it a vcpu's thread.
	 */
	if (invocation_is_large(invocation->request.size) ||
	    (deployment->function->gate.gate == VM_GATE_NONE &&
	     invocation_is_slow(deployment)))
		invocation_offload(invocation, invocation_run_offloaded);
	else
		invocation_run_here(invocation);
}

void invocation_go_on(struct invocation *invocation)
{
	if (invocation->deployment->answer)
		invocation->deployment->answer(invocation);
	else if (invoke_state(&invocation->reply)->is_polled)
		invocation_take_up(invocation, invoke_poll(&invocation->reply,
							   &invocation->error));
	else if (invocation_is_slow(invocation->deployment))
		invocation_offload(invocation, invocation_run_offloaded);
	else
		invocation_run_here(invocation);
}

bool invocations_poll(struct worker *worker, uint64_t now_ns)
{
	struct invocation **at = &worker->polled;
	bool ended = false;

	while (*at) {
		struct invocation *invocation = *at;
		int r = invoke_poll(&invocation->reply, &invocation->error);

		if (!r && !invoke_wake_ns(&invocation->reply) &&
		    now_ns - invocation->polled_ns <
			    invocation->deployment->spec->inline_budget_ns) {
			at = &invocation->next_polled;
			continue;
		}
		*at = invocation->next_polled;
		if (r || invoke_wake_ns(&invocation->reply)) {
			invocation_take_up(invocation, r);
			ended = true;
		} else {
			invocation_learn(invocation->deployment, true);
			invocation_offload(invocation,
					   invocation_run_offloaded);
		}
	}
	return ended;
}
