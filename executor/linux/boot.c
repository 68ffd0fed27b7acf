/* boot.c - see boot.h. Runs on the thread that deploys. */
#include "executor/linux/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/boot_run.h"
#include "executor/linux/device.h"
#include "executor/linux/file_stdio.h"
#include "executor/linux/load.h"
#include "executor/linux/schedule.h"
#include "executor/linux/seen.h"
#include "executor/linux/shim.h"
#include "executor/linux/sites.h"
#include "executor/linux/warm_up.h"
#include "snapshot/snapshot.h"
#include "vm/exit.h"
#include "vm/run.h"

/* A program on its way to its snapshot. */
struct linux_boot {
	const struct linux_program *program;
	const struct layout *layout;
	const struct snapshot_options *options;
	struct linux_process *process;
	uint64_t deadline_ns;
	struct guest_log_progress log;
	struct sites sites;
};

/* How long, and with how much output, it is tried out. */
#define TRY_OUT_NS (100 * NS_PER_MS)
#define TRY_OUT_OUTPUT_MAX (64u << 10)

static void log_boot_line(void *cookie, const char *text, size_t size)
{
	struct linux_boot *boot = cookie;

	guest_log_hand_over(&boot->options->log, THAW_LOG_INFO, text, size,
			    &boot->log);
}

static int load_program(void *cookie, uint8_t *memory, struct error *err,
			struct thaw_frame *ret_frame)
{
	struct linux_boot *boot = cookie;

	if (linux_process_init(boot->process, boot->program, boot->layout,
			       memory))
		return error_set(err, -ENOMEM, "no memory for a process");
	file_stdio_open(&boot->process->files);
	boot->process->log = log_boot_line;
	boot->process->log_cookie = boot;
	return linux_load(boot->process, err, ret_frame);
}

static void tell_end(const struct linux_process *process, bool is_fault)
{
	const struct linux_trace *trace = &process->program->trace;
	const struct buffer *output = &process->request.output;

	if (trace->ended)
		trace->ended(trace->cookie,
			     process->signal ?
				     LINUX_SIGNAL_STATUS + process->signal :
				     process->status,
			     is_fault, output->data, output->size);
}

static int end_of_program(const struct linux_process *process,
			  struct error *err)
{
	size_t size = process->tail_size;
	char ended[128];

	if (device_has_failed(process, err))
		return -ECANCELED;
	while (size && process->tail[size - 1] == '\n')
		size--;
	linux_describe_end(process, ended, sizeof(ended));
	if (!size && !process->status && !process->signal)
		return error_set(err, -ECANCELED,
				 "%s before it asked for a request: a function "
				 "must read its standard input",
				 ended);
	return error_set(err, -ECANCELED,
			 "%s before it asked for a request%s"
			 "%.*s",
			 ended, size ? ": " : "", (int)size, process->tail);
}

static int fault_of_program(const struct linux_boot *boot,
			    const struct vm_exit *exit, struct error *err)
{
	char what[256];

	vm_describe_exit(exit, boot->layout, what, sizeof(what));
	return error_set(err, -ECANCELED,
			 "the program failed before it asked for a request: "
			 "%s at %#llx",
			 what, (unsigned long long)exit->fault.pc);
}

/* What is wrong with a program whose run has ended before it asked for a request. */
static int boot_failure(struct linux_boot *boot, const struct boot_run *run,
			enum boot_end end, struct error *err)
{
	char what[128];

	switch (end) {
	case BOOT_EXIT:
		tell_end(boot->process, false);
		return end_of_program(boot->process, err);
	case BOOT_FAULT:
		tell_end(boot->process, true);
		return fault_of_program(boot, &run->exit, err);
	case BOOT_STUCK:
		linux_describe_stuck(boot->process, what, sizeof(what));
		return error_set(err, -EDEADLK, "%s", what);
	case BOOT_FULL:
		return error_set(err, -ECANCELED,
				 "the program has written more than %u bytes "
				 "to standard output before it asked for a "
				 "request: each reply would begin with them",
				 LINUX_BEFORE_MAX);
	case BOOT_LATE:
		return error_set(
			err, -ETIMEDOUT,
			"the program has not asked for a request within its "
			"init_timeout of %llu ms: raise it, or have the program ask "
			"when it is ready",
			(unsigned long long)(boot->options->init_timeout_ns /
					     NS_PER_MS));
	default:
		return boot_stopped(err);
	}
}

static int run_program(void *cookie, struct vm *vm, struct error *err,
		       struct thaw_frame *ret_frame)
{
	struct linux_boot *boot = cookie;
	struct boot_run run = { .process = boot->process,
				.pause = boot->options->pause };
	enum boot_end end;
	int r;

	boot->process->space.vm = vm;
	shim_begin_time(boot->process);
	boot->process->sites = &boot->sites;
	boot->deadline_ns = run.deadline_ns =
		clock_now_ns() + boot->options->init_timeout_ns;
	r = boot_run(&run, vm, err, &end);
	if (!r && end != BOOT_INPUT)
		r = boot_failure(boot, &run, end, err);
	if (r)
		return r;
	if (boot->program->seen && linux_seen_is_full(boot->program->seen))
		linux_process_say(boot->process,
				  "the program has looked at more than %d "
				  "paths: a reload compares only these",
				  LINUX_SEEN_MAX);
	r = linux_save_asking(boot->process, vm, ret_frame);
	if (r)
		return error_set(err, r, "reading registers: %s", strerror(-r));
	linux_process_freeze(boot->process);
	shim_freeze(boot->process);
	return 0;
}

/* Whether it has had TRY_OUT_NS of the CPU; on a busy machine that takes longer. */
static bool try_out_is_over(const struct linux_boot *boot,
			    uint64_t begin_cpu_ns)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - begin_cpu_ns >=
		       TRY_OUT_NS ||
	       clock_now_ns() >= boot->deadline_ns;
}

/* Runs the program on, in a copy, so that it shows where it makes calls. */
static int try_out(struct linux_boot *boot, struct linux_process *process,
		   struct vm *vm)
{
	const uint64_t begin_cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	enum linux_step step = LINUX_GO_ON;
	struct vm_exit exit;
	int r = linux_process_restore(process, boot->process, vm);

	if (r)
		return r;
	r = linux_warm_request(process, TRY_OUT_OUTPUT_MAX);
	if (r)
		return r;
	process->sites = &boot->sites;
	r = linux_call_pending(process);
	if (!r)
		r = shim_turn_off(process);
	while (!r && step == LINUX_GO_ON && process->step == LINUX_GO_ON &&
	       !try_out_is_over(boot, begin_cpu_ns)) {
		r = vm_run(vm, clock_now_ns() + TRY_OUT_NS, &exit);
		if (!r && exit.kind == VM_EXIT_CALL)
			r = linux_call(process, vm, &step);
		else if (!r && exit.kind != VM_EXIT_DEADLINE)
			break;
	}
	return r;
}

static int finish_program(void *cookie, struct vm *vm, int fd,
			  struct error *err)
{
	struct linux_boot *boot = cookie;
	struct linux_process *process;
	int r = -ENOMEM;

	/* such a program exits for each call, and one that is traced is to be seen once */
	if (boot->program->trace.line || boot->program->gunyah.is_on)
		return 0;
	process = calloc(1, sizeof(*process));
	if (process) {
		r = try_out(boot, process, vm);
		linux_process_done(process);
		free(process);
	}
	if (!r)
		r = sites_change(&boot->sites, boot->process, fd);
	return r ? error_set(err, r, "finishing the snapshot: %s",
			     strerror(-r)) :
		   0;
}

int linux_boot(const struct linux_program *program,
	       const struct snapshot_options *options, struct error *err,
	       struct linux_process *ret_process,
	       struct snapshot **ret_snapshot)
{
	struct layout layout;
	struct snapshot *snapshot;
	struct linux_boot boot = {
		.program = program,
		.layout = &layout,
		.options = options,
		.process = ret_process,
	};
	const struct snapshot_program steps = { load_program, run_program,
						finish_program, &boot };
	int r = layout_plan_program(&options->layout, err, &layout);

	if (r)
		return r;
	*ret_process = (struct linux_process){ .program = program };
	r = snapshot_create_program(&layout, &steps, options, err, &snapshot);
	if (r) {
		linux_process_done(ret_process);
		return r;
	}
	ret_process->sites = NULL;
	ret_process->space.layout = snapshot_layout(snapshot);
	ret_process->space.memory = NULL;
	ret_process->space.vm = NULL;
	r = linux_warm_up(ret_process, snapshot, options, boot.deadline_ns,
			  err);
	ret_process->log = NULL;
	if (r) {
		snapshot_free(snapshot);
		linux_process_done(ret_process);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}
