/*
 * test_load.c - what the load generator counts, against a server of our own
 * that does what a test wants. Its one thread speaks HTTP, badly but fast.
 */
#include "bench/load.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64

/* What the server does. */
struct script {
	unsigned stall_at; /* the request, from 1, before which it stalls; 0: none */
	uint64_t stall_ns;
	unsigned hang_up_every; /* so many requests, without a reply; 0: never */
	unsigned refuse_every;	/* 429 */
	bool in_pieces;		/* replies arrive byte by byte */
	bool is_silent;
};

static struct server {
	struct script script;
	char path[64];
	int listener;
	pthread_t thread;
	atomic_bool end;
	unsigned requests, hang_ups;
} server;

static void pause_ns(uint64_t ns)
{
	const struct timespec pause = { .tv_sec = (time_t)(ns / NS_PER_S),
					.tv_nsec = (long)(ns % NS_PER_S) };

	nanosleep(&pause, NULL);
}

static void reply(int fd, const char *text)
{
	const size_t size = strlen(text);
	const size_t step = server.script.in_pieces ? 1 : size;

	for (size_t i = 0; i < size; i += step)
		(void)!send(fd, text + i, step, MSG_NOSIGNAL);
}

static bool is_each(unsigned every)
{
	return every && server.requests % every == 0;
}

/* Answers a request; all of them arrive in one piece. False: hangs up. */
static bool answer(int fd)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) <= 0)
		return false;
	if (++server.requests == server.script.stall_at)
		pause_ns(server.script.stall_ns);
	if (server.script.is_silent)
		return true;
	if (is_each(server.script.hang_up_every)) {
		server.hang_ups++;
		return false;
	}
	if (is_each(server.script.refuse_every))
		reply(fd, "HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n");
	else
		reply(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	return true;
}

static void *serve(void *unused)
{
	struct pollfd fds[1 + CLIENTS_MAX] = { { .fd = server.listener,
						 .events = POLLIN } };

	(void)unused;
	for (int i = 1; i <= CLIENTS_MAX; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	while (!atomic_load(&server.end)) {
		poll(fds, 1 + CLIENTS_MAX, 10);
		for (int i = 1; i <= CLIENTS_MAX; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			if (answer(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
		for (int i = 1; i <= CLIENTS_MAX && fds[0].revents; i++) {
			if (fds[i].fd >= 0)
				continue;
			fds[i].fd = accept4(server.listener, NULL, NULL,
					    SOCK_CLOEXEC);
			fds[i].revents = 0;
			break;
		}
	}
	for (int i = 1; i <= CLIENTS_MAX; i++)
		if (fds[i].fd >= 0)
			close(fds[i].fd);
	return NULL;
}

static void start_server(struct script script)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	server = (struct server){ .script = script };
	snprintf(server.path, sizeof(server.path), "/tmp/thaw-load-%d.sock",
		 (int)getpid());
	unlink(server.path);
	strcpy(address.sun_path, server.path);
	server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server.listener, (struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	ck_assert_int_eq(listen(server.listener, CLIENTS_MAX), 0);
	ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void stop_server(void)
{
	atomic_store(&server.end, true);
	pthread_join(server.thread, NULL);
	close(server.listener);
	unlink(server.path);
}

/* Runs the load against a server of that script. */
static struct load_result *run(struct script script,
			       struct load_options options)
{
	struct load_request request;
	struct load_result *result;
	struct load_target target;
	struct error error;

	start_server(script);
	ck_assert_int_eq(load_target_set_path(&target, LOAD_HTTP, server.path),
			 0);
	ck_assert_int_eq(load_request_make(&request, &target, "f", "text/plain",
					   "data", 4),
			 0);
	options.target = &target;
	options.request = &request;
	options.threads = options.threads ? options.threads : 1;
	options.drain_ns = options.drain_ns ? options.drain_ns : 10 * NS_PER_S;
	ck_assert_int_eq(load_run(&options, &error, &result), 0);
	load_request_done(&request);
	stop_server();
	return result;
}

static uint64_t percentile(const struct load_result *result, double fraction)
{
	return histogram_percentile(&result->tally.latency, fraction);
}

/*
 * 1000 requests in a second, the server stands still for 400 ms: all that were
 * due meanwhile have waited, on average half of that, though one connection
 * alone saw the server being slow.
 */
START_TEST(a_stall_shows_in_all_requests_that_were_due_meanwhile)
{
	struct load_result *result =
		run((struct script){ .stall_at = 100,
				     .stall_ns = 400 * NS_PER_MS },
		    (struct load_options){ .connections = 1,
					   .rate = 1000,
					   .duration_ns = NS_PER_S });

	ck_assert_uint_eq(result->tally.ok, 1000);
	ck_assert_uint_eq(result->tally.unsent, 0);
	ck_assert_uint_ge(result->tally.late, 300);
	/* a fifth has waited for longer than 200 ms */
	ck_assert_uint_ge(percentile(result, 0.85), 100 * NS_PER_MS);
	ck_assert_uint_ge(percentile(result, 0.99), 300 * NS_PER_MS);
	ck_assert_uint_ge(result->tally.latency.greatest_ns, 399 * NS_PER_MS);
	load_result_free(result);
}
END_TEST

/* The same in a closed loop: one request has been slow. */
START_TEST(a_closed_loop_sees_a_stall_once)
{
	struct load_result *result =
		run((struct script){ .stall_at = 100,
				     .stall_ns = 400 * NS_PER_MS },
		    (struct load_options){ .connections = 1,
					   .duration_ns = 800 * NS_PER_MS });

	ck_assert_uint_gt(result->tally.ok, 20);
	ck_assert_uint_lt(percentile(result, 0.90), 100 * NS_PER_MS);
	ck_assert_uint_ge(result->tally.latency.greatest_ns, 399 * NS_PER_MS);
	load_result_free(result);
}
END_TEST

START_TEST(requests_of_the_warm_up_do_not_count)
{
	struct load_result *result =
		run((struct script){ .stall_at = 1,
				     .stall_ns = 100 * NS_PER_MS },
		    (struct load_options){ .connections = 2,
					   .rate = 1000,
					   .warm_up_ns = 500 * NS_PER_MS,
					   .duration_ns = 200 * NS_PER_MS });

	ck_assert_uint_eq(result->tally.sent, 200);
	ck_assert_uint_eq(result->tally.ok, 200);
	ck_assert_uint_eq(result->tally.latency.count, 200);
	ck_assert_uint_eq(server.requests, 700);
	load_result_free(result);
}
END_TEST

START_TEST(threads_share_the_rate_and_the_connections)
{
	struct load_result *result =
		run((struct script){ .stall_at = 0 },
		    (struct load_options){ .connections = 7,
					   .threads = 3,
					   .rate = 500,
					   .duration_ns = NS_PER_S });

	ck_assert_uint_eq(result->connections, 7);
	ck_assert_uint_eq(result->tally.ok, 500);
	ck_assert_uint_eq(server.requests, 500);
	load_result_free(result);
}
END_TEST

START_TEST(a_connection_that_ends_loses_its_request_and_is_opened_again)
{
	struct load_result *result =
		run((struct script){ .hang_up_every = 10 },
		    (struct load_options){ .connections = 4,
					   .rate = 1000,
					   .duration_ns = 500 * NS_PER_MS });
	const struct load_tally *tally = &result->tally;

	ck_assert_uint_eq(tally->lost, server.hang_ups);
	ck_assert_uint_ge(tally->lost, 10);
	ck_assert_uint_eq(tally->ok + tally->lost, tally->sent);
	ck_assert_uint_eq(tally->sent + tally->unsent, 500);
	ck_assert_uint_ge(result->reconnections, 10);
	load_result_free(result);
}
END_TEST

START_TEST(errors_are_counted_by_status_and_not_timed)
{
	struct load_result *result =
		run((struct script){ .refuse_every = 4 },
		    (struct load_options){ .connections = 1,
					   .rate = 1000,
					   .duration_ns = 400 * NS_PER_MS });

	ck_assert_uint_eq(result->tally.statuses[200], 300);
	ck_assert_uint_eq(result->tally.statuses[429], 100);
	ck_assert_uint_eq(result->tally.ok, 300);
	ck_assert_uint_eq(result->tally.errors, 100);
	ck_assert_uint_eq(result->tally.latency.count, 300);
	load_result_free(result);
}
END_TEST

START_TEST(replies_may_arrive_in_pieces)
{
	struct load_result *result =
		run((struct script){ .in_pieces = true },
		    (struct load_options){ .connections = 3,
					   .duration_ns = 100 * NS_PER_MS });

	ck_assert_uint_gt(result->tally.ok, 0);
	ck_assert_uint_eq(result->tally.ok, result->tally.sent);
	load_result_free(result);
}
END_TEST

START_TEST(what_is_never_answered_is_lost_and_what_could_not_be_sent_unsent)
{
	struct load_result *result =
		run((struct script){ .is_silent = true },
		    (struct load_options){ .connections = 2,
					   .rate = 100,
					   .duration_ns = 200 * NS_PER_MS,
					   .drain_ns = 50 * NS_PER_MS });

	ck_assert_uint_eq(result->tally.sent, 2);
	ck_assert_uint_eq(result->tally.lost, 2);
	ck_assert_uint_eq(result->tally.unsent, 18);
	ck_assert_uint_eq(result->tally.latency.count, 0);
	load_result_free(result);
}
END_TEST

START_TEST(without_a_server_nothing_is_run)
{
	struct load_request request;
	struct load_result *result = NULL;
	struct load_target target;
	struct error error;
	struct load_options options = { .connections = 1, .threads = 1 };

	ck_assert_int_eq(load_target_set_path(&target, LOAD_HTTP, "/nowhere/x"),
			 0);
	ck_assert_int_eq(load_request_make(&request, &target, "f", NULL, "", 0),
			 0);
	options.target = &target;
	options.request = &request;
	ck_assert_int_eq(load_run(&options, &error, &result), -ENOTCONN);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
	load_request_done(&request);
	ck_assert_int_eq(load_target_find_url("unix:/nowhere/x", &error,
					      &target),
			 -ENOENT);
}
END_TEST

START_TEST(urls_are_of_http_or_of_a_path)
{
	static const char *const wrong[] = {
		"",
		"localhost",
		"https://localhost:1",
		"http://",
		"http://:80",
		"http://a b:80",
		"http://localhost:x",
		"http://localhost:80/path",
		"http://[::1",
		"http://me@host:1",
		"http://[::1]80",
		"http://localhost:",
		"http://h\r\nX: y",
	};
	struct load_target target;
	struct error error;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(load_target_find_url(wrong[i], &error, &target) ==
				      -EINVAL,
			      "%s", wrong[i]);
	/* a port at which there is nothing */
	ck_assert_int_eq(load_target_find_url("http://127.0.0.1:1/", &error,
					      &target),
			 -ECONNREFUSED);
}
END_TEST

START_TEST(a_request_cannot_be_smuggled_into_another)
{
	struct load_target target = { .protocol = LOAD_HTTP, .host = "h" };
	struct load_request request;

	ck_assert_int_eq(load_request_make(&request, &target, "a b", NULL, "",
					   0),
			 -EINVAL);
	ck_assert_int_eq(load_request_make(&request, &target, "../admin", NULL,
					   "", 0),
			 -EINVAL);
	ck_assert_int_eq(load_request_make(&request, &target, "", NULL, "", 0),
			 -EINVAL);
	ck_assert_int_eq(load_request_make(&request, &target, "f",
					   "text/plain\r\nX: y", "", 0),
			 -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("core");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase,
		       a_stall_shows_in_all_requests_that_were_due_meanwhile);
	tcase_add_test(tcase, a_closed_loop_sees_a_stall_once);
	tcase_add_test(tcase, requests_of_the_warm_up_do_not_count);
	tcase_add_test(tcase, threads_share_the_rate_and_the_connections);
	tcase_add_test(
		tcase,
		a_connection_that_ends_loses_its_request_and_is_opened_again);
	tcase_add_test(tcase, errors_are_counted_by_status_and_not_timed);
	tcase_add_test(tcase, replies_may_arrive_in_pieces);
	tcase_add_test(
		tcase,
		what_is_never_answered_is_lost_and_what_could_not_be_sent_unsent);
	tcase_add_test(tcase, without_a_server_nothing_is_run);
	tcase_add_test(tcase, urls_are_of_http_or_of_a_path);
	tcase_add_test(tcase, a_request_cannot_be_smuggled_into_another);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
