/*
 * test_exit.c - what a return of KVM_RUN means, judged without a vcpu: the vm is
 * made of a kvm_run and a control page of our own.
 */
#include "vm/exit.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "guest/abi/thaw_abi.h"
#include "vm/vm_internal.h"
#include "vm/watchdog.h"

static struct kvm_run run;
static struct thaw_control page;
static struct vm vm;
static struct vm_exit ended;

static void start(void)
{
	struct error err;

	run = (struct kvm_run){ .exit_reason = KVM_EXIT_INTR };
	page = (struct thaw_control){ .go = 0 };
	vm = (struct vm){
		.run = &run,
		.dirty.backend = DIRTY_NONE,
		.gate = VM_GATE_CALL,
		.control = { .page = &page, .is_new = true },
	};
	ended = (struct vm_exit){ .kind = VM_EXIT_OTHER };
	ck_assert_msg(!watch_init(&vm.watch, &run, &err), "%s", err.message);
	watch_arm(&vm.watch, UINT64_MAX);
	control_begin(&vm.control, 0);
}

static void stop(void)
{
	watch_disarm(&vm.watch);
	watch_done(&vm.watch);
}

/* Judges the exit of @kind that KVM_RUN has returned @r for. */
static int judge(int r, enum vm_exit_kind kind)
{
	ended.kind = kind;
	return exit_judge(&vm, r, &ended);
}

static void let_the_deadline_strike(void)
{
	const uint64_t give_up_ns = clock_now_ns() + 10 * NS_PER_S;

	watch_arm(&vm.watch, 1);
	while (!watch_expired(&vm.watch) && clock_now_ns() < give_up_ns)
		poll(NULL, 0, 1);
	ck_assert(watch_expired(&vm.watch));
}

static bool is_armed(void)
{
	return atomic_load(&vm.watch.deadline_ns) != 0;
}

START_TEST(a_doorbell_or_a_fault_ends_the_run)
{
	const enum vm_exit_kind kinds[] = { VM_EXIT_DOORBELL, VM_EXIT_FAULT };

	run.exit_reason = KVM_EXIT_IO;
	ended.bell = THAW_BELL_LOG;
	ck_assert_int_eq(judge(0, kinds[_i]), 0);
	ck_assert_int_eq(ended.kind, kinds[_i]);
	ck_assert_uint_eq(ended.bell, THAW_BELL_LOG);
	ck_assert_uint_eq(ended.reason, KVM_EXIT_IO);
	ck_assert(!vm_spoiled(&vm));
	ck_assert(!is_armed());
	ck_assert_uint_ne(vm.ended_at, 0);
}
END_TEST

START_TEST(a_doorbell_at_the_deadline_is_a_doorbell)
{
	let_the_deadline_strike();
	ck_assert_int_eq(judge(0, VM_EXIT_DOORBELL), 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_DOORBELL);
	ck_assert(!is_armed());
	ck_assert(!run.immediate_exit);
}
END_TEST

START_TEST(an_idle_guest_is_done_if_it_says_so)
{
	page.done = page.go;
	ck_assert_int_eq(judge(0, VM_EXIT_IDLE), 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_DOORBELL);
	ck_assert_uint_eq(ended.bell, THAW_BELL_DONE);
	ck_assert(vm.control.at_gate);
	ck_assert(!vm_spoiled(&vm));
}
END_TEST

/* Its GO has come just when it rang, or it lies. */
START_TEST(an_idle_guest_that_is_not_done_goes_on)
{
	ck_assert_int_eq(judge(0, VM_EXIT_IDLE), 1);
	ck_assert(!vm.control.at_gate);
	ck_assert(is_armed());
	let_the_deadline_strike();
	ck_assert_int_eq(judge(0, VM_EXIT_IDLE), 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_DEADLINE);
}
END_TEST

START_TEST(without_a_control_page_nothing_is_done)
{
	page.done = page.go;
	vm.control.page = NULL;
	ck_assert_int_eq(judge(0, VM_EXIT_IDLE), 1);
}
END_TEST

START_TEST(a_signal_ends_the_run_only_at_the_deadline)
{
	ck_assert_int_eq(judge(-EINTR, VM_EXIT_OTHER), 1);
	ck_assert(is_armed());
	ck_assert(!vm_spoiled(&vm));
	let_the_deadline_strike();
	ck_assert_int_eq(judge(-EINTR, VM_EXIT_OTHER), 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_DEADLINE);
	ck_assert(!run.immediate_exit);
	ck_assert(!vm_spoiled(&vm));
}
END_TEST

START_TEST(a_full_ring_is_drained_and_the_guest_goes_on)
{
	ck_assert_int_eq(judge(-ENOBUFS, VM_EXIT_OTHER), 1);
	let_the_deadline_strike();
	ck_assert_int_eq(judge(-ENOBUFS, VM_EXIT_OTHER), 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_DEADLINE);
}
END_TEST

/* There is no vm behind it: the bitmap cannot be asked for. */
START_TEST(a_ring_that_cannot_be_drained_is_not_hidden_by_the_deadline)
{
	int r;

	vm.dirty.backend = DIRTY_BITMAP;
	vm.dirty.vm_fd = -1;
	/* -EBADF, or what an emulator says of an ioctl that it does not know */
	r = dirty_drain(&vm.dirty);
	ck_assert_int_lt(r, 0);
	let_the_deadline_strike();
	ck_assert_int_eq(judge(-ENOBUFS, VM_EXIT_OTHER), r);
	ck_assert(vm_spoiled(&vm));
	ck_assert(!is_armed());
}
END_TEST

START_TEST(any_other_exit_or_failure_spoils_the_vm)
{
	run.exit_reason = KVM_EXIT_SHUTDOWN;
	ck_assert_int_eq(judge(_i ? -EFAULT : 0, VM_EXIT_OTHER),
			 _i ? -EFAULT : 0);
	ck_assert_int_eq(ended.kind, VM_EXIT_OTHER);
	ck_assert_uint_eq(ended.reason, KVM_EXIT_SHUTDOWN);
	ck_assert(vm_spoiled(&vm));
	ck_assert(!is_armed());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exit");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("exit");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, start, stop);
	tcase_add_loop_test(group, a_doorbell_or_a_fault_ends_the_run, 0, 2);
	tcase_add_test(group, a_doorbell_at_the_deadline_is_a_doorbell);
	tcase_add_test(group, an_idle_guest_is_done_if_it_says_so);
	tcase_add_test(group, an_idle_guest_that_is_not_done_goes_on);
	tcase_add_test(group, without_a_control_page_nothing_is_done);
	tcase_add_test(group, a_signal_ends_the_run_only_at_the_deadline);
	tcase_add_test(group, a_full_ring_is_drained_and_the_guest_goes_on);
	tcase_add_test(
		group,
		a_ring_that_cannot_be_drained_is_not_hidden_by_the_deadline);
	tcase_add_loop_test(group, any_other_exit_or_failure_spoils_the_vm, 0,
			    2);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
