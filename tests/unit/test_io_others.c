/* test_io_others.c - listeners, other files, messages and the fallback */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/io/io_internal.h"
#include "io_fixture.h"

#define CLIENTS 100
#define THREADS 4
#define POSTS 25000
#define SINGLE_POSTS 20000

/* A listener that keeps what it accepts. */
struct accepting {
	struct io_listener listener;
	int fds[CLIENTS];
	int count, failures, error;
};

static void accepted(struct io_listener *listener, int fd)
{
	struct accepting *listening = (struct accepting *)listener;

	ck_assert_int_lt(listening->count, CLIENTS);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	listening->fds[listening->count++] = fd;
}

static void failed(struct io_listener *listener, int error)
{
	struct accepting *listening = (struct accepting *)listener;

	listening->failures++;
	listening->error = error;
}

static void accepting_open(struct io *io, struct accepting *listening, int fd)
{
	listening->listener.accepted = accepted;
	listening->listener.failed = failed;
	io_listener_open(io, &listening->listener, fd);
}

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

START_TEST(connections_are_accepted_until_the_listener_is_closed)
{
	struct io *io = io_of(_i);
	struct accepting listening = { 0 };
	int clients[CLIENTS], fd = listen_tcp(), late;

	accepting_open(io, &listening, fd);
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = connect_tcp(fd);
	TURN_UNTIL(io, listening.count == CLIENTS);
	io_listener_close(&listening.listener);
	io_wait(io, 0);
	late = connect_tcp(fd);
	io_wait(io, clock_now_ns() + 10 * NS_PER_MS);
	ck_assert_int_eq(listening.count, CLIENTS);
	ck_assert_int_eq(listening.failures, 0);
	io_free(io);
	/* it is still in the backlog, for whoever listens now */
	io = io_of(_i);
	close_all(listening.fds, CLIENTS);
	listening = (struct accepting){ 0 };
	accepting_open(io, &listening, fd);
	TURN_UNTIL(io, listening.count == 1);
	io_free(io);
	close_all(clients, CLIENTS);
	close_all(listening.fds, 1);
	close(late);
	close(fd);
}
END_TEST

/* Every fd there may be is in use, but for @left. */
static int use_up_fds(int *fds, unsigned left)
{
	const struct rlimit limit = { 64, 64 };
	int count = 0;

	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	while ((fds[count] = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0)
		count++;
	while (left--)
		close(fds[--count]);
	return count;
}

START_TEST(a_listener_without_fds_rests_and_tries_again)
{
	struct io *io = io_of(_i);
	struct accepting listening = { 0 };
	int fd = listen_tcp();
	int client = connect_tcp(fd);
	int fds[64], count = use_up_fds(fds, 0);
	uint64_t start = clock_now_ns();

	accepting_open(io, &listening, fd);
	TURN_UNTIL(io, listening.failures == 3);
	ck_assert_int_eq(listening.error, -EMFILE);
	ck_assert_int_eq(listening.count, 0);
	ck_assert_uint_ge(clock_now_ns() - start, 2 * IO_ACCEPT_RETRY_NS);
	close(fds[--count]);
	TURN_UNTIL(io, listening.count == 1);
	ck_assert_int_le(listening.failures, 4);
	close_all(fds, count);
	close_all(listening.fds, 1);
	io_listener_close(&listening.listener);
	io_free(io);
	close(client);
	close(fd);
}
END_TEST

START_TEST(a_resting_listener_can_be_closed)
{
	struct io *io = io_of(_i);
	struct accepting listening = { 0 };
	int fd = listen_tcp();
	int client = connect_tcp(fd);
	int fds[64], count = use_up_fds(fds, 0);

	accepting_open(io, &listening, fd);
	TURN_UNTIL(io, listening.failures == 1);
	io_listener_close(&listening.listener);
	close_all(fds, count);
	io_wait(io, clock_now_ns() + 2 * IO_ACCEPT_RETRY_NS);
	ck_assert_int_eq(listening.failures, 1);
	ck_assert_int_eq(listening.count, 0);
	io_free(io);
	close(client);
	close(fd);
}
END_TEST

struct watched {
	struct io_poll poll;
	unsigned calls, drain_at;
};

static void drain(struct io_poll *poll)
{
	struct watched *watched = (struct watched *)poll;
	char bytes[256];

	if (++watched->calls == watched->drain_at)
		ck_assert_int_gt(read(poll->fd, bytes, sizeof(bytes)), 0);
}

START_TEST(a_file_is_reported_while_it_can_be_read)
{
	struct io *io = io_of(_i);
	struct watched event = { .poll.ready = drain, .drain_at = 3 };
	struct watched signals = { .poll.ready = drain, .drain_at = 1 };
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), signal_fd;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	ck_assert_int_eq(io_poll_open(io, &event.poll, fd), 0);
	ck_assert_int_eq(io_poll_open(io, &signals.poll, signal_fd), 0);
	io_wait(io, clock_now_ns() + NS_PER_MS);
	ck_assert_uint_eq(event.calls + signals.calls, 0);
	eventfd_write(fd, 1);
	TURN_UNTIL(io, event.calls == 3);
	io_wait(io, clock_now_ns() + 5 * NS_PER_MS);
	ck_assert_uint_eq(event.calls, 3);
	raise(SIGUSR1);
	TURN_UNTIL(io, signals.calls == 1);
	io_wait(io, clock_now_ns() + 5 * NS_PER_MS);
	ck_assert_uint_eq(signals.calls, 1);
	io_free(io);
	close(fd);
	close(signal_fd);
}
END_TEST

static void ignore(int number)
{
	(void)number;
}

START_TEST(waiting_ends_in_time_and_by_a_signal)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	const struct sigaction action = { .sa_handler = ignore };
	struct io *io = io_of(_i);
	struct watched event = { .poll.ready = drain };
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t start = clock_now_ns();

	ck_assert_uint_eq(io_wait(io, start + 3 * NS_PER_MS), 0);
	ck_assert_uint_ge(clock_now_ns(), start + 3 * NS_PER_MS);
	ck_assert_uint_eq(io_wait(io, start), 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_uint_eq(io_wait(io, UINT64_MAX), 0);
	/* also if something was submitted on the way to sleep */
	ck_assert_int_eq(io_poll_open(io, &event.poll, fd), 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_uint_eq(io_wait(io, UINT64_MAX), 0);
	io_free(io);
	close(fd);
}
END_TEST

/* ---- messages ---- */

struct note {
	struct io_message message;
	unsigned thread, number;
};

static struct note notes[THREADS][POSTS];
static unsigned delivered[THREADS];

static void deliver(struct io_message *message)
{
	struct note *note = (struct note *)message;

	ck_assert_uint_eq(note->number, delivered[note->thread]);
	delivered[note->thread]++;
}

struct sender {
	struct io *to;
	int backend; /* of its own io; 0: it has none */
	unsigned index;
};

/* Now and then late, so that the receiver sleeps meanwhile. */
static void *post_all(void *argument)
{
	struct sender *sender = argument;
	struct io *own = sender->backend ? io_of(sender->backend) : NULL;

	for (unsigned i = 0; i < POSTS; i++) {
		struct note *note = &notes[sender->index][i];

		*note = (struct note){ { .deliver = deliver },
				       sender->index,
				       i };
		io_post(sender->to, own, &note->message);
		if (i % 500 == 0)
			usleep(100);
	}
	if (own)
		io_wait(own, 0);
	io_free(own);
	return NULL;
}

static unsigned deliveries(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < THREADS; i++)
		count += delivered[i];
	return count;
}

/* No timeout: one lost wake-up, and this never ends. */
START_TEST(messages_of_many_threads_arrive_and_in_order)
{
	struct io *io = io_of(_i);
	struct sender senders[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){ io, i % 2 ? _i : 0, i };
		pthread_create(&threads[i], NULL, post_all, &senders[i]);
	}
	while (deliveries() < THREADS * POSTS)
		io_wait(io, UINT64_MAX);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(io_wait(io, 0), 0);
	io_free(io);
}
END_TEST

struct ball {
	struct io_message message;
	_Atomic(struct io *) ios[2];
	unsigned left, at;
};

static void hit(struct io_message *message)
{
	struct ball *ball = (struct ball *)message;
	unsigned from = ball->at;

	if (!ball->left)
		return;
	ball->left--;
	ball->at = !from;
	io_post(ball->ios[!from], ball->ios[from], message);
}

struct player {
	struct ball *ball;
	int backend;
	unsigned index;
	pthread_barrier_t *barrier;
};

static void *play(void *argument)
{
	struct player *player = argument;
	struct ball *ball = player->ball;
	struct io *io = io_of(player->backend);
	unsigned hits = 0;

	ball->ios[player->index] = io;
	pthread_barrier_wait(player->barrier);
	if (!player->index)
		io_post(io, io, &ball->message);
	/* each is hit as often, and once more to learn of the end */
	while (hits < 1000 + !player->index)
		hits += io_wait(io, UINT64_MAX);
	pthread_barrier_wait(player->barrier);
	io_free(io);
	return NULL;
}

START_TEST(each_message_wakes_whoever_sleeps)
{
	struct ball ball = { .message.deliver = hit, .left = 2000 };
	pthread_barrier_t barrier;
	struct player players[] = {
		{ &ball, _i, 0, &barrier },
		{ &ball, _i, 1, &barrier },
	};
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, play, &players[1]);
	play(&players[0]);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(ball.left, 0);
	pthread_barrier_destroy(&barrier);
}
END_TEST

static atomic_uint seen;

static void see(struct io_message *message)
{
	(void)message;
	atomic_fetch_add(&seen, 1);
}

/* One at a time, at any moment of the receiver's falling asleep. */
static void *post_singly(void *argument)
{
	struct io_message message = { .deliver = see };
	unsigned seed = 1;

	for (unsigned i = 0; i < SINGLE_POSTS; i++) {
		for (unsigned spin = rand_r(&seed) % 4096; spin; spin--)
			__asm__ volatile("");
		io_post(argument, NULL, &message);
		while (atomic_load(&seen) == i)
			__asm__ volatile("");
	}
	return NULL;
}

START_TEST(a_message_that_comes_while_one_falls_asleep_is_not_missed)
{
	struct io *io = io_of(_i);
	pthread_t thread;

	pthread_create(&thread, NULL, post_singly, io);
	while (atomic_load(&seen) < SINGLE_POSTS)
		io_wait(io, UINT64_MAX);
	pthread_join(thread, NULL);
	io_free(io);
}
END_TEST

static void deliver_once(struct io_message *message)
{
	message->deliver = NULL;
}

START_TEST(a_message_to_oneself_is_not_slept_over)
{
	struct io *io = io_of(_i);
	struct io_message message = { .deliver = deliver_once };

	io_post(io, io, &message);
	ck_assert_ptr_nonnull(message.deliver);
	ck_assert_uint_eq(io_wait(io, UINT64_MAX), 1);
	ck_assert_ptr_null(message.deliver);
	ck_assert(!io_sleeps(io));
	io_free(io);
}
END_TEST

static struct io_message late = { .deliver = deliver_once };

/* Fails at first; later on posts, after the inbox was looked at. */
static int accept_late(struct io_listener *listener)
{
	if (!listener->internal.retry_ns && !listener->internal.accepting) {
		listener->internal.accepting = true;
		return -EMFILE;
	}
	io_post(listener->io, NULL, &late);
	return 0;
}

START_TEST(a_message_just_before_going_to_sleep_is_seen)
{
	struct io *io = io_of(_i);
	const struct io_operations *operations = io->operations;
	struct io_operations changed = *operations;
	struct accepting listening = { 0 };

	changed.accept = accept_late;
	io->operations = &changed;
	accepting_open(io, &listening, -1);
	ck_assert_uint_eq(io_wait(io, UINT64_MAX), 1);
	ck_assert_ptr_null(late.deliver);
	io->operations = operations;
	io_free(io);
}
END_TEST

/* ---- where io_uring is forbidden ---- */

/* False: not under this emulator. */
static bool forbid_io_uring(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(*filter),
		.filter = filter,
	};

	ck_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* check runs each test in a child of its own: the filter goes with it. */
START_TEST(without_io_uring_there_is_epoll_and_it_says_why)
{
	struct error err;
	struct io *io;

	if (_i != IO_EPOLL)
		return;
	if (!forbid_io_uring()) {
		printf("skip: %s: no seccomp here\n", __func__);
		return;
	}
	ck_assert_int_eq(io_create(IO_URING, &err, &io), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, "seccomp"));
	ck_assert_int_eq(io_create(IO_AUTO, &err, &io), 0);
	ck_assert_str_eq(io_name(io), "epoll");
	ck_assert_ptr_nonnull(strstr(io_fallback(io), "io_uring_setup"));
	io_free(io);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		connections_are_accepted_until_the_listener_is_closed,
		a_listener_without_fds_rests_and_tries_again,
		a_resting_listener_can_be_closed,
		a_file_is_reported_while_it_can_be_read,
		waiting_ends_in_time_and_by_a_signal,
		messages_of_many_threads_arrive_and_in_order,
		each_message_wakes_whoever_sleeps,
		a_message_that_comes_while_one_falls_asleep_is_not_missed,
		a_message_to_oneself_is_not_slept_over,
		a_message_just_before_going_to_sleep_is_seen,
		without_io_uring_there_is_epoll_and_it_says_why,
		NULL,
	};

	return run_for_backends("io_others", tests);
}
