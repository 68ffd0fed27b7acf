/*
 * test_trap_flag.c (x86_64) - a vcpu that may have a single-step trap pending at
 * its deadline is not used again. A function is there for an instant only: so the
 * flag is set from outside, and the deadline has passed before the run.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm/kvm.h"
#include "vm/run.h"
#include "vm/vm.h"
#include "vm/vm_internal.h"

#define MEMORY_SIZE ((size_t)4 << 20)
#define RFLAGS_TF 0x100u

/* A vm whose run ends at once, with these flags more. */
static struct vm *end_at_deadline(uint64_t flags)
{
	struct vm_config config = {
		.memory_size = MEMORY_SIZE,
		.memory_fd = memfd_create("test", MFD_CLOEXEC),
		.dirty = DIRTY_NONE,
	};
	struct vm_exit exit;
	struct error err;
	struct vm *vm;

	ck_assert_int_eq(ftruncate(config.memory_fd, MEMORY_SIZE), 0);
	ck_assert_msg(!vm_create(&config, &err, &vm), "%s", err.message);
	close(config.memory_fd);
	vm_enter(vm);
	vm->run->s.regs.regs.rflags |= flags;
	/* not one instruction runs until the watchdog has seen the deadline */
	vm->run->immediate_exit = 1;
	ck_assert_int_eq(vm_run(vm, 1, &exit), 0);
	ck_assert_int_eq(exit.kind, VM_EXIT_DEADLINE);
	return vm;
}

START_TEST(a_deadline_with_the_trap_flag_spoils_the_vm)
{
	struct vm *vm = end_at_deadline(RFLAGS_TF);

	ck_assert(vm_spoiled(vm));
	vm_free(vm);
}
END_TEST

START_TEST(a_deadline_without_it_does_not)
{
	struct vm *vm = end_at_deadline(0);

	ck_assert(!vm_spoiled(vm));
	vm_free(vm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trap_flag");
	TCase *tcase = tcase_create("trap_flag");
	const struct kvm_host *host;
	struct error err;
	SRunner *runner;
	int failed;

	if (kvm_open(&err, &host)) {
		printf("skip: %s\n", err.message);
		return 77;
	}
	tcase_add_test(tcase, a_deadline_with_the_trap_flag_spoils_the_vm);
	tcase_add_test(tcase, a_deadline_without_it_does_not);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
