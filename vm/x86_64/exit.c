/*
 * exit.c (x86_64) - what an exit means, and faults in words.
 *
 * Reference: Intel SDM volume 3, 6.15 (exceptions), 4.7 (page-fault codes).
 */
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_linux.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/exit.h"
#include "vm/vm_internal.h"
#include "vm/x86_64/descriptors.h"

#define VECTOR_UD 6
#define VECTOR_PF 14
#define RFLAGS_TF 0x100u

/* The instruction that led to a #UD in the stub's place for SYSCALL. */
static void blame_syscall(struct vm *vm, struct vm_fault *fault)
{
	uint64_t trap =
		THAW_GPA_STUB + (uint64_t)(thaw_stub_syscall - thaw_stub_start);
	struct kvm_regs regs;

	if (fault->cause == VECTOR_UD && fault->pc == trap &&
	    !ioctl(vm->vcpu_fd, KVM_GET_REGS, &regs))
		fault->pc = regs.rcx - 2; /* RCX: the address after it */
}

/* The word on top of the stack: the return address, if nothing has been pushed. */
static uint64_t top_of_stack(const struct vm *vm, uint64_t sp)
{
	uint64_t word = 0;
	const void *from = vm_view(vm, sp, sizeof(word));

	if (from)
		memcpy(&word, from, sizeof(word));
	return word;
}

static void decode_fault(struct vm *vm, struct vm_exit *exit)
{
	uint64_t frame[FAULT_FRAME_WORDS];
	struct kvm_sregs sregs;

	memcpy(frame,
	       vm->memory + THAW_GPA_FAULT + THAW_PAGE_SIZE - sizeof(frame),
	       sizeof(frame));
	exit->kind = VM_EXIT_FAULT;
	exit->fault = (struct vm_fault){
		.cause = frame[FAULT_FRAME_VECTOR],
		.code = frame[FAULT_FRAME_ERROR],
		.pc = frame[FAULT_FRAME_RIP],
		.sp = frame[FAULT_FRAME_RSP],
		.frame = vm->run->s.regs.regs.rbp,
		.caller = top_of_stack(vm, frame[FAULT_FRAME_RSP]),
	};
	if (exit->fault.cause == VECTOR_PF &&
	    !ioctl(vm->vcpu_fd, KVM_GET_SREGS, &sregs)) {
		exit->fault.address = sregs.cr2;
		exit->fault.has_address = true;
	}
	blame_syscall(vm, &exit->fault);
}

HOT static void decode_io(struct vm *vm, struct vm_exit *exit)
{
	const struct kvm_run *run = vm->run;
	const uint8_t *data = (const uint8_t *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1 &&
	    run->io.count == 1) {
		if (run->io.port == THAW_DOORBELL_PORT) {
			exit->kind = VM_EXIT_DOORBELL;
			exit->bell = *data;
			return;
		}
		if (run->io.port == THAW_FAULT_PORT) {
			decode_fault(vm, exit);
			return;
		}
		if (run->io.port == THAW_CALL_PORT && vm->is_program) {
			exit->kind = VM_EXIT_CALL;
			return;
		}
		if (run->io.port == THAW_IDLE_PORT) {
			exit->kind = VM_EXIT_IDLE;
			return;
		}
	}
	exit->detail = run->io.port;
}

/*
 * A single-step trap stays in the CPU's own state of the vcpu (VMX: pending debug
 * exceptions, SDM volume 3, 25.4.2) and would hit the next invocation.
 * KVM_SET_VCPU_EVENTS takes back only what KVM itself has queued.
 */
HOT void arch_decode_exit(struct vm *vm, bool has_exited, struct vm_exit *exit)
{
	exit->may_trap = vm->run->s.regs.regs.rflags & RFLAGS_TF;
	if (!has_exited)
		return;
	if (vm->run->exit_reason == KVM_EXIT_IO)
		decode_io(vm, exit);
	else if (vm->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		exit->detail = vm->run->internal.suberror;
}

/* CALL rel32: its opcode, and the distance from its end (SDM volume 2, CALL). */
#define CALL_OPCODE 0xe8
#define CALL_BYTES 5

uint64_t arch_call_target(const uint8_t *code_end, uint64_t end)
{
	int32_t distance;

	memcpy(&distance, code_end - sizeof(distance), sizeof(distance));
	return code_end[-CALL_BYTES] == CALL_OPCODE ? end + (uint64_t)distance :
						      0;
}

static const char *vector_name(uint64_t vector)
{
	static const char *const names[] = {
		[0] = "division error",
		[1] = "debug trap",
		[3] = "breakpoint",
		[4] = "overflow",
		[5] = "bound range exceeded",
		[6] = "illegal instruction",
		[7] = "device not available",
		[8] = "double fault",
		[10] = "invalid TSS",
		[11] = "segment not present",
		[12] = "stack segment fault",
		[13] = "general protection fault",
		[14] = "page fault",
		[16] = "x87 floating-point error",
		[17] = "alignment check",
		[19] = "SIMD floating-point error",
		[21] = "control protection fault",
	};

	if (vector < sizeof(names) / sizeof(*names) && names[vector])
		return names[vector];
	return "exception";
}

void arch_describe_fault(const struct vm_fault *fault, char *text, size_t size)
{
	if (!fault->has_address)
		snprintf(text, size,
			 "%s (vector %" PRIu64 ", code %#" PRIx64 ")",
			 vector_name(fault->cause), fault->cause, fault->code);
	else
		snprintf(text, size,
			 "%s (vector %" PRIu64 ") %s address %#" PRIx64 "%s",
			 vector_name(fault->cause), fault->cause,
			 fault->code & 0x10 ? "executing" :
			 fault->code & 0x2  ? "writing" :
					      "reading",
			 fault->address,
			 fault->code & 0x1 ? " (protected)" : " (not mapped)");
}
