/* invoke_linux.c - see invoke_linux.h. The system calls are done in linux/calls.c. */
#include "executor/invoke_linux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "executor/function.h"
#include "executor/invoke_fault.h"
#include "executor/invoke_request.h"
#include "executor/invoke_state.h"
#include "executor/linux/device.h"
#include "executor/linux/schedule.h"
#include "executor/linux/shim.h"
#include "snapshot/info.h"
#include "vm/exit.h"
#include "vm/vm.h"

#define LINUX_CONTENT_TYPE "application/octet-stream"
/* Of replies to /dev/thaw. */
#define DEVICE_CONTENT_TYPE "application/json"

/* The sink of a process, for the time of one call. */
struct invoke_linux_log {
	struct guest_log log;
	struct thaw_reply *reply;
};

static void invoke_linux_line(void *cookie, const char *text, size_t size)
{
	struct invoke_linux_log *sink = cookie;

	guest_log_hand_over(&sink->log, THAW_LOG_INFO, text, size,
			    &invoke_state(sink->reply)->log);
}

static void invoke_linux_free(void *kept)
{
	linux_process_done(kept);
	free(kept);
}

/* The process of the vm, made for its first invocation. */
static struct linux_process *invoke_linux_process(struct vm *vm)
{
	struct linux_process *process = vm_kept(vm);

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (process)
		vm_keep(vm, process, invoke_linux_free);
	return process;
}

/* Hands the request over: a line of /dev/thaw, or standard input. */
static int invoke_linux_put(struct linux_process *process,
			    const struct thaw_invoke_request *request,
			    size_t reply_max)
{
	const struct device_call call = invoke_request_call(request);

	if (process->device.is_asked)
		return device_request(process, &call, reply_max);
	linux_process_request(process, request->data, request->size, reply_max);
	return 0;
}

/* The clocks that the program reads without a call. */
static int renew_info(struct vm *vm, const struct function *function,
		      struct thaw_info *ret_info)
{
	int r = info_renew(vm, function->clock_skew_ns, ret_info);

	if (r || !function->ahead_ns)
		return r;
	ret_info->monotonic_base_ns += function->ahead_ns;
	return vm_write(vm,
			THAW_GPA_INFO +
				offsetof(struct thaw_info, monotonic_base_ns),
			&ret_info->monotonic_base_ns,
			sizeof(ret_info->monotonic_base_ns));
}

int invoke_linux_begin(struct thaw_reply *reply, struct guest_log log)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;
	struct linux_process *process = invoke_linux_process(state->vm);
	struct invoke_linux_log sink = { log, reply };
	struct thaw_info info;
	int r;

	if (!process)
		return -ENOMEM;
	r = linux_process_restore(process, &function->program->process,
				  state->vm);
	if (!r)
		r = renew_info(state->vm, function, &info);
	if (!r)
		r = invoke_linux_put(process, state->request,
				     function->spec->max_reply);
	if (r)
		return r;
	invoke_request_name(state->request, info.generation, reply);
	process->log = invoke_linux_line;
	process->log_cookie = &sink;
	r = linux_call_pending(process);
	process->log = NULL;
	return r;
}

uint64_t invoke_linux_turn_end(const struct thaw_reply *reply)
{
	return linux_turn_end(vm_kept(invoke_state(reply)->vm));
}

bool invoke_linux_takes(const struct thaw_reply *reply,
			const struct vm_exit *exit)
{
	/* the stub's; only the first exit can be */
	if (exit->kind == VM_EXIT_DOORBELL && exit->bell == THAW_BELL_REFUSED &&
	    reply->exits == 1)
		return false;
	if (exit->kind == VM_EXIT_DEADLINE)
		return clock_now_ns() < invoke_deadline(invoke_state(reply));
	return exit->kind == VM_EXIT_CALL || exit->kind == VM_EXIT_FAULT ||
	       exit->kind == VM_EXIT_DOORBELL;
}

static void invoke_linux_fail(struct thaw_reply *reply, const char *type)
{
	reply->result = THAW_ERROR;
	snprintf(reply->error_type, sizeof(reply->error_type), "%s", type);
}

static void take_output(const struct function *function,
			const struct linux_process *process,
			struct thaw_reply *reply)
{
	const struct buffer *output = &process->request.output;

	if (output->failed) {
		invoke_linux_fail(reply, "Function.ResponseSizeTooLarge");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "the program has written more than max_reply of %zu "
			 "bytes",
			 function->spec->max_reply);
		return;
	}
	reply->result = THAW_OK;
	reply->data = output->data;
	reply->size = output->size;
	strcpy(reply->content_type, LINUX_CONTENT_TYPE);
}

/* The end of stderr usually says what was wrong. */
static void take_status(const struct linux_process *process,
			struct thaw_reply *reply)
{
	size_t used, size = process->tail_size;

	invoke_linux_fail(reply, "Runtime.ExitError");
	used = linux_describe_end(process, reply->error_message,
				  sizeof(reply->error_message));
	if (size && used + 2 < sizeof(reply->error_message))
		used += (size_t)sprintf(reply->error_message + used, ": ");
	while (size && process->tail[size - 1] == '\n')
		size--;
	if (size > sizeof(reply->error_message) - 1 - used)
		size = sizeof(reply->error_message) - 1 - used;
	memcpy(reply->error_message + used, process->tail, size);
	reply->error_message[used + size] = '\0';
	text_clean(reply->error_message, used + size);
}

void invoke_linux_end_log(struct thaw_reply *reply, struct guest_log log)
{
	struct linux_process *process = vm_kept(invoke_state(reply)->vm);
	struct invoke_linux_log sink = { log, reply };

	process->log = invoke_linux_line;
	process->log_cookie = &sink;
	shim_take_output(process);
	linux_process_log_end(process);
	process->log = NULL;
}

/* What it has said to /dev/thaw. */
static void take_device(const struct linux_process *process,
			struct thaw_reply *reply)
{
	struct device_reply said;
	struct error err;
	int r = device_take_reply(process, &err, &said);

	if (r < 0) {
		invoke_linux_fail(reply,
				  r == -E2BIG ?
					  "Function.ResponseSizeTooLarge" :
					  "Function.InvalidResponse");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "%s", err.message);
	} else if (!r) {
		invoke_linux_fail(reply, "Runtime.ExitError");
		strcpy(reply->error_message,
		       "the program exited with status 0 and has not replied "
		       "to " DEVICE_PATH);
	} else if (said.is_error) {
		invoke_linux_fail(reply, said.type);
		strcpy(reply->error_message, said.message);
	} else {
		reply->result = THAW_OK;
		reply->data = process->request.output.data;
		reply->size = device_reply_size(process);
		strcpy(reply->content_type, DEVICE_CONTENT_TYPE);
	}
}

static void take_end(struct thaw_reply *reply, struct linux_process *process)
{
	struct invoke_state *state = invoke_state(reply);
	const struct function *function = state->function;

	linux_process_log_end(process);
	state->clean = true;
	if (process->signal || process->status)
		take_status(process, reply);
	else if (process->device.is_asked)
		take_device(process, reply);
	else
		take_output(function, process, reply);
}

static void take_stuck(struct thaw_reply *reply, struct linux_process *process)
{
	linux_process_log_end(process);
	invoke_linux_fail(reply, "Runtime.Deadlock");
	linux_describe_stuck(process, reply->error_message,
			     sizeof(reply->error_message));
}

/* The host could not do what the program needs. */
static void linux_take_failure(struct thaw_reply *reply, int r)
{
	vm_spoil(invoke_state(reply)->vm);
	invoke_linux_fail(reply, "Runtime.HostError");
	snprintf(reply->error_message, sizeof(reply->error_message),
		 "the host could not do a system call: %s", strerror(-r));
}

/* What follows from calls that were done, or, if @r says so, could not be. */
static bool take_step(struct thaw_reply *reply, struct linux_process *process,
		      int r, enum linux_step step)
{
	struct invoke_state *state = invoke_state(reply);

	if (r) {
		linux_take_failure(reply, r);
		return false;
	}
	switch (step) {
	case LINUX_SLEEP:
		state->wake_ns = process->wake_ns < invoke_deadline(state) ?
					 process->wake_ns :
					 invoke_deadline(state);
		return true;
	case LINUX_STUCK:
		take_stuck(reply, process);
		return false;
	case LINUX_EXIT:
		take_end(reply, process);
		return false;
	default:
		return true;
	}
}

/* Runs a handler of the signal that a fault is, or ends the program. */
static bool linux_take_fault(struct thaw_reply *reply,
			     struct linux_process *process,
			     const struct vm_exit *exit,
			     const struct guest_log *log)
{
	const int r = linux_fault(process, invoke_state(reply)->vm, exit);

	if (r > 0)
		return true;
	if (r < 0) {
		linux_take_failure(reply, r);
		return false;
	}
	linux_process_log_end(process);
	invoke_take_fault(reply, exit, log);
	return false;
}

static bool linux_take_exit(struct thaw_reply *reply,
			    struct linux_process *process,
			    const struct vm_exit *exit,
			    const struct guest_log *log)
{
	struct vm *vm = invoke_state(reply)->vm;
	enum linux_step step;
	int r;

	if (exit->kind == VM_EXIT_FAULT)
		return linux_take_fault(reply, process, exit, log);
	r = exit->kind == VM_EXIT_CALL ?
		    linux_call(process, vm, &step) :
		    linux_preempt(process, vm, exit, &step);
	return take_step(reply, process, r, step);
}

bool invoke_linux_take(struct thaw_reply *reply, const struct vm_exit *exit,
		       struct guest_log log)
{
	struct invoke_state *state = invoke_state(reply);
	struct linux_process *process = vm_kept(state->vm);
	struct invoke_linux_log sink = { log, reply };
	bool goes_on;

	if (exit->kind == VM_EXIT_DOORBELL) {
		invoke_linux_fail(reply, "Runtime.ProtocolError");
		snprintf(reply->error_message, sizeof(reply->error_message),
			 "the program rang the doorbell with %u", exit->bell);
		return false;
	}
	process->log = invoke_linux_line;
	process->log_cookie = &sink;
	goes_on = linux_take_exit(reply, process, exit, &log);
	process->log = NULL;
	/* at a deadline the vcpu may be anywhere */
	if (exit->kind != VM_EXIT_CALL)
		state->clean = false;
	return goes_on;
}

bool invoke_linux_wake(struct thaw_reply *reply, struct guest_log log)
{
	struct invoke_state *state = invoke_state(reply);
	struct linux_process *process = vm_kept(state->vm);
	struct invoke_linux_log sink = { log, reply };
	enum linux_step step;
	bool goes_on;
	int r;

	if (process->step != LINUX_SLEEP)
		return true;
	process->log = invoke_linux_line;
	process->log_cookie = &sink;
	r = linux_wake(process, state->vm, &step);
	goes_on = take_step(reply, process, r, step);
	process->log = NULL;
	return goes_on;
}

bool invoke_linux_ended(const struct thaw_reply *reply, int *ret_status,
			const void **ret_output, size_t *ret_size)
{
	const struct invoke_state *state = invoke_state(reply);
	const struct linux_process *process =
		state->vm && state->function->program ? vm_kept(state->vm) :
							NULL;

	if (!process || process->step != LINUX_EXIT)
		return false;
	*ret_status = process->signal ? LINUX_SIGNAL_STATUS + process->signal :
					process->status;
	if (process->device.is_asked) {
		*ret_output = reply->data;
		*ret_size = reply->size;
	} else {
		*ret_output = process->request.output.data;
		*ret_size = process->request.output.size;
	}
	return true;
}

void invoke_linux_release(const struct thaw_reply *reply)
{
	const struct invoke_state *state = invoke_state(reply);
	struct linux_process *process = vm_kept(state->vm);

	if (process)
		linux_process_release(process,
				      &state->function->program->process);
}
