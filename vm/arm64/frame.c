/*
 * frame.c (arm64) - all registers of a program, from and to the vcpu. See vm/calls.h.
 *
 * Reference: Arm ARM (DDI 0487), C5.2 (SPSR_EL1).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "guest/abi/thaw_shim.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/arm64/registers.h"
#include "vm/calls.h"
#include "vm/exit.h"
#include "vm/vm_internal.h"

/* EL0t with SSBS, and the condition flags that the program has. */
#define PSTATE_INITIAL 0x13c0ull
#define PSTATE_FLAGS 0xf0000000ull
#define PSTATE_MODE 0xfull /* 0: EL0 */

static uint64_t user_pstate(uint64_t pstate)
{
	return (pstate & PSTATE_FLAGS) | PSTATE_INITIAL;
}

static int frame_get_one(const struct vm *vm, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vm->vcpu_fd, KVM_GET_ONE_REG, &reg) ? -errno : 0;
}

/* In code of ours: the entry stub, or the shim, which other threads use as well. */
static bool is_in_stub(uint64_t pc)
{
	return pc - THAW_GPA_STUB <
		       (uint64_t)(thaw_stub_end - thaw_stub_start) ||
	       pc - THAW_GPA_VDSO < THAW_GPA_SHIM - THAW_GPA_VDSO;
}

/* The general registers of a vcpu that a deadline has stopped. */
static int get_general(const struct vm *vm, struct thaw_registers *registers)
{
	int r = frame_get_one(vm, REGISTER_PSTATE, &registers->pstate);

	if (!r)
		r = frame_get_one(vm, REGISTER_PC, &registers->pc);
	if (!r &&
	    ((registers->pstate & PSTATE_MODE) || is_in_stub(registers->pc)))
		return -EAGAIN;
	if (!r)
		r = frame_get_one(vm, REGISTER_SP, &registers->sp);
	for (unsigned i = 0; i < 31 && !r; i++)
		r = frame_get_one(vm, REGISTER_X(i), &registers->general[i]);
	registers->pstate = user_pstate(registers->pstate);
	return r;
}

/* After a fault as after a call, the vectors have put them into struct thaw_shim. */
int arch_frame_save(const struct vm *vm, const struct vm_exit *exit,
		    struct thaw_frame *ret_frame)
{
	struct thaw_registers registers;
	int r;

	if (exit->kind != VM_EXIT_DEADLINE)
		return arch_call_save(vm, ret_frame);
	r = get_general(vm, &registers);
	if (!r)
		r = arch_call_save(vm, ret_frame);
	ret_frame->registers = registers;
	return r;
}

/* The vectors load the frame, at the system call of the stub. */
int arch_frame_load(struct vm *vm, const struct thaw_frame *frame)
{
	const uint64_t pstate = user_pstate(frame->registers.pstate);
	int r = vm_write(vm, THAW_GPA_FRAME, frame, sizeof(*frame));

	if (!r)
		r = vm_write(vm,
			     THAW_GPA_FRAME + THAW_FRAME_GENERAL +
				     THAW_REGISTERS_PSTATE,
			     &pstate, sizeof(pstate));
	if (r)
		return r;
	arch_enter(vm, vm_resume_address());
	return 0;
}

bool arch_frame_is_users(const struct thaw_frame *frame)
{
	const uint64_t pstate = frame->registers.pstate;

	return pstate == user_pstate(pstate);
}

void arch_frame_set_sp(struct thaw_frame *frame, uint64_t sp)
{
	frame->registers.sp = sp;
}

const unsigned vm_clone_thread = 3, vm_clone_id = 4;
