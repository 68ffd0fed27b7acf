/* floor.c - a bare KVM_RUN, and what is around one. See floor.h. */
#include "vm/floor.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "vm/arch.h"
#include "vm/control.h"
#include "vm/exit.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

int vm_floor_run(struct vm *vm)
{
	return ioctl(vm->vcpu_fd, KVM_RUN, 0) ? -errno : 0;
}

int vm_floor_around(struct vm *vm, uint64_t deadline_ns)
{
	struct vm_exit exit = { .kind = VM_EXIT_OTHER };

	control_begin(&vm->control, 0);
	watch_arm(&vm->watch, deadline_ns);
	arch_decode_exit(vm, true, &exit);
	return exit_judge(vm, 0, &exit);
}
