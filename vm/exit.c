/*
 * exit.c - what a return of KVM_RUN means. See exit.h. On the hot path, between
 * run.c or poll.c, which run the vcpu, and executor/invoke.c.
 */
#include "vm/exit.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/control.h"
#include "vm/dirty.h"
#include "vm/layout.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

HOT int exit_await(struct vm *vm, struct vm_exit *ret_exit)
{
	const int r = ioctl(vm->vcpu_fd, KVM_RUN, 0) ? -errno : 0;

	ret_exit->kind = VM_EXIT_OTHER;
	ret_exit->polled = false;
	ret_exit->detail = 0;
	control_acquire(&vm->control);
	arch_decode_exit(vm, !r, ret_exit);
	if (r == -EINTR || r == -EAGAIN) {
		/* else that of the exit before, which KVM has completed */
		vm->run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	if (r)
		return r;
	if (vm->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL)
		return -ENOBUFS;
	/* a gate in user mode can ring only the doorbell */
	if (vm->gate == VM_GATE_USER && ret_exit->kind == VM_EXIT_DOORBELL &&
	    ret_exit->bell == THAW_BELL_IDLE)
		ret_exit->kind = VM_EXIT_IDLE;
	return 0;
}

/* What exit_judge() says, before the run is brought to its end. */
HOT static int judge_return(struct vm *vm, int r, struct vm_exit *exit)
{
	if (!r && exit->kind != VM_EXIT_IDLE)
		return 0;
	if (!r && vm->control.page && control_is_done(&vm->control)) {
		vm->control.at_gate = true;
		exit->kind = VM_EXIT_DOORBELL;
		exit->bell = THAW_BELL_DONE;
		return 0;
	}
	if (r == -ENOBUFS)
		r = dirty_drain(&vm->dirty);
	if (r && r != -EINTR)
		return r; /* a deadline must not hide it */
	/* the signal may be for something else than the deadline */
	if (!watch_expired(&vm->watch))
		return 1;
	exit->kind = VM_EXIT_DEADLINE;
	return 0;
}

HOT int exit_judge(struct vm *vm, int r, struct vm_exit *exit)
{
	r = judge_return(vm, r, exit);
	if (r > 0)
		return r;
	/* a strike that came too late for this exit: the caller knows the time */
	watch_disarm(&vm->watch);
	exit->reason = vm->run->exit_reason;
	if (r || exit->kind == VM_EXIT_OTHER || exit->may_trap)
		vm_spoil(vm);
	vm->ended_at = arch_counter_now();
	return r;
}

#define OVERFLOW "stack overflow (raise stack, or use less of it): "

static void describe_fault(const struct vm_fault *fault,
			   const struct layout *layout, char *text, size_t size)
{
	size_t used = 0;

	if (layout && fault->has_address &&
	    layout_is_overflow(layout, fault->address, fault->sp))
		used = (size_t)snprintf(text, size, "%s", OVERFLOW);
	arch_describe_fault(fault, text + used, size - used);
}

static void describe_other(const struct vm_exit *exit, char *text, size_t size)
{
	switch (exit->reason) {
	case KVM_EXIT_SHUTDOWN:
		snprintf(text, size, "the vcpu shut down (triple fault)");
		return;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(text, size,
			 "KVM could not run an instruction (internal error %llu)",
			 (unsigned long long)exit->detail);
		return;
	default:
		snprintf(text, size, "unexpected exit %u (%#llx)", exit->reason,
			 (unsigned long long)exit->detail);
	}
}

void vm_describe_exit(const struct vm_exit *exit, const struct layout *layout,
		      char *text, size_t size)
{
	switch (exit->kind) {
	case VM_EXIT_FAULT:
		describe_fault(&exit->fault, layout, text, size);
		return;
	case VM_EXIT_DOORBELL:
		snprintf(text, size, "doorbell %u", exit->bell);
		return;
	case VM_EXIT_CALL:
		snprintf(text, size, "system call");
		return;
	case VM_EXIT_DEADLINE:
		snprintf(text, size, "deadline");
		return;
	case VM_EXIT_IDLE:
		snprintf(text, size, "idle");
		return;
	case VM_EXIT_OTHER:
		describe_other(exit, text, size);
	}
}
