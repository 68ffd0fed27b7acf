/*
 * vcpu.c (arm64) - vcpu features, the complete state, and the entry of every
 * invocation.
 *
 * References: Documentation/virt/kvm/api.rst; Arm ARM (DDI 0487), D19 (system
 * registers).
 */
#include <asm/hwcap.h>
#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/arm64/registers.h"
#include "vm/arm64/translation.h"
#include "vm/arm64/vcpu_state.h"
#include "vm/kvm.h"
#include "vm/layout.h"
#include "vm/vm_internal.h"

/* Newer than the oldest headers we build against. */
#ifndef KVM_CAP_COUNTER_OFFSET
#define KVM_CAP_COUNTER_OFFSET 227
struct kvm_arm_counter_offset {
	__u64 counter_offset;
	__u64 reserved;
};
#define KVM_ARM_SET_COUNTER_OFFSET \
	_IOW(KVMIO, 0xb5, struct kvm_arm_counter_offset)
#endif

/* What KVM gives a vm that does not ask, and more than we need. */
#define IPA_BITS_DEFAULT 40u

/* EL0t, with exceptions that PSTATE can mask, masked. */
#define PSTATE_INITIAL 0x3c0ull

#define SCTLR_M (1ull << 0) /* MMU and caches on */
#define SCTLR_C (1ull << 2)
#define SCTLR_I (1ull << 12)
#define SCTLR_SA (1ull << 3) /* stack pointers are aligned */
#define SCTLR_SA0 (1ull << 4)
#define SCTLR_DZE (1ull << 14)	 /* user mode: DC ZVA, for memset() */
#define SCTLR_NTWE (1ull << 18)	 /* user mode: WFE, but not WFI */
#define SCTLR_TSCXT (1ull << 20) /* not SCXTNUM_EL0, which keeps state */
#define SCTLR_SPAN (1ull << 23)
/* EOS, EIS, nTLSMD, LSMAOE, and of AArch32 user mode ITD, SED */
#define SCTLR_RES1 \
	(1ull << 7 | 1ull << 8 | 1ull << 11 | 1ull << 22 | 3ull << 28)
/*
 * What is not set stays closed to user mode: interrupt masks, cache
 * maintenance, and the features of newer CPUs that have registers of their own.
 */
#define SCTLR_INITIAL                                                     \
	(SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_SA0 | SCTLR_DZE | \
	 SCTLR_NTWE | SCTLR_TSCXT | SCTLR_SPAN | SCTLR_RES1)
/* Programs may have their own code fetched again, as they can under Linux. */
#define SCTLR_UCT (1ull << 15) /* user mode: CTR_EL0 */
#define SCTLR_UCI (1ull << 26) /* user mode: DC CVAU, IC IVAU and the like */
#define SCTLR_PROGRAM (SCTLR_INITIAL | SCTLR_UCT | SCTLR_UCI)

#define TCR_T0SZ (64ull - TRANSLATION_VA_BITS)
#define TCR_IRGN0_WBWA (1ull << 8)
#define TCR_ORGN0_WBWA (1ull << 10)
#define TCR_SH0_INNER (3ull << 12)
#define TCR_T1SZ (TCR_T0SZ << 16)
#define TCR_EPD1 (1ull << 23) /* nothing behind TTBR1 */
#define TCR_TG1_4K (2ull << 30)
#define TCR_IPS_36 (1ull << 32)
#define TCR_INITIAL                                                   \
	(TCR_T0SZ | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA | TCR_SH0_INNER | \
	 TCR_T1SZ | TCR_EPD1 | TCR_TG1_4K | TCR_IPS_36)

#define CPACR_FPEN (3ull << 20)	     /* V registers, but not SVE, SME */
#define CNTKCTL_EL0VCTEN (1ull << 1) /* user mode reads CNTVCT_EL0 alone */
#define MDSCR_TDCC (1ull << 12)	     /* not the debug channel's registers */

_Static_assert(TRANSLATION_IPA_BITS == 36, "TCR_IPS_36");
_Static_assert(THAW_FAULT_GPA >> TRANSLATION_IPA_BITS == 0, "reachable");

int arch_kvm_check(struct kvm_host *host, struct error *err)
{
	unsigned ipa_bits =
		(unsigned)kvm_capability(host, KVM_CAP_ARM_VM_IPA_SIZE);

	if (!ipa_bits)
		ipa_bits = IPA_BITS_DEFAULT;
	if (ipa_bits < TRANSLATION_IPA_BITS)
		return error_set(err, -ENODEV,
				 "this KVM has guest physical addresses of %u "
				 "bits; %d are needed",
				 ipa_bits, TRANSLATION_IPA_BITS);
	/* a KVM that has only the default refuses to be asked for it */
	host->vm_type = ipa_bits >= IPA_BITS_DEFAULT ?
				0 :
				KVM_VM_TYPE_ARM_IPA_SIZE(ipa_bits);
	return 0;
}

static int set_register(const struct vm *vm, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vm->vcpu_fd, KVM_SET_ONE_REG, &reg);
}

static uint64_t counter_hz(void)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

/*
 * Makes the guest's counter the host's, where KVM lets us; else notes how far
 * they are apart. The host's is read last: the delay then puts the guest's
 * clock forward, never before its base.
 */
static int set_counter(struct vm *vm, struct error *err)
{
	struct kvm_arm_counter_offset offset = { .counter_offset = 0 };
	uint64_t guest;
	struct kvm_one_reg reg = { .id = KVM_REG_ARM_TIMER_CNT,
				   .addr = (uintptr_t)&guest };

	vm->counter_hz = counter_hz();
	if (!ioctl(vm->fd, KVM_ARM_SET_COUNTER_OFFSET, &offset))
		return 0;
	if (ioctl(vm->vcpu_fd, KVM_GET_ONE_REG, &reg))
		return error_set(err, -errno, "reading the counter: %s",
				 strerror(errno));
	vm->counter_offset = guest - arch_counter_now();
	return 0;
}

/*
 * A store that KVM cannot decode becomes an exit like any other. Without the
 * capability it fails KVM_RUN, which ends the invocation too.
 */
static void report_undecoded(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static uint64_t stub_address(const char *stub)
{
	return stub ? THAW_GPA_STUB + (uint64_t)(stub - thaw_stub_start) : 0;
}

/* SVC enters the gate where every exception goes: there is nothing to set. */
int arch_gate_init(struct vm *vm, struct error *err)
{
	static const char *const gates[VM_GATES] = {
		[VM_GATE_NONE] = thaw_stub_done,
		[VM_GATE_CALL] = thaw_stub_call,
		[VM_GATE_USER] = thaw_stub_wait,
	};

	(void)err;
	vm->gate_address = stub_address(gates[vm->gate]);
	return 0;
}

/*
 * No optional feature is asked for: SVE, pointer authentication and the PMU
 * trap, and thaw_info.cpu has nothing to tell the entry stub.
 */
int arch_vcpu_init(struct vm *vm, struct error *err)
{
	struct kvm_vcpu_init init;

	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		return error_set(err, -errno, "KVM_ARM_PREFERRED_TARGET: %s",
				 strerror(errno));
	if (ioctl(vm->vcpu_fd, KVM_ARM_VCPU_INIT, &init))
		return error_set(err, -errno, "KVM_ARM_VCPU_INIT: %s",
				 strerror(errno));
	report_undecoded(vm);
	return set_counter(vm, err);
}

static void add_register(struct vcpu_state *state, uint64_t id, uint64_t value)
{
	assert(state->count < VCPU_REGISTERS_MAX);
	state->registers[state->count++] =
		(struct vcpu_register){ id, { value, 0 } };
}

static void add_core(struct vcpu_state *state)
{
	for (unsigned i = 0; i < 31; i++)
		add_register(state, REGISTER_X(i), 0);
	add_register(state, REGISTER_SP, 0);
	add_register(state, REGISTER_PSTATE, PSTATE_INITIAL);
	add_register(state, REGISTER_SP_EL1, 0);
	add_register(state, REGISTER_ELR_EL1, 0);
	add_register(state, REGISTER_SPSR_EL1, 0);
	for (unsigned i = 0; i < 32; i++)
		add_register(state, REGISTER_V(i), 0);
	add_register(state, REGISTER_FPSR, 0);
	add_register(state, REGISTER_FPCR, 0);
}

static void add_system(struct vcpu_state *state, const struct layout *layout)
{
	const struct {
		uint64_t id, value;
	} registers[] = {
		{ REGISTER_MDSCR_EL1, MDSCR_TDCC },
		{ REGISTER_SCTLR_EL1,
		  layout->is_program ? SCTLR_PROGRAM : SCTLR_INITIAL },
		{ REGISTER_CPACR_EL1, CPACR_FPEN },
		{ REGISTER_TTBR0_EL1, layout->tables.start },
		{ REGISTER_TTBR1_EL1, 0 },
		{ REGISTER_TCR_EL1, TCR_INITIAL },
		{ REGISTER_ESR_EL1, 0 },
		{ REGISTER_FAR_EL1, 0 },
		{ REGISTER_MAIR_EL1, TRANSLATION_MAIR },
		{ REGISTER_VBAR_EL1, THAW_GPA_SUPERVISOR },
		/* tells the vectors that a Linux program runs */
		{ REGISTER_CONTEXTIDR_EL1, layout->is_program },
		{ REGISTER_TPIDR_EL1, 0 },
		{ REGISTER_CNTKCTL_EL1, CNTKCTL_EL0VCTEN },
		{ REGISTER_TPIDR_EL0, 0 },
		{ REGISTER_TPIDRRO_EL0, 0 },
	};

	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		add_register(state, registers[i].id, registers[i].value);
}

const size_t arch_state_size = sizeof(struct vcpu_state);
const uint32_t arch_machine = EM_AARCH64;

/* A register that the kernel reads for user mode: the same on all CPUs. */
#define READ_ID(name)                                            \
	({                                                       \
		uint64_t value;                                  \
		__asm__ volatile("mrs %0, " name : "=r"(value)); \
		value;                                           \
	})

static void put_feature(uint32_t **at, uint64_t value)
{
	*(*at)++ = (uint32_t)value;
	*(*at)++ = (uint32_t)(value >> 32);
}

/* A value that must be the same: no other one has all of its bits and of its complement. */
static void put_same(uint32_t **at, uint64_t value)
{
	put_feature(at, value);
	put_feature(at, ~value);
}

/*
 * An ID register: sixteen numbers, of which a larger one stands for more. Each is written as
 * so many ones: the words of a larger one have all bits of a smaller one's.
 */
static void put_id_register(uint32_t **at, uint64_t value)
{
	for (unsigned i = 0; i < 16; i += 2) {
		const unsigned low = value >> 4 * i & 15;
		const unsigned high = value >> 4 * (i + 1) & 15;

		*(*at)++ = ((1u << low) - 1) | ((1u << high) - 1) << 16;
	}
}

#define CTR_LINES UINT64_C(0x000f000f)	  /* sizes of lines of both caches */
#define CTR_COHERENT UINT64_C(0x30000000) /* IDC, DIC: less is to be flushed */

/*
 * Of ID registers, user mode reads in a vm what DC ZVA zeroes, the counter's frequency, and, in
 * programs, the caches' type. Other features it finds by trying, or is told by the host.
 */
void arch_machine_features(uint32_t features[ARCH_FEATURES])
{
	const uint64_t capabilities = getauxval(AT_HWCAP);
	uint32_t *at = features;

	put_feature(&at, capabilities);
	put_feature(&at, getauxval(AT_HWCAP2));
	put_same(&at, READ_ID("dczid_el0"));
	put_same(&at, READ_ID("cntfrq_el0"));
	put_same(&at, READ_ID("ctr_el0") & CTR_LINES);
	put_feature(&at, READ_ID("ctr_el0") & CTR_COHERENT);
	if (!(capabilities & HWCAP_CPUID))
		return;
	put_id_register(&at, READ_ID("id_aa64isar0_el1"));
	put_id_register(&at, READ_ID("id_aa64isar1_el1"));
	put_id_register(&at, READ_ID("s3_0_c0_c6_2")); /* ID_AA64ISAR2_EL1 */
	put_id_register(&at, READ_ID("id_aa64pfr0_el1"));
	put_id_register(&at, READ_ID("id_aa64pfr1_el1"));
}

int arch_boot_state(struct vm *vm, const struct layout *layout,
		    const uint32_t features[ARCH_FEATURES], struct error *err,
		    struct vcpu_state **ret_state)
{
	struct vcpu_state *state = calloc(1, sizeof(*state));

	(void)vm;
	/* none of them is in a register that is set here */
	(void)features;
	if (!state)
		return error_set(err, -ENOMEM, "no memory for vcpu state");
	add_core(state);
	add_system(state, layout);
	*ret_state = state;
	return 0;
}

/*
 * Completes an access whose exit is still pending. That is what KVM_EXIT_MMIO
 * in the run page stands for, to KVM and to arch_enter().
 */
int arch_finish_exit(struct vm *vm)
{
	int r;

	vm->run->immediate_exit = 1;
	r = ioctl(vm->vcpu_fd, KVM_RUN, 0);
	vm->run->immediate_exit = 0;
	if (r && errno != EINTR)
		return -errno;
	vm->run->exit_reason = KVM_EXIT_UNKNOWN;
	return 0;
}

int arch_load_state(struct vm *vm, const struct vcpu_state *state)
{
	for (size_t i = 0; i < state->count; i++)
		if (set_register(vm, state->registers[i].id,
				 state->registers[i].value))
			return -errno;
	arch_enter(vm, THAW_GPA_STUB);
	return 0;
}

/*
 * After an MMIO exit, the next KVM_RUN begins by adding 4 to the pc. A program's exit is
 * the vectors', in supervisor mode.
 */
HOT void arch_enter(struct vm *vm, uint64_t pc)
{
	const uint64_t pstate = PSTATE_INITIAL;
	int r = 0;

	if (vm->run->exit_reason == KVM_EXIT_MMIO)
		pc -= 4;
	if (vm->is_program)
		r = set_register(vm, REGISTER_PSTATE, &pstate);
	if (!r)
		r = set_register(vm, REGISTER_PC, &pc);
	/* the register exists and takes any value */
	assert(!r);
	(void)r;
}

HOT void arch_relax(void)
{
	__asm__ volatile("yield");
}

HOT uint64_t arch_counter_now(void)
{
	uint64_t counter;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(counter)::"memory");
	return counter;
}
