/* floor.c - a bare KVM_RUN. See floor.h. */
#include "vm/floor.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "vm/vm_internal.h"

int vm_floor_run(struct vm *vm)
{
	return ioctl(vm->vcpu_fd, KVM_RUN, 0) ? -errno : 0;
}
