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
#include <unistd.h>

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
static const bool is_sanitized = true;

/* Where a compiler puts frames away, to see who uses them later, there are faults. */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}
#else
static const bool is_sanitized;
#endif

/* As in <linux/kvm.h>, which is for vm/ alone; the sizes are of its structs. */
#define KVM_RUN _IO(0xae, 0x80)
#define KVM_CREATE_VM _IO(0xae, 0x01)
#define KVM_GET_DIRTY_LOG _IOW(0xae, 0x42, char[16])
#define KVM_SET_ONE_REG _IOW(0xae, 0xac, char[16])
/* What KVM can do: asked once. */
#define KVM_CHECK_EXTENSION _IO(0xae, 0x03)
#define KVM_GET_SUPPORTED_CPUID _IOWR(0xae, 0x05, char[8])

/* The guest waits for GO, and we for it, for as long as a test may take. */
#define POLL_WAIT_NS (60 * NS_PER_S)

/* Until everything that is learned has been learned; then what is counted. */
#define WARM_UP 100
/* How often faults are counted. */
#define FAULT_TRIES 3
#define ROUNDS 300

/* Invocations that write so many new pages each: as many as a page of 64 KiB is. */
#define FIRSTS 30
#define FIRST_PAGES 16

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

/* What so many invocations have called, with the backend that @loop says. */
static void check_calls(const struct trace *trace, int loop, unsigned rounds)
{
	const char *backend = backends[loop / SIZES];
	const unsigned wanted = backend_is_polled(backend) ? 0 : rounds;
	const unsigned runs = trace_ioctls(trace, KVM_RUN);
	const unsigned logs = trace_ioctls(trace, KVM_GET_DIRTY_LOG);
	const unsigned registers = trace_ioctls(trace, KVM_SET_ONE_REG);
	struct utsname machine;

	uname(&machine);
	ck_assert_msg(runs == wanted, "%s", trace_text(trace));
	ck_assert_msg(logs == (strcmp(backend, "bitmap") ? 0 : rounds), "%s",
		      trace_text(trace));
	ck_assert_msg(registers ==
			      (strcmp(machine.machine, "aarch64") ? 0 : wanted),
		      "%s", trace_text(trace));
	ck_assert_msg(trace->call_count == runs + logs + registers, "%s",
		      trace_text(trace));
}

START_TEST(a_warm_invocation_is_one_KVM_RUN_and_no_other_system_call)
{
	struct trace trace;

	if (trace_calls(invoke_under_trace, &_i, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	check_calls(&trace, _i, ROUNDS);
}
END_TEST

/* Each invocation writes pages that were never written before. */
static void write_first_under_trace(void *cookie)
{
	struct page_step *step;
	struct steady steady;
	struct thaw_reply reply;

	warm_up(&steady, *(int *)cookie);
	step = &steady.steps.request.steps[0];
	step->count = FIRST_PAGES;
	trace_mark();
	for (uint32_t i = 0; i < FIRSTS; i++) {
		step->first = i * FIRST_PAGES;
		invoke_once(&steady, &reply);
		if (reply.dirty_pages < host_pages(FIRST_PAGES))
			ck_abort_msg("%u pages", reply.dirty_pages);
	}
	trace_mark();
	thaw_close(steady.thaw);
}

/* Too few pages to leave the hot set again. */
START_TEST(a_first_write_takes_no_system_call_either)
{
	int loop = _i * SIZES; /* that writes none while it warms up */
	struct trace trace;

	if (trace_calls(write_first_under_trace, &loop, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	check_calls(&trace, loop, FIRSTS);
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

static void deploy_and_invoke(const char *backend)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backend,
		.memory = "8MiB",
		.poll_wait_ns = POLL_WAIT_NS,
	});
	struct steps steps = { 0 };
	struct thaw_reply reply;

	steps_invoke(thaw, &steps, 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	thaw_reply_release(&reply);
	thaw_close(thaw);
}

static void deploy_under_trace(void *cookie)
{
	const char *backend = backends[*(int *)cookie];

	deploy_and_invoke(backend);
	trace_mark();
	deploy_and_invoke(backend);
	trace_mark();
}

START_TEST(what_KVM_can_do_is_asked_once_and_not_for_each_vm)
{
	struct trace trace;

	if (trace_calls(deploy_under_trace, &_i, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	/* it runs: it is this thread that makes vms */
	ck_assert_uint_gt(trace_ioctls(&trace, KVM_RUN), 0);
	ck_assert_msg(!trace_ioctls(&trace, KVM_CHECK_EXTENSION) &&
			      !trace_ioctls(&trace, KVM_GET_SUPPORTED_CPUID),
		      "%s", trace_text(&trace));
	/* the vm that has booted leaves its shell; with a gate there is none */
	if (!backend_is_polled(backends[_i]))
		ck_assert_uint_eq(trace_ioctls(&trace, KVM_CREATE_VM), 1);
}
END_TEST

/* How many pages are written, and how often a vm runs in its first invocation. */
static const struct {
	unsigned pages, runs;
} awaited[] = { { 1, 1 }, { 64, 2 } };
#define AWAITED ((int)(sizeof(awaited) / sizeof(*awaited)))

/* The invocation that is counted needs a further vm. */
static void invoke_new_vm_under_trace(void *cookie)
{
	const int loop = *(int *)cookie;
	struct steady steady = {
		.thaw = open_steps(&(struct steps_options){
			.backend = backends[loop / AWAITED],
			.memory = "8MiB",
			.concurrency = 2,
			.poll_wait_ns = POLL_WAIT_NS,
		}),
	};
	struct thaw_reply held, reply;

	steps_add(&steady.steps, STEP_CHANGE, 0, awaited[loop % AWAITED].pages);
	for (int i = 0; i < WARM_UP; i++)
		invoke_once(&steady, &held);
	steps_invoke(steady.thaw, &steady.steps, 0, &held);
	trace_mark();
	steps_invoke(steady.thaw, &steady.steps, 0, &reply);
	trace_mark();
	thaw_reply_release(&reply);
	thaw_reply_release(&held);
	thaw_close(steady.thaw);
}

START_TEST(a_new_vm_runs_to_touch_its_pages_only_if_they_are_many)
{
	const unsigned wanted = awaited[_i % AWAITED].runs;
	struct trace trace;
	unsigned runs;

	if (trace_calls(invoke_new_vm_under_trace, &_i, &trace)) {
		printf("skip: system calls: this machine lets us trace none\n");
		return;
	}
	runs = trace_ioctls(&trace, KVM_RUN);
	ck_assert_uint_eq(trace_ioctls(&trace, KVM_CREATE_VM), 1);
	/* where it is polled, another thread runs it for the invocation */
	if (backend_is_polled(backends[_i / AWAITED]))
		ck_assert_uint_le(runs, wanted);
	else
		ck_assert_msg(runs == wanted, "%s", trace_text(&trace));
}
END_TEST

/* Faults of this thread until a new vm has given its first reply. */
static long faults_of_new_vm(const char *backend, unsigned pages)
{
	struct steady steady = {
		.thaw = open_steps(&(struct steps_options){
			.backend = backend,
			.memory = "8MiB",
			.concurrency = 2,
		}),
	};
	struct thaw_reply held, reply;
	long before, faults;

	steps_add(&steady.steps, STEP_CHANGE, 0, pages);
	for (int i = 0; i < WARM_UP; i++)
		invoke_once(&steady, &held);
	steps_invoke(steady.thaw, &steady.steps, 0, &held);
	before = thread_faults();
	steps_invoke(steady.thaw, &steady.steps, 0, &reply);
	faults = thread_faults() - before;
	thaw_reply_release(&reply);
	thaw_reply_release(&held);
	thaw_close(steady.thaw);
	return faults;
}

/* The least of some tries: the kernel may take pages away meanwhile, and adds faults then. */
static long least_faults_of_new_vm(const char *backend, unsigned pages)
{
	long least = faults_of_new_vm(backend, pages);

	for (int i = 1; i < FAULT_TRIES; i++) {
		const long faults = faults_of_new_vm(backend, pages);

		if (faults < least)
			least = faults;
	}
	return least;
}

/*
 * Not one to read it and one to write it: the second one would take the page away in
 * all vms of the process.
 */
START_TEST(a_page_that_is_written_takes_a_new_vm_one_fault)
{
	const long page = (long)sysconf(_SC_PAGESIZE);
	const long few = least_faults_of_new_vm(backends[_i], 8 * page / 4096);
	const long many =
		least_faults_of_new_vm(backends[_i], 136 * page / 4096);

	/* what the tracker has for each page, and page tables, take some */
	ck_assert_int_le(many - few, 128 + 16);
}
END_TEST

/* Mappings of this process. */
static unsigned mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned lines = 0;

	for (int c = maps ? fgetc(maps) : EOF; c != EOF; c = fgetc(maps))
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

/*
 * One is of kvm_run and the dirty ring. Memory has one, and two more for each of its
 * holes, which are at most four. The kernel bounds them, and locks them all when a vm is
 * made. Neighbours may become one. The thread that a vm in cooperative isolation has at the
 * gate has two for its stack.
 */
#define MAPPINGS_OF_VM 10
#define MAPPINGS_OF_THREAD 2
#define DESCRIPTORS_OF_VM 2

START_TEST(a_vm_takes_few_mappings_and_descriptors)
{
	struct steady steady = {
		.thaw = open_steps(&(struct steps_options){
			.backend = backends[_i],
			.memory = "8MiB",
			.concurrency = 10,
		}),
	};
	struct thaw_reply held[10];
	const unsigned each =
		MAPPINGS_OF_VM +
		(backend_is_polled(backends[_i]) ? MAPPINGS_OF_THREAD : 0);
	unsigned before;
	int first, last;

	for (int i = 0; i < 2; i++)
		steps_invoke(steady.thaw, &steady.steps, 0, &held[i]);
	before = mappings();
	first = dup(STDIN_FILENO);
	close(first);
	for (int i = 2; i < 10; i++)
		steps_invoke(steady.thaw, &steady.steps, 0, &held[i]);
	last = dup(STDIN_FILENO);
	close(last);
	/* libraries may map more memory */
	ck_assert_uint_le(mappings() - before, 8 * each + 2);
	ck_assert_int_le(last - first, 8 * DESCRIPTORS_OF_VM);
	for (int i = 0; i < 10; i++)
		thaw_reply_release(&held[i]);
	thaw_close(steady.thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("counting");
	TCase *group = tcase_create("counting");
	const int count = backend_count_all(), n = SIZES * count;

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(
		group,
		a_warm_invocation_is_one_KVM_RUN_and_no_other_system_call, 0,
		n);
	tcase_add_loop_test(group, a_first_write_takes_no_system_call_either, 0,
			    count);
	tcase_add_loop_test(group, a_warm_invocation_takes_no_page_fault, 0, n);
	tcase_add_loop_test(group, a_warm_invocation_allocates_nothing, 0, n);
	tcase_add_loop_test(group,
			    what_KVM_can_do_is_asked_once_and_not_for_each_vm,
			    0, count);
	tcase_add_loop_test(
		group, a_new_vm_runs_to_touch_its_pages_only_if_they_are_many,
		0, AWAITED * backend_count());
	if (is_sanitized) {
		printf("skip: faults and mappings of a new vm: a sanitizer has "
		       "its own\n");
	} else {
		tcase_add_loop_test(
			group, a_page_that_is_written_takes_a_new_vm_one_fault,
			0, backend_count());
		tcase_add_loop_test(group,
				    a_vm_takes_few_mappings_and_descriptors, 0,
				    backend_count());
	}
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
