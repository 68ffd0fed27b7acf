/* test_listen.c - addresses, those that are taken, and those that are not ours. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor/io/listen.h"

static int bind_text(const char *text, bool shared, bool first, int *fd)
{
	const struct listen_address address = { .text = text,
						.shared = shared,
						.is_first = first };
	struct error err;

	return listen_bind(&address, &err, fd);
}

START_TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = { "",		 "8080",  "a:b:c",
					   "127.0.0.1:", "unix:", "::1:80",
					   "[::1]80" };
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_lt(bind_text(bad[i], false, false, &fd), 0);
}
END_TEST

START_TEST(a_path_is_a_unix_socket)
{
	static const char *const paths[][2] = {
		{ "unix:a", "a" },
		{ "unix:/a:1", "/a:1" },
		{ "/run/a:80", "/run/a:80" },
		{ "./a", "./a" },
		{ "../a", "../a" },
	};
	static const char *const others[] = { "localhost:80", ".:80", "a/b:80",
					      "http://a:80", "[::1]:80" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		ck_assert_str_eq(listen_unix_path(paths[i][0]), paths[i][1]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_ptr_null(listen_unix_path(others[i]));
}
END_TEST

START_TEST(other_machines_are_kept_out_unless_told_otherwise)
{
	struct listen_address address = { .text = "0.0.0.0:0" };
	struct error err;
	int fd;

	ck_assert_int_eq(listen_bind(&address, &err, &fd), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, "--insecure"));
	address.insecure = true;
	ck_assert_int_eq(listen_bind(&address, &err, &fd), 0);
	close(fd);
}
END_TEST

START_TEST(what_cannot_be_had_has_one_error)
{
	/* EADDRNOTAVAIL, EINVAL; and ENOTSOCK below */
	static const char *const bad[] = { "192.0.2.1:0", "[fe80::1]:0" };
	struct error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct listen_address address = { .text = bad[i],
						  .insecure = true };
		int fd;

		ck_assert_int_eq(listen_bind(&address, &err, &fd),
				 -EADDRNOTAVAIL);
	}
	ck_assert_int_eq(listen_start(STDIN_FILENO, &err), -EADDRNOTAVAIL);
}
END_TEST

START_TEST(a_port_is_shared_among_ours_and_with_nobody_else)
{
	char where[LISTEN_TEXT_MAX];
	struct error err;
	int first, second, other;

	ck_assert_int_eq(bind_text("127.0.0.1:0", true, true, &first), 0);
	listen_describe(first, where, sizeof(where));
	ck_assert_int_eq(bind_text(where, true, false, &second), 0);
	ck_assert_int_eq(listen_start(first, &err), 0);
	ck_assert_int_eq(listen_start(second, &err), 0);
	ck_assert_int_eq(bind_text(where, true, true, &other), -EADDRINUSE);
	close(first);
	close(second);
}
END_TEST

START_TEST(a_socket_file_is_replaced_if_nobody_listens)
{
	char text[64], where[LISTEN_TEXT_MAX];
	struct error err;
	int first, second;

	snprintf(text, sizeof(text), "unix:/tmp/test_listen.%d", getpid());
	ck_assert_int_eq(bind_text(text, false, false, &first), 0);
	ck_assert_int_eq(listen_start(first, &err), 0);
	listen_describe(first, where, sizeof(where));
	ck_assert_str_eq(where, text);
	ck_assert_int_eq(bind_text(text, false, false, &second), -EADDRINUSE);
	close(first);
	ck_assert_int_eq(bind_text(text, false, false, &second), 0);
	close(second);
	unlink(listen_unix_path(text));
}
END_TEST

/* It cannot be seen then whether anybody listens at the file. */
START_TEST(a_limit_of_open_files_is_no_address_in_use)
{
	const struct listen_address address = {
		.text = "unix:/tmp/test_listen.limit",
	};
	struct rlimit limit, lower;
	struct error err;
	int fd, r;

	unlink(listen_unix_path(address.text));
	ck_assert_int_eq(listen_bind(&address, &err, &fd), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	close(fd);
	lower = limit;
	for (lower.rlim_cur = (rlim_t)fd;; lower.rlim_cur++) {
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lower), 0);
		r = listen_bind(&address, &err, &fd);
		setrlimit(RLIMIT_NOFILE, &limit);
		if (!r)
			break;
		ck_assert_int_eq(r, -EADDRNOTAVAIL);
		ck_assert_ptr_nonnull(strstr(err.message, "open files"));
	}
	close(fd);
	unlink(listen_unix_path(address.text));
}
END_TEST

START_TEST(who_has_a_socket_is_named)
{
	const struct listen_address address = {
		.text = "unix:/tmp/test_listen.named",
	};
	char named[32];
	struct error err;
	int first, second;

	unlink(listen_unix_path(address.text));
	snprintf(named, sizeof(named), "process %d ", getpid());
	ck_assert_int_eq(listen_bind(&address, &err, &first), 0);
	ck_assert_int_eq(listen_bind(&address, &err, &second), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(err.message, named));
	ck_assert_ptr_nonnull(strstr(err.message, address.text));
	close(first);
	unlink(listen_unix_path(address.text));
}
END_TEST

START_TEST(nobody_looks_at_a_socket_while_another_does)
{
	char folder[] = "/tmp/test_listen.XXXXXX", text[64];
	struct listen_address address = { .text = text };
	struct error err;
	int fd, lock;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(text, sizeof(text), "unix:%s/sock", folder);
	lock = open(folder, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	ck_assert_int_eq(listen_bind(&address, &err, &fd), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(err.message, "locked"));
	close(lock);
	ck_assert_int_eq(listen_bind(&address, &err, &fd), 0);
	close(fd);
	unlink(listen_unix_path(text));
	rmdir(folder);
}
END_TEST

/* Binds @text when @start ends, and stays until @end does; 0: it has it. */
static pid_t bind_in_child(const char *text, int start, int end, int said)
{
	pid_t pid = fork();
	char byte;
	int fd, r;

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	if (read(start, &byte, 1) != 1)
		_exit(1);
	r = bind_text(text, true, true, &fd);
	if (write(said, r ? "-" : "+", 1) != 1 || read(end, &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

/* How many of two that begin together can have @text. */
static int race(const char *text)
{
	int start[2], end[2], said[2], count = 0;
	pid_t pids[2];
	char answers[2];

	ck_assert(!pipe(start) && !pipe(end) && !pipe(said));
	for (int i = 0; i < 2; i++)
		pids[i] = bind_in_child(text, start[0], end[0], said[1]);
	ck_assert_int_eq(write(start[1], "..", 2), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(read(said[0], &answers[i], 1), 1);
		count += answers[i] == '+';
	}
	ck_assert_int_eq(write(end[1], "..", 2), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
		close(start[i]);
		close(end[i]);
		close(said[i]);
	}
	return count;
}

/* The socket of the winner of each round is abandoned for the next one. */
START_TEST(of_two_that_begin_together_one_has_it)
{
	char path[64], port[LISTEN_TEXT_MAX];
	int fd;

	snprintf(path, sizeof(path), "unix:/tmp/test_listen.%d", getpid());
	ck_assert_int_eq(bind_text("127.0.0.1:0", false, false, &fd), 0);
	listen_describe(fd, port, sizeof(port));
	close(fd);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(race(path), 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(race(port), 1);
	unlink(listen_unix_path(path));
}
END_TEST

START_TEST(sockets_are_inherited_by_the_process_they_are_for)
{
	char names[32], pid[16];

	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "2", 1);
	ck_assert_uint_eq(listen_inherited(names, sizeof(names)), 0);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "admin:http", 1);
	ck_assert_uint_eq(listen_inherited(names, sizeof(names)), 2);
	ck_assert_str_eq(names, "admin:http");
}
END_TEST

/* Begins to connect to where @listener listens. Returns the client. */
static int begin_to_connect(int listener, int *ret_error)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd;

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address,
				     &size),
			 0);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	*ret_error = connect(fd, (struct sockaddr *)&address, size) ? errno : 0;
	return fd;
}

static bool is_connected(int fd)
{
	struct pollfd state = { .fd = fd, .events = POLLOUT };

	return poll(&state, 1, 0) == 1 && state.revents == POLLOUT;
}

/* Who connects after listen_stop() gets no further; who has connected is accepted. */
static void stop_listening(const char *text, int refusal)
{
	int fd, before, late, error, accepted;

	ck_assert_int_eq(bind_text(text, false, true, &fd), 0);
	ck_assert_int_eq(listen_start(fd, NULL), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	before = begin_to_connect(fd, &error);
	ck_assert(is_connected(before));
	listen_stop(fd);
	late = begin_to_connect(fd, &error);
	ck_assert_int_eq(error, refusal);
	ck_assert(!is_connected(late));
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	/* what is sent on a connection goes on */
	ck_assert_int_eq(send(before, "a", 1, 0), 1);
	ck_assert_int_eq(recv(accepted, &(char){ 0 }, 1, 0), 1);
	close(accepted);
	close(late);
	close(before);
	close(fd);
}

/*
 * Has the socket @fd take @bytes of each packet that it receives: with 0 it drops all, as
 * a bad network would. (A filter is replaced and not detached: user-mode emulators know
 * no SO_DETACH_FILTER.)
 */
static int take_of_packets(int fd, uint32_t bytes)
{
	struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, bytes) };
	const struct sock_fprog program = { .len = 1, .filter = filter };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program));
}

/* Mainline kernels let everybody attach a filter to a socket of theirs. */
static bool may_filter(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool may = !take_of_packets(fd, UINT32_MAX) || errno != EPERM;

	close(fd);
	if (!may)
		printf("skip: filters: this kernel lets only the privileged attach one\n");
	return may;
}

START_TEST(nobody_connects_when_it_has_stopped_and_nobody_is_lost)
{
	char path[] = "/tmp/thaw-test-XXXXXX", text[64];

	/* it tries again and again */
	if (may_filter())
		stop_listening("127.0.0.1:0", EINPROGRESS);
	ck_assert_ptr_nonnull(mkdtemp(path));
	snprintf(text, sizeof(text), "unix:%s/socket", path);
	stop_listening(text, ECONNREFUSED);
	ck_assert_int_eq(unlink(text + strlen("unix:")), 0);
	rmdir(path);
}
END_TEST

/* A client that has not heard the answer is half connected, and can be waited for. */
static void await_client(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct pollfd ready = { .events = POLLIN };
	int fd, client, accepted;

	if (bind_text(text, false, true, &fd) == -EADDRNOTAVAIL)
		return; /* this machine has no IPv6 */
	ck_assert_int_eq(listen_start(fd, NULL), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size),
			 0);
	ck_assert(!listen_is_awaited(fd));
	client = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(take_of_packets(client, 0), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, size),
			 -1);
	ck_assert_int_eq(errno, EINPROGRESS);
	listen_stop(fd);
	ck_assert(listen_is_awaited(fd));
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	/* the kernel answers once more, after a second */
	ck_assert_int_eq(take_of_packets(client, UINT32_MAX), 0);
	ready.fd = fd;
	ck_assert_int_eq(poll(&ready, 1, 60000), 1);
	ck_assert(!listen_is_awaited(fd));
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	close(accepted);
	close(client);
	close(fd);
}

START_TEST(who_is_half_connected_is_awaited)
{
	if (!may_filter())
		return;
	await_client("127.0.0.1:0");
	await_client("[::1]:0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listen");
	TCase *group = tcase_create("listen");
	SRunner *runner;
	int failed;

	tcase_add_test(group, what_is_no_address_is_refused);
	tcase_add_test(group, a_path_is_a_unix_socket);
	tcase_add_test(group,
		       other_machines_are_kept_out_unless_told_otherwise);
	tcase_add_test(group, what_cannot_be_had_has_one_error);
	tcase_add_test(group, a_port_is_shared_among_ours_and_with_nobody_else);
	tcase_add_test(group, a_socket_file_is_replaced_if_nobody_listens);
	tcase_add_test(group, a_limit_of_open_files_is_no_address_in_use);
	tcase_add_test(group,
		       nobody_connects_when_it_has_stopped_and_nobody_is_lost);
	tcase_add_test(group, who_is_half_connected_is_awaited);
	tcase_add_test(group, who_has_a_socket_is_named);
	tcase_add_test(group, nobody_looks_at_a_socket_while_another_does);
	tcase_add_test(group, of_two_that_begin_together_one_has_it);
	/* who waits for a port waits for 2 s */
	tcase_set_timeout(group, 60);
	tcase_add_test(group,
		       sockets_are_inherited_by_the_process_they_are_for);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
