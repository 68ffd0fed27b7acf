/*
 * vcpu.c (x86_64) - vcpu features, the complete state, and the entry of every
 * invocation.
 *
 * References: Documentation/virt/kvm/api.rst; Intel SDM volume 3, chapters 2
 * (CR0, CR4, EFER) and 24 (access rights).
 */
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "guest/abi/thaw_abi.h"
#include "guest/abi/thaw_stubs.h"
#include "vm/arch.h"
#include "vm/kvm.h"
#include "vm/layout.h"
#include "vm/vm_internal.h"
#include "vm/x86_64/descriptors.h"
#include "vm/x86_64/machine_features.h"
#include "vm/x86_64/vcpu_state.h"

#define CPUID_ENTRIES_MAX 256

#define CR0_PE 0x1ull
#define CR0_MP 0x2ull
#define CR0_ET 0x10ull
#define CR0_NE 0x20ull
#define CR0_WP 0x10000ull
#define CR0_PG 0x80000000ull
#define CR4_PAE 0x20ull
#define CR4_OSFXSR 0x200ull
#define CR4_OSXMMEXCPT 0x400ull
#define CR4_UMIP 0x800ull
#define CR4_FSGSBASE 0x10000ull
#define CR4_OSXSAVE 0x40000ull
#define CR4_SMEP 0x100000ull
#define CR4_SMAP 0x200000ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull
#define EFER_NXE 0x800ull
#define RFLAGS_FIXED 0x2ull
#define XCR0_X87_SSE 0x3ull
#define XCR0_AVX 0x4ull
#define XCR0_AVX512 0xe0ull
#define MXCSR_INITIAL 0x1f80
#define FCW_INITIAL 0x37f
#define EFER_SCE 0x1ull
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
/* Selectors that SYSCALL loads, and, less 16 and 8, SYSRET. */
#define STAR_SELECTORS                        \
	((uint64_t)THAW_X86_KERNEL_CS << 32 | \
	 (uint64_t)(THAW_X86_USER_CS - 16) << 48)
/* All flags but the fixed one are clear in the gate. */
#define SFMASK_ALL 0x3f7fd5ull

/* a snapshot's file has it as it is */
_Static_assert(sizeof(struct vcpu_state) ==
		       sizeof(struct kvm_sregs) + sizeof(struct kvm_xcrs) +
			       sizeof(struct kvm_debugregs) +
			       sizeof(struct kvm_vcpu_events) +
			       sizeof(struct kvm_xsave),
	       "no padding");
_Static_assert(THAW_X86_KERNEL_DS == THAW_X86_KERNEL_CS + 8, "SYSCALL");
_Static_assert(THAW_X86_USER_DS == THAW_X86_USER_CS - 8, "SYSRET");

/*
 * What functions see, the same for all vms: asking KVM for it takes as long as making a
 * vcpu. Set once, when KVM is opened.
 */
static struct {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_ENTRIES_MAX];
} cpuid;

static struct kvm_cpuid_entry2 *cpuid_find(uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == function &&
		    cpuid.entries[i].index == index)
			return &cpuid.entries[i];
	return NULL;
}

/* Hides what a function cannot use: virtualization, protection keys, AMX. */
static void cpuid_filter(void)
{
	struct kvm_cpuid_entry2 *leaf;

	leaf = cpuid_find(1, 0);
	if (leaf)
		leaf->ecx &= ~(1u << 5 | 1u << 21); /* VMX, x2APIC */
	leaf = cpuid_find(7, 0);
	if (leaf) {
		leaf->ecx &= ~(1u << 3 | 1u << 7); /* PKU, CET SS */
		leaf->edx &= ~(1u << 20 | 1u << 22 | 1u << 24 | 1u << 25);
	}
	leaf = cpuid_find(0x80000001, 0);
	if (leaf)
		leaf->ecx &= ~(1u << 2); /* SVM */
}

static int cpuid_ask(const struct kvm_host *host, struct error *err)
{
	cpuid.head.nent = CPUID_ENTRIES_MAX;
	if (ioctl(host->fd, KVM_GET_SUPPORTED_CPUID, &cpuid))
		return error_set(err, -errno, "KVM_GET_SUPPORTED_CPUID: %s",
				 strerror(errno));
	cpuid_filter();
	return 0;
}

int arch_kvm_check(struct kvm_host *host, struct error *err)
{
	if (!(kvm_capability(host, KVM_CAP_SYNC_REGS) & KVM_SYNC_X86_REGS) ||
	    !kvm_capability(host, KVM_CAP_XSAVE) ||
	    !kvm_capability(host, KVM_CAP_XCRS))
		return error_set(err, -ENODEV,
				 "this KVM lacks synchronized registers or "
				 "XSAVE: a newer kernel, or a CPU with XSAVE, "
				 "has them");
	host->vm_type = 0;
	return cpuid_ask(host, err);
}

/* Extended state a function may use: of x87, SSE, AVX, AVX-512 what is there. */
static uint64_t xcr0_for(const uint32_t *features)
{
	const uint64_t supported = features_register(features, 0xd, 0, 0);
	uint64_t xcr0 = XCR0_X87_SSE | (supported & XCR0_AVX);

	if ((xcr0 & XCR0_AVX) && (supported & XCR0_AVX512) == XCR0_AVX512)
		xcr0 |= XCR0_AVX512;
	return xcr0;
}

/* This machine's, whatever CPU a snapshot is of: no file takes SMEP, SMAP or UMIP away. */
static uint64_t cr4_for(void)
{
	struct kvm_cpuid_entry2 *leaf = cpuid_find(7, 0);
	uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;

	if (!leaf)
		return cr4;
	if (leaf->ebx & 1u << 0)
		cr4 |= CR4_FSGSBASE;
	if (leaf->ebx & 1u << 7)
		cr4 |= CR4_SMEP;
	if (leaf->ebx & 1u << 20)
		cr4 |= CR4_SMAP;
	if (leaf->ecx & 1u << 2)
		cr4 |= CR4_UMIP;
	return cr4;
}

/*
 * Makes the guest's TSC the host's, where KVM lets us; else notes how far they
 * are apart.
 */
static int set_counter(struct vm *vm, struct error *err)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int khz = ioctl(vm->vcpu_fd, KVM_GET_TSC_KHZ, 0);

	if (khz <= 0)
		return error_set(err, -ENODEV,
				 "KVM_GET_TSC_KHZ: this KVM has no TSC of a "
				 "known frequency");
	vm->counter_hz = (uint64_t)khz * 1000;
	if (ioctl(vm->vcpu_fd, KVM_SET_DEVICE_ATTR, &attr)) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry entry;
		} msr = { .head.nmsrs = 1, .entry.index = 0x10 };

		int r = ioctl(vm->vcpu_fd, KVM_GET_MSRS, &msr);

		if (r != 1) /* the number of registers read */
			return error_set(err, r < 0 ? -errno : -EIO,
					 "KVM_GET_MSRS: the TSC was refused");
		vm->counter_offset = msr.entry.data - arch_counter_now();
	}
	return 0;
}

static int set_msr(struct vm *vm, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = index, .data = value },
	};
	int r = ioctl(vm->vcpu_fd, KVM_SET_MSRS, &msr);

	if (r == 1) /* the number of registers set */
		return 0;
	return r < 0 ? -errno : -EIO;
}

static uint64_t stub_address(const char *stub)
{
	return THAW_GPA_STUB + (uint64_t)(stub - thaw_stub_start);
}

/* Has SYSCALL enter the gate in supervisor mode. */
static int set_syscall_gate(struct vm *vm)
{
	int r = set_msr(vm, MSR_STAR, STAR_SELECTORS);

	if (!r)
		r = set_msr(vm, MSR_SFMASK, SFMASK_ALL);
	if (!r)
		r = set_msr(vm, MSR_LSTAR,
			    THAW_GPA_SUPERVISOR +
				    (uint64_t)(thaw_supervisor_call -
					       thaw_supervisor_start));
	return r;
}

/* Where the system calls of a Linux program enter. */
static int set_syscall_entry(struct vm *vm)
{
	int r = set_msr(vm, MSR_STAR, STAR_SELECTORS);

	if (!r)
		r = set_msr(vm, MSR_SFMASK, SFMASK_ALL);
	if (!r)
		r = set_msr(vm, MSR_LSTAR, stub_address(thaw_stub_linux));
	return r;
}

int arch_gate_init(struct vm *vm, struct error *err)
{
	static const char *const stubs[] = {
		[VM_GATE_NONE] = thaw_stub_done,
		[VM_GATE_CALL] = thaw_stub_call,
		[VM_GATE_TRAP] = thaw_stub_trap,
		[VM_GATE_USER] = thaw_stub_wait,
	};
	int r = 0;

	vm->gate_address = stub_address(stubs[vm->gate]);
	if (vm->gate == VM_GATE_CALL)
		r = set_syscall_gate(vm);
	else if (vm->is_program)
		r = set_syscall_entry(vm);
	return r ? error_set(err, r, "preparing the gate: %s", strerror(-r)) :
		   0;
}

int arch_vcpu_init(struct vm *vm, struct error *err)
{
	int r;

	if (ioctl(vm->vcpu_fd, KVM_SET_CPUID2, &cpuid))
		return error_set(err, -errno, "KVM_SET_CPUID2: %s",
				 strerror(errno));
	/* for arch_decode_exit() */
	vm->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	r = set_msr(vm, MSR_LSTAR, stub_address(thaw_stub_syscall));
	if (r)
		return error_set(err, r, "KVM_SET_MSRS: LSTAR was refused");
	return set_counter(vm, err);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = selector & 3,
		.s = 1,
		.g = 1,
	};
}

static void set_sregs(struct kvm_sregs *sregs, const struct layout *layout,
		      uint64_t cr4)
{
	struct kvm_segment code = flat_segment(THAW_X86_USER_CS, 11);
	struct kvm_segment data = flat_segment(THAW_X86_USER_DS, 3);

	code.l = 1;
	data.db = 1;
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->tr = (struct kvm_segment){
		.base = THAW_GPA_SYSTEM + SYSTEM_TSS,
		.limit = TSS_SIZE - 1,
		.selector = THAW_X86_TSS,
		.type = 11,
		.present = 1,
	};
	sregs->ldt = (struct kvm_segment){ .type = 2, .unusable = 1 };
	sregs->gdt.base = THAW_GPA_SYSTEM + SYSTEM_GDT;
	sregs->gdt.limit = GDT_SIZE - 1;
	sregs->idt.base = THAW_GPA_SYSTEM + SYSTEM_IDT;
	sregs->idt.limit = IDT_SIZE - 1;
	sregs->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs->cr2 = 0;
	sregs->cr3 = layout->tables.start;
	sregs->cr4 = cr4;
	sregs->efer = EFER_LME | EFER_LMA | EFER_NXE;
	memset(sregs->interrupt_bitmap, 0, sizeof(sregs->interrupt_bitmap));
}

/* x87 and SSE in their initial state, marked as present; the rest absent. */
static void set_xsave(struct kvm_xsave *xsave)
{
	memset(xsave, 0, sizeof(*xsave));
	xsave->region[0] = FCW_INITIAL;
	xsave->region[6] = MXCSR_INITIAL;
	xsave->region[128] = XCR0_X87_SSE;
}

const size_t arch_state_size = sizeof(struct vcpu_state);
const uint32_t arch_machine = EM_X86_64;

_Static_assert(2 * FEATURES_WORDS == ARCH_FEATURES, "of KVM and of the CPU");

static void read_supported(uint32_t function, uint32_t index,
			   uint32_t ret_registers[FEATURES_REGISTERS])
{
	const struct kvm_cpuid_entry2 *leaf = cpuid_find(function, index);

	memset(ret_registers, 0, FEATURES_REGISTERS * sizeof(*ret_registers));
	if (!leaf)
		return;
	ret_registers[0] = leaf->eax;
	ret_registers[1] = leaf->ebx;
	ret_registers[2] = leaf->ecx;
	ret_registers[3] = leaf->edx;
}

static uint32_t machine_features[ARCH_FEATURES];

/* CPUID may be the host's own, where user mode does not exit for it: so both. */
static void read_features(void)
{
	features_collect(read_supported, machine_features);
	features_collect(features_read_own, machine_features + FEATURES_WORDS);
}

/* Once: where the host is a guest itself, each CPUID is an exit. */
void arch_machine_features(uint32_t features[ARCH_FEATURES])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_features);
	memcpy(features, machine_features, sizeof(machine_features));
}

int arch_boot_state(struct vm *vm, const struct layout *layout,
		    const uint32_t features[ARCH_FEATURES], struct error *err,
		    struct vcpu_state **ret_state)
{
	cleanup_free struct vcpu_state *state = calloc(1, sizeof(*state));

	if (!state)
		return error_set(err, -ENOMEM, "no memory for vcpu state");
	if (ioctl(vm->vcpu_fd, KVM_GET_SREGS, &state->sregs) ||
	    ioctl(vm->vcpu_fd, KVM_GET_DEBUGREGS, &state->debugregs) ||
	    ioctl(vm->vcpu_fd, KVM_GET_VCPU_EVENTS, &state->events))
		return error_set(err, -errno, "reading the vcpu's state: %s",
				 strerror(errno));
	set_sregs(&state->sregs, layout, cr4_for());
	/*
	 * A program's SYSCALL enters supervisor mode in the stub's page, which is user
	 * mode's as well, for the KVMs where it stays in user mode.
	 */
	if (layout->is_program)
		state->sregs.cr4 &= ~(CR4_SMEP | CR4_SMAP);
	set_xsave(&state->xsave);
	state->xcrs.nr_xcrs = 1;
	state->xcrs.xcrs[0].value = xcr0_for(features);
	*ret_state = take_pointer(state);
	return 0;
}

/* Completes an instruction whose exit is still pending. */
int arch_finish_exit(struct vm *vm)
{
	int r;

	vm->run->kvm_dirty_regs = 0;
	vm->run->immediate_exit = 1;
	r = ioctl(vm->vcpu_fd, KVM_RUN, 0);
	vm->run->immediate_exit = 0;
	/* 0: the instruction goes on, and wants another exit */
	return r == 0 ? -EIO : errno == EINTR ? 0 : -errno;
}

int arch_load_state(struct vm *vm, const struct vcpu_state *state)
{
	struct kvm_sregs sregs = state->sregs;

	if (vm->gate == VM_GATE_CALL || vm->is_program)
		sregs.efer |= EFER_SCE;
	/* XCR0 before XSAVE, CR4 (in sregs) before XCR0 */
	if (ioctl(vm->vcpu_fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vm->vcpu_fd, KVM_SET_XCRS, &state->xcrs) ||
	    ioctl(vm->vcpu_fd, KVM_SET_XSAVE, &state->xsave))
		return -errno;
	/* what boot has read from a new vcpu is what another one begins with */
	if (vm->has_state &&
	    (ioctl(vm->vcpu_fd, KVM_SET_DEBUGREGS, &state->debugregs) ||
	     ioctl(vm->vcpu_fd, KVM_SET_VCPU_EVENTS, &state->events)))
		return -errno;
	arch_enter(vm, THAW_GPA_STUB);
	return 0;
}

HOT void arch_enter(struct vm *vm, uint64_t pc)
{
	struct kvm_regs *regs = &vm->run->s.regs.regs;

	memset(regs, 0, sizeof(*regs));
	regs->rip = pc;
	regs->rflags = RFLAGS_FIXED;
	vm->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

HOT void arch_relax(void)
{
	_mm_pause();
}

HOT uint64_t arch_counter_now(void)
{
	return __rdtsc();
}
