/* hyperlight_privileged.c (x86_64) - what a Hyperlight guest in ring 0 may do. */
#include "hyperlight.h"

int privileged(int32_t which)
{
	switch (which) {
	case 0: /* ReadMSR */
		__asm__ volatile("rdmsr" : : "c"(0x10) : "eax", "edx");
		break;
	case 1: /* WriteMSR */
		__asm__ volatile("wrmsr" : : "c"(0x10), "a"(0), "d"(0));
		break;
	case 2: /* SetDr0 */
		__asm__ volatile("mov %0, %%dr0" : : "r"(0x1000l));
		break;
	case 3: /* WriteXcr0 */
		__asm__ volatile("xsetbv" : : "c"(0), "a"(3), "d"(0));
		break;
	case 4: /* the pair of swapgs */
		__asm__ volatile("swapgs; swapgs" : : : "memory");
		break;
	case 5: /* OutbWithPort */
		__asm__ volatile("outb %b0, %w1" : : "a"(1), "d"(0x63));
		break;
	case 6: /* TriggerInt3 */
		__asm__ volatile("int3");
		break;
	default: /* InstallHandler */
		__asm__ volatile("lidt (%0)" : : "r"(0x100000l) : "memory");
		break;
	}
	return which;
}
