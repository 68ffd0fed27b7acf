/*
 * test_counting.c - counts what a warm invocation costs in the steady state: one
 * KVM_RUN, and no other system call, page fault or allocation. A polled invocation
 * needs no KVM_RUN either.
 *
 * On arm64, KVM_SET_ONE_REG sets the program counter as well. With the bitmap,
 * KVM_GET_DIRTY_LOG asks which pages were written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "tests/contract/support/allocations.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "tests/contract/support/trace.h"
#include "vm/poll.h"
#include "vm/poll_cores.h"
#include "vm/stats.h"

#ifdef TEST_SANITIZED
/* Where gcc 14 puts frames away, to see who uses them later, there are faults. */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}
#endif

/* As in <linux/kvm.h>, which is for vm/ alone; the sizes are of its structs. */
#define KVM_RUN _IO(0xae, 0x80)
#define KVM_GET_DIRTY_LOG _IOW(0xae, 0x42, char[16])
#define KVM_SET_ONE_REG _IOW(0xae, 0xac, char[16])

/* The guest waits for GO, and we for it, for as long as a test may take. */
#define POLL_WAIT_NS (60 * NS_PER_S)

/* Until everything that is learned has been learned; then what is counted. */
#define WARM_UP 100
#define ROUNDS 300

/* Pages the handler writes. */
static const unsigned sizes[] = { 0, 1, 64, 1024 };
#define SIZES ((int)(sizeof(sizes) / sizeof(*sizes)))

struct steady {
	struct thaw *thaw;
	struct steps steps;
};

static void invoke_once(struct steady *steady, struct thaw_reply *reply)
{
	steps_invoke(steady->thaw, &steady->steps, 0, reply);
	if (reply->result != THAW_OK)
		ck_abort_msg("%s", outcome(reply));
	thaw_reply_release(reply);
}

/* The loop is over sizes, in each backend. */
static void warm_up(struct steady *steady, int loop)
{
	struct thaw_reply reply;

	*steady = (struct steady){
		.thaw = open_steps(&(struct steps_options){
			.backend = backends[loop / SIZES],
			.memory = "8MiB",
			.poll_wait_ns = POLL_WAIT_NS,
		}),
	};
	steps_add(&steady->steps, STEP_CHANGE, 0, sizes[loop % SIZES]);
	for (int i = 0; i < WARM_UP; i++)
		invoke_once(steady, &reply);
	ck_assert_uint_ge(reply.hot_pages, host_pages(sizes[loop % SIZES]));
}

static void invoke_under_trace(void *cookie)
{
	struct steady steady;
	struct thaw_reply reply;

	warm_up(&steady, *(int *)cookie);
	trace_mark();
	for (int i = 0; i < ROUNDS; i++)
		invoke_once(&steady, &reply);
	trace_mark();
	thaw_close(steady.thaw);
}

/* Of all rounds. */
static unsigned runs_wanted(int loop)
{
	return backend_is_polled(backends[loop / SIZES]) ? 0 : ROUNDS;
}

START_TEST(a_warm_invocation_is_one_KVM_RUN_and_no_other_system_call)
{
	bool is_bitmap = !strcmp(backends[_i / SIZES], "bitmap");
	const unsigned wanted = runs_wanted(_i);
	unsigned runs, logs, registers;
	struct utsname machine;
	struct trace trace;

	uname(&machine);
	if (trace_calls(invoke_under_trace, &_i, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	runs = trace_ioctls(&trace, KVM_RUN);
	logs = trace_ioctls(&trace, KVM_GET_DIRTY_LOG);
	registers = trace_ioctls(&trace, KVM_SET_ONE_REG);
	ck_assert_msg(runs == wanted, "%s", trace_text(&trace));
	ck_assert_msg(logs == (is_bitmap ? ROUNDS : 0), "%s",
		      trace_text(&trace));
	ck_assert_msg(registers ==
			      (strcmp(machine.machine, "aarch64") ? 0 : wanted),
		      "%s", trace_text(&trace));
	ck_assert_msg(trace.call_count == runs + logs + registers, "%s",
		      trace_text(&trace));
}
END_TEST

/* Page faults of this thread, in user mode and in system calls. */
static long thread_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

START_TEST(a_warm_invocation_takes_no_page_fault)
{
	struct steady steady;
	struct thaw_reply reply;
	struct vm *vm;
	uint64_t guest_before = 0, guest_after = 0;
	unsigned reported = 0, exits = 0;
	bool has_stat;
	long before;

	warm_up(&steady, _i);
	steps_invoke(steady.thaw, &steady.steps, 0, &reply);
	vm = invoke_state(&reply)->vm; /* the only one */
	thaw_reply_release(&reply);
	/* KVM tells nothing while the vcpu is in guest mode */
	poll_stop(vm);
	has_stat = !vm_stat(vm, "pf_taken", &guest_before);
	if (!has_stat)
		printf("skip: guest page faults: this KVM does not count "
		       "them\n");
	/* from here, where the stack is another page's: as deep as it goes */
	for (int i = 0; i < WARM_UP; i++)
		invoke_once(&steady, &reply);
	thread_faults();
	before = thread_faults();
	for (int i = 0; i < ROUNDS; i++) {
		invoke_once(&steady, &reply);
		reported += reply.dirty_pages;
		exits += reply.exits;
	}
	ck_assert_int_eq(thread_faults() - before, 0);
	ck_assert_uint_eq(reported, 0);
	ck_assert_uint_eq(exits, runs_wanted(_i));
	poll_stop(vm);
	if (has_stat) {
		ck_assert_int_eq(vm_stat(vm, "pf_taken", &guest_after), 0);
		ck_assert_uint_eq(guest_after - guest_before, 0);
	}
	thaw_close(steady.thaw);
}
END_TEST

START_TEST(a_warm_invocation_allocates_nothing)
{
	struct steady steady;
	struct thaw_reply reply;
	unsigned before;

	if (!allocations_counted()) {
		printf("skip: allocations: malloc is not ours in this "
		       "build\n");
		return;
	}
	warm_up(&steady, _i);
	before = allocations();
	for (int i = 0; i < ROUNDS; i++)
		invoke_once(&steady, &reply);
	ck_assert_uint_eq(allocations() - before, 0);
	thaw_close(steady.thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("counting");
	TCase *group = tcase_create("counting");
	int n = SIZES * backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(
		group,
		a_warm_invocation_is_one_KVM_RUN_and_no_other_system_call, 0,
		n);
	tcase_add_loop_test(group, a_warm_invocation_takes_no_page_fault, 0, n);
	tcase_add_loop_test(group, a_warm_invocation_allocates_nothing, 0, n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
