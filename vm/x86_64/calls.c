/*
 * calls.c (x86_64) - registers of Linux programs. See vm/calls.h.
 *
 * References: psABI for AMD64, A.2 (system calls); Intel SDM volume 1, 13.4 (the
 * XSAVE area), volume 2 (SYSCALL, SYSRET).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "guest/abi/thaw_linux.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/calls.h"
#include "vm/vm_internal.h"

#define RFLAGS_FIXED 0x2ull
/* What user mode may have set: arithmetic, direction, alignment check, ID. */
#define RFLAGS_USER 0x240cd5ull

/* No user address is at or above it. */
#define USER_END (1ull << 47)

#define FCW_INITIAL 0x37f
#define MXCSR_INITIAL 0x1f80
/* Places in the XSAVE area. */
#define XSAVE_MXCSR 24
#define XSAVE_BV 512
#define XSAVE_HEADER_REST 520
#define XSAVE_HEADER_END 576

_Static_assert(sizeof(struct kvm_xsave) ==
		       sizeof(((struct thaw_frame *)0)->vector),
	       "the whole area");

void arch_call_get(const struct vm *vm, struct vm_call *ret_call)
{
	const struct kvm_regs *regs = &vm->run->s.regs.regs;

	*ret_call = (struct vm_call){
		.number = regs->rax,
		.args = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8,
			  regs->r9 },
		.pc = regs->rcx,
		.sp = regs->rsp,
	};
}

static uint64_t user_flags(uint64_t flags)
{
	return (flags & RFLAGS_USER) | RFLAGS_FIXED;
}

/*
 * Where the program goes on. RCX is the program's to choose, since the port is open to
 * user mode, and a CPU refuses to enter a guest at an address that is none.
 */
static uint64_t user_pc(uint64_t pc)
{
	return pc < USER_END ? pc : 0;
}

void arch_call_return(struct vm *vm, uint64_t result)
{
	struct kvm_regs *regs = &vm->run->s.regs.regs;

	regs->rax = result;
	regs->rip = user_pc(regs->rcx);
	regs->rflags = user_flags(regs->r11);
	vm->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

static uint64_t xcr0_of(const struct vm *vm)
{
	struct kvm_xcrs xcrs;

	return ioctl(vm->vcpu_fd, KVM_GET_XCRS, &xcrs) || !xcrs.nr_xcrs ?
		       0x3 :
		       xcrs.xcrs[0].value;
}

/* Makes of it what XRSTOR takes in a guest with these features. */
static void clean_xsave(uint8_t *area, uint64_t xcr0)
{
	uint64_t present;

	memcpy(&present, area + XSAVE_BV, sizeof(present));
	present &= xcr0;
	memcpy(area + XSAVE_BV, &present, sizeof(present));
	memset(area + XSAVE_HEADER_REST, 0,
	       XSAVE_HEADER_END - XSAVE_HEADER_REST);
}

uint64_t arch_vector_features(const struct vm *vm)
{
	return xcr0_of(vm);
}

/* Programs bring one, as the kernel demands. */
uint64_t arch_signal_return_address(void)
{
	return 0;
}

int arch_call_save(const struct vm *vm, struct thaw_frame *ret_frame)
{
	const struct kvm_regs *regs = &vm->run->s.regs.regs;
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu_fd, KVM_GET_SREGS, &sregs) ||
	    ioctl(vm->vcpu_fd, KVM_GET_XSAVE, ret_frame->vector))
		return -errno;
	clean_xsave(ret_frame->vector, xcr0_of(vm));
	memcpy(ret_frame->general,
	       (const uint64_t[]){ regs->rax, regs->rcx, regs->rdx, regs->rbx,
				   regs->rsp, regs->rbp, regs->rsi, regs->rdi,
				   regs->r8, regs->r9, regs->r10, regs->r11,
				   regs->r12, regs->r13, regs->r14, regs->r15 },
	       sizeof(ret_frame->general));
	ret_frame->pc = user_pc(regs->rcx);
	ret_frame->flags = user_flags(regs->r11);
	ret_frame->thread = sregs.fs.base;
	ret_frame->thread_more = sregs.gs.base;
	return 0;
}

int arch_set_thread(struct vm *vm, uint64_t thread)
{
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu_fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.fs.base = thread;
	return ioctl(vm->vcpu_fd, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

void arch_features(uint64_t *ret_first, uint64_t *ret_second)
{
	*ret_first = getauxval(AT_HWCAP);
	*ret_second = getauxval(AT_HWCAP2);
}

void arch_frame_begin(struct thaw_frame *frame, uint64_t pc, uint64_t sp)
{
	const uint16_t fcw = FCW_INITIAL;
	const uint32_t mxcsr = MXCSR_INITIAL;

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->vector, &fcw, sizeof(fcw));
	memcpy(frame->vector + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	frame->general[4] = sp;
	frame->pc = pc;
	frame->flags = RFLAGS_FIXED;
}
