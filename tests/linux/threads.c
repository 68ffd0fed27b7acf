/*
 * threads.c - a Linux program for tests/contract/test_linux_threads.c, with threads. It
 * knows nothing of thaw. It reads a command, and the reply is what it writes; hostile
 * commands are in threads_raw.c.
 */
#define _GNU_SOURCE
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#define NS_PER_S 1000000000l

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static __thread int local = 5;
static volatile int flag;
static int shared;

/* The stack of each thread is small, so that many fit into memory. */
static void start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;

	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstacksize(&attributes, 128 << 10));
	errno = pthread_create(thread, &attributes, run, argument);
	CHECK(!errno);
	pthread_attr_destroy(&attributes);
}

static void *join(pthread_t thread)
{
	void *result;

	CHECK(!pthread_join(thread, &result));
	return result;
}

static void *twice(void *argument)
{
	return (void *)((uintptr_t)argument * 2);
}

static void do_join(void)
{
	pthread_t threads[8];

	for (uintptr_t i = 0; i < 8; i++)
		start(&threads[i], twice, (void *)i);
	for (uintptr_t i = 0; i < 8; i++)
		CHECK(join(threads[i]) == (void *)(i * 2));
}

static void *add_many(void *argument)
{
	for (int i = 0; i < 100; i++) {
		int old;

		pthread_mutex_lock(&mutex);
		old = shared;
		if (i % 8 == 0)
			sched_yield();
		shared = old + 1;
		pthread_mutex_unlock(&mutex);
	}
	return argument;
}

static void do_mutex(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		start(&threads[i], add_many, NULL);
	for (int i = 0; i < 8; i++)
		join(threads[i]);
	CHECK(shared == 800);
}

static void *consume(void *argument)
{
	uintptr_t sum = 0;

	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (!shared)
			pthread_cond_wait(&condition, &mutex);
		sum += (uintptr_t)shared;
		shared = 0;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	(void)argument;
	return (void *)sum;
}

static void do_condition(void)
{
	pthread_t thread;

	start(&thread, consume, NULL);
	for (int i = 1; i <= 100; i++) {
		pthread_mutex_lock(&mutex);
		while (shared)
			pthread_cond_wait(&condition, &mutex);
		shared = i;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	CHECK(join(thread) == (void *)5050);
}

static struct timespec soon(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_nsec += 3000000;
	time.tv_sec += time.tv_nsec / NS_PER_S;
	time.tv_nsec %= NS_PER_S;
	return time;
}

static void *lock_in_time(void *argument)
{
	const struct timespec end = soon(CLOCK_REALTIME);

	(void)argument;
	return (void *)(uintptr_t)pthread_mutex_timedlock(&mutex, &end);
}

/* Each waits for what does not come, and finds out when its time is over. */
static void do_timed(void)
{
	struct timespec end = soon(CLOCK_REALTIME), now;
	pthread_condattr_t attributes;
	pthread_cond_t other;
	pthread_t thread;
	sem_t semaphore;

	pthread_mutex_lock(&mutex);
	CHECK(pthread_cond_timedwait(&condition, &mutex, &end) == ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(now.tv_sec > end.tv_sec ||
	      (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec));
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&other, &attributes);
	end = soon(CLOCK_MONOTONIC);
	CHECK(pthread_cond_timedwait(&other, &mutex, &end) == ETIMEDOUT);
	sem_init(&semaphore, 0, 0);
	end = soon(CLOCK_REALTIME);
	CHECK(sem_timedwait(&semaphore, &end) && errno == ETIMEDOUT);
	start(&thread, lock_in_time, NULL);
	CHECK(join(thread) == (void *)ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	start(&thread, lock_in_time, NULL);
	CHECK(join(thread) == NULL);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *meet(void *argument)
{
	int *meetings = argument;

	for (int i = 0; i < 10; i++) {
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			++*meetings;
	}
	return NULL;
}

static void do_barrier(void)
{
	pthread_t threads[4];
	int meetings = 0;

	CHECK(!pthread_barrier_init(&barrier, NULL, 4));
	for (int i = 0; i < 4; i++)
		start(&threads[i], meet, &meetings);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	CHECK(meetings == 10);
	CHECK(!pthread_barrier_destroy(&barrier));
}

static void *read_or_write(void *argument)
{
	for (int i = 0; i < 50; i++) {
		int before;

		if (argument) {
			pthread_rwlock_wrlock(&rwlock);
			before = shared;
			sched_yield();
			shared = before + 1;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			before = shared;
			sched_yield();
			CHECK(shared == before);
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

static void do_rwlock(void)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		start(&threads[i], read_or_write, i % 2 ? &shared : NULL);
	for (int i = 0; i < 6; i++)
		join(threads[i]);
	CHECK(shared == 150);
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
	destroyed += (int)(uintptr_t)value;
}

static void *use_locals(void *argument)
{
	CHECK(local == 5);
	local = (int)(uintptr_t)argument;
	CHECK(!pthread_setspecific(key, argument));
	for (int i = 0; i < 5; i++) {
		sched_yield();
		CHECK(local == (int)(uintptr_t)argument);
		CHECK(pthread_getspecific(key) == argument);
	}
	return NULL;
}

static void do_locals(void)
{
	pthread_t threads[4];

	CHECK(!pthread_key_create(&key, destroy));
	for (uintptr_t i = 0; i < 4; i++)
		start(&threads[i], use_locals, (void *)(i + 10));
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	CHECK(destroyed == 10 + 11 + 12 + 13);
	CHECK(local == 5);
}

static sem_t done;

static void *post(void *argument)
{
	sem_post(&done);
	return argument;
}

static void do_detached(void)
{
	sem_init(&done, 0, 0);
	for (int i = 0; i < 200; i++) {
		pthread_t thread;

		start(&thread, post, NULL);
		CHECK(!pthread_detach(thread));
		while (sem_wait(&done))
			CHECK(errno == EINTR);
	}
}

static void once(void)
{
	shared++;
	sched_yield();
}

static void *call_once(void *argument)
{
	static pthread_once_t control = PTHREAD_ONCE_INIT;

	pthread_once(&control, once);
	CHECK(shared == 1);
	return argument;
}

static void do_once(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		start(&threads[i], call_once, NULL);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
}

static void *set_flag(void *argument)
{
	flag = 1;
	return argument;
}

/* Waits without a system call: only its turn's end lets the other run. */
static void do_spin(void)
{
	pthread_t thread;

	start(&thread, set_flag, NULL);
	while (!flag)
		;
	join(thread);
}

typedef uint64_t vector __attribute__((vector_size(64)));

/* Keeps all kinds of registers busy. What is lost once changes the result for good. */
__attribute__((noinline)) static double calculate(uint64_t seed, long rounds)
{
	vector a = { 1, 2, 3, 4, 5, 6, 7, 8 }, b = a + seed;
	uint64_t x = seed, y = ~seed, z = seed * 3;
	long double slow = (long double)seed;
	double fast = 0;

	for (long i = 0; i < rounds; i++) {
		a += b ^ (b << 3);
		b += a ^ (a >> 5);
		x = x * 6364136223846793005u + 1442695040888963407u;
		y ^= x >> 7;
		z += y << 3 | x >> 61;
		slow += 0.5l;
		fast += 0.25;
	}
	for (int i = 0; i < 8; i++)
		x += a[i] * 3 + b[i];
	return fast + (double)slow + (double)(x ^ y ^ z);
}

static long rounds_of_calculation;

static void *calculate_in_thread(void *argument)
{
	static double results[4];
	const uintptr_t i = (uintptr_t)argument;

	results[i] = calculate(i, rounds_of_calculation);
	return &results[i];
}

/* As many rounds as take some turns. */
static void do_preempt(void)
{
	struct timespec begin, end;
	volatile double result;
	pthread_t threads[4];

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		rounds_of_calculation += 1000000;
		/* another seed each time, or the compiler calculates once */
		result = calculate((uint64_t)rounds_of_calculation, 1000000);
		clock_gettime(CLOCK_MONOTONIC, &end);
	} while ((end.tv_sec - begin.tv_sec) * NS_PER_S + end.tv_nsec -
			 begin.tv_nsec <
		 15000000);
	(void)result;
	for (uintptr_t i = 0; i < 4; i++)
		start(&threads[i], calculate_in_thread, (void *)i);
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(*(double *)join(threads[i]) ==
		      calculate(i, rounds_of_calculation));
}

static void *wait_for_ever(void *argument)
{
	pthread_mutex_lock(&mutex);
	return argument;
}

/* The first thread, and all others that there may be. */
static void do_many(void)
{
	pthread_attr_t attributes;
	pthread_t threads[64];
	int count = 1, r = 0;

	pthread_mutex_lock(&mutex);
	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstacksize(&attributes, 128 << 10));
	for (; count < 70; count++) {
		r = pthread_create(&threads[count % 64], &attributes,
				   wait_for_ever, NULL);
		if (r)
			break;
	}
	CHECK(r == EAGAIN && count == 64);
	/* when one has ended there is room for one */
	pthread_mutex_unlock(&mutex);
	join(threads[1]);
	start(&threads[1], twice, NULL);
	join(threads[1]);
}

static volatile int is_held;

static void *die_holding(void *argument)
{
	pthread_mutex_lock(argument);
	is_held = 1;
	return NULL;
}

static void do_robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t robust;
	pthread_t thread;

	CHECK(!pthread_mutexattr_init(&attributes));
	CHECK(!pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&robust, &attributes));
	start(&thread, die_holding, &robust);
	/* on a slow machine this thread may run before that one has locked it */
	while (!is_held)
		sched_yield();
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&robust));
	CHECK(!pthread_mutex_unlock(&robust));
	join(thread);
	CHECK(!pthread_mutex_lock(&robust));
}

static void *outlive(void *argument)
{
	CHECK(!pthread_join(*(pthread_t *)argument, NULL));
	printf("outlived\n");
	return NULL;
}

static void do_outlive(void)
{
	static pthread_t first;
	pthread_t thread;

	first = pthread_self();
	start(&thread, outlive, &first);
	pthread_exit(NULL);
}

static void *leave(void *argument)
{
	(void)argument;
	fflush(stdout);
	_exit(3);
}

static void do_exit_group(void)
{
	pthread_t thread;

	start(&thread, leave, NULL);
	join(thread);
}

static void *fault(void *argument)
{
	int *volatile nowhere = (int *)8;

	(void)argument;
	*nowhere = 1;
	return NULL;
}

static void do_fault(void)
{
	pthread_t thread;

	start(&thread, fault, NULL);
	join(thread);
}

static void do_deadlock(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

static void do_deadlock_of_two(void)
{
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	start(&thread, wait_for_ever, NULL);
	join(thread);
}

static void *sleep_long(void *argument)
{
	nanosleep(&(struct timespec){ 3600, 0 }, NULL);
	return argument;
}

/* One that sleeps does not keep the other from running, or from ending the program. */
static void do_sleeper(void)
{
	pthread_t thread;

	start(&thread, sleep_long, NULL);
	for (int i = 0; i < 3; i++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* Threads that were there before the snapshot: a worker, a sleeper and a spinner. */
static struct {
	pthread_t threads[3];
	int asked, answered;
	volatile int ids[3];
	volatile long spins;
	double before;
} early;

static void *work(void *argument)
{
	early.ids[0] = (int)syscall(SYS_gettid);
	local = 100;
	pthread_mutex_lock(&mutex);
	for (;;) {
		while (!early.asked)
			pthread_cond_wait(&condition, &mutex);
		early.asked = 0;
		early.answered = ++local;
		pthread_cond_broadcast(&condition);
	}
	return argument;
}

static void *doze(void *argument)
{
	early.ids[1] = (int)syscall(SYS_gettid);
	for (;;)
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	return argument;
}

static void *turn_round(void *argument)
{
	early.ids[2] = (int)syscall(SYS_gettid);
	for (;;)
		if (calculate(7, 1000) == early.before)
			early.spins++;
	return argument;
}

static void start_early(void)
{
	early.before = calculate(7, 1000);
	start(&early.threads[0], work, NULL);
	start(&early.threads[1], doze, NULL);
	start(&early.threads[2], turn_round, NULL);
	while (!early.ids[0] || !early.ids[1] || early.spins < 10)
		sched_yield();
}

static void do_early(void)
{
	const long spins = early.spins;

	for (int i = 1; i <= 3; i++) {
		pthread_mutex_lock(&mutex);
		early.asked = 1;
		pthread_cond_broadcast(&condition);
		while (!early.answered)
			pthread_cond_wait(&condition, &mutex);
		CHECK(early.answered == 100 + i);
		early.answered = 0;
		pthread_mutex_unlock(&mutex);
	}
	while (early.spins < spins + 10)
		;
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	CHECK(early.ids[0] == 2 && early.ids[1] == 3 && early.ids[2] == 4);
}

/* One thread asks for the request while another holds the vcpu. */
static void *ask(void *argument)
{
	static char text[64];
	ssize_t n = read(0, text, sizeof(text) - 1);

	CHECK(n > 0);
	flag = 1;
	(void)argument;
	return text;
}

static const char *read_in_thread(void)
{
	pthread_t thread;

	start(&thread, ask, NULL);
	while (!flag)
		calculate(1, 1000);
	flag = 0;
	return join(thread);
}

static const struct command commands[] = {
	{ "join", do_join },
	{ "mutex", do_mutex },
	{ "condition", do_condition },
	{ "timed", do_timed },
	{ "barrier", do_barrier },
	{ "rwlock", do_rwlock },
	{ "locals", do_locals },
	{ "detached", do_detached },
	{ "once", do_once },
	{ "spin", do_spin },
	{ "preempt", do_preempt },
	{ "many", do_many },
	{ "robust", do_robust },
	{ "outlive", do_outlive },
	{ "exit_group", do_exit_group },
	{ "fault", do_fault },
	{ "deadlock", do_deadlock },
	{ "deadlock_of_two", do_deadlock_of_two },
	{ "sleeper", do_sleeper },
	{ "early", do_early },
};

static bool run(const struct command *list, size_t count, const char *input)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, input)) {
			list[i].run();
			puts("good");
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	static char input[64];
	const char *how = argc > 1 ? argv[1] : "", *text = input;

	if (!strcmp(how, "early"))
		start_early();
	if (!strcmp(how, "deadlock"))
		do_deadlock();
	if (!strcmp(how, "thread"))
		text = read_in_thread();
	else if (read(0, input, sizeof(input) - 1) <= 0)
		return 5;
	if (run(commands, sizeof(commands) / sizeof(*commands), text) ||
	    run(raw_commands, raw_command_count, text))
		return 0;
	return 6;
}
