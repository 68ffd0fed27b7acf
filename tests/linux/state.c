/*
 * state.c - has some of all that the host knows of a Linux program, before it reads its
 * request, which it answers with the same: tests/cli/inspect.sh. Its secret is in memory,
 * in a file, in a pipe, and in the value that the test gives it as an environment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECRET "s3cret"

static pthread_barrier_t named;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *sleep_on(void *name)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_NAME, name);
	pthread_barrier_wait(&named);
	sleep(1000);
	return NULL;
}

static void *lock_on(void *name)
{
	prctl(PR_SET_NAME, name);
	pthread_barrier_wait(&named);
	pthread_mutex_lock(&lock);
	return NULL;
}

static void handle(int number)
{
	(void)number;
}

static void open_files(void)
{
	const struct itimerspec time = { .it_value.tv_sec = 3600,
					 .it_interval.tv_sec = 7 };
	struct epoll_event event = { .events = EPOLLIN };
	int ends[2], file, counter, timer, poller;

	mkdir("/tmp/desk", 0750);
	chdir("/tmp/desk");
	umask(027);
	file = open("notes", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	write(file, SECRET, strlen(SECRET));
	dup(file);
	pipe(ends);
	write(ends[1], SECRET, strlen(SECRET));
	counter = eventfd(5, EFD_NONBLOCK);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	timerfd_settime(timer, 0, &time, NULL);
	poller = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(poller, EPOLL_CTL_ADD, counter, &event);
}

static void set_signals(void)
{
	const struct itimerval time = { .it_value.tv_sec = 100 };
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	sigset_t set;

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	setitimer(ITIMER_REAL, &time, NULL);
}

static void start_threads(void)
{
	pthread_t thread;

	pthread_barrier_init(&named, NULL, 3);
	pthread_mutex_lock(&lock);
	pthread_create(&thread, NULL, sleep_on, "sleeper");
	pthread_create(&thread, NULL, lock_on, "locker");
	pthread_barrier_wait(&named);
	/* they have the vcpu until both wait */
	usleep(1000);
}

int main(void)
{
	const struct rlimit files = { .rlim_cur = 64, .rlim_max = 128 };
	char request[256];
	ssize_t size;

	open_files();
	start_threads();
	set_signals();
	setrlimit(RLIMIT_NOFILE, &files);
	(void)mmap(NULL, 3 << 12, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	size = read(0, request, sizeof(request));
	write(1, request, size > 0 ? (size_t)size : 0);
	return 0;
}
