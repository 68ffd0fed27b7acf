/*
 * invocation_start.c - from the request to a vm: when, and on which worker, an
 * invocation begins. How it runs is in invocation_run.c.
 *
 * Admission: a function has concurrency.max + concurrency.queue invocations at
 * most, wherever they wait; beyond that, an invocation is throttled at once. One
 * that is admitted waits for its function's turn in a worker's queue, and then for
 * a vm, for queue_timeout at most.
 */
#include "executor/server/invocation_start.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/invoke.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/boots.h"
#include "executor/server/growth.h"
#include "executor/server/invocation_end.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/invocation_log.h"
#include "executor/server/invocation_run.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/* A worker runs so many, and for so long, before it looks at its connections. */
#define RUNS_AT_ONCE 16
#define RUNS_NS (200 * NS_PER_US)

/* A worker with polled invocations looks at nothing else for so long. */
#define POLL_NS (10 * NS_PER_US)

static void invocation_on_turn(struct io_message *message);
static void invocation_on_call(struct io_message *message);

/* A vm has become free for it, or leave to build one. Any thread. */
static void invocation_on_served(struct pool_waiter *waiter)
{
	struct invocation *invocation = INVOCATION_OF(waiter, waiter);

	invocation->message.deliver = invocation_on_turn;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

static bool invocation_is_abandoned(const struct invocation *invocation)
{
	return atomic_load_explicit(&invocation->abandoned,
				    memory_order_relaxed);
}

/* It has not begun, and nobody waits for its reply. */
static void invocation_cancel(struct invocation *invocation)
{
	invocation->result =
		error_set(&invocation->error, -ECANCELED,
			  "function %s: its client has gone before it began",
			  invocation->deployment->spec->name);
	invocation_finish(invocation, invocation->runner);
}

static void invocation_on_turn(struct io_message *message)
{
	struct invocation *invocation = INVOCATION_OF(message, message);

	invocation->in_line = false;
	invocation->has_turn = true;
	invocation->is_first = invocation->waiter.is_new;
	timer_clear(&invocation->runner->timers, &invocation->timer);
	invocation->vm = invocation->waiter.vm;
	invocation_queue_first(invocation);
}

/* Its typed call has been made, so its turn goes on. */
static void invocation_on_call(struct io_message *message)
{
	invocation_queue_first(INVOCATION_OF(message, message));
}

/* It has a vm, or leave to build one. */
static void invocation_take_turn(struct invocation *invocation)
{
	if (!invocation_is_abandoned(invocation)) {
		invocation_run_in_vm(invocation);
		return;
	}
	pool_give_back(invocation->deployment->function->pool, invocation->vm);
	invocation_cancel(invocation);
}

/* It has waited for too long. */
static void invocation_time_out(struct invocation *invocation)
{
	const struct catalog_function *spec = invocation->deployment->spec;

	invocation->result = error_set(
		&invocation->error, -EAGAIN,
		"function %s: not begun within its queue_timeout of %llu ms: "
		"raise concurrency.max or concurrency.queue_timeout, or give "
		"the server more CPUs",
		spec->name,
		(unsigned long long)(spec->concurrency.queue_timeout_ns /
				     NS_PER_MS));
	invocation_finish(invocation, invocation->runner);
}

/* False: it is in no line, or its turn has come and is on the way. */
static bool invocation_leave_line(struct invocation *invocation)
{
	if (!invocation->in_line ||
	    !pool_leave(invocation->deployment->function->pool,
			&invocation->waiter))
		return false;
	invocation->in_line = false;
	return true;
}

static void invocation_on_timer(struct timer *timer)
{
	struct invocation *invocation = INVOCATION_OF(timer, timer);

	if (invocation_leave_line(invocation))
		invocation_time_out(invocation);
}

/* False: it does not wait for that, or its time has come and is on the way. */
static bool invocation_leave_load(struct invocation *invocation)
{
	if (!invocation->awaits_load ||
	    !deployment_leave(invocation->deployment, &invocation->load))
		return false;
	invocation->awaits_load = false;
	return true;
}

void invocation_abandon(struct invocation *invocation)
{
	atomic_store(&invocation->abandoned, true);
	/* its waits belong to the runner, which may be another worker */
	if (__atomic_load_n(&invocation->runner, __ATOMIC_RELAXED) !=
		    invocation->worker ||
	    (!invocation_leave_load(invocation) &&
	     !invocation_leave_line(invocation)))
		return;
	timer_clear(&invocation->runner->timers, &invocation->timer);
	invocation_cancel(invocation);
}

/* Notes whether @r, of a look at the request, is the client's fault; returns it. */
static int invocation_judge(struct invocation *invocation, int r)
{
	invocation->is_wrong = r == -EINVAL || r == -ENOSYS;
	return r;
}

/* Makes the typed call of its request. Any thread. */
static int invocation_convert(struct invocation *invocation)
{
	return invocation_judge(
		invocation,
		invoke_typed_make(invocation->deployment->function,
				  &invocation->request, &invocation->error,
				  &invocation->reply));
}

/* On a thread of the offload pool: makes the typed call of a large request. */
static void invocation_run_call(struct offload_work *work)
{
	struct invocation *invocation = INVOCATION_OF(work, work);

	invocation->result = invocation_convert(invocation);
	if (invocation->result) {
		invocation_finish(invocation, NULL);
		return;
	}
	invocation->has_call = true;
	invocation->message.deliver = invocation_on_call;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

/*
 * Makes the typed call of the request, so that a wrong one takes no vm. False: another
 * thread does, or the invocation is over.
 */
static bool invocation_make_call(struct invocation *invocation)
{
	int r;

	if (invocation->has_call)
		return true;
	if (invocation_converts_much(invocation->request.size)) {
		invocation_offload(invocation, invocation_run_call);
		return false;
	}
	r = invocation_convert(invocation);
	if (!r)
		return true;
	invocation->result = r;
	/* it may be gone when this returns */
	invocation_finish(invocation, invocation->runner);
	return false;
}

/*
 * Whether it may wait for a vm. One that another function has called may wait only for
 * one that nobody has, because it is being restored: those who have one could wait for
 * this invocation.
 */
static bool invocation_may_wait(const struct invocation *invocation)
{
	const struct deployment *deployment = invocation->deployment;

	return !invoke_depth(&invocation->request) ||
	       atomic_load_explicit(&deployment->admitted,
				    memory_order_relaxed) <=
		       deployment->spec->concurrency.max;
}

/*
 * Has a vm made for it, while it is in line for the first that is free. Without memory
 * for that, it makes one itself, if it has none yet.
 */
static void invocation_grow(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;
	struct pool *pool = deployment->function->pool;

	invocation->in_line = true;
	if (!growth_push(invocation->worker->shared->builders, deployment))
		return;
	if (!pool_leave(pool, &invocation->waiter)) {
		pool_give_back(pool, NULL);
		return;
	}
	invocation->in_line = false;
	invocation_run_in_vm(invocation);
}

/* Tries to get a vm, or waits for one. */
static void invocation_take_vm(struct invocation *invocation)
{
	const struct deployment *deployment = invocation->deployment;
	int r;

	invocation->waiter.served = invocation_on_served;
	r = pool_try_growing(deployment->function->pool,
			     invocation_may_wait(invocation) ?
				     &invocation->waiter :
				     NULL,
			     &invocation->error, &invocation->vm);
	if (!r) {
		invocation_run_in_vm(invocation);
	} else if (r == -EINPROGRESS) {
		invocation_grow(invocation);
	} else if (r == -EAGAIN) {
		invocation->in_line = true;
		invocation->timer.fire = invocation_on_timer;
		timer_set(&invocation->runner->timers, &invocation->timer,
			  invocation->ready_ns + deployment->spec->concurrency
							 .queue_timeout_ns);
	} else {
		invocation->result = r;
		invocation_finish(invocation, invocation->runner);
	}
}

/* Its turn in the run queue. */
static void invocation_take_from_queue(struct invocation *invocation,
				       uint64_t now_ns)
{
	struct deployment *deployment = invocation->deployment;
	const uint64_t limit_ns =
		deployment->spec->concurrency.queue_timeout_ns;

	metrics_add(&deployment->stats->metrics.turns,
		    invocation->runner->queue.popped -
			    invocation->entry.popped);
	if (invocation->begun) {
		invocation_go_on(invocation);
		return;
	}
	if (invocation->has_turn) {
		invocation_take_turn(invocation);
		return;
	}
	if (invocation_is_abandoned(invocation)) {
		invocation_cancel(invocation);
		return;
	}
	/* it may have arrived since then */
	if (now_ns > invocation->ready_ns + limit_ns) {
		invocation_time_out(invocation);
		return;
	}
	if (invocation_make_call(invocation))
		invocation_take_vm(invocation);
}

static void invocation_on_given(struct io_message *message)
{
	struct invocation *invocation = INVOCATION_OF(message, message);

	invocation_queue(invocation);
}

/* Gives an invocation that would have to wait here to a worker that sleeps. */
static void invocation_give_away(struct worker *worker)
{
	struct shared *shared = worker->shared;
	struct invocation *invocation;
	struct run_entry *entry;
	struct worker *other;

	for (unsigned i = 1; i < shared->worker_count; i++) {
		other = &shared->workers[(worker->index + i) %
					 shared->worker_count];
		if (!io_sleeps(other->io))
			continue;
		run_queue_pop(&worker->queue, &entry);
		invocation = INVOCATION_OF(entry, entry);
		__atomic_store_n(&invocation->runner, other, __ATOMIC_RELAXED);
		invocation->message.deliver = invocation_on_given;
		metrics_add(&shared->metrics.stolen_total, 1);
		io_post(other->io, worker->io, &invocation->message);
		return;
	}
}

/* Runs the next one, and charges its function for it. Returns the time. */
static uint64_t invocation_run_next(struct worker *worker, uint64_t now_ns)
{
	struct run_queue *queue = &worker->queue;
	struct run_entry *entry;
	struct run_line *line = run_queue_pop(queue, &entry);
	struct invocation *invocation = INVOCATION_OF(entry, entry);
	/* has the line; the invocation may hold the last reference, and end */
	struct deployment *deployment = deployment_hold(invocation->deployment);
	uint64_t then_ns;

	if (queue->count)
		invocation_give_away(worker);
	invocation_take_from_queue(invocation, now_ns);
	then_ns = clock_now_ns();
	run_queue_charge(queue, line, then_ns - now_ns);
	deployment_release(deployment);
	return then_ns;
}

HOT bool invocations_run(struct worker *worker)
{
	struct run_queue *queue = &worker->queue;
	uint64_t now_ns, until_ns;

	if (!queue->count && !worker->polled)
		return false;
	now_ns = clock_now_ns();
	until_ns = now_ns + RUNS_NS;
	for (unsigned i = 0;
	     i < RUNS_AT_ONCE && queue->count && now_ns < until_ns; i++)
		now_ns = invocation_run_next(worker, now_ns);
	if (worker->polled) {
		until_ns = now_ns + POLL_NS;
		while (!invocations_poll(worker, now_ns) && worker->polled &&
		       now_ns < until_ns)
			now_ns = clock_now_ns();
	}
	return queue->count || worker->polled;
}

/* Admits it, if the function has room for it. */
static int invocation_admit(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;
	const struct catalog_concurrency *limits =
		&deployment->spec->concurrency;
	uint32_t others = atomic_fetch_add_explicit(&deployment->admitted, 1,
						    memory_order_relaxed);

	if (others < limits->max + limits->queue) {
		metrics_add(&deployment->stats->metrics.inflight, 1);
		return 0;
	}
	atomic_fetch_sub_explicit(&deployment->admitted, 1,
				  memory_order_relaxed);
	return error_set(&invocation->error, -EBUSY,
			 "function %s: %u invocations run and %u wait: raise "
			 "concurrency.max or concurrency.queue",
			 deployment->spec->name, limits->max, limits->queue);
}

/* A function that is not active is refused, unless it answers without a vm. */
static int invocation_check_inactive(struct invocation *invocation)
{
	const struct deployment *deployment = invocation->deployment;

	if (!deployment->answer)
		return deployment_refusal(deployment, &invocation->error);
	/* it waits for its turn then, but for no vm */
	invocation->begun = true;
	return 0;
}

static int invocation_check(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	/* one that has just become active may not be loaded: it is refused as before */
	if (!deployment_is_active(deployment) ||
	    !deployment_function(deployment))
		return invocation_check_inactive(invocation);
	return invocation_judge(invocation,
				invoke_request_check(deployment->function,
						     &invocation->request,
						     &invocation->error));
}

/* For the memory of a typed call. A small one counts with the invocation itself. */
static int invocation_pay(struct invocation *invocation)
{
	const struct deployment *deployment = invocation->deployment;
	struct budget_account *account = invocation->account;
	size_t size;

	invocation->has_call = deployment->answer ||
			       !deployment->function->is_typed;
	if (invocation->has_call || !account ||
	    invocation->request.size <= INVOCATION_SMALL)
		return 0;
	size = invoke_typed_memory(deployment->function, &invocation->request);
	if (!budget_take(account, size))
		return error_set(&invocation->error, -EAGAIN,
				 "function %s: a typed call that takes %zu "
				 "bytes of memory: %s",
				 deployment->spec->name, size,
				 budget_reason(account->refused));
	invocation->charged = size;
	return 0;
}

/* It has been admitted, and its function is loaded, or could not be. */
static void invocation_on_loaded(struct io_message *message)
{
	struct invocation *invocation = INVOCATION_OF(message, message);

	invocation->awaits_load = false;
	invocation->ready_ns = clock_now_ns();
	timer_clear(&invocation->runner->timers, &invocation->timer);
	if (invocation_is_abandoned(invocation)) {
		invocation_cancel(invocation);
		return;
	}
	invocation->result = invocation->load_result;
	if (!invocation->result)
		invocation->result = invocation_check(invocation);
	if (!invocation->result)
		invocation->result = invocation_pay(invocation);
	if (invocation->result)
		invocation_finish(invocation, invocation->runner);
	else
		invocation_queue(invocation);
}

/* A load_waiter's. Any thread. */
static void invocation_load_ended(struct load_waiter *waiter, int result,
				  const struct error *why)
{
	struct invocation *invocation = INVOCATION_OF(waiter, load);

	invocation->load_result = result;
	if (result)
		invocation->error = *why;
	invocation->message.deliver = invocation_on_loaded;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

static void invocation_on_load_timer(struct timer *timer)
{
	struct invocation *invocation = INVOCATION_OF(timer, timer);

	if (!invocation_leave_load(invocation))
		return;
	invocation->result =
		deployment_refusal(invocation->deployment, &invocation->error);
	invocation_finish(invocation, invocation->runner);
}

/* Whether its function is active, but to be loaded first. */
static bool invocation_needs_load(const struct invocation *invocation)
{
	const struct deployment *deployment = invocation->deployment;

	return deployment_is_active(deployment) &&
	       !deployment_function(deployment);
}

/* Admits it, and has it wait until its function is loaded. */
static void invocation_await_load(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;
	bool is_first;

	invocation->result = invocation_admit(invocation);
	if (invocation->result) {
		invocation_refuse(invocation);
		return;
	}
	invocation->worker->invocation_count++;
	invocation->awaits_load = true;
	invocation->timer.fire = invocation_on_load_timer;
	timer_set(&invocation->runner->timers, &invocation->timer,
		  invocation->arrived_ns + SERVER_LOAD_WAIT_NS);
	invocation->load.loaded = invocation_load_ended;
	if (!deployment_await(deployment, &invocation->load, &is_first)) {
		/* it has just been loaded, or has failed */
		invocation->load_result = 0;
		invocation_on_loaded(&invocation->message);
		return;
	}
	if (is_first)
		boots_load(deployment->boots, deployment);
}

HOT void invocation_start(struct invocation *invocation)
{
	assert(!invocation->timer.link);
	invocation->arrived_ns = invocation->ready_ns = clock_now_ns();
	invocation->runner = invocation->worker;
	invocation->begun = invocation->has_turn = false;
	invocation->was_offloaded = invocation->is_whole = false;
	invocation->in_line = invocation->has_call = false;
	invocation->awaits_load = false;
	invocation->is_first = false;
	invocation->is_wrong = false;
	invocation->used_ns = 0;
	atomic_store_explicit(&invocation->abandoned, false,
			      memory_order_relaxed);
	invocation->vm = NULL;
	invocation->copy = NULL;
	invoke_state(&invocation->reply)->vm = NULL;
	invoke_state(&invocation->reply)->typed.memory = NULL;
	invocation->request.log = invocation_log_line;
	invocation->request.log_cookie = invocation;
	atomic_store_explicit(&invocation->deployment->used_ns,
			      invocation->arrived_ns, memory_order_relaxed);
	if (invocation_needs_load(invocation)) {
		invocation_await_load(invocation);
		return;
	}
	invocation->result = invocation_check(invocation);
	if (!invocation->result)
		invocation->result = invocation_pay(invocation);
	if (!invocation->result)
		invocation->result = invocation_admit(invocation);
	if (invocation->result) {
		invocation_refuse(invocation);
		return;
	}
	invocation->worker->invocation_count++;
	invocation_queue(invocation);
}
