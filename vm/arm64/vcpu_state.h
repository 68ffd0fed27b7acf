/*
 * vcpu_state.h (arm64) - the complete state of a vcpu, but for the pc, which
 * arch_enter() sets.
 */
#ifndef VM_ARM64_VCPU_STATE_H
#define VM_ARM64_VCPU_STATE_H

#include <stddef.h>
#include <stdint.h>

#define VCPU_REGISTERS_MAX 96

struct vcpu_register {
	uint64_t id;	   /* as KVM_SET_ONE_REG names it */
	uint64_t value[2]; /* little endian, as many bytes as the id says */
};

struct vcpu_state {
	size_t count;
	struct vcpu_register registers[VCPU_REGISTERS_MAX];
};

#endif
