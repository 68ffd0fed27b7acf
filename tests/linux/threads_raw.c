/*
 * threads_raw.c - system calls about threads, made as no C library makes them: what
 * each operation of futex() does, and wild arguments. See threads.c.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "threads.h"

#define PAGE 4096
#define THREAD_FLAGS                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM)
/* Not mapped, and not of this address space. */
#define NOWHERE ((void *)8)
#define FAR ((void *)0xffff800000000000)

static uint32_t words[4];
static volatile int woken, begun;

static long futex(void *address, int operation, uint32_t value,
		  const void *timeout, void *other, uint32_t more)
{
	return syscall(SYS_futex, address, operation, value, timeout, other,
		       more);
}

static bool fails(long result, int error)
{
	return result == -1 && errno == error;
}

/* Waits for the word that its argument is, and counts. */
static void *wait_for_word(void *argument)
{
	begun++;
	CHECK(!futex(argument, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	woken++;
	return NULL;
}

static void *wait_for_bit(void *argument)
{
	begun++;
	CHECK(!futex(&words[0], FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
		     (uint32_t)(uintptr_t)argument));
	woken++;
	return NULL;
}

static void start_waiter(pthread_t *thread, void *(*run)(void *),
			 void *argument)
{
	const int before = begun;

	CHECK(!pthread_create(thread, NULL, run, argument));
	while (begun == before)
		syscall(SYS_sched_yield);
	syscall(SYS_sched_yield);
}

/* Lets those that were woken run. */
static int woken_now(void)
{
	for (int i = 0; i < 10; i++)
		syscall(SYS_sched_yield);
	return woken;
}

static void do_wake(void)
{
	const struct timespec past = { 0, 0 }, bad = { 0, -1 };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		start_waiter(&threads[i], wait_for_word, &words[0]);
	CHECK(woken_now() == 0);
	CHECK(futex(&words[1], FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	CHECK(futex(&words[0], FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
	CHECK(woken_now() == 1);
	CHECK(futex(&words[0], FUTEX_WAKE, INT32_MAX, NULL, NULL, 0) == 2);
	CHECK(woken_now() == 3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK(fails(futex(&words[0], FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN));
	CHECK(fails(futex(&words[0], FUTEX_WAIT, 0, &past, NULL, 0),
		    ETIMEDOUT));
	CHECK(fails(futex(&words[0], FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL));
	CHECK(fails(futex(&words[0], FUTEX_WAIT_BITSET, 0, &past, NULL, 1),
		    ETIMEDOUT));
	CHECK(fails(futex(&words[0], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
			  0, &past, NULL, 1),
		    ETIMEDOUT));
}

static void do_bitset(void)
{
	pthread_t threads[2];

	start_waiter(&threads[0], wait_for_bit, (void *)1);
	start_waiter(&threads[1], wait_for_bit, (void *)6);
	CHECK(futex(&words[0], FUTEX_WAKE_BITSET, 9, NULL, NULL, 8) == 0);
	CHECK(futex(&words[0], FUTEX_WAKE_BITSET, 9, NULL, NULL, 2) == 1);
	CHECK(woken_now() == 1);
	CHECK(futex(&words[0], FUTEX_WAKE_BITSET, 9, NULL, NULL, 1) == 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(fails(futex(&words[0], FUTEX_WAKE_BITSET, 1, NULL, NULL, 0),
		    EINVAL));
	CHECK(fails(futex(&words[0], FUTEX_WAIT_BITSET, 0, NULL, NULL, 0),
		    EINVAL));
}

static void do_requeue(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		start_waiter(&threads[i], wait_for_word, &words[0]);
	CHECK(fails(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)9, &words[1],
			  7),
		    EAGAIN));
	CHECK(fails(futex(&words[0], FUTEX_REQUEUE, (uint32_t)-1, (void *)9,
			  &words[1], 0),
		    EINVAL));
	CHECK(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)2, &words[1], 0) ==
	      3);
	CHECK(woken_now() == 1);
	CHECK(futex(&words[0], FUTEX_REQUEUE, 0, (void *)9, &words[2], 0) == 1);
	CHECK(woken_now() == 1);
	CHECK(futex(&words[0], FUTEX_WAKE, 9, NULL, NULL, 0) == 0);
	CHECK(futex(&words[1], FUTEX_WAKE, 9, NULL, NULL, 0) == 2);
	CHECK(woken_now() == 3);
	CHECK(futex(&words[2], FUTEX_WAKE, 9, NULL, NULL, 0) == 1);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

#define OPERATION(what, argument, how, with)              \
	((uint32_t)(what) << 28 | (uint32_t)(how) << 24 | \
	 ((uint32_t)(argument)&0xfff) << 12 | ((uint32_t)(with)&0xfff))

/* What an operation makes of 12, and whether it wakes the second's waiter, of 12. */
static const struct {
	uint32_t operation;
	uint32_t result;
	bool wakes;
} operations[] = {
	{ OPERATION(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 12), 5, true },
	{ OPERATION(FUTEX_OP_ADD, -2, FUTEX_OP_CMP_NE, 12), 10, false },
	{ OPERATION(FUTEX_OP_OR, 3, FUTEX_OP_CMP_LT, 13), 15, true },
	{ OPERATION(FUTEX_OP_ANDN, 4, FUTEX_OP_CMP_LE, 11), 8, false },
	{ OPERATION(FUTEX_OP_XOR, 6, FUTEX_OP_CMP_GT, -1), 10, true },
	{ OPERATION(FUTEX_OP_SET, -1, FUTEX_OP_CMP_GE, 13), UINT32_MAX, false },
	{ OPERATION(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 31, FUTEX_OP_CMP_GE,
		    12),
	  0x8000000cu, true },
};

static void do_wake_op(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		const bool wakes = operations[i].wakes;
		pthread_t threads[2];

		woken = 0;
		words[1] = 0;
		start_waiter(&threads[0], wait_for_word, &words[0]);
		start_waiter(&threads[1], wait_for_word, &words[1]);
		words[1] = 12;
		CHECK(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1],
			    operations[i].operation) == 1 + wakes);
		CHECK(words[1] == operations[i].result);
		CHECK(woken_now() == 1 + wakes);
		if (!wakes)
			futex(&words[1], FUTEX_WAKE, 1, NULL, NULL, 0);
		for (int j = 0; j < 2; j++)
			pthread_join(threads[j], NULL);
	}
	CHECK(fails(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1],
			  5u << 28),
		    ENOSYS));
	CHECK(fails(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, &words[1],
			  6u << 24),
		    ENOSYS));
}

static void *read_only_page(void)
{
	static void *page;

	if (!page)
		page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	CHECK(page != MAP_FAILED);
	return page;
}

static void do_wild_futex(void)
{
	void *const places[] = { NOWHERE, FAR, (void *)0x14000 };

	for (size_t i = 0; i < 2; i++) {
		void *place = places[i];

		CHECK(fails(futex(place, FUTEX_WAIT, 0, NULL, NULL, 0),
			    EFAULT));
		CHECK(fails(futex(place, FUTEX_WAKE, 1, NULL, NULL, 0),
			    EFAULT));
		CHECK(!futex(place, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
		CHECK(fails(futex(&words[0], FUTEX_REQUEUE, 1, (void *)1, place,
				  0),
			    EFAULT));
		CHECK(fails(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1, place,
				  0),
			    EFAULT));
		CHECK(fails(futex(&words[0], FUTEX_WAIT, 0, place, NULL, 0),
			    EFAULT));
	}
	for (int operation = 0; operation < 6; operation++)
		if (operation != FUTEX_FD)
			CHECK(fails(futex((char *)words + 2, operation, 0, NULL,
					  &words[1], 0),
				    EINVAL));
	CHECK(fails(futex(&words[0], FUTEX_WAKE_OP, 1, (void *)1,
			  read_only_page(), 0),
		    EFAULT));
	CHECK(fails(futex(&words[0], FUTEX_LOCK_PI, 0, NULL, NULL, 0), ENOSYS));
	CHECK(fails(futex(&words[0], FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL,
			  NULL, 0),
		    ENOSYS));
	CHECK(fails(futex(&words[0], 77, 0, NULL, NULL, 0), ENOSYS));
	CHECK(fails(syscall(449, NULL, 0, 0, NULL, 0), ENOSYS));
}

static void *do_nothing(void *argument)
{
	return argument;
}

/* Makes a thread whose end is announced at a wild address, or leaves a wild list. */
static void *end_badly(void *argument)
{
	syscall(SYS_set_tid_address, argument);
	CHECK(!syscall(SYS_set_robust_list, argument, 24));
	syscall(SYS_exit, 0);
	return NULL;
}

static void end_thread(void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(!pthread_attr_init(&attributes));
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	CHECK(!pthread_create(&thread, &attributes, end_badly, argument));
	for (int i = 0; i < 20; i++)
		syscall(SYS_sched_yield);
}

static void do_wild_end(void)
{
	/* a list of one that is its own end never, of one that leads away, of itself */
	static uint64_t circle[3], other[1], away[3] = { 8, 0, 8 };
	char *page = read_only_page();

	circle[0] = (uintptr_t)other;
	other[0] = (uintptr_t)other;
	circle[1] = 64;
	circle[2] = (uintptr_t)other;
	end_thread(NULL);
	end_thread(NOWHERE);
	end_thread(FAR);
	end_thread(page);
	end_thread(page + 1);
	end_thread(circle);
	end_thread(away);
	CHECK(!page[0]);
	CHECK(fails(syscall(SYS_set_robust_list, circle, 23), EINVAL));
	CHECK(fails(syscall(SYS_get_robust_list, 77, circle, other), ESRCH));
	CHECK(fails(syscall(SYS_get_robust_list, 0, NOWHERE, other), EFAULT));
}

/* A futex that the dead thread holds, and one that it does not. */
static struct {
	uint64_t head[3];
	uint64_t entries[2];
	uint32_t futexes[4];
} robust;

static void *hold(void *argument)
{
	const uint32_t id = (uint32_t)syscall(SYS_gettid);

	robust.head[0] = (uintptr_t)&robust.entries[0];
	robust.head[1] = offsetof(typeof(robust), futexes) -
			 offsetof(typeof(robust), entries);
	robust.entries[0] = (uintptr_t)&robust.entries[1];
	robust.entries[1] = (uintptr_t)robust.head;
	robust.futexes[0] = id | FUTEX_WAITERS;
	robust.futexes[2] = id + 1;
	CHECK(!syscall(SYS_set_robust_list, robust.head, 24));
	return argument;
}

static void do_robust_list(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, hold, NULL));
	pthread_join(thread, NULL);
	CHECK(robust.futexes[0] == (FUTEX_WAITERS | FUTEX_OWNER_DIED));
	CHECK(!(robust.futexes[2] & FUTEX_OWNER_DIED));
}

/* Never returns in the new thread, which has no stack of its own worth the name. */
static void do_wild_clone(void)
{
	struct clone_args args = { .flags = THREAD_FLAGS };
	static uint64_t large[520];

	CHECK(fails(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL),
		    EPERM));
	CHECK(fails(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL,
			    NULL, NULL, NULL),
		    EPERM));
	CHECK(fails(syscall(SYS_clone, THREAD_FLAGS | CLONE_NEWUSER, NULL, NULL,
			    NULL, NULL),
		    EPERM));
	CHECK(fails(syscall(SYS_clone, -1ul, NULL, NULL, NULL, NULL), EPERM));
	CHECK(fails(syscall(SYS_clone3, &args, 63), EINVAL));
	CHECK(fails(syscall(SYS_clone3, NOWHERE, sizeof(args)), EFAULT));
	CHECK(fails(syscall(SYS_clone3, FAR, sizeof(args)), EFAULT));
	CHECK(fails(syscall(SYS_clone3, large, 4097), E2BIG));
	large[100] = 1;
	CHECK(fails(syscall(SYS_clone3, large, 4096), E2BIG));
	args.stack = (uintptr_t)large;
	CHECK(fails(syscall(SYS_clone3, &args, sizeof(args)), EINVAL));
	args.stack_size = sizeof(large);
	args.exit_signal = SIGCHLD;
	CHECK(fails(syscall(SYS_clone3, &args, sizeof(args)), EINVAL));
	args.exit_signal = 0;
	args.set_tid_size = 1;
	CHECK(fails(syscall(SYS_clone3, &args, sizeof(args)), EPERM));
	args.set_tid_size = 0;
	args.flags = SIGCHLD;
	CHECK(fails(syscall(SYS_clone3, &args, sizeof(args)), EPERM));
}

/* Ids that cannot be written are not written; a thread without a stack faults alone. */
static void do_no_stack(void)
{
	const unsigned long flags = THREAD_FLAGS | CLONE_PARENT_SETTID |
				    CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	char *volatile page = NOWHERE;

	if (syscall(SYS_clone, flags, NOWHERE, FAR, NOWHERE, NOWHERE) > 0)
		for (;;)
			syscall(SYS_sched_yield);
	/* the new thread: it writes below its stack */
	*(volatile char *)page = 1;
}

static void do_ids(void)
{
	pthread_t thread;
	int id = (int)syscall(SYS_gettid);
	char name[16];

	CHECK(id == 1 && syscall(SYS_set_tid_address, &words[3]) == 1);
	CHECK(!syscall(SYS_tgkill, getpid(), id, 0));
	CHECK(fails(syscall(SYS_tgkill, getpid(), 77, 0), ESRCH));
	CHECK(fails(syscall(SYS_tkill, 77, 0), ESRCH));
	start_waiter(&thread, wait_for_word, &words[0]);
	CHECK(!syscall(SYS_tgkill, getpid(), 2, 0));
	CHECK(futex(&words[0], FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
	pthread_join(thread, NULL);
	CHECK(fails(syscall(SYS_tgkill, getpid(), 2, 0), ESRCH));
	CHECK(!prctl(PR_SET_NAME, "a name that is too long"));
	CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, "a name that is "));
	CHECK(prctl(PR_SET_NAME, NOWHERE) && errno == EFAULT);
	CHECK(!pthread_create(&thread, NULL, do_nothing, NULL));
	pthread_join(thread, NULL);
}

static void do_scheduling(void)
{
	uint64_t set = 1, none = 2;
	int priority = 0, real = 5;
	unsigned cpu = 7, node = 7;

	CHECK(syscall(SYS_sched_getaffinity, 0, 8, &set) == 8 && set == 1);
	CHECK(!syscall(SYS_sched_setaffinity, 0, 8, &set));
	CHECK(fails(syscall(SYS_sched_setaffinity, 0, 8, &none), EINVAL));
	CHECK(fails(syscall(SYS_sched_setaffinity, 77, 8, &set), ESRCH));
	CHECK(fails(syscall(SYS_sched_setaffinity, 0, 8, NOWHERE), EFAULT));
	CHECK(!syscall(SYS_sched_getscheduler, 0));
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_NORMAL, &priority));
	CHECK(fails(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &real),
		    EPERM));
	CHECK(fails(syscall(SYS_sched_setscheduler, 0, 99, &priority), EINVAL));
	CHECK(!syscall(SYS_sched_getparam, 0, &real) && !real);
	CHECK(!syscall(SYS_sched_setparam, 0, &priority));
	CHECK(syscall(SYS_sched_get_priority_max, SCHED_FIFO) == 99);
	CHECK(syscall(SYS_sched_get_priority_min, SCHED_FIFO) == 1);
	CHECK(!syscall(SYS_getcpu, &cpu, &node, NULL) && !cpu && !node);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0);
	CHECK(!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	CHECK(fails(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL));
}

const struct command raw_commands[] = {
	{ "wake", do_wake },
	{ "bitset", do_bitset },
	{ "requeue", do_requeue },
	{ "wake_op", do_wake_op },
	{ "wild_futex", do_wild_futex },
	{ "wild_end", do_wild_end },
	{ "robust_list", do_robust_list },
	{ "wild_clone", do_wild_clone },
	{ "no_stack", do_no_stack },
	{ "ids", do_ids },
	{ "scheduling", do_scheduling },
};
const size_t raw_command_count = sizeof(raw_commands) / sizeof(*raw_commands);
