/* signals_threads.c - what signals.c expects of signals and threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "signals_common.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile int is_ready, is_over, handled_by;

static int self(void)
{
	return (int)syscall(SYS_gettid);
}

static void on_thread(int signal)
{
	handled_by = self();
	on_count(signal);
}

static void wait_for(volatile int *word)
{
	while (!*word)
		sched_yield();
}

/* Waits for SIGUSR1, which it blocks, and then runs until it is told to end. */
static void *work(void *cookie)
{
	stack_t stack;
	sigset_t set;
	int number_of;

	(void)cookie;
	CHECK(!sigaltstack(NULL, &stack) && stack.ss_flags == SS_DISABLE);
	CHECK(!pthread_sigmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGUSR1)); /* of the thread that has made it */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	is_ready = self();
	CHECK(!sigwait(&set, &number_of) && number_of == SIGUSR1);
	sigaddset(&set, SIGUSR2);
	CHECK(!pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	is_ready = 0;
	wait_for(&is_over);
	return NULL;
}

static void expect_handled(int signal, int thread)
{
	CHECK(handled_by == thread && last == signal);
	handled_by = 0;
}

static void start_timer(int thread)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGUSR2 };
	const struct itimerspec soon = { { 0, 0 }, { 0, 2000000 } };
	timer_t timer;

	event.sigev_notify_thread_id = thread;
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &soon, NULL));
}

void do_threads(void)
{
	struct sigaction action = { .sa_handler = on_thread };
	pthread_t thread;
	sigset_t set;
	int worker;

	sigemptyset(&action.sa_mask);
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(!sigaction(SIGUSR2, &action, NULL));
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	CHECK(!pthread_create(&thread, NULL, work, NULL));
	wait_for(&is_ready);
	worker = is_ready;
	/* one to the thread, which waits for it */
	CHECK(!pthread_kill(thread, SIGUSR1));
	CHECK(!sigpending(&set) && !sigismember(&set, SIGUSR1));
	while (is_ready)
		sched_yield();
	CHECK(!count);
	/* it handles what it does not block */
	CHECK(!pthread_kill(thread, SIGUSR1));
	wait_for(&count);
	expect_handled(SIGUSR1, worker);
	count = 0;
	/* and what is sent to both, if the other one blocks it */
	CHECK(!kill(getpid(), SIGUSR2));
	wait_for(&count);
	expect_handled(SIGUSR2, worker);
	count = 0;
	start_timer(worker);
	while (!count)
		;
	expect_handled(SIGUSR2, worker);
	/* a handler of the first thread cuts its wait off */
	handle_simply(SIGALRM, 0);
	set_timer(ITIMER_REAL, 2000, 2000);
	CHECK(usleep(10000000) == -1 && last == SIGALRM);
	set_timer(ITIMER_REAL, 0, 0);
	is_over = 1;
	CHECK(!pthread_join(thread, NULL));
	CHECK(pthread_kill(pthread_self(), 0) == 0);
	CHECK(syscall(SYS_tgkill, getpid(), worker, SIGUSR1) == -1);
	CHECK(errno == ESRCH);
}
