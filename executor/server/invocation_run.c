/*
 * invocation_run.c - where an invocation runs, for how long, and what comes then:
 * its reply, and a clean vm. See invocation.h; what is before that is in
 * invocation.c, the run itself in executor/invoke.c.
 *
 * A worker runs one for a slice of time, the inline budget, and copies back a
 * bounded number of pages. One that is not over by then goes on as a job, and so
 * does what needs a new vm, and all of a function whose last ones took too long.
 * A job stops after a slice, too, if others wait for its thread. One that sleeps
 * is a timer, wherever it ran.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/invoke.h"
#include "executor/invoke_state.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/invocation_log.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/* Replies wait so long, at most, to be submitted with others. */
#define FLUSH_NS (20 * NS_PER_US)

/* served.slowness: a run over budget adds, others subtract one. */
#define SLOW_STEP 2
#define SLOW_FROM 4
#define SLOW_MAX 8

static void run_offloaded(struct offload_work *work);
static void on_returned(struct io_message *message);

static struct server *server_of(const struct invocation *invocation)
{
	return invocation->worker->server;
}

static enum metrics_outcome outcome_of(const struct thaw_reply *reply)
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

static enum metrics_outcome outcome_of_refusal(int result)
{
	if (result == -EBUSY || result == -EAGAIN)
		return METRICS_THROTTLED;
	return result == -E2BIG ? METRICS_TOO_LARGE : METRICS_FAILED;
}

bool invocation_is_put_off(const struct invocation *invocation)
{
	return invocation->result == -EBUSY || invocation->result == -EAGAIN ||
	       invocation->result == -EINPROGRESS;
}

/* Counts, and logs, what it has come to; any thread. */
void invocation_account(const struct invocation *invocation)
{
	struct metrics_function *metrics =
		&invocation->deployment->stats->metrics;
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->comes_again && invocation_is_put_off(invocation))
		return;
	invocation_log_end(invocation);
	if (invocation->result) {
		metrics_add(&metrics->outcomes[outcome_of_refusal(
				    invocation->result)],
			    1);
		return;
	}
	metrics_add(&metrics->outcomes[outcome_of(reply)], 1);
	metrics_add(&metrics->exits, reply->exits);
}

/* How long it took: when the reply has gone; any thread. */
static void observe(const struct invocation *invocation)
{
	struct metrics_function *metrics =
		&invocation->deployment->stats->metrics;
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->result)
		return;
	metrics_observe(&metrics->duration, reply->queue_ns + reply->run_ns);
	metrics_observe(&metrics->phases[METRICS_QUEUE], reply->queue_ns);
	metrics_observe(&metrics->phases[METRICS_RUN], reply->run_ns);
}

/* Whether this one was over budget tells where the next ones begin. */
static void learn(struct deployment *deployment, bool slow)
{
	int32_t now = atomic_load_explicit(&deployment->slowness,
					   memory_order_relaxed);
	int32_t next = slow ? now + SLOW_STEP : now - 1;

	if (next < 0)
		next = 0;
	if (next > SLOW_MAX)
		next = SLOW_MAX;
	/* a lost update is one vote */
	if (next != now)
		atomic_store_explicit(&deployment->slowness, next,
				      memory_order_relaxed);
}

/*
 * Lets the next one in; before the reply: who has it and asks again at once is
 * not one too many, but waits for the vm. Any thread.
 */
static void leave(const struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	metrics_subtract(&deployment->stats->metrics.inflight, 1);
	atomic_fetch_sub_explicit(&deployment->admitted, 1,
				  memory_order_relaxed);
}

/* Has @work run by one of @offload, for @deployment. */
static void push_work(struct offload_pool *offload,
		      struct deployment *deployment,
		      struct offload_share *share, struct offload_work *work)
{
	deployment_hold(deployment); /* it may be over once it is pushed */
	if (!offload_push(offload, share, work))
		metrics_add(&deployment->stats->metrics.thread_waits, 1);
	deployment_release(deployment);
}

/* Restores the vm, for the next one; any thread. */
static void restore(struct deployment *deployment, struct thaw_reply *reply)
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

/* Goes on with it where it may take its time. */
static void offload(struct invocation *invocation,
		    void (*run)(struct offload_work *work))
{
	struct server *server = server_of(invocation);

	invocation->work.run = run;
	metrics_add(&server->metrics.offloaded_total, 1);
	push_work(server->offload, invocation->deployment,
		  invocation->deployment->runs, &invocation->work);
}

/* A vm that takes long to restore, as a job. */
struct restoration {
	struct offload_work work; /* the first member */
	struct deployment *deployment;
	struct thaw_reply reply;
};

static void run_restoration(struct offload_work *work)
{
	struct restoration *restoration = (struct restoration *)work;

	restore(restoration->deployment, &restoration->reply);
	deployment_release(restoration->deployment);
	free(restoration);
}

/*
 * The same on a worker, which has others to serve: where much is to be
 * copied, a job does it, in the function's own share.
 */
static void restore_on_worker(struct server *server,
			      struct deployment *deployment, bool was_offloaded,
			      struct thaw_reply *reply)
{
	struct restoration *restoration = NULL;

	if (!invoke_state(reply)->vm)
		return;
	/* what a job has run has had the time to write much for the first time */
	if (was_offloaded ||
	    invoke_restore_bytes(reply) > SERVER_INLINE_RESTORE)
		restoration = malloc(sizeof(*restoration));
	if (!restoration) {
		restore(deployment, reply);
		return;
	}
	metrics_add(&deployment->stats->metrics.restores_offloaded, 1);
	restoration->work.run = run_restoration;
	restoration->deployment = deployment_hold(deployment);
	restoration->reply = *reply;
	invoke_state(reply)->vm = NULL;
	push_work(server->offload, deployment, deployment->runs,
		  &restoration->work);
}

/* Nothing refers to it any more. */
static void end(struct invocation *invocation)
{
	invocation->worker->invocation_count--;
	invocation->ended(invocation);
}

/* Submits replies, unless others follow at once. */
static void flush(struct worker *worker, uint64_t now_ns)
{
	if (worker->queue.count && now_ns - worker->flushed_ns < FLUSH_NS)
		return;
	io_flush(worker->io);
	worker->flushed_ns = now_ns;
}

/* What is larger would keep a worker for long. */
static bool is_large(size_t size)
{
	return size > SERVER_INLINE_BYTES;
}

/* Takes the reply's data along, out of the vm, and its headers. */
static void copy_reply(struct invocation *invocation)
{
	struct thaw_reply *reply = &invocation->reply;
	const size_t size = reply->size + reply->headers_size;
	char *to = invocation->small;

	if (invocation->drops_reply)
		reply->size = reply->headers_size = 0;
	if (invocation->result || !size || invocation->drops_reply)
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

/* It has ended in other hands than its worker's, those of @from or a job's. */
static void send_back(struct invocation *invocation, struct worker *from)
{
	struct deployment *deployment = deployment_hold(invocation->deployment);
	const bool was_offloaded = invocation->was_offloaded;
	struct thaw_reply reply;

	copy_reply(invocation);
	invocation_account(invocation);
	observe(invocation);
	leave(invocation);
	reply = invocation->reply;
	invoke_state(&invocation->reply)->vm = NULL;
	invocation->message.deliver = on_returned;
	io_post(invocation->worker->io, from ? from->io : NULL,
		&invocation->message);
	/* from here on it is its worker's */
	if (from)
		restore_on_worker(from->server, deployment, was_offloaded,
				  &reply);
	else
		restore(deployment, &reply);
	deployment_release(deployment);
}

char *invocation_take_copy(struct invocation *invocation)
{
	char *copy = invocation->copy;

	invocation->copy = NULL;
	return copy;
}

static void on_returned(struct io_message *message)
{
	struct invocation *invocation =
		container_of(message, struct invocation, message);

	invocation->replied(invocation);
	free(invocation_take_copy(invocation));
	flush(invocation->worker, clock_now_ns());
	end(invocation);
}

/* A large reply, which is to be copied out of the vm. */
static void run_finish(struct offload_work *work)
{
	struct invocation *invocation =
		container_of(work, struct invocation, work);

	invocation->was_offloaded = true;
	send_back(invocation, NULL);
}

void invocation_finish(struct invocation *invocation, struct worker *runner)
{
	struct thaw_reply *reply = &invocation->reply;

	if (invocation->result)
		invoke_state(reply)->vm = NULL;
	if (invoke_state(reply)->vm && is_large(reply->size) &&
	    !invocation->drops_reply) {
		offload(invocation, run_finish);
		return;
	}
	if (runner != invocation->worker) {
		send_back(invocation, runner);
		return;
	}
	invocation_account(invocation);
	leave(invocation);
	invocation->replied(invocation);
	flush(runner, invocation->result ? clock_now_ns() :
					   invoke_state(reply)->end_ns);
	observe(invocation);
	restore_on_worker(runner->server, invocation->deployment,
			  invocation->was_offloaded, reply);
	end(invocation);
}

/* Its sleep is over: it has to wait for its turn again. */
static void on_wake(struct timer *timer)
{
	struct invocation *invocation =
		container_of(timer, struct invocation, timer);

	invocation_queue_first(invocation);
}

/* It sleeps: on its runner's thread. */
static void rest(struct invocation *invocation)
{
	invocation->timer.fire = on_wake;
	timer_set(&invocation->runner->timers, &invocation->timer,
		  invoke_wake_ns(&invocation->reply));
}

static void on_rest(struct io_message *message)
{
	rest(container_of(message, struct invocation, message));
}

/* It sleeps: its runner has the timer. Any thread. */
static void send_to_rest(struct invocation *invocation)
{
	invocation->message.deliver = on_rest;
	io_post(invocation->runner->io, NULL, &invocation->message);
}

static void count_start(const struct invocation *invocation,
			enum metrics_start start)
{
	metrics_add(&invocation->deployment->stats->metrics.starts[start], 1);
}

static int begin(struct invocation *invocation, uint64_t slice_ns)
{
	struct vm *vm = invocation->vm;

	invocation->vm = NULL;
	invocation->begun = true;
	return invoke_on(invocation->deployment->function, vm,
			 &invocation->request, invocation->arrived_ns, slice_ns,
			 &invocation->error, &invocation->reply);
}

/* Whether it is not over, though it could go on. */
static bool is_stopped(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;

	return !invoke_state(reply)->is_polled && !invoke_wake_ns(reply);
}

/*
 * Runs it for a slice, and on while it is not the function that has used that up
 * but others who wanted the CPU: which is found out by half a slice more. But a
 * few times only: a CPU may hold it up without counting that as its time, as it
 * does for bus locks. Returns as invoke_on().
 */
static int run_slices(struct invocation *invocation)
{
	const uint64_t slice_ns =
		invocation->deployment->spec->inline_budget_ns;
	uint64_t before_ns = 0, used_ns = 0;
	int r = invocation->begun ? invoke_more(&invocation->reply, slice_ns,
						&invocation->error) :
				    begin(invocation, slice_ns);

	for (unsigned more = 0;
	     !r && is_stopped(invocation) && more < SERVER_INLINE_MORE &&
	     used_ns < slice_ns / 4;
	     more++) {
		before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
		r = invoke_more(&invocation->reply, slice_ns / 2,
				&invocation->error);
		used_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
	}
	return r;
}

/* A job's slices: until it is over, or sleeps, or others want the thread. */
static int resume_offloaded(struct invocation *invocation)
{
	struct offload_pool *offload = server_of(invocation)->offload;
	const uint64_t before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	struct thaw_reply *reply = &invocation->reply;
	int r;

	invocation->was_offloaded = true;
	if (!invocation->begun) {
		invocation->is_whole = true;
		r = begin(invocation, SERVER_OFFLOAD_SLICE_NS);
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

static void run_offloaded(struct offload_work *work)
{
	struct invocation *invocation =
		container_of(work, struct invocation, work);
	struct deployment *deployment = invocation->deployment;
	int r = resume_offloaded(invocation);

	if (!r && invoke_wake_ns(&invocation->reply)) {
		send_to_rest(invocation);
		return;
	}
	if (!r) {
		/* behind those who wait; it may be over before this returns */
		(void)offload_push(server_of(invocation)->offload,
				   deployment->runs, &invocation->work);
		return;
	}
	invocation->result = r < 0 ? r : 0;
	if (invocation->result)
		invoke_state(&invocation->reply)->vm = NULL;
	else if (invocation->is_whole)
		/* not by the clock: where it runs others come first */
		learn(deployment,
		      invocation->used_ns > deployment->spec->inline_budget_ns);
	send_back(invocation, NULL);
}

/* A maker's: a new vm, and the first run in it. */
static void make_and_run(struct offload_work *work)
{
	struct invocation *invocation =
		container_of(work, struct invocation, work);
	int r = pool_take(invocation->deployment->function->pool, NULL,
			  &invocation->error, &invocation->vm);

	invocation->was_offloaded = true;
	if (!r) {
		count_start(invocation, METRICS_SNAPSHOT);
		r = run_slices(invocation);
	}
	if (!r) {
		if (invoke_wake_ns(&invocation->reply))
			send_to_rest(invocation);
		else
			offload(invocation, run_offloaded);
		return;
	}
	invocation->result = r < 0 ? r : 0;
	if (invocation->result)
		invoke_state(&invocation->reply)->vm = NULL;
	send_back(invocation, NULL);
}

/* It has run on its runner's thread, which @r is what came of. */
static void take_up(struct invocation *invocation, int r)
{
	struct worker *runner = invocation->runner;

	if (r) {
		invocation->result = r < 0 ? r : 0;
		learn(invocation->deployment, false);
		invocation_finish(invocation, runner);
	} else if (invoke_wake_ns(&invocation->reply)) {
		rest(invocation);
	} else if (invoke_state(&invocation->reply)->is_polled) {
		invocation->polled_ns = clock_now_ns();
		invocation->next = runner->polled;
		runner->polled = invocation;
	} else {
		learn(invocation->deployment, true);
		offload(invocation, run_offloaded);
	}
}

static bool is_slow(const struct deployment *deployment)
{
	return atomic_load_explicit(&deployment->slowness,
				    memory_order_relaxed) >= SLOW_FROM;
}

void invocation_execute(struct invocation *invocation)
{
	struct deployment *deployment = invocation->deployment;

	if (!invocation->vm) {
		invocation->work.run = make_and_run;
		push_work(server_of(invocation)->builders, deployment,
			  deployment->makes, &invocation->work);
		return;
	}
	count_start(invocation, METRICS_WARM);
	/*
	 * Slow ones that can be polled begin here nevertheless: it takes no
	 * time, and a job could not give them a vcpu's thread.
	 */
	if (is_large(invocation->request.size) ||
	    (deployment->function->gate.gate == VM_GATE_NONE &&
	     is_slow(deployment)))
		offload(invocation, run_offloaded);
	else
		take_up(invocation, run_slices(invocation));
}

void invocation_wake(struct invocation *invocation)
{
	if (invoke_state(&invocation->reply)->is_polled)
		take_up(invocation,
			invoke_poll(&invocation->reply, &invocation->error));
	else if (is_slow(invocation->deployment))
		offload(invocation, run_offloaded);
	else
		take_up(invocation, run_slices(invocation));
}

bool invocations_look(struct worker *worker, uint64_t now_ns)
{
	struct invocation **at = &worker->polled;
	bool ended = false;

	while (*at) {
		struct invocation *invocation = *at;
		int r = invoke_poll(&invocation->reply, &invocation->error);

		if (!r && !invoke_wake_ns(&invocation->reply) &&
		    now_ns - invocation->polled_ns <
			    invocation->deployment->spec->inline_budget_ns) {
			at = &invocation->next;
			continue;
		}
		*at = invocation->next;
		if (r || invoke_wake_ns(&invocation->reply)) {
			take_up(invocation, r);
			ended = true;
		} else {
			learn(invocation->deployment, true);
			offload(invocation, run_offloaded);
		}
	}
	return ended;
}
