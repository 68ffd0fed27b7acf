/* hyperlight_privileged.c (arm64) - what a guest in EL1 may do. */
#include "hyperlight.h"

int privileged(int32_t which)
{
	switch (which) {
	case 0:
		__asm__ volatile("mrs x0, sctlr_el1" : : : "x0");
		break;
	case 1:
		__asm__ volatile("msr ttbr0_el1, xzr");
		break;
	case 2:
		__asm__ volatile("msr dbgbvr0_el1, xzr");
		break;
	case 3:
		__asm__ volatile("msr cpacr_el1, xzr");
		break;
	case 4:
		__asm__ volatile("msr tpidr_el1, xzr");
		break;
	case 5:
		__asm__ volatile("hvc #0");
		break;
	case 6:
		__asm__ volatile("brk #1");
		break;
	default:
		__asm__ volatile("msr vbar_el1, xzr");
		break;
	}
	return which;
}
