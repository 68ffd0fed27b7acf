/*
 * run.c - runs a vm until its guest exits. The hot path of dispatch by exit, on
 * the thread that owns the vm: executor/invoke.c -> here -> exit.c. After it go
 * to snapshot/restore.c. Polled dispatch is in poll.c.
 */
#include "vm/run.h"

#include "base/hot.h"
#include "vm/control.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

HOT static int run_until_exit(struct vm *vm, struct vm_exit *exit)
{
	int r;

	do {
		r = exit_await(vm, exit);
		r = exit_judge(vm, r, exit);
	} while (r > 0);
	return r;
}

HOT int vm_run(struct vm *vm, uint64_t deadline_ns, struct vm_exit *ret_exit)
{
	control_begin(&vm->control, 0);
	watch_arm(&vm->watch, deadline_ns);
	return run_until_exit(vm, ret_exit);
}

HOT int vm_run_slice(struct vm *vm, uint64_t end_ns, struct vm_exit *ret_exit)
{
	control_begin(&vm->control, 0);
	watch_arm_soft(&vm->watch, end_ns);
	return run_until_exit(vm, ret_exit);
}
