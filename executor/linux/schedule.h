/*
 * schedule.h - which thread of a Linux program runs, and until when. The threads share
 * one vcpu. One runs until it waits or ends, lets others run, or has had its turn and
 * another could run.
 *
 *	vm_run(vm, linux_turn_end(&process), &exit)
 *	VM_EXIT_CALL		linux_call()
 *	VM_EXIT_DEADLINE	linux_preempt()
 *	VM_EXIT_FAULT		linux_fault()
 *	LINUX_GO_ON		vm_run() again
 *	LINUX_SLEEP		linux_wake() at process.wake_ns
 *
 * On the thread that owns the vm.
 */
#ifndef EXECUTOR_LINUX_SCHEDULE_H
#define EXECUTOR_LINUX_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "executor/linux/process.h"

struct vm;
struct vm_exit;

/*
 * Does the call of the last exit of @vm. After LINUX_GO_ON the vm may run again, and
 * goes on behind that call or with another thread. -errno: the host has failed, not the
 * program.
 */
int linux_call(struct linux_process *process, struct vm *vm,
	       enum linux_step *ret_step);

/* After LINUX_SLEEP, does what has waited again; results as linux_call(). */
int linux_wake(struct linux_process *process, struct vm *vm,
	       enum linux_step *ret_step);

/*
 * Lets handlers of signals run, or another thread: the vm has been stopped by a deadline,
 * which is @exit. Results as linux_call().
 */
int linux_preempt(struct linux_process *process, struct vm *vm,
		  const struct vm_exit *exit, enum linux_step *ret_step);

/*
 * Has a handler run for the fault which is @exit. Returns 1: the vm may run again; 0: it
 * has no handler, or that cannot run, and the program has ended; -errno: the host has
 * failed.
 */
int linux_fault(struct linux_process *process, struct vm *vm,
		const struct vm_exit *exit);

/*
 * When the next run is to end (CLOCK_MONOTONIC), for another thread's or a signal's sake;
 * UINT64_MAX: never.
 */
uint64_t linux_turn_end(struct linux_process *process);

/*
 * Does the call at which the process was frozen, now that it has a request, and hands
 * its result to the program, and the rest of the request to the shim. Sets process->step
 * as linux_call() does. 0 or -errno.
 */
int linux_call_pending(struct linux_process *process);

/* After LINUX_INPUT, saves the registers of the thread that asks. 0 or -errno. */
int linux_save_asking(struct linux_process *process, struct vm *vm,
		      struct thaw_frame *ret_frame);

/*
 * After LINUX_EXIT, says how the program has ended, in at most @size bytes. Returns how
 * many, without the zero behind them.
 */
size_t linux_describe_end(const struct linux_process *process, char *text,
			  size_t size);

/* After LINUX_STUCK, says at most @size bytes about it. */
void linux_describe_stuck(const struct linux_process *process, char *text,
			  size_t size);

#endif
