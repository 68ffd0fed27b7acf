/* invoke_host.c - see invoke_host.h, and host/host_call.h for what is behind it. */
#include "executor/invoke_host.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/offload.h"
#include "executor/function.h"
#include "executor/host/host_call.h"
#include "executor/host/host_function.h"
#include "executor/invoke_state.h"
#include "snapshot/snapshot.h"
#include "vm/vm.h"

/* Of a host that has no memory to say more. */
static int answer_no_memory(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct {
		struct thaw_host_answer head;
		char text[32];
	} answer = { { THAW_HOST_NO_MEMORY, 22 }, "the host has no memory" };

	return vm_write(state->vm,
			snapshot_layout(state->function->snapshot)->result.start,
			&answer, sizeof(answer));
}

static int write_answer(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	struct host_call *call = state->host;
	int r;

	if (!call->answer_size)
		return answer_no_memory(reply);
	r = vm_write(state->vm,
		     snapshot_layout(state->function->snapshot)->result.start,
		     call->answer, call->answer_size);
	host_call_trim(call);
	return r;
}

static struct host_call *call_of(struct offload_work *work)
{
	return (struct host_call *)(void *)((char *)work -
					    offsetof(struct host_call, work));
}

static void run_offloaded(struct offload_work *work)
{
	struct host_call *call = call_of(work);
	struct host_caller *caller = call->facts;

	if (host_call_take(call)) {
		call->run(call);
		host_call_finish(call);
	}
	atomic_fetch_sub(&caller->offloaded, 1);
	host_call_release(call);
}

void invoke_host_offload(struct host_call *call,
			 void (*run)(struct host_call *call))
{
	struct host_caller *caller = call->facts;

	if (atomic_fetch_add(&caller->offloaded, 1) >= HOST_OFFLOADED_MAX) {
		atomic_fetch_sub(&caller->offloaded, 1);
		host_call_fail(call, THAW_HOST_BUSY,
			       "host function %s: %d calls of this function "
			       "run and wait already",
			       call->function->signature.name,
			       HOST_OFFLOADED_MAX);
		host_call_finish(call);
		return;
	}
	call->run = run;
	call->work.run = run_offloaded;
	host_call_queue(host_call_hold(call));
	(void)offload_push(caller->threads, caller->share, &call->work);
}

static void run_given(struct host_call *call)
{
	call->function->call(call->function->cookie, &call->given);
}

/* Runs the function here, or has it run elsewhere. Returns as invoke_host_begin(). */
static int run_function(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	struct host_call *call = state->host;

	call->reply = reply;
	host_call_begin(call);
	switch (call->function->run) {
	case HOST_RUN_OFFLOADED:
		invoke_host_offload(call, run_given);
		break;
	case HOST_RUN_INLINE:
		run_given(call);
		host_call_finish(call);
		break;
	case HOST_RUN_STARTED:
		run_given(call);
		break;
	}
	return invoke_host_end(reply);
}

/* Returns THAW_HOST_OK, or what the answer says. */
static enum thaw_host_status read_call(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct thaw_mailbox *mailbox =
		vm_view(state->vm, THAW_GPA_MAILBOX, sizeof(*mailbox));
	/* read once: in the cooperative isolation they may still change */
	const uint64_t at = __atomic_load_n(&mailbox->call, __ATOMIC_RELAXED);
	const uint64_t size =
		__atomic_load_n(&mailbox->call_size, __ATOMIC_RELAXED);
	const void *bytes = vm_view(state->vm, at, size);

	if (!bytes) {
		host_call_fail(state->host, THAW_HOST_INVALID,
			       "the call is not in memory");
		return THAW_HOST_INVALID;
	}
	return host_call_read(state->host, bytes, size);
}

int invoke_host_begin(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	const struct layout *layout = snapshot_layout(function->snapshot);

	if (!layout->result_max)
		return -ENOENT;
	if (!state->host)
		state->host = host_call_create(function->spec->name, reply->id,
					       invoke_deadline(state),
					       function->spec->host.max_size);
	if (!state->host)
		return answer_no_memory(reply);
	state->host->facts = &state->function->host_caller;
	state->host->depth = invoke_depth(state->request);
	if (read_call(reply) != THAW_HOST_OK ||
	    host_call_choose(state->host, &function->host) != THAW_HOST_OK)
		return write_answer(reply);
	return run_function(reply);
}

int invoke_host_end(struct thaw_reply *reply)
{
	if (!host_call_is_finished(invoke_state(reply)->host))
		return 1;
	return write_answer(reply);
}

bool invoke_host_notify(struct thaw_reply *reply, void (*notify)(void *cookie),
			void *cookie)
{
	return host_call_notify(invoke_state(reply)->host, notify, cookie);
}

bool invoke_host_withdraw(struct thaw_reply *reply)
{
	return host_call_withdraw(invoke_state(reply)->host);
}

void invoke_host_wait(struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);

	host_call_wait(state->host, invoke_deadline(state));
}

const char *invoke_host_name(const struct thaw_reply *reply)
{
	return invoke_state(reply)->host->function->signature.name;
}

void invoke_host_refuse(struct host_call *call, int r, const char *why)
{
	enum thaw_host_status status = THAW_HOST_FAILED;

	if (r == -EBUSY || r == -EAGAIN || r == -EINPROGRESS)
		status = THAW_HOST_BUSY;
	else if (r == -E2BIG)
		status = THAW_HOST_TOO_LARGE;
	else if (r == -ENOMEM)
		status = THAW_HOST_NO_MEMORY;
	else if (r == -EINVAL || r == -ENOSYS)
		status = THAW_HOST_INVALID;
	host_call_fail(call, status, "%s", why);
}

void invoke_host_take(struct host_call *call, const char *function,
		      const struct thaw_reply *reply)
{
	const struct thaw_value result = {
		.type = THAW_TYPE_BYTES,
		.as.bytes = { reply->data, reply->size },
	};

	if (reply->result == THAW_OK)
		host_call_return(call, &result);
	else
		host_call_fail(call, THAW_HOST_FAILED, "function %s: %s: %s",
			       function, reply->error_type,
			       reply->error_message);
}

void invoke_host_done(struct thaw_reply *reply)
{
	struct invoke_state *state = invoke_state(reply);

	host_call_abandon(state->host);
	state->host = NULL;
}
