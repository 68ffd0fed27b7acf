/*
 * invoke.c - one invocation: request in, run, reply out, restore. Runs on the
 * caller's thread. The hot path: request -> here -> vm/run.c or poll.c ->
 * invoke_reply.c -> snapshot/restore.c.
 */
#include "executor/invoke.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/invoke_fault.h"
#include "executor/invoke_host.h"
#include "executor/invoke_linux.h"
#include "executor/invoke_reply.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "guest/abi/thaw_abi.h"
#include "snapshot/guest_sleep.h"
#include "snapshot/restore.h"
#include "vm/poll.h"
#include "vm/run.h"

static void take_timeout(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const uint64_t timeout_ns = state->timeout_ns;

	invoke_reply_fail(reply, THAW_TIMEOUT, "Sandbox.Timedout", "");
	snprintf(reply->error_message, sizeof(reply->error_message),
		 "not done within its timeout of %" PRIu64 ".%03" PRIu64
		 " ms%s%s%s",
		 timeout_ns / NS_PER_MS, timeout_ns % NS_PER_MS / NS_PER_US,
		 state->is_waiting ? ": host function " : "",
		 state->is_waiting ? invoke_host_name(reply) : "",
		 state->is_waiting ? " has not answered" : "");
}

static void take_bell(uint32_t bell, struct thaw_reply *reply)
{
	invoke_reply_fail(reply, THAW_ERROR, "Runtime.ProtocolError", "");
	snprintf(reply->error_message, sizeof(reply->error_message),
		 "the function rang the doorbell with %u", bell);
}

static void invoke_log_line(void *cookie, enum thaw_level level,
			    const char *text, size_t size)
{
	const struct thaw_reply *reply = cookie;
	const struct invoke_state *state = invoke_state(reply);
	const struct thaw_invoke_request *request = state->request;

	request->log(request->log_cookie, state->function->spec->name, level,
		     text, size);
}

/* Where the invocation's log lines go. */
static struct guest_log log_of(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;

	if (!state->request->log)
		return function->log;
	return (struct guest_log){ invoke_log_line, reply,
				   function->spec->log_level };
}

/* Takes its log lines; the guest has rung the doorbell, or was stopped anywhere. */
HOT static void invoke_take_lines(struct thaw_reply *reply, bool is_bell)
{
	struct invoke_state *state = invoke_state(reply);
	struct guest_log log;

	/* a program has no mailbox */
	if (state->function->program || !guest_log_has_lines(state->vm))
		return;
	log = log_of(reply);
	guest_log_take(&log, state->vm, is_bell, &state->log);
}

/* For an invocation that was cut off: its unfinished lines say how far it came. */
static void take_begun_lines(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct guest_log log = log_of(reply);

	if (state->function->program) {
		invoke_linux_end_log(reply, log);
		return;
	}
	guest_log_take_begun(&log, state->vm,
			     snapshot_lines(state->function->snapshot),
			     &state->log);
}

static void take_fault(struct thaw_reply *reply, const struct vm_exit *exit)
{
	const struct guest_log log = log_of(reply);

	invoke_take_fault(reply, exit, &log);
}

/* What the end of a run means for the invocation. */
enum step {
	STEP_ENDED,
	STEP_RUN,     /* continue after a log line or a sleep */
	STEP_REFUSED, /* the entry stub has not entered the function */
};

HOT static enum step invoke_take_exit(struct thaw_reply *reply,
				      const struct vm_exit *exit)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct vm *vm = state->vm;
	int r;

	if (!exit->polled)
		reply->exits++;
	if (function->program && invoke_linux_takes(reply, exit))
		return invoke_linux_take(reply, exit, log_of(reply)) ?
			       STEP_RUN :
			       STEP_ENDED;
	invoke_take_lines(reply, exit->kind == VM_EXIT_DOORBELL);
	if (exit->kind != VM_EXIT_DOORBELL)
		take_begun_lines(reply);
	if (exit->kind == VM_EXIT_DEADLINE) {
		take_timeout(reply);
		return STEP_ENDED;
	}
	if (exit->kind != VM_EXIT_DOORBELL) {
		take_fault(reply, exit);
		return STEP_ENDED;
	}
	switch (exit->bell) {
	case THAW_BELL_DONE:
		state->clean = true;
		invoke_reply_take(function, vm, reply);
		return STEP_ENDED;
	case THAW_BELL_LOG:
		return STEP_RUN;
	case THAW_BELL_CALL:
		r = invoke_host_begin(reply);
		if (r < 0)
			break;
		state->is_waiting = r > 0;
		return STEP_RUN;
	case THAW_BELL_SLEEP:
		state->wake_ns =
			guest_sleep_end(vm,
					invoke_deadline(invoke_state(reply)));
		return STEP_RUN;
	case THAW_BELL_REFUSED:
		if (reply->exits == 1)
			return STEP_REFUSED;
		break;
	}
	take_begun_lines(reply);
	take_bell(exit->bell, reply);
	return STEP_ENDED;
}

/* Writes the request, so that the next run, from @now on, starts at the entry stub. */
HOT static int invoke_begin(struct thaw_reply *reply,
			    const struct vm_moment *now)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct vm *vm = state->vm;
	int r = function->program ?
			invoke_linux_begin(reply, log_of(reply)) :
			invoke_request_write(function, vm, state->request, now,
					     invoke_deadline(state), reply);

	reply->exits = 0;
	state->log.taken = 0;
	if (!r && state->is_polled)
		poll_start(vm, invoke_deadline(state));
	return r;
}

/*
 * For a stub that has found state of the previous invocation that it cannot reset:
 * restores the vm completely and tries the request again, once.
 */
static int invoke_begin_again(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct vm *vm = state->vm;
	struct vm_moment now;
	int r;

	if (state->is_again || vm_spoiled(vm)) {
		/* not the stub: after a restore it has no reason to */
		take_bell(THAW_BELL_REFUSED, reply);
		return 1;
	}
	state->is_again = true;
	r = snapshot_restore(function->snapshot, vm, false, NULL);
	now = vm_now();
	return r ? r : invoke_begin(reply, &now);
}

/* How long a call may wait for an invocation. */
enum patience {
	WAIT_NOT, /* look at a polled one; run another one for a slice */
	WAIT_RUN, /* until it exits; the caller waits while it sleeps */
	WAIT_ALL, /* until it has ended */
};

/*
 * Runs the vm. Returns 0 and *@exit once it has exited; 1 if it has not yet, or has
 * used up its slice; or -errno.
 */
HOT static int invoke_run(struct thaw_reply *reply, enum patience wait,
			  struct vm_exit *exit)
{
	struct invoke_state *state = invoke_state(reply);
	const uint64_t slice_end_ns = state->slice_end_ns;
	const uint64_t deadline_ns = invoke_deadline(invoke_state(reply));
	const uint64_t turn_end_ns = state->function->program ?
					     invoke_linux_turn_end(reply) :
					     UINT64_MAX;
	struct vm *vm = state->vm;
	int r;

	if (state->is_polled)
		return wait == WAIT_NOT ? poll_check(vm, exit) :
					  poll_wait(vm, exit);
	if (turn_end_ns < deadline_ns &&
	    (wait == WAIT_ALL || !slice_end_ns || turn_end_ns < slice_end_ns))
		return vm_run_slice(vm, turn_end_ns, exit);
	state->slice_end_ns = 0;
	if (wait == WAIT_ALL || !slice_end_ns || slice_end_ns >= deadline_ns)
		return vm_run(vm, deadline_ns, exit);
	r = vm_run_slice(vm, slice_end_ns, exit);
	if (!r && exit->kind == VM_EXIT_DEADLINE) {
		invoke_take_lines(reply, false);
		return clock_now_ns() < deadline_ns;
	}
	state->slice_end_ns = slice_end_ns;
	return r;
}

/*
 * Prepares the next run of an invocation that has logged a line, called the host, or
 * sleeps. Returns 1 if it can run; 0 if it still sleeps, or waits for the host;
 * -ETIMEDOUT if its time is over, and then the reply says so; or another -errno.
 */
static int invoke_resume(struct thaw_reply *reply, enum patience wait)
{
	struct invoke_state *state = invoke_state(reply);
	const uint64_t wake_ns = state->wake_ns;
	int r;

	if (state->is_waiting) {
		if (wait == WAIT_ALL)
			invoke_host_wait(reply);
		r = invoke_host_end(reply);
		if (r > 0 &&
		    clock_now_ns() < invoke_deadline(invoke_state(reply)))
			return 0;
		if (r < 0)
			return r;
		state->is_waiting = r > 0;
	}
	if (wake_ns && wait != WAIT_ALL && clock_now_ns() < wake_ns)
		return 0;
	if (wake_ns)
		guest_sleep(wake_ns);
	state->wake_ns = 0;
	state->is_resting = false;
	if (clock_now_ns() >= invoke_deadline(invoke_state(reply))) {
		take_begun_lines(reply);
		take_timeout(reply);
		return -ETIMEDOUT;
	}
	if (state->is_polled)
		poll_start(state->vm, invoke_deadline(invoke_state(reply)));
	return 1;
}

/*
 * Runs the invocation on, from exit to exit, and waits as @wait says. Returns 1 if
 * it has ended, 0 if it has not, or -errno.
 */
HOT static int invoke_go_on(struct thaw_reply *reply, enum patience wait)
{
	struct invoke_state *state = invoke_state(reply);
	struct vm_exit exit;
	int r;

	for (;;) {
		if (state->is_resting) {
			r = invoke_resume(reply, wait);
			if (r <= 0)
				return r == -ETIMEDOUT ? 1 : r;
			if (state->function->program &&
			    !invoke_linux_wake(reply, log_of(reply)))
				return 1;
			state->is_resting = state->wake_ns;
			if (state->is_resting)
				continue;
		}
		r = invoke_run(reply, wait, &exit);
		if (r)
			return r > 0 ? 0 : r;
		switch (invoke_take_exit(reply, &exit)) {
		case STEP_ENDED:
			return 1;
		case STEP_RUN:
			state->is_resting = true;
			break;
		case STEP_REFUSED:
			r = invoke_begin_again(reply);
			if (r)
				return r;
			break;
		}
	}
}

/*
 * Ends an invocation because the host has failed at @what. The vm is in an unknown
 * state, so it is not used again.
 */
static int invoke_give_up(struct thaw_reply *reply, int r, const char *what,
			  struct error *err)
{
	struct invoke_state *state = invoke_state(reply);

	state->is_pending = false;
	vm_spoil(state->vm);
	invoke_release(reply);
	return error_set(err, r, "function %s: %s: %s",
			 state->function->spec->name, what, strerror(-r));
}

/*
 * The time from @from to @to, values of the host's counter, if it is short, and the
 * invocation has ended by its own; else the time from @from_ns to now. Reading the
 * counter takes a third of the time that reading the clock takes.
 */
HOT static uint64_t time_between(const struct thaw_reply *reply, uint64_t from,
				 uint64_t to, uint64_t from_ns)
{
	const struct invoke_state *state = invoke_state(reply);
	const uint64_t ns = vm_counter_ns(state->vm, from, to);

	return state->clean && ns < NS_PER_S ? ns : clock_now_ns() - from_ns;
}

/* As invoke_go_on(); also ends the invocation if that fails. */
HOT static int invoke_attend(struct thaw_reply *reply, enum patience wait,
			     struct error *err)
{
	struct invoke_state *state = invoke_state(reply);
	int r = invoke_go_on(reply, wait);

	if (!r)
		return 0;
	state->is_pending = false;
	if (state->host)
		invoke_host_done(reply);
	reply->run_ns = time_between(reply, vm_begun_at(state->vm),
				     vm_ended_at(state->vm), state->start_ns);
	if (r > 0 && !state->leaves_result && invoke_typed_is_due(reply))
		invoke_typed_take(reply);
	return r > 0 ? 1 : invoke_give_up(reply, r, "running its vm", err);
}

/* Makes *@reply that of an invocation of @function that will run in @vm, from @now_ns on. */
HOT static void invoke_prepare(struct function *function, struct vm *vm,
			       const struct thaw_invoke_request *request,
			       uint64_t queued_ns, uint64_t now_ns,
			       struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const uint64_t end_ns = invoke_end_of(request);

	reply->content_type[0] = '\0';
	reply->error_type[0] = reply->error_message[0] = '\0';
	reply->status = 0;
	reply->headers = state->headers = NULL;
	reply->headers_size = 0;
	reply->data = NULL;
	reply->size = 0;
	reply->reply_ns = reply->restore_ns = 0;
	reply->dirty_pages = reply->hot_pages = 0;
	reply->copied_bytes = 0;
	state->function = function;
	state->vm = vm;
	state->request = request;
	state->clean = state->is_again = false;
	state->is_resting = state->is_waiting = false;
	state->leaves_result = false;
	state->host = NULL;
	state->log = (struct guest_log_progress){ 0 };
	state->slice_end_ns = state->wake_ns = 0;
	state->is_pending = true;
	state->start_ns = now_ns;
	reply->run_ns = 0;
	reply->queue_ns = state->start_ns - queued_ns;
	state->timeout_ns = function->spec->timeout_ns;
	if (request->timeout_ns && request->timeout_ns < state->timeout_ns)
		state->timeout_ns = request->timeout_ns;
	if (end_ns && end_ns < invoke_deadline(state))
		state->timeout_ns =
			end_ns > state->start_ns ? end_ns - state->start_ns : 1;
}

/* Begins the invocation in @vm, now. On failure the vm goes back to the pool. */
HOT static int invoke_start_on(struct function *function, struct vm *vm,
			       const struct thaw_invoke_request *request,
			       uint64_t queued_ns, const struct vm_moment *now,
			       struct error *err, struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	int r;

	invoke_prepare(function, vm, request, queued_ns, now->monotonic_ns,
		       reply);
	vm_set_begun(vm, now);
	state->is_polled = poll_claim(vm);
	function_count(function, state->is_polled, poll_is_refused(vm));
	if (vm_dirty(vm)->is_shrunk)
		snapshot_refill(function->snapshot, vm);
	r = invoke_begin(reply, now);
	return r ? invoke_give_up(reply, r, "writing its request", err) : 0;
}

HOT static int invoke_start_pooled(struct function *function,
				   const struct thaw_invoke_request *request,
				   struct error *err, struct thaw_reply *reply)
{
	struct vm_moment now = vm_now();
	const uint64_t queued_ns = now.monotonic_ns;
	bool was_idle;
	struct vm *vm;
	int r;

	r = invoke_request_check(function, request, err);
	if (!r)
		r = invoke_typed_make(function, request, err, reply);
	if (r)
		return r;
	vm = pool_acquire_idle(function->pool);
	was_idle = vm;
	if (!was_idle)
		r = invoke_depth(request) ?
			    pool_acquire_now(function->pool, err, &vm) :
			    pool_acquire(function->pool, err, &vm);
	if (r) {
		invoke_typed_drop(reply);
		return r;
	}
	/* what took no time needs no second look at the clock */
	if (function->is_typed || !was_idle)
		now = vm_now();
	return invoke_start_on(function, vm, request, queued_ns, &now, err,
			       reply);
}

HOT int invoke_on(struct function *function, struct vm *vm,
		  const struct thaw_invoke_request *request, uint64_t queued_ns,
		  uint64_t slice_ns, struct error *err,
		  struct thaw_reply *ret_reply)
{
	const struct vm_moment now = vm_now();
	struct invoke_state *state = invoke_state(ret_reply);
	int r = invoke_start_on(function, vm, request, queued_ns, &now, err,
				ret_reply);

	if (r)
		return r;
	state->leaves_result = true;
	if (slice_ns)
		state->slice_end_ns = state->start_ns + slice_ns;
	return invoke_attend(ret_reply, WAIT_NOT, err);
}

int invoke_more(struct thaw_reply *reply, uint64_t slice_ns, struct error *err)
{
	invoke_state(reply)->slice_end_ns = clock_now_ns() + slice_ns;
	return invoke_attend(reply, WAIT_RUN, err);
}

uint64_t invoke_wake_ns(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);

	if (!state->is_resting)
		return 0;
	return state->is_waiting ? invoke_deadline(state) : state->wake_ns;
}

HOT size_t invoke_restore_bytes(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);

	return vm_dirty(state->vm)->count *
	       snapshot_page_size(state->function->snapshot);
}

int invoke_wait(struct thaw_reply *reply, struct error *err)
{
	int r = invoke_state(reply)->is_pending ?
			invoke_attend(reply, WAIT_ALL, err) :
			0;

	return r < 0 ? r : 0;
}

int invoke_start(struct function *function,
		 const struct thaw_invoke_request *request, struct error *err,
		 struct thaw_reply *ret_reply)
{
	int r = invoke_start_pooled(function, request, err, ret_reply);

	return r ? r : invoke_attend(ret_reply, WAIT_NOT, err);
}

int invoke_start_slice(struct function *function,
		       const struct thaw_invoke_request *request,
		       uint64_t slice_ns, struct error *err,
		       struct thaw_reply *ret_reply)
{
	struct invoke_state *state = invoke_state(ret_reply);
	int r = invoke_start_pooled(function, request, err, ret_reply);

	if (r)
		return r;
	state->slice_end_ns = state->start_ns + slice_ns;
	return invoke_attend(ret_reply, WAIT_NOT, err);
}

int invoke_poll(struct thaw_reply *reply, struct error *err)
{
	const struct invoke_state *state = invoke_state(reply);

	if (state->is_pending)
		return invoke_attend(reply, WAIT_NOT, err);
	if (state->vm)
		return 1;
	return error_set(err, -EINVAL, "this reply has been done with");
}

HOT int invoke(struct function *function,
	       const struct thaw_invoke_request *request, struct error *err,
	       struct thaw_reply *ret_reply)
{
	int r = invoke_start_pooled(function, request, err, ret_reply);

	if (!r)
		r = invoke_attend(ret_reply, WAIT_ALL, err);
	return r < 0 ? r : 0;
}

HOT void invoke_release(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct restore_stats stats = { 0 };
	struct vm_moment now = { 0 };

	/* a vm can be restored only when its run is over */
	if (state->vm && state->is_pending)
		invoke_attend(reply, WAIT_ALL, NULL);
	if (!state->vm)
		return;
	now.counter = vm_counter_now();
	reply->reply_ns = time_between(reply, vm_ended_at(state->vm),
				       now.counter, invoke_end_ns(reply));
	now.monotonic_ns = invoke_end_ns(reply) + reply->reply_ns;
	if (function->program)
		invoke_linux_release(reply);
	pool_release(function->pool, state->vm, state->clean, &now, &stats);
	reply->restore_ns = stats.took_ns;
	reply->dirty_pages = (unsigned)stats.dirty_pages;
	reply->hot_pages = (unsigned)stats.hot_pages;
	reply->copied_bytes =
		stats.copied_pages * snapshot_page_size(function->snapshot);
	if (state->headers)
		free(state->headers);
	state->headers = NULL;
	typed_call_done(&state->typed);
	state->vm = NULL;
	reply->headers = NULL;
	reply->headers_size = 0;
	reply->data = NULL;
}
