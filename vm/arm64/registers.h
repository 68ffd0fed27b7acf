/*
 * registers.h (arm64) - names for KVM_GET_ONE_REG and KVM_SET_ONE_REG: the core
 * registers of struct kvm_regs, and system registers by their encoding (Arm
 * ARM, D19).
 */
#ifndef VM_ARM64_REGISTERS_H
#define VM_ARM64_REGISTERS_H

#include <linux/kvm.h>
#include <stddef.h>

#define REGISTER_CORE(size, field)                                \
	(KVM_REG_ARM64 | KVM_REG_SIZE_##size | KVM_REG_ARM_CORE | \
	 KVM_REG_ARM_CORE_REG(field))

#define REGISTER_X(n) REGISTER_CORE(U64, regs.regs[n])
#define REGISTER_SP REGISTER_CORE(U64, regs.sp)
#define REGISTER_PC REGISTER_CORE(U64, regs.pc)
#define REGISTER_PSTATE REGISTER_CORE(U64, regs.pstate)
#define REGISTER_SP_EL1 REGISTER_CORE(U64, sp_el1)
#define REGISTER_ELR_EL1 REGISTER_CORE(U64, elr_el1)
#define REGISTER_SPSR_EL1 REGISTER_CORE(U64, spsr[KVM_SPSR_EL1])
#define REGISTER_V(n) REGISTER_CORE(U128, fp_regs.vregs[n])
#define REGISTER_FPSR REGISTER_CORE(U32, fp_regs.fpsr)
#define REGISTER_FPCR REGISTER_CORE(U32, fp_regs.fpcr)

#define REGISTER_MDSCR_EL1 ARM64_SYS_REG(2, 0, 0, 2, 2)
#define REGISTER_SCTLR_EL1 ARM64_SYS_REG(3, 0, 1, 0, 0)
#define REGISTER_CPACR_EL1 ARM64_SYS_REG(3, 0, 1, 0, 2)
#define REGISTER_TTBR0_EL1 ARM64_SYS_REG(3, 0, 2, 0, 0)
#define REGISTER_TTBR1_EL1 ARM64_SYS_REG(3, 0, 2, 0, 1)
#define REGISTER_TCR_EL1 ARM64_SYS_REG(3, 0, 2, 0, 2)
#define REGISTER_ESR_EL1 ARM64_SYS_REG(3, 0, 5, 2, 0)
#define REGISTER_FAR_EL1 ARM64_SYS_REG(3, 0, 6, 0, 0)
#define REGISTER_MAIR_EL1 ARM64_SYS_REG(3, 0, 10, 2, 0)
#define REGISTER_VBAR_EL1 ARM64_SYS_REG(3, 0, 12, 0, 0)
#define REGISTER_CONTEXTIDR_EL1 ARM64_SYS_REG(3, 0, 13, 0, 1)
#define REGISTER_TPIDR_EL1 ARM64_SYS_REG(3, 0, 13, 0, 4)
#define REGISTER_CNTKCTL_EL1 ARM64_SYS_REG(3, 0, 14, 1, 0)
#define REGISTER_TPIDR_EL0 ARM64_SYS_REG(3, 3, 13, 0, 2)
#define REGISTER_TPIDRRO_EL0 ARM64_SYS_REG(3, 3, 13, 0, 3)

#endif
