/*
 * translation.h (arm64) - what page tables (memory.c) and the registers that
 * govern them (vcpu.c) must agree on.
 */
#ifndef VM_ARM64_TRANSLATION_H
#define VM_ARM64_TRANSLATION_H

/* Virtual and intermediate physical addresses reach the doorbell. */
#define TRANSLATION_VA_BITS 39
#define TRANSLATION_IPA_BITS 36

/* Fields of MAIR_EL1: normal write-back memory, Device-nGnRE. */
#define TRANSLATION_MEMORY 0ull
#define TRANSLATION_DEVICE 1ull
#define TRANSLATION_MAIR 0x04ffull

#endif
