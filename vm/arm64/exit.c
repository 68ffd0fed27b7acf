/*
 * exit.c (arm64) - what an exit means, and faults in words.
 *
 * Reference: Arm ARM (DDI 0487), ESR_EL1 (exception classes, and the syndromes
 * of instruction and data aborts).
 */
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_linux.h"
#include "vm/arch.h"
#include "vm/arm64/registers.h"
#include "vm/exit.h"
#include "vm/vm_internal.h"

#define ESR_CLASS(esr) ((unsigned)((esr) >> 26) & 0x3f)
#define ESR_WRITE (1u << 6)	  /* of data aborts */
#define ESR_CACHE (1u << 8)	  /* cache maintenance, which is no write */
#define ESR_NO_ADDRESS (1u << 10) /* FAR_EL1 is not valid */
#define ESR_STATUS(esr) ((unsigned)(esr)&0x3f)

#define CLASS_SVC 0x15
#define CLASS_INSTRUCTION_ABORT 0x20
#define CLASS_PC_ALIGNMENT 0x22
#define CLASS_DATA_ABORT 0x24

/* Kinds of status; the two low bits say at which level of the tables. */
#define STATUS_KIND(status) ((status) & ~3u)
#define STATUS_TRANSLATION 0x04
#define STATUS_PERMISSION 0x0c
#define STATUS_ALIGNMENT 0x21

static uint64_t get_register(const struct vm *vm, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	ioctl(vm->vcpu_fd, KVM_GET_ONE_REG, &reg);
	return value;
}

static bool is_abort(uint64_t esr)
{
	return ESR_CLASS(esr) == CLASS_DATA_ABORT ||
	       ESR_CLASS(esr) == CLASS_INSTRUCTION_ABORT;
}

static void decode_fault(const struct vm *vm, struct vm_exit *exit)
{
	uint64_t esr = get_register(vm, REGISTER_ESR_EL1);

	exit->kind = VM_EXIT_FAULT;
	exit->fault = (struct vm_fault){
		.cause = esr,
		.pc = get_register(vm, REGISTER_ELR_EL1),
		.sp = get_register(vm, REGISTER_SP),
		.frame = get_register(vm, REGISTER_X(29)),
		.caller = get_register(vm, REGISTER_X(30)),
		.caller_may_be_old = true,
	};
	if (ESR_CLASS(esr) == CLASS_SVC)
		exit->fault.pc -= 4; /* it returns behind the instruction */
	if (ESR_CLASS(esr) == CLASS_PC_ALIGNMENT ||
	    (is_abort(esr) && !(esr & ESR_NO_ADDRESS))) {
		exit->fault.address = get_register(vm, REGISTER_FAR_EL1);
		exit->fault.has_address = true;
	}
}

static void decode_mmio(const struct vm *vm, struct vm_exit *exit)
{
	const struct kvm_run *run = vm->run;

	exit->detail = run->mmio.phys_addr;
	if (!run->mmio.is_write || run->mmio.len != sizeof(exit->bell))
		return;
	if (run->mmio.phys_addr == THAW_DOORBELL_GPA) {
		exit->kind = VM_EXIT_DOORBELL;
		memcpy(&exit->bell, run->mmio.data, sizeof(exit->bell));
	} else if (run->mmio.phys_addr == THAW_FAULT_GPA) {
		decode_fault(vm, exit);
	} else if (run->mmio.phys_addr == THAW_CALL_GPA && vm->is_program) {
		exit->kind = VM_EXIT_CALL;
	} else if (run->mmio.phys_addr == THAW_IDLE_GPA) {
		exit->kind = VM_EXIT_IDLE;
	}
}

HOT void arch_decode_exit(struct vm *vm, bool has_exited, struct vm_exit *exit)
{
	exit->may_trap = false; /* only EL1 can turn on software step */
	if (!has_exited)
		return;
	switch (vm->run->exit_reason) {
	case KVM_EXIT_MMIO:
		decode_mmio(vm, exit);
		break;
	case KVM_EXIT_ARM_NISV:
		exit->detail = vm->run->arm_nisv.fault_ipa;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit->detail = vm->run->internal.suberror;
		break;
	}
}

/* BL: its opcode, and the distance from it in words (Arm ARM, C6.2, BL). */
#define BL_BYTES 4
#define BL_OPCODE_SHIFT 26
#define BL_OPCODE 0x25
#define BL_DISTANCE_SIGN (1u << 25)

uint64_t arch_call_target(const uint8_t *code_end, uint64_t end)
{
	uint64_t distance;
	uint32_t word;

	memcpy(&word, code_end - BL_BYTES, sizeof(word));
	if (word >> BL_OPCODE_SHIFT != BL_OPCODE)
		return 0;
	distance = word & (2 * BL_DISTANCE_SIGN - 1);
	distance = (distance ^ BL_DISTANCE_SIGN) - BL_DISTANCE_SIGN;
	return end - BL_BYTES + distance * BL_BYTES;
}

static const char *class_name(unsigned class)
{
	static const char *const names[] = {
		[0x00] = "illegal instruction",
		[0x01] = "WFI, which would never end",
		[0x07] = "vector instruction that is not available",
		[0x0d] = "branch to no branch target",
		[0x0e] = "illegal execution state",
		[CLASS_SVC] = "system call",
		[0x18] = "system instruction or register",
		[0x19] = "SVE instruction",
		[0x1d] = "SME instruction",
		[0x22] = "misaligned pc",
		[0x26] = "misaligned stack pointer",
		[0x27] = "memory copy or set instruction",
		[0x2c] = "floating-point error",
		[0x2f] = "system error",
		[0x3c] = "breakpoint",
	};

	if (class < sizeof(names) / sizeof(*names) && names[class])
		return names[class];
	return "exception";
}

static const char *access_name(uint64_t esr)
{
	if (ESR_CLASS(esr) != CLASS_DATA_ABORT)
		return "executing";
	if ((esr & ESR_WRITE) && !(esr & ESR_CACHE))
		return "writing";
	return "reading";
}

/* An abort: its name, and what there is to add. */
static const char *abort_name(unsigned status, const char **ret_remark)
{
	*ret_remark = "";
	if (status == STATUS_ALIGNMENT)
		return "alignment fault";
	if (STATUS_KIND(status) == STATUS_TRANSLATION)
		*ret_remark = " (not mapped)";
	else if (STATUS_KIND(status) == STATUS_PERMISSION)
		*ret_remark = " (protected)";
	else
		return "memory error";
	return "page fault";
}

void arch_describe_fault(const struct vm_fault *fault, char *text, size_t size)
{
	uint64_t esr = fault->cause;
	const char *name = class_name(ESR_CLASS(esr));
	const char *remark = "";

	if (is_abort(esr))
		name = abort_name(ESR_STATUS(esr), &remark);
	if (!fault->has_address)
		snprintf(text, size, "%s (ESR %#" PRIx64 ")", name, esr);
	else
		snprintf(text, size,
			 "%s (ESR %#" PRIx64 ") %s address %#" PRIx64 "%s",
			 name, esr, access_name(esr), fault->address, remark);
}
