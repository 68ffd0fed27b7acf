/*
 * machine_features.h (x86_64) - what CPUID says of the instructions that code may use.
 *
 * Code chooses what it will use when it starts, and a snapshot keeps the choice.
 */
#ifndef VM_X86_64_MACHINE_FEATURES_H
#define VM_X86_64_MACHINE_FEATURES_H

#include <stdint.h>

#define FEATURES_LEAVES 17
#define FEATURES_REGISTERS 4 /* EAX, EBX, ECX, EDX */
#define FEATURES_WORDS (FEATURES_LEAVES * FEATURES_REGISTERS)

/* Reads one leaf of CPUID: all zero if there is none. */
typedef void (*features_read_fn)(uint32_t function, uint32_t index,
				 uint32_t ret_registers[FEATURES_REGISTERS]);

/*
 * Reads, by @read, the leaves that name the CPU's model and its instructions. Without
 * what differs between the CPUs of one machine, and what only says what the kernel has
 * enabled.
 */
void features_collect(features_read_fn read, uint32_t words[FEATURES_WORDS]);

/* Reads a leaf as this process sees it. */
void features_read_own(uint32_t function, uint32_t index,
		       uint32_t ret_registers[FEATURES_REGISTERS]);

#endif
