/* signals_time.c - the timers of signals.c, and the waits that they cut off. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "signals_common.h"

void set_timer(int which, long us, long every_us)
{
	struct itimerval time = { { every_us / 1000000, every_us % 1000000 },
				  { us / 1000000, us % 1000000 } };

	CHECK(!setitimer(which, &time, NULL));
}

/* A timer interrupts what computes, and registers stay. */
void do_compute(void)
{
	static const int signals[] = { SIGALRM, SIGVTALRM, SIGPROF };

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		handle(signals[which], on_clobber, 0);
		set_timer(which, 1000, 1000);
		count = 0;
		CHECK(spin_keeps(&count, 3));
		CHECK(info.si_signo == signals[which]);
		CHECK(info.si_code == SI_KERNEL);
		set_timer(which, 0, 0);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits for a signal, as pause() does, which some C libraries make of other calls. */
static void wait_once(void)
{
#ifdef SYS_pause
	CHECK(syscall(SYS_pause) == -1 && errno == EINTR);
#else
	sigset_t set;

	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigsuspend(&set) == -1 && errno == EINTR);
#endif
}

void do_sleep(void)
{
	struct timespec time = { 100, 0 }, left = { 0, 0 };
	struct itimerval timer;
	sigset_t none;

	/* again and again: the first may come before the call */
	handle_simply(SIGALRM, SA_RESTART);
	set_timer(ITIMER_REAL, 2000, 2000);
	CHECK(nanosleep(&time, &left) == -1 && errno == EINTR && count);
	CHECK(left.tv_sec == 99 && left.tv_nsec > 0);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left) == EINTR);
	CHECK(left.tv_sec == 99);
	wait_once();
	/* a signal that is ignored ends no sleep */
	signal(SIGALRM, SIG_IGN);
	count = 3;
	set_timer(ITIMER_REAL, 1000, 1000);
	time = (struct timespec){ 0, 5000000 };
	CHECK(!nanosleep(&time, &left) && count == 3);
	CHECK(!getitimer(ITIMER_REAL, &timer) && timer.it_interval.tv_usec);
	set_timer(ITIMER_REAL, 0, 0);
	CHECK(!getitimer(ITIMER_REAL, &timer) && !timer.it_value.tv_usec);
	/* what is blocked comes when the program waits for it */
	handle_simply(SIGALRM, 0);
	block(SIG_BLOCK, SIGALRM);
	set_timer(ITIMER_REAL, 1000, 0);
	time = (struct timespec){ 0, 3000000 };
	CHECK(!nanosleep(&time, &left) && count == 3);
	sigemptyset(&none);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && count == 4);
	CHECK(!sigpending(&none) && !sigismember(&none, SIGALRM));
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &none));
	CHECK(sigismember(&none, SIGALRM));
}

/* Calls that wait are begun again, if the handler says so. */
void do_restart(void)
{
	static int word = 1;

	handle_simply(SIGALRM, SA_RESTART);
	set_timer(ITIMER_REAL, 1000, 0);
	/* begun again, it finds that the word has changed */
	CHECK(syscall(SYS_futex, &count, 0, 0, NULL) == -1);
	CHECK(errno == EAGAIN && count == 1);
	handle_simply(SIGALRM, 0);
	set_timer(ITIMER_REAL, 1000, 1000);
	CHECK(syscall(SYS_futex, &word, 0, 1, NULL) == -1);
	CHECK(errno == EINTR && count >= 2);
	set_timer(ITIMER_REAL, 0, 0);
	/* and then nobody waits for it */
	CHECK(syscall(SYS_futex, &word, 1, 10) == 0);
}

void do_alarm(void)
{
	handle_simply(SIGALRM, 0);
	alarm(0);
	CHECK(alarm(100) == 0 && alarm(50) == 100 && alarm(0) == 50);
	CHECK(alarm(1) == 0);
	wait_once();
	CHECK(count == 1 && alarm(0) == 0);
}

static timer_t make_timer(clockid_t clock, int notify, int value)
{
	struct sigevent event = { .sigev_notify = notify,
				  .sigev_signo = SIGRTMIN + 3,
				  .sigev_value.sival_int = value };
	timer_t timer;

	CHECK(!timer_create(clock, &event, &timer));
	return timer;
}

void do_timers(void)
{
	struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } }, left;
	const struct itimerspec stop = { { 0, 0 }, { 0, 0 } };
	struct timespec now;
	sigset_t set;
	timer_t first, second;
	siginfo_t got;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	first = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, 11);
	CHECK(!timer_settime(first, 0, &often, NULL));
	CHECK(!usleep(5500));
	CHECK(sigwaitinfo(&set, &got) == SIGRTMIN + 3);
	CHECK(got.si_code == SI_TIMER && got.si_value.sival_int == 11);
	CHECK(got.si_overrun >= 3 && timer_getoverrun(first) >= 3);
	CHECK(!timer_gettime(first, &left) && left.it_value.tv_nsec);
	CHECK(left.it_interval.tv_nsec == 1000000);
	CHECK(!timer_settime(first, 0, &stop, &left));
	CHECK(left.it_interval.tv_nsec == 1000000);
	CHECK(!timer_gettime(first, &left) && !left.it_value.tv_nsec);

	second = make_timer(CLOCK_REALTIME, SIGEV_SIGNAL, 12);
	clock_gettime(CLOCK_REALTIME, &now);
	often = (struct itimerspec){ { 0, 0 }, now };
	CHECK(!timer_settime(second, TIMER_ABSTIME, &often, NULL));
	while (sigwaitinfo(&set, &got) != SIGRTMIN + 3 ||
	       got.si_value.sival_int != 12)
		;
	CHECK(!timer_delete(first) && timer_delete(first));
	CHECK(!timer_delete(second));
	/* one that is silent only counts */
	first = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, 0);
	often = (struct itimerspec){ { 0, 0 }, { 100, 0 } };
	CHECK(!timer_settime(first, 0, &often, NULL));
	CHECK(!timer_gettime(first, &left) && left.it_value.tv_sec == 99);
	often.it_value.tv_nsec = 1000000000;
	CHECK(timer_settime(first, 0, &often, NULL) && errno == EINVAL);
	CHECK(timer_create(99, NULL, &second) && errno == EINVAL);
}

void do_timer_limit(void)
{
	timer_t timer;
	int most = 0;

	while (most < 1000 && !timer_create(CLOCK_MONOTONIC, NULL, &timer))
		most++;
	printf("%d %s\n", most, errno == EAGAIN ? "EAGAIN" : "");
	exit(0);
}

static void on_loop(int signal)
{
	raise(signal);
}

void do_loop(void)
{
	struct sigaction action = { .sa_handler = on_count };
	struct itimerspec often = { { 0, 1 }, { 0, 1 } };
	timer_t timer;

	if (number == 1)
		action.sa_handler = on_loop;
	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	if (number == 2)
		signal(SIGALRM, SIG_IGN);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &often, NULL);
	if (number == 1)
		raise(SIGALRM);
	while (number != 3 || now_ns())
		;
}

void do_wait(void)
{
	alarm(0);
	wait_once();
}
