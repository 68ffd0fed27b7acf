/*
 * svm_shim.c - makes up for one fault of QEMU's SVM; preloaded into programs.
 *
 * A guest rings the doorbell by an OUT that the I/O bitmap of its task state
 * segment allows. The task register of a running machine holds a *busy* TSS
 * (type 11): that is what processors have and what KVM wants. QEMU's emulation
 * of OUT looks at the bitmap only if the type is that of an *available* one
 * (9), and else raises a general protection fault. So here, and only here, 11
 * becomes 9 on its way into KVM_SET_SREGS.
 */
#include <linux/kvm.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TSS_AVAILABLE 9
#define TSS_BUSY 11

int ioctl(int fd, unsigned long request, ...)
{
	struct kvm_sregs registers;
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (request == KVM_SET_SREGS) {
		registers = *(const struct kvm_sregs *)argument;
		if (registers.tr.type == TSS_BUSY)
			registers.tr.type = TSS_AVAILABLE;
		argument = &registers;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}
