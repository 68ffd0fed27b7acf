/*
 * invoke.c - one invocation: request in, run, reply out, restore. Runs on the
 * caller's thread. The hot path: request -> here -> vm/run.c or poll.c -> here
 * (reply) -> snapshot/restore.c.
 *
 * Nothing the guest leaves in its mailbox is believed: it is copied once,
 * checked, and then used.
 */
#include "executor/invoke.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "executor/http_headers.h"
#include "executor/invoke_fault.h"
#include "executor/invoke_host.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/invoke_typed.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_http.h"
#include "snapshot/guest_sleep.h"
#include "snapshot/restore.h"
#include "vm/poll.h"
#include "vm/run.h"

#define DEFAULT_CONTENT_TYPE "application/octet-stream"

_Static_assert(sizeof(((struct thaw_reply *)0)->content_type) ==
		       THAW_CONTENT_TYPE_MAX,
	       "what the guest may send fits");
_Static_assert(sizeof(((struct thaw_reply *)0)->error_type) ==
		       THAW_ERROR_TYPE_MAX,
	       "what the guest may send fits");
_Static_assert(THAW_REPLY_HEADERS_SIZE_MAX == THAW_REPLY_HEADERS_MAX,
	       "the limit a caller sees");

/* Copies at most @size - 1 bytes of text, and ends them; returns the length. */
static size_t invoke_copy_text(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
	return length;
}

/* The same for text that must be ASCII. */
static void invoke_copy_ascii(char *to, const char *from, size_t size)
{
	text_clean_ascii(to, invoke_copy_text(to, from, size));
}

static void invoke_fail(struct thaw_reply *reply, enum thaw_result result,
			const char *type, const char *message)
{
	reply->result = result;
	reply->data = NULL;
	reply->size = 0;
	snprintf(reply->error_type, sizeof(reply->error_type), "%s", type);
	snprintf(reply->error_message, sizeof(reply->error_message), "%s",
		 message);
}

/* Copies the headers once and checks the copy. Returns what is wrong, or NULL. */
static const char *take_reply_headers(const struct thaw_mailbox *mailbox,
				      uint32_t size, struct thaw_reply *reply)
{
	char *headers;

	if (size > THAW_REPLY_HEADERS_MAX)
		return "more than 4096 bytes of headers";
	headers = invoke_state(reply)->headers = malloc(size);
	if (!headers)
		return "headers for which there is no memory";
	memcpy(headers, mailbox->headers, size);
	reply->headers = headers;
	reply->headers_size = size;
	return http_headers_reply_fault(headers, size);
}

/* Takes HTTP status and headers. False: they have made the invocation fail. */
static bool take_http(const struct thaw_mailbox *mailbox, uint64_t reply_size,
		      struct thaw_reply *reply)
{
	const uint32_t status =
		__atomic_load_n(&mailbox->http_status, __ATOMIC_RELAXED);
	const uint32_t size =
		__atomic_load_n(&mailbox->headers_size, __ATOMIC_RELAXED);
	const char *fault = NULL;

	_Static_assert(THAW_REPLY_STATUS_MIN == 200 &&
			       THAW_REPLY_STATUS_MAX == 599 &&
			       THAW_REPLY_HEADERS_MAX == 4096,
		       "as the messages say");
	if (status &&
	    (status < THAW_REPLY_STATUS_MIN || status > THAW_REPLY_STATUS_MAX))
		fault = "a status outside 200 to 599";
	else if (size)
		fault = take_reply_headers(mailbox, size, reply);
	reply->status = status;
	if (!fault && !(reply_size && thaw_http_is_bodiless(status)))
		return true;
	reply->status = 0;
	reply->headers = NULL;
	reply->headers_size = 0;
	if (fault) {
		invoke_fail(reply, THAW_ERROR, "Runtime.ProtocolError", "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "the head of the function's reply has %s", fault);
	} else {
		invoke_fail(reply, THAW_ERROR, "Function.InvalidResponse", "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "a reply of status %u has no body, and this one has "
			 "%" PRIu64 " bytes",
			 status, reply_size);
	}
	return false;
}

/* Takes the reply of a guest that says it is done. */
static void take_reply(const struct function *function, struct vm *vm,
		       struct thaw_reply *reply)
{
	const struct layout *layout = snapshot_layout(function->snapshot);
	const struct thaw_mailbox *mailbox =
		vm_view(vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	/* read once: in the cooperative isolation they may still change */
	uint64_t size = __atomic_load_n(&mailbox->reply_size, __ATOMIC_RELAXED);
	uint32_t status = __atomic_load_n(&mailbox->status, __ATOMIC_RELAXED);

	if (status == THAW_STATUS_ERROR) {
		reply->result = THAW_ERROR;
		invoke_copy_ascii(reply->error_type, mailbox->error_type,
				  sizeof(mailbox->error_type));
		text_clean(reply->error_message,
			   invoke_copy_text(reply->error_message,
					    mailbox->error_message,
					    sizeof(mailbox->error_message)));
		return;
	}
	if (status != THAW_STATUS_OK) {
		invoke_fail(reply, THAW_ERROR, "Runtime.ProtocolError",
			    "the function left a status that does not exist");
		return;
	}
	if (size > layout->reply_max) {
		invoke_fail(reply, THAW_ERROR, "Function.ResponseSizeTooLarge",
			    "");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "a reply of %" PRIu64
			 " bytes is larger than max_reply of %zu",
			 size, layout->reply_max);
		return;
	}
	reply->result = THAW_OK;
	reply->data = vm_view(vm, layout->reply.start, size);
	reply->size = size;
	/* the rest of a typed reply is the host's: see invoke_typed_take() */
	if (function->is_typed || !take_http(mailbox, size, reply))
		return;
	invoke_copy_ascii(reply->content_type, mailbox->content_type,
			  sizeof(mailbox->content_type));
	if (!*reply->content_type)
		strcpy(reply->content_type, DEFAULT_CONTENT_TYPE);
}

static void take_timeout(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const uint64_t timeout_ns = state->timeout_ns;

	invoke_fail(reply, THAW_TIMEOUT, "Sandbox.Timedout", "");
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
	invoke_fail(reply, THAW_ERROR, "Runtime.ProtocolError", "");
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
static void invoke_take_lines(struct thaw_reply *reply, bool is_bell)
{
	struct invoke_state *state = invoke_state(reply);
	const struct guest_log log = log_of(reply);

	guest_log_take(&log, state->vm, is_bell, &state->log);
}

/* For an invocation that was cut off: its unfinished lines say how far it came. */
static void take_begun_lines(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct guest_log log = log_of(reply);

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

static enum step invoke_take_exit(struct thaw_reply *reply,
				  const struct vm_exit *exit)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct vm *vm = state->vm;
	int r;

	if (!exit->polled)
		reply->exits++;
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
		take_reply(function, vm, reply);
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

/* Writes the request, so that the next run starts at the entry stub. */
static int invoke_begin(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct vm *vm = state->vm;
	int r = invoke_request_write(function, vm, state->request,
				     invoke_deadline(invoke_state(reply)),
				     reply);

	reply->exits = 0;
	state->log.taken = 0;
	if (!r && state->is_polled)
		poll_start(vm, invoke_deadline(invoke_state(reply)));
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
	int r;

	if (state->is_again || vm_spoiled(vm)) {
		/* not the stub: after a restore it has no reason to */
		take_bell(THAW_BELL_REFUSED, reply);
		return 1;
	}
	state->is_again = true;
	r = snapshot_restore(function->snapshot, vm, false, NULL);
	return r ? r : invoke_begin(reply);
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
static int invoke_run(struct thaw_reply *reply, enum patience wait,
		      struct vm_exit *exit)
{
	struct invoke_state *state = invoke_state(reply);
	const uint64_t slice_end_ns = state->slice_end_ns;
	const uint64_t deadline_ns = invoke_deadline(invoke_state(reply));
	struct vm *vm = state->vm;
	int r;

	if (state->is_polled)
		return wait == WAIT_NOT ? poll_check(vm, exit) :
					  poll_wait(vm, exit);
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
static int invoke_go_on(struct thaw_reply *reply, enum patience wait)
{
	struct invoke_state *state = invoke_state(reply);
	struct vm_exit exit;
	int r;

	for (;;) {
		if (state->is_resting) {
			r = invoke_resume(reply, wait);
			if (r <= 0)
				return r == -ETIMEDOUT ? 1 : r;
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

/* As invoke_go_on(); also ends the invocation if that fails. */
static int invoke_attend(struct thaw_reply *reply, enum patience wait,
			 struct error *err)
{
	struct invoke_state *state = invoke_state(reply);
	int r = invoke_go_on(reply, wait);

	if (!r)
		return 0;
	state->is_pending = false;
	if (state->host)
		invoke_host_done(reply);
	reply->run_ns = clock_now_ns() - state->start_ns;
	if (r > 0 && !state->leaves_result && invoke_typed_is_due(reply))
		invoke_typed_take(reply);
	return r > 0 ? 1 : invoke_give_up(reply, r, "running its vm", err);
}

/* Counts how invocations are dispatched, and how often that changes. */
static void invoke_count(struct function *function, const struct vm *vm,
			 bool polled)
{
	struct function_counts *counts = &function->counts;
	const memory_order relaxed = memory_order_relaxed;

	atomic_fetch_add_explicit(polled ? &counts->polled : &counts->exited, 1,
				  relaxed);
	if (!polled && poll_is_refused(vm))
		atomic_fetch_add_explicit(&counts->no_core, 1, relaxed);
	if (atomic_load_explicit(&counts->is_polled, relaxed) == polled)
		return;
	atomic_store_explicit(&counts->is_polled, polled, relaxed);
	atomic_fetch_add_explicit(polled ? &counts->to_polled :
					   &counts->to_exit,
				  1, relaxed);
}

/* Makes *@reply that of an invocation of @function that will run in @vm. */
static void invoke_prepare(struct function *function, struct vm *vm,
			   const struct thaw_invoke_request *request,
			   uint64_t queued_ns, struct thaw_reply *reply)
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
	state->start_ns = clock_now_ns();
	reply->run_ns = 0;
	reply->queue_ns = state->start_ns - queued_ns;
	state->timeout_ns = function->spec->timeout_ns;
	if (request->timeout_ns && request->timeout_ns < state->timeout_ns)
		state->timeout_ns = request->timeout_ns;
	if (end_ns && end_ns < invoke_deadline(state))
		state->timeout_ns =
			end_ns > state->start_ns ? end_ns - state->start_ns : 1;
}

/* Begins the invocation in @vm. On failure the vm goes back to the pool. */
static int invoke_start_on(struct function *function, struct vm *vm,
			   const struct thaw_invoke_request *request,
			   uint64_t queued_ns, struct error *err,
			   struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	int r;

	invoke_prepare(function, vm, request, queued_ns, reply);
	state->is_polled = poll_claim(vm);
	invoke_count(function, vm, state->is_polled);
	r = invoke_begin(reply);
	return r ? invoke_give_up(reply, r, "writing its request", err) : 0;
}

static int invoke_start_pooled(struct function *function,
			       const struct thaw_invoke_request *request,
			       struct error *err, struct thaw_reply *reply)
{
	const uint64_t queued_ns = clock_now_ns();
	struct vm *vm;
	int r;

	r = invoke_request_check(function, request, err);
	if (!r)
		r = invoke_typed_make(function, request, err, reply);
	if (r)
		return r;
	r = invoke_depth(request) ? pool_acquire_now(function->pool, err, &vm) :
				    pool_acquire(function->pool, err, &vm);
	if (!r)
		return invoke_start_on(function, vm, request, queued_ns, err,
				       reply);
	invoke_typed_drop(reply);
	return r;
}

int invoke_on(struct function *function, struct vm *vm,
	      const struct thaw_invoke_request *request, uint64_t queued_ns,
	      uint64_t slice_ns, struct error *err,
	      struct thaw_reply *ret_reply)
{
	struct invoke_state *state = invoke_state(ret_reply);
	int r = invoke_start_on(function, vm, request, queued_ns, err,
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

size_t invoke_restore_bytes(const struct thaw_reply *reply)
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

int invoke_poll(struct thaw_reply *reply, struct error *err)
{
	const struct invoke_state *state = invoke_state(reply);

	if (state->is_pending)
		return invoke_attend(reply, WAIT_NOT, err);
	if (state->vm)
		return 1;
	return error_set(err, -EINVAL, "this reply has been done with");
}

int invoke(struct function *function, const struct thaw_invoke_request *request,
	   struct error *err, struct thaw_reply *ret_reply)
{
	int r = invoke_start_pooled(function, request, err, ret_reply);

	if (!r)
		r = invoke_attend(ret_reply, WAIT_ALL, err);
	return r < 0 ? r : 0;
}

void invoke_release(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct restore_stats stats = { 0 };
	uint64_t start_ns;

	/* a vm can be restored only when its run is over */
	if (state->vm && state->is_pending)
		invoke_attend(reply, WAIT_ALL, NULL);
	if (!state->vm)
		return;
	start_ns = clock_now_ns();
	pool_release(function->pool, state->vm, state->clean, start_ns, &stats);
	reply->reply_ns = start_ns - invoke_end_ns(reply);
	reply->restore_ns = clock_now_ns() - start_ns;
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
