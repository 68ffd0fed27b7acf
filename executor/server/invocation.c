/*
 * invocation.c - from the queue to the reply: when and where an invocation runs.
 * See invocation.h; the run itself is in executor/invoke.c.
 *
 * Admission: a function has concurrency.max + concurrency.queue invocations at
 * most, wherever they wait; beyond, it is throttled at once. A worker runs one
 * for a slice of time, the inline budget; one that is not over by then, or
 * sleeps, goes on as a job. So do those that need a new vm, and all of a
 * function whose last ones took too long.
 */
#include "executor/server/invocation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/invoke.h"
#include "executor/server/invocation_log.h"
#include "executor/server/server_internal.h"
#include "executor/server/worker.h"
#include "vm/clock.h"

/* Invocations that a worker runs before it looks at its connections. */
#define RUNS_AT_ONCE 16

/* Replies wait so long, at most, to be submitted with others. */
#define FLUSH_NS (20 * NS_PER_US)

/* A worker with polled invocations looks at nothing else for so long. */
#define POLL_NS (10 * NS_PER_US)

/* served.slowness: a run over budget adds, others subtract one. */
#define SLOW_STEP 2
#define SLOW_FROM 4
#define SLOW_MAX 8

static void run_job(struct job *job);
static void on_turn(struct io_message *message);
static void on_returned(struct io_message *message);

#define CONTAINER(pointer, member)       \
	((struct invocation *)(void *)(( \
		char *)(pointer)-offsetof(struct invocation, member)))

static struct server *server_of(const struct invocation *invocation)
{
	return invocation->worker->server;
}

void invocation_queue_init(struct invocation_queue *queue)
{
	*queue = (struct invocation_queue){ .last = &queue->first };
}

static void push(struct invocation_queue *queue, struct invocation *invocation)
{
	invocation->next = NULL;
	*queue->last = invocation;
	queue->last = &invocation->next;
	queue->count++;
}

static struct invocation *pop(struct invocation_queue *queue)
{
	struct invocation *invocation = queue->first;

	queue->first = invocation->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	return invocation;
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

/* Counts, and logs, what it has come to; any thread. */
static void account(const struct invocation *invocation)
{
	struct metrics_function *metrics =
		&invocation->served->counted->metrics;
	const struct thaw_reply *reply = &invocation->reply;

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
		&invocation->served->counted->metrics;
	const struct thaw_reply *reply = &invocation->reply;

	if (invocation->result)
		return;
	metrics_observe(&metrics->duration, reply->queue_ns + reply->run_ns);
	metrics_observe(&metrics->phases[METRICS_QUEUE], reply->queue_ns);
	metrics_observe(&metrics->phases[METRICS_RUN], reply->run_ns);
}

/* Whether this one was over budget tells where the next ones begin. */
static void learn(struct served *served, bool slow)
{
	int32_t now =
		atomic_load_explicit(&served->slowness, memory_order_relaxed);
	int32_t next = slow ? now + SLOW_STEP : now - 1;

	if (next < 0)
		next = 0;
	if (next > SLOW_MAX)
		next = SLOW_MAX;
	/* a lost update is one vote */
	if (next != now)
		atomic_store_explicit(&served->slowness, next,
				      memory_order_relaxed);
}

/*
 * Lets the next one in; before the reply: who has it and asks again at once is
 * not one too many, but waits for the vm. Any thread.
 */
static void leave(const struct invocation *invocation)
{
	struct served *served = invocation->served;

	metrics_subtract(&served->counted->metrics.inflight, 1);
	atomic_fetch_sub_explicit(&served->admitted, 1, memory_order_relaxed);
}

/* Restores the vm, for the next one; any thread. */
static void restore(struct served *served, struct thaw_reply *reply)
{
	struct metrics_function *metrics = &served->counted->metrics;

	if (reply->internal.vm) {
		invoke_done(reply);
		metrics_add(&metrics->restores, 1);
		metrics_add(&metrics->copied_bytes, reply->copied_bytes);
		metrics_observe(&metrics->phases[METRICS_RESTORE],
				reply->restore_ns);
		atomic_store_explicit(&served->restore_ns, reply->restore_ns,
				      memory_order_relaxed);
	}
}

/* It never ran, or thaw failed: on its worker, with result and error set. */
static void refuse(struct invocation *invocation)
{
	account(invocation);
	invocation->replied(invocation);
	invocation->ended(invocation);
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

/* Takes the reply's data along, out of the vm. */
static void copy_reply(struct invocation *invocation)
{
	struct thaw_reply *reply = &invocation->reply;
	char *to = invocation->small;

	if (invocation->result || !reply->size)
		return;
	if (reply->size > sizeof(invocation->small)) {
		to = invocation->copy = malloc(reply->size);
		if (!to) {
			invocation->result =
				error_set(&invocation->error, -ENOMEM,
					  "no memory for a reply of %zu bytes",
					  reply->size);
			return;
		}
	}
	memcpy(to, reply->data, reply->size);
	reply->data = to;
}

/* It has ended in other hands than its worker's, those of @from or a job's. */
static void send_back(struct invocation *invocation, struct worker *from)
{
	struct served *served = served_hold(invocation->served);
	struct thaw_reply reply;

	copy_reply(invocation);
	account(invocation);
	observe(invocation);
	leave(invocation);
	reply = invocation->reply;
	invocation->reply.internal.vm = NULL;
	invocation->message.deliver = on_returned;
	io_post(invocation->worker->io, from ? from->io : NULL,
		&invocation->message);
	/* from here on it is its worker's */
	restore(served, &reply);
	served_release(served);
}

static void on_returned(struct io_message *message)
{
	struct invocation *invocation = CONTAINER(message, message);

	invocation->replied(invocation);
	free(invocation->copy);
	invocation->copy = NULL;
	flush(invocation->worker, clock_now_ns());
	end(invocation);
}

/* It has ended (result 0) or failed, in the hands of @runner. */
static void finish(struct invocation *invocation, struct worker *runner)
{
	struct thaw_reply *reply = &invocation->reply;

	if (invocation->result)
		reply->internal.vm = NULL;
	if (runner != invocation->worker) {
		send_back(invocation, runner);
		return;
	}
	account(invocation);
	leave(invocation);
	invocation->replied(invocation);
	flush(runner,
	      invocation->result ? clock_now_ns() : reply->internal.end_ns);
	observe(invocation);
	restore(invocation->served, reply);
	end(invocation);
}

/* Goes on with it where it may take its time. */
static void offload(struct invocation *invocation)
{
	invocation->job.run = run_job;
	metrics_add(&server_of(invocation)->metrics.offloaded_total, 1);
	jobs_push(server_of(invocation)->jobs, &invocation->job);
}

static void count_start(const struct invocation *invocation,
			enum metrics_start start)
{
	metrics_add(&invocation->served->counted->metrics.starts[start], 1);
}

static int begin(struct invocation *invocation, uint64_t slice_ns)
{
	struct vm *vm = invocation->vm;

	invocation->vm = NULL;
	invocation->begun = true;
	return invoke_on(invocation->served->function, vm, &invocation->request,
			 invocation->arrived_ns, slice_ns, &invocation->error,
			 &invocation->reply);
}

/* Whether it is not over, though it could go on. */
static bool is_stopped(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;

	return !reply->internal.is_polled && !reply->internal.is_resting;
}

/*
 * Begins it for a slice, and goes on while it is not the function that has used
 * that up but others who wanted the CPU: which is found out by half a slice more.
 * Returns as invoke_on().
 */
static int run_slices(struct invocation *invocation)
{
	const uint64_t slice_ns = invocation->served->spec->inline_budget_ns;
	uint64_t before_ns = 0, used_ns = 0;
	int r = begin(invocation, slice_ns);

	while (!r && is_stopped(invocation) && used_ns < slice_ns / 4) {
		before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
		r = invoke_more(&invocation->reply, slice_ns / 2,
				&invocation->error);
		used_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
	}
	return r;
}

/* A job: to its end, however long that takes. */
static void run_job(struct job *job)
{
	struct invocation *invocation = CONTAINER(job, job);
	const uint64_t before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	const bool whole = !invocation->begun;
	int r = whole ? begin(invocation, 0) : 0;

	if (r >= 0)
		r = invoke_wait(&invocation->reply, &invocation->error);
	invocation->result = r < 0 ? r : 0;
	if (invocation->result)
		invocation->reply.internal.vm = NULL;
	else if (whole)
		/* not by the clock: where it runs others come first */
		learn(invocation->served,
		      clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns >
			      invocation->served->spec->inline_budget_ns);
	send_back(invocation, NULL);
}

/* A maker's: a new vm, and the first run in it. */
static void make_and_run(struct job *job)
{
	struct invocation *invocation = CONTAINER(job, job);
	int r = pool_take(invocation->served->function->pool, NULL,
			  &invocation->error, &invocation->vm);

	if (!r) {
		count_start(invocation, METRICS_SNAPSHOT);
		r = run_slices(invocation);
	}
	if (!r) {
		offload(invocation);
		return;
	}
	invocation->result = r < 0 ? r : 0;
	if (invocation->result)
		invocation->reply.internal.vm = NULL;
	send_back(invocation, NULL);
}

/* It has a vm, or leave to make one. */
static void run(struct invocation *invocation)
{
	struct worker *runner = invocation->runner;
	struct served *served = invocation->served;
	int r;

	if (!invocation->vm) {
		invocation->job.run = make_and_run;
		jobs_push(runner->server->makers, &invocation->job);
		return;
	}
	count_start(invocation, METRICS_WARM);
	/*
	 * Those that can be polled begin here nevertheless: it takes no time,
	 * and a vcpu's thread is not to inherit a job's niceness.
	 */
	if (served->function->gate.gate == VM_GATE_NONE &&
	    atomic_load_explicit(&served->slowness, memory_order_relaxed) >=
		    SLOW_FROM) {
		offload(invocation);
		return;
	}
	r = run_slices(invocation);
	if (r) {
		invocation->result = r < 0 ? r : 0;
		learn(served, false);
		finish(invocation, runner);
	} else if (invocation->reply.internal.is_polled) {
		invocation->next = runner->queue.polled;
		runner->queue.polled = invocation;
	} else {
		learn(served, true);
		offload(invocation);
	}
}

/* A vm has become free: said by any thread, to the one that has it. */
static void on_served(struct pool_waiter *waiter)
{
	struct invocation *invocation = CONTAINER(waiter, waiter);

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
			  invocation->served->spec->name);
	finish(invocation, invocation->runner);
}

static void on_turn(struct io_message *message)
{
	struct invocation *invocation = CONTAINER(message, message);

	invocation->in_line = false;
	timer_clear(&invocation->runner->timers, &invocation->timer);
	if (is_abandoned(invocation)) {
		pool_give_back(invocation->served->function->pool,
			       invocation->waiter.vm);
		abandon(invocation);
		return;
	}
	invocation->vm = invocation->waiter.vm;
	run(invocation);
}

/* Nobody had time for it. */
static void time_out(struct invocation *invocation)
{
	const struct catalog_function *spec = invocation->served->spec;

	invocation->result = error_set(
		&invocation->error, -EAGAIN,
		"function %s: not begun within its queue_timeout of %llu ms: "
		"raise concurrency.max or concurrency.queue_timeout, or give "
		"the server more CPUs",
		spec->name,
		(unsigned long long)(spec->concurrency.queue_timeout_ns /
				     NS_PER_MS));
	finish(invocation, invocation->runner);
}

/* False: its turn has come, and is on the way; or it is in no line. */
static bool leave_line(struct invocation *invocation)
{
	if (!invocation->in_line ||
	    !pool_leave(invocation->served->function->pool,
			&invocation->waiter))
		return false;
	invocation->in_line = false;
	return true;
}

static void on_timer(struct timer *timer)
{
	struct invocation *invocation = CONTAINER(timer, timer);

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
	reply->data = invocation->request.data;
	reply->size = invocation->request.size;
	strcpy(reply->content_type, "application/octet-stream");
	reply->error_type[0] = reply->error_message[0] = '\0';
	reply->internal.vm = NULL;
	reply->internal.end_ns = clock_now_ns();
	reply->queue_ns = reply->run_ns = 0;
	strcpy(reply->id, invocation->request.id ? invocation->request.id : "");
	finish(invocation, invocation->runner);
}

/* Its turn in the run queue. */
static void execute(struct invocation *invocation)
{
	struct served *served = invocation->served;
	const uint64_t limit_ns = served->spec->concurrency.queue_timeout_ns;
	int r;

	if (served->is_echo) {
		echo(invocation);
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
	r = pool_try(served->function->pool, &invocation->waiter,
		     &invocation->error, &invocation->vm);
	if (!r) {
		run(invocation);
	} else if (r == -EAGAIN) {
		invocation->in_line = true;
		invocation->timer.fire = on_timer;
		timer_set(&invocation->runner->timers, &invocation->timer,
			  invocation->arrived_ns + limit_ns);
	} else {
		invocation->result = r;
		finish(invocation, invocation->runner);
	}
}

static void on_given(struct io_message *message)
{
	struct invocation *invocation = CONTAINER(message, message);

	push(&invocation->runner->queue, invocation);
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
		invocation = pop(&worker->queue);
		invocation->runner = other;
		invocation->message.deliver = on_given;
		metrics_add(&server->metrics.stolen_total, 1);
		io_post(other->io, worker->io, &invocation->message);
		return;
	}
}

/* Looks at those that run by themselves; true if one has ended. */
static bool look(struct worker *worker, uint64_t now_ns)
{
	struct invocation **at = &worker->queue.polled;
	bool ended = false;

	while (*at) {
		struct invocation *invocation = *at;
		int r = invoke_poll(&invocation->reply, &invocation->error);

		if (!r && now_ns - invocation->reply.internal.start_ns <
				  invocation->served->spec->inline_budget_ns) {
			at = &invocation->next;
			continue;
		}
		*at = invocation->next;
		if (r) {
			invocation->result = r < 0 ? r : 0;
			learn(invocation->served, false);
			finish(invocation, worker);
			ended = true;
		} else {
			learn(invocation->served, true);
			offload(invocation);
		}
	}
	return ended;
}

bool invocations_run(struct worker *worker)
{
	struct invocation_queue *queue = &worker->queue;
	uint64_t now_ns, until_ns;

	for (unsigned i = 0; i < RUNS_AT_ONCE && queue->count; i++) {
		struct invocation *invocation = pop(queue);

		if (queue->count)
			give_away(worker);
		execute(invocation);
	}
	if (queue->polled) {
		now_ns = clock_now_ns();
		until_ns = now_ns + POLL_NS;
		while (!look(worker, now_ns) && queue->polled &&
		       now_ns < until_ns)
			now_ns = clock_now_ns();
	}
	return queue->count || queue->polled;
}

/* Lets it in, if the function has room for it. */
static int admit(struct invocation *invocation)
{
	struct served *served = invocation->served;
	const struct catalog_concurrency *limits = &served->spec->concurrency;
	uint32_t others = atomic_fetch_add_explicit(&served->admitted, 1,
						    memory_order_relaxed);

	if (others < limits->max + limits->queue) {
		metrics_add(&served->counted->metrics.inflight, 1);
		return 0;
	}
	atomic_fetch_sub_explicit(&served->admitted, 1, memory_order_relaxed);
	return error_set(&invocation->error, -EBUSY,
			 "function %s: %u invocations run and %u wait: raise "
			 "concurrency.max or concurrency.queue",
			 served->spec->name, limits->max, limits->queue);
}

static int check(struct invocation *invocation)
{
	struct served *served = invocation->served;

	if (served->is_echo)
		return 0;
	if (!served_is_active(served)) {
		/* why is for the log: it has paths of this machine in it */
		if (atomic_load(&served->state) == FUNCTION_FAILED)
			return error_set(&invocation->error, -ENOEXEC,
					 "function %s could not be deployed: "
					 "the server's log says why",
					 served->spec->name);
		return error_set(&invocation->error, -EINPROGRESS,
				 "function %s is being deployed: try again",
				 served->spec->name);
	}
	return invoke_check(served->function, &invocation->request,
			    &invocation->error);
}

void invocation_start(struct invocation *invocation)
{
	invocation->arrived_ns = clock_now_ns();
	invocation->runner = invocation->worker;
	invocation->begun = false;
	atomic_store_explicit(&invocation->abandoned, false,
			      memory_order_relaxed);
	invocation->vm = NULL;
	invocation->copy = NULL;
	invocation->reply.internal.vm = NULL;
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
	push(&invocation->worker->queue, invocation);
}
