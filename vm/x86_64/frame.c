/*
 * frame.c (x86_64) - all registers of a program, from and to the vcpu. See
 * vm/calls.h.
 *
 * References: Intel SDM volume 3, 6.14 (exception frames), volume 2 (SYSRET).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest/abi/thaw_shim.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/calls.h"
#include "vm/exit.h"
#include "vm/vm_internal.h"
#include "vm/x86_64/descriptors.h"

#define RFLAGS_FIXED 0x2ull
/* What user mode may have set: arithmetic, direction, alignment check, ID. */
#define RFLAGS_USER 0x240cd5ull
#define SP 4	    /* its index in general[] */
#define MODE_MASK 3 /* of a code selector */

/* In code of ours: the entry stub, or the shim, which other threads use as well. */
static bool is_in_stub(uint64_t pc)
{
	return pc - THAW_GPA_STUB <
		       (uint64_t)(thaw_stub_end - thaw_stub_start) ||
	       pc - THAW_GPA_VDSO < THAW_GPA_SHIM - THAW_GPA_VDSO;
}

/* Where a deadline has stopped the vcpu: -EAGAIN if no instruction of the program is next. */
static int check_mode(const struct vm *vm)
{
	struct kvm_sregs sregs;

	if (is_in_stub(vm->run->s.regs.regs.rip))
		return -EAGAIN;
	if (ioctl(vm->vcpu_fd, KVM_GET_SREGS, &sregs))
		return -errno;
	return (sregs.cs.selector & MODE_MASK) == MODE_MASK ? 0 : -EAGAIN;
}

int arch_frame_save(const struct vm *vm, const struct vm_exit *exit,
		    struct thaw_frame *ret_frame)
{
	const struct kvm_regs *regs = &vm->run->s.regs.regs;
	uint64_t words[FAULT_FRAME_WORDS];
	int r = exit->kind == VM_EXIT_DEADLINE ? check_mode(vm) : 0;

	if (!r)
		r = arch_call_save(vm, ret_frame);
	if (r || exit->kind == VM_EXIT_CALL)
		return r;
	if (exit->kind == VM_EXIT_FAULT) {
		memcpy(words,
		       vm->memory + THAW_GPA_FAULT + THAW_PAGE_SIZE -
			       sizeof(words),
		       sizeof(words));
		ret_frame->pc = words[FAULT_FRAME_RIP];
		ret_frame->flags = words[FAULT_FRAME_RFLAGS];
		ret_frame->general[SP] = words[FAULT_FRAME_RSP];
	} else {
		ret_frame->pc = regs->rip;
		ret_frame->flags = regs->rflags;
	}
	return 0;
}

static struct kvm_segment user_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = MODE_MASK,
		.s = 1,
		.g = 1,
		.l = selector == THAW_X86_USER_CS,
		.db = selector != THAW_X86_USER_CS,
	};
}

/* Leaves the supervisor's stub, whose exit is still pending. */
static int enter_user_mode(struct vm *vm)
{
	struct kvm_sregs sregs;
	int r = arch_finish_exit(vm);

	if (r)
		return r;
	if (ioctl(vm->vcpu_fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = user_segment(THAW_X86_USER_CS, 11);
	sregs.ss = user_segment(THAW_X86_USER_DS, 3);
	return ioctl(vm->vcpu_fd, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

/* Whether the last exit was a system call, after which the mode is known. */
static bool is_call(const struct vm *vm)
{
	return vm->run->exit_reason == KVM_EXIT_IO &&
	       vm->run->io.port == THAW_CALL_PORT;
}

int arch_frame_load(struct vm *vm, const struct thaw_frame *frame)
{
	const uint64_t flags = (frame->flags & RFLAGS_USER) | RFLAGS_FIXED;
	struct kvm_regs *regs = &vm->run->s.regs.regs;
	int r = vm_write(vm, THAW_GPA_FRAME, frame, sizeof(*frame));

	if (!r)
		r = vm_write(vm, THAW_GPA_FRAME + THAW_FRAME_FLAGS, &flags,
			     sizeof(flags));
	if (!r && !is_call(vm))
		r = enter_user_mode(vm);
	if (r)
		return r;
	arch_enter(vm, vm_resume_address());
	regs->rsp = THAW_GPA_SCRATCH + THAW_SCRATCH_SIZE;
	return 0;
}

bool arch_frame_is_users(const struct thaw_frame *frame)
{
	return frame->flags == ((frame->flags & RFLAGS_USER) | RFLAGS_FIXED);
}

void arch_frame_set_sp(struct thaw_frame *frame, uint64_t sp)
{
	frame->general[SP] = sp;
}

const unsigned vm_clone_thread = 4, vm_clone_id = 3;
