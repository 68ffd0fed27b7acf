/*
 * warm_up.c - see warm_up.h. What has been learned here is what the vms to come begin
 * with, until the snapshot learns from one of them: snapshot/hot_set.h.
 */
#include "executor/linux/warm_up.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/boot_run.h"
#include "executor/linux/device.h"
#include "executor/linux/schedule.h"
#include "snapshot/hot_set.h"
#include "snapshot/info.h"
#include "snapshot/restore.h"
#include "snapshot/snapshot.h"
#include "snapshot/start.h"
#include "vm/exit.h"
#include "vm/vm.h"

int linux_warm_request(struct linux_process *process, size_t reply_max)
{
	static const struct device_call nothing = { .body = "null", .size = 4 };
	const struct linux_warm *warm = &process->program->warm;

	if (process->device.is_asked)
		return device_request(process,
				      warm->count ? &warm->call : &nothing,
				      reply_max);
	linux_process_request(process, warm->count ? warm->call.body : "",
			      warm->call.size, reply_max);
	return 0;
}

/* Whether a program that has ended has said something good. */
static int judge_reply(const struct linux_process *process, struct error *err)
{
	const struct linux_warm *warm = &process->program->warm;
	struct device_reply reply = { .is_error = false };
	char ended[128];
	size_t size = process->tail_size;
	int r;

	if (process->status || process->signal) {
		while (size && process->tail[size - 1] == '\n')
			size--;
		linux_describe_end(process, ended, sizeof(ended));
		return error_set(err, -ECANCELED, "%s%s%.*s", ended,
				 size ? ": " : "", (int)size, process->tail);
	}
	if (!process->device.is_asked && process->request.output.failed)
		return error_set(err, -E2BIG,
				 "the program has written more than max_reply "
				 "of %zu bytes",
				 warm->reply_max);
	if (!process->device.is_asked)
		return 0;
	r = device_take_reply(process, err, &reply);
	if (!r)
		return error_set(err, -ECANCELED,
				 "the program has not replied to " DEVICE_PATH);
	if (r > 0 && reply.is_error)
		return error_set(err, -ECANCELED, "%s: %s", reply.type,
				 reply.message);
	return r < 0 ? r : 0;
}

/* Whether a run was good, and if not, why. */
static int judge(const struct boot_run *run, enum boot_end end,
		 const struct layout *layout, struct error *err)
{
	char what[256];

	switch (end) {
	case BOOT_EXIT:
	case BOOT_FULL:
		return judge_reply(run->process, err);
	case BOOT_FAULT:
		vm_describe_exit(&run->exit, layout, what, sizeof(what));
		return error_set(err, -ECANCELED, "%s at %#llx", what,
				 (unsigned long long)run->exit.fault.pc);
	case BOOT_STUCK:
		linux_describe_stuck(run->process, what, sizeof(what));
		return error_set(err, -EDEADLK, "%s", what);
	case BOOT_LATE:
		return error_set(err, -ETIMEDOUT,
				 "the program has not answered it within its "
				 "init_timeout, which begins with its start: "
				 "raise it, or lower count");
	default:
		return boot_stopped(err);
	}
}

/* Begins an invocation, as executor/invoke_linux.c does. */
static int warm_up_begin(const struct linux_process *frozen, struct vm *vm,
			 struct linux_process *process)
{
	struct thaw_info info;
	int r = linux_process_restore(process, frozen, vm);

	if (!r)
		r = info_renew(vm, 0, &info);
	if (!r)
		r = linux_warm_request(process,
				       process->program->warm.reply_max);
	if (!r)
		r = linux_call_pending(process);
	return r;
}

static int warm_up_once(const struct linux_process *frozen,
			const struct snapshot *snapshot, struct boot_run *run,
			struct vm *vm, struct error *err)
{
	struct linux_process *process = run->process;
	enum boot_end end = BOOT_EXIT;
	int r;

	/* what it says at /dev/thaw was logged before the snapshot */
	process->log = frozen->device.is_asked ? NULL : frozen->log;
	process->log_cookie = frozen->log_cookie;
	r = warm_up_begin(frozen, vm, process);
	if (r)
		return error_set(err, r, "beginning a request: %s",
				 strerror(-r));
	/* asking alone may have ended it */
	if (process->step == LINUX_GO_ON)
		r = boot_run(run, vm, err, &end);
	return r ? r : judge(run, end, snapshot_layout(snapshot), err);
}

/* Makes *@vm, which has run or is NULL, ready for a run. */
static int warm_up_vm_ready(struct snapshot *snapshot, struct error *err,
			    struct vm **vm)
{
	if (*vm && !snapshot_restore(snapshot, *vm, false, NULL))
		return 0;
	/* it cannot run again: the next run gets a new one */
	vm_free(*vm);
	*vm = NULL;
	return snapshot_start(snapshot, false, err, vm);
}

static int warm_up_times(const struct linux_process *frozen,
			 struct snapshot *snapshot, struct boot_run *run,
			 struct error *err, struct vm **vm)
{
	const unsigned count = frozen->program->warm.count;
	const unsigned runs = frozen->device.is_asked ? 1 : count;
	int r = 0;

	for (unsigned i = 0; i < runs && !r; i++) {
		r = warm_up_vm_ready(snapshot, err, vm);
		if (r)
			return r;
		r = warm_up_once(frozen, snapshot, run, *vm, err);
		if (r && r != -ESHUTDOWN)
			error_prefix(err, r, "warm_input, run %u of %u", i + 1,
				     runs);
	}
	return r;
}

int linux_warm_up(const struct linux_process *frozen, struct snapshot *snapshot,
		  const struct snapshot_options *options, uint64_t deadline_ns,
		  struct error *err)
{
	struct boot_run run = { .pause = options->pause,
				.deadline_ns = deadline_ns };
	struct vm *vm = NULL;
	int r;

	/* a traced program is to be seen once */
	if (!frozen->program->warm.count || frozen->program->trace.line)
		return 0;
	run.process = calloc(1, sizeof(*run.process));
	if (!run.process)
		return error_set(err, -ENOMEM, "no memory for a process");
	r = warm_up_times(frozen, snapshot, &run, err, &vm);
	if (!r && !snapshot_restore(snapshot, vm, false, NULL))
		hot_set_expect(snapshot, vm);
	linux_process_done(run.process);
	free(run.process);
	vm_free(vm);
	return r;
}
