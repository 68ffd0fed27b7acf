/*
 * invocation.c - from the request to a vm: when and on which thread an invocation
 * begins. See invocation.h; how it runs is in invocation_run.c.
 *
 * Admission: a function has concurrency.max + concurrency.queue invocations at
 * most, wherever they wait; beyond, it is throttled at once. Who is let in waits
 * for its function's turn in a worker's queue, then for a vm, for queue_timeout
 * at the most.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/invoke.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/invocation_log.h"
#include "executor/server/server_internal.h"
#include "executor/server/worker.h"

/* What a worker runs before it looks at its connections: so many, for so long. */
#define RUNS_AT_ONCE 16
#define RUNS_NS (200 * NS_PER_US)

/* A worker with polled invocations looks at nothing else for so long. */
#define POLL_NS (10 * NS_PER_US)

static void on_turn(struct io_message *message);

void invocation_queue(struct invocation *invocation)
{
	struct worker *runner = invocation->runner;

	run_queue_push(&runner->queue,
		       &invocation->deployment->lines[runner->index],
		       invocation);
}

void invocation_queue_first(struct invocation *invocation)
{
	struct worker *runner = invocation->runner;

	run_queue_push_first(&runner->queue,
			     &invocation->deployment->lines[runner->index],
			     invocation);
}

/* It never ran, or thaw failed: on its worker, with result and error set. */
static void refuse(struct invocation *invocation)
{
	invocation_account(invocation);
	invocation->replied(invocation);
	invocation->ended(invocation);
}

/* A vm has become free: said by any thread, to the one that has it. */
static void on_served(struct pool_waiter *waiter)
{
	struct invocation *invocation =
		container_of(waiter, struct invocation, waiter);

	invocation->message.deliver = on_turn;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

static bool is_abandoned(const struct invocation *invocation)
{
	return atomic_load_explicit(&invocation->abandoned,
				    memory_order_relaxed);
}

/* It has not begun, and nobody would hear of it. */
static void abandon(struct invocation *invocation)
{
	invocation->result =
		error_set(&invocation->error, -ECANCELED,
			  "function %s: its client has gone before it began",
			  invocation->deployment->spec->name);
	invocation_finish(invocation, invocation->runner);
}

static void on_turn(struct io_message *message)
{
	struct invocation *invocation =
		container_of(message, struct invocation, message);

	invocation->in_line = false;
	invocation->has_turn = true;
	timer_clear(&invocation->runner->timers, &invocation->timer);
	invocation->vm = invocation->waiter.vm;
	invocation_queue_first(invocation);
}

/* It has a vm, or leave to make one. */
static void take_turn(struct invocation *invocation)
{
	if (!is_abandoned(invocation)) {
		invocation_execute(invocation);
		return;
	}
	pool_give_back(invocation->deployment->function->pool, invocation->vm);
	abandon(invocation);
}

/* Nobody had time for it. */
static void time_out(struct invocation *invocation)
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

/* False: its turn has come, and is on the way; or it is in no line. */
static bool leave_line(struct invocation *invocation)
{
	if (!invocation->in_line ||
	    !pool_leave(invocation->deployment->function->pool,
			&invocation->waiter))
		return false;
	invocation->in_line = false;
	return true;
}

static void on_timer(struct timer *timer)
{
	struct invocation *invocation =
		container_of(timer, struct invocation, timer);

	if (leave_line(invocation))
		time_out(invocation);
}

/* It gives up its place among those who wait for a vm: others want it. */
void invocation_abandon(struct invocation *invocation)
{
	atomic_store(&invocation->abandoned, true);
	/* in_line is the runner's, whoever that is */
	if (invocation->runner != invocation->worker || !leave_line(invocation))
		return;
	timer_clear(&invocation->runner->timers, &invocation->timer);
	abandon(invocation);
}

static void echo(struct invocation *invocation)
{
	struct thaw_reply *reply = &invocation->reply;

	reply->result = THAW_OK;
	reply->status = 0;
	reply->headers_size = 0;
	reply->data = invocation->request.data;
	reply->size = invocation->request.size;
	strcpy(reply->content_type, "application/octet-stream");
	reply->error_type[0] = reply->error_message[0] = '\0';
	invoke_state(reply)->vm = NULL;
	invoke_state(reply)->end_ns = clock_now_ns();
	reply->queue_ns = reply->run_ns = 0;
	strcpy(reply->id, invocation->request.id ? invocation->request.id : "");
	invocation_finish(invocation, invocation->runner);
}

/* Its turn in the run queue. */
static void execute(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;
	const uint64_t limit_ns =
		deployment->spec->concurrency.queue_timeout_ns;
	int r;

	metrics_add(&deployment->stats->metrics.turns,
		    invocation->runner->queue.popped - invocation->popped);
	if (invocation->begun) {
		invocation_wake(invocation);
		return;
	}
	if (deployment->is_echo) {
		echo(invocation);
		return;
	}
	if (invocation->has_turn) {
		take_turn(invocation);
		return;
	}
	if (is_abandoned(invocation)) {
		abandon(invocation);
		return;
	}
	if (clock_now_ns() - invocation->arrived_ns > limit_ns) {
		time_out(invocation);
		return;
	}
	invocation->waiter.served = on_served;
	r = pool_try(deployment->function->pool, &invocation->waiter,
		     &invocation->error, &invocation->vm);
	if (!r) {
		invocation_execute(invocation);
	} else if (r == -EAGAIN) {
		invocation->in_line = true;
		invocation->timer.fire = on_timer;
		timer_set(&invocation->runner->timers, &invocation->timer,
			  invocation->arrived_ns + limit_ns);
	} else {
		invocation->result = r;
		invocation_finish(invocation, invocation->runner);
	}
}

static void on_given(struct io_message *message)
{
	struct invocation *invocation =
		container_of(message, struct invocation, message);

	invocation_queue(invocation);
}

/* Gives one that would have to wait here to a worker that sleeps, if any. */
static void give_away(struct worker *worker)
{
	struct server *server = worker->server;
	struct invocation *invocation;
	struct worker *other;

	for (unsigned i = 1; i < server->worker_count; i++) {
		other = &server->workers[(worker->index + i) %
					 server->worker_count];
		if (!io_sleeps(other->io))
			continue;
		run_queue_pop(&worker->queue, &invocation);
		invocation->runner = other;
		invocation->message.deliver = on_given;
		metrics_add(&server->metrics.stolen_total, 1);
		io_post(other->io, worker->io, &invocation->message);
		return;
	}
}

/* Runs the next one, and has its function pay for that; returns the time. */
static uint64_t run_next(struct worker *worker, uint64_t now_ns)
{
	struct run_queue *queue = &worker->queue;
	struct invocation *invocation;
	struct run_line *line = run_queue_pop(queue, &invocation);
	/* the line is its; the invocation may be over, and be the last */
	struct deployment *deployment = deployment_hold(invocation->deployment);
	uint64_t then_ns;

	if (queue->count)
		give_away(worker);
	execute(invocation);
	then_ns = clock_now_ns();
	run_queue_charge(queue, line, then_ns - now_ns);
	deployment_release(deployment);
	return then_ns;
}

bool invocations_run(struct worker *worker)
{
	struct run_queue *queue = &worker->queue;
	uint64_t now_ns = clock_now_ns(), until_ns = now_ns + RUNS_NS;

	for (unsigned i = 0;
	     i < RUNS_AT_ONCE && queue->count && now_ns < until_ns; i++)
		now_ns = run_next(worker, now_ns);
	if (worker->polled) {
		until_ns = now_ns + POLL_NS;
		while (!invocations_look(worker, now_ns) && worker->polled &&
		       now_ns < until_ns)
			now_ns = clock_now_ns();
	}
	return queue->count || worker->polled;
}

/* Lets it in, if the function has room for it. */
static int admit(struct invocation *invocation)
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

static int check(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	if (deployment->is_echo)
		return 0;
	if (!deployment_is_active(deployment))
		return deployment_refusal(deployment, &invocation->error);
	return invoke_request_check(deployment->function, &invocation->request,
				    &invocation->error);
}

/* `small` is written before it is read, and it is large. */
void invocation_init(struct invocation *invocation)
{
	memset(invocation, 0, offsetof(struct invocation, small));
	invocation->log = (struct buffer)BUFFER_INIT(2 * INVOCATION_LOG_KEPT);
}

void invocation_start(struct invocation *invocation)
{
	assert(!invocation->timer.link);
	invocation->arrived_ns = clock_now_ns();
	invocation->runner = invocation->worker;
	invocation->next = NULL;
	invocation->begun = invocation->has_turn = false;
	invocation->was_offloaded = invocation->is_whole = false;
	invocation->in_line = false;
	invocation->used_ns = 0;
	atomic_store_explicit(&invocation->abandoned, false,
			      memory_order_relaxed);
	invocation->vm = NULL;
	invocation->copy = NULL;
	invoke_state(&invocation->reply)->vm = NULL;
	invocation->request.log = invocation_log_line;
	invocation->request.log_cookie = invocation;
	invocation->result = check(invocation);
	if (!invocation->result)
		invocation->result = admit(invocation);
	if (invocation->result) {
		refuse(invocation);
		return;
	}
	invocation->worker->invocation_count++;
	invocation_queue(invocation);
}
