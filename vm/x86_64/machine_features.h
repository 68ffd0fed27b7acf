/*
 * machine_features.h (x86_64) - what CPUID says of the instructions that code may use.
 *
 * Code chooses what it will use when it starts, and a snapshot keeps the choice. So it runs
 * on another CPU that has all of these features, and perhaps more.
 */
#ifndef VM_X86_64_MACHINE_FEATURES_H
#define VM_X86_64_MACHINE_FEATURES_H

#include <stdint.h>

#define FEATURES_COUNT 24 /* registers of leaves that matter */
#define FEATURES_WORDS (2 * FEATURES_COUNT)
#define FEATURES_REGISTERS 4 /* EAX, EBX, ECX, EDX */

/* Reads one leaf of CPUID: all zero if there is none. */
typedef void (*features_read_fn)(uint32_t function, uint32_t index,
				 uint32_t ret_registers[FEATURES_REGISTERS]);

/*
 * Reads, by @read, the registers that name the CPU's vendor and its instructions. Without
 * what differs between the CPUs of one machine, and what only says what the kernel has
 * enabled. Of each register there are two words: the bits that another CPU must have as
 * well, and the complement of those that it must have alike. So a CPU is as good as
 * another one if it has all bits of its words.
 */
void features_collect(features_read_fn read, uint32_t words[FEATURES_WORDS]);

/*
 * A register of a leaf as features_collect() has put it into @words; it must be one of those
 * that matter. Registers are 0, EAX, to 3, EDX.
 */
uint32_t features_register(const uint32_t words[FEATURES_WORDS],
			   uint32_t function, uint32_t index, unsigned number);

/* Reads a leaf as this process sees it. */
void features_read_own(uint32_t function, uint32_t index,
		       uint32_t ret_registers[FEATURES_REGISTERS]);

#endif
