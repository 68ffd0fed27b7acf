/*
 * calls.c (arm64) - registers of Linux programs. See vm/calls.h; how they come to
 * THAW_GPA_SHIM is in guest/arch/arm64/stubs.S.
 *
 * References: AAPCS64; Arm ARM (DDI 0487), C5.2 (SPSR_EL1).
 */
#include <asm/hwcap.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "guest/abi/thaw_shim.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/arm64/registers.h"
#include "vm/calls.h"
#include "vm/vm_internal.h"

/* EL0t with SSBS, and the condition flags that the program has. */
#define PSTATE_INITIAL 0x13c0ull
#define PSTATE_FLAGS 0xf0000000ull

/* What vcpu.c leaves to a guest, of what a program asks AT_HWCAP for. */
#define FEATURES                                                          \
	(HWCAP_FP | HWCAP_ASIMD | HWCAP_AES | HWCAP_PMULL | HWCAP_SHA1 |  \
	 HWCAP_SHA2 | HWCAP_CRC32 | HWCAP_ATOMICS | HWCAP_FPHP |          \
	 HWCAP_ASIMDHP | HWCAP_ASIMDRDM | HWCAP_JSCVT | HWCAP_FCMA |      \
	 HWCAP_LRCPC | HWCAP_DCPOP | HWCAP_SHA3 | HWCAP_SM3 | HWCAP_SM4 | \
	 HWCAP_ASIMDDP | HWCAP_SHA512)

/*
 * The guest has just written the page, which is therefore in the hot set: what the host
 * writes there besides needs no note.
 */
static struct thaw_registers *registers_of(const struct vm *vm)
{
	return (struct thaw_registers *)(void *)(vm->memory + THAW_GPA_SHIM +
						 THAW_SHIM_REGISTERS);
}

void arch_call_get(const struct vm *vm, struct vm_call *ret_call)
{
	const struct thaw_registers *registers = registers_of(vm);

	*ret_call = (struct vm_call){
		.number = registers->general[8],
		.pc = registers->pc,
		.sp = registers->sp,
	};
	memcpy(ret_call->args, registers->general, sizeof(ret_call->args));
}

/* The vectors load it once the vcpu goes on, behind the store that rang. */
void arch_call_return(struct vm *vm, uint64_t result)
{
	registers_of(vm)->general[0] = result;
}

static int get_one(const struct vm *vm, uint64_t id, void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vm->vcpu_fd, KVM_GET_ONE_REG, &reg) ? -errno : 0;
}

int arch_call_save(const struct vm *vm, struct thaw_frame *ret_frame)
{
	uint32_t fpsr = 0, fpcr = 0;
	int r = 0;

	memset(ret_frame, 0, sizeof(*ret_frame));
	for (unsigned i = 0; i < 32 && !r; i++)
		r = get_one(vm, REGISTER_V(i), ret_frame->vector[i]);
	if (!r)
		r = get_one(vm, REGISTER_FPSR, &fpsr);
	if (!r)
		r = get_one(vm, REGISTER_FPCR, &fpcr);
	if (!r)
		r = get_one(vm, REGISTER_TPIDR_EL0, &ret_frame->thread);
	ret_frame->fpsr = fpsr;
	ret_frame->fpcr = fpcr;
	ret_frame->registers = *registers_of(vm);
	ret_frame->registers.pstate =
		(ret_frame->registers.pstate & PSTATE_FLAGS) | PSTATE_INITIAL;
	return r;
}

/* Programs set it themselves. */
int arch_set_thread(struct vm *vm, uint64_t thread)
{
	(void)vm;
	(void)thread;
	return -ENOSYS;
}

void arch_features(uint64_t *ret_first, uint64_t *ret_second)
{
	*ret_first = getauxval(AT_HWCAP) & FEATURES;
	*ret_second = 0;
}

uint64_t arch_vector_features(const struct vm *vm)
{
	(void)vm;
	return 0;
}

uint64_t arch_signal_return_address(void)
{
	return THAW_GPA_STUB +
	       (uint64_t)(thaw_stub_signal_return - thaw_stub_start);
}

void arch_frame_begin(struct thaw_frame *frame, uint64_t pc, uint64_t sp)
{
	memset(frame, 0, sizeof(*frame));
	frame->registers.sp = sp;
	frame->registers.pc = pc;
	frame->registers.pstate = PSTATE_INITIAL;
}
