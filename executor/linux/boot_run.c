/* boot_run.c - see boot_run.h. */
#include "executor/linux/boot_run.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "executor/linux/schedule.h"
#include "snapshot/guest_sleep.h"
#include "vm/run.h"

static bool boot_is_stopped(const struct boot_run *run)
{
	return run->pause.call && run->pause.call(run->pause.cookie);
}

static bool boot_is_late(const struct boot_run *run)
{
	return clock_now_ns() >= run->deadline_ns;
}

static uint64_t boot_slice_end(uint64_t end_ns)
{
	const uint64_t slice_ns = clock_now_ns() + SNAPSHOT_PAUSE_NS;

	return slice_ns < end_ns ? slice_ns : end_ns;
}

/* When the next run of the vm is to end. */
static uint64_t boot_run_end(const struct boot_run *run)
{
	const uint64_t turn_ns = linux_turn_end(run->process);
	const uint64_t slice_ns = boot_slice_end(run->deadline_ns);

	return turn_ns < slice_ns ? turn_ns : slice_ns;
}

static void boot_sleep(const struct boot_run *run)
{
	const uint64_t wake_ns = run->process->wake_ns;
	const uint64_t end_ns = wake_ns < run->deadline_ns ? wake_ns :
							     run->deadline_ns;

	while (clock_now_ns() < end_ns && !boot_is_stopped(run))
		guest_sleep(boot_slice_end(end_ns));
}

/* Does what the last exit asks for, until a thread can run. */
static int boot_call(struct boot_run *run, struct vm *vm,
		     enum linux_step *ret_step)
{
	int r = run->exit.kind == VM_EXIT_CALL ?
			linux_call(run->process, vm, ret_step) :
			linux_preempt(run->process, vm, &run->exit, ret_step);

	while (!r && *ret_step == LINUX_SLEEP && !boot_is_stopped(run) &&
	       !boot_is_late(run)) {
		boot_sleep(run);
		r = linux_wake(run->process, vm, ret_step);
	}
	return r;
}

/* What follows from a call. Returns 1: the vm is to run again; 0: see *@ret_end. */
static int boot_take_step(const struct boot_run *run, enum linux_step step,
			  enum boot_end *ret_end)
{
	switch (step) {
	case LINUX_EXIT:
		*ret_end = BOOT_EXIT;
		return 0;
	case LINUX_STUCK:
		*ret_end = BOOT_STUCK;
		return 0;
	default:
		break;
	}
	if (run->process->request.output.failed) {
		*ret_end = BOOT_FULL;
		return 0;
	}
	/* what waited was cut off, to be looked at by the caller */
	if (step == LINUX_SLEEP && boot_is_late(run)) {
		*ret_end = BOOT_LATE;
		return 0;
	}
	*ret_end = BOOT_INPUT;
	return step != LINUX_INPUT;
}

/* The same for the last exit. */
static int boot_take_exit(struct boot_run *run, struct vm *vm,
			  struct error *err, enum boot_end *ret_end)
{
	enum linux_step step;
	int r;

	if (run->exit.kind == VM_EXIT_DEADLINE && boot_is_late(run)) {
		*ret_end = BOOT_LATE;
		return 0;
	}
	*ret_end = BOOT_FAULT;
	if (run->exit.kind == VM_EXIT_FAULT) {
		r = linux_fault(run->process, vm, &run->exit);
		return r < 0 ? error_set(err, r, "a signal: %s", strerror(-r)) :
			       r;
	}
	if (run->exit.kind != VM_EXIT_CALL &&
	    run->exit.kind != VM_EXIT_DEADLINE)
		return 0;
	r = boot_call(run, vm, &step);
	return r ? error_set(err, r, "a system call: %s", strerror(-r)) :
		   boot_take_step(run, step, ret_end);
}

/* If not, *@ret_end says why. */
static bool boot_may_run(const struct boot_run *run, enum boot_end *ret_end)
{
	*ret_end = boot_is_stopped(run) ? BOOT_STOPPED : BOOT_LATE;
	return *ret_end == BOOT_LATE && !boot_is_late(run);
}

int boot_run(struct boot_run *run, struct vm *vm, struct error *err,
	     enum boot_end *ret_end)
{
	int r = 1;

	while (r > 0 && boot_may_run(run, ret_end)) {
		r = vm_run(vm, boot_run_end(run), &run->exit);
		if (r)
			return error_set(err, r, "KVM_RUN: %s", strerror(-r));
		r = boot_take_exit(run, vm, err, ret_end);
	}
	linux_process_log_end(run->process);
	return r < 0 ? r : 0;
}

int boot_stopped(struct error *err)
{
	return error_set(err, -ESHUTDOWN,
			 "its boot was stopped: it is not needed any more");
}
