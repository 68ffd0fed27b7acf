/* descriptors.h - offsets into the page THAW_GPA_SYSTEM: GDT, TSS, IDT. */
#ifndef VM_X86_64_DESCRIPTORS_H
#define VM_X86_64_DESCRIPTORS_H

#include "guest/abi/thaw_abi.h"

#define SYSTEM_GDT 0x0
#define GDT_SIZE (THAW_X86_TSS + 16)

#define SYSTEM_TSS 0x100
#define TSS_BITMAP 104
/* The bitmap ends with the doorbell's byte, and a byte of ones after it. */
#define TSS_SIZE (TSS_BITMAP + THAW_DOORBELL_PORT / 8 + 2)

#define SYSTEM_IDT 0x200
#define IDT_VECTORS 32
#define IDT_SIZE (IDT_VECTORS * 16)
#define VECTOR_BP 3

/* The frame a fault stub leaves at the end of THAW_GPA_FAULT. */
#define FAULT_FRAME_VECTOR 0
#define FAULT_FRAME_ERROR 1
#define FAULT_FRAME_RIP 2
#define FAULT_FRAME_CS 3
#define FAULT_FRAME_RFLAGS 4
#define FAULT_FRAME_RSP 5
#define FAULT_FRAME_SS 6
#define FAULT_FRAME_WORDS 7

#endif
