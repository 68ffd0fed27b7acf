/*
 * test_linux_threads.c - Linux programs with threads: tests/linux/threads.c, built in
 * several ways, and one in C++. After every invocation the library compares memory with
 * the snapshot.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

/* The ways in which the program is built; each is tested with each tracker. */
static const char *const builds[] = { "fixed", "dynamic", "musl" };
#ifdef TEST_SANITIZED
/* the others are the same to the host, and a sanitizer is slow */
#define BUILDS 1
#else
#define BUILDS 3
#endif

/* Opens @program with @argument and further members. */
static struct thaw *open_program(int i, const char *program,
				 const char *argument, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_%s\",\"argv\":[\"p\",\"%s\"],\"memory\":"
		 "\"64MiB\",\"concurrency\":{\"max\":1}%s%s}",
		 program, argument, more,
		 strstr(more, "\"timeout") ? "" : ",\"timeout\":\"60s\"");
	return open_functions(backends[i], text);
}

/* Opens the threads' program, as @_i says; NULL: it is not built in this way. */
static struct thaw *open_threads(int i, const char *argument)
{
	char name[64];

	snprintf(name, sizeof(name), "threads_%s", builds[i % BUILDS]);
	return program_is_built("threads", builds[i % BUILDS]) ?
		       open_program(i % program_trackers(), name, argument,
				    "") :
		       NULL;
}

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "join", "good\n" },
	{ "mutex", "good\n" },
	{ "condition", "good\n" },
	{ "timed", "good\n" },
	{ "barrier", "good\n" },
	{ "rwlock", "good\n" },
	{ "locals", "good\n" },
	{ "detached", "good\n" },
	{ "once", "good\n" },
	{ "spin", "good\n" },
	{ "preempt", "good\n" },
	{ "many", "good\n" },
	{ "robust", "good\n" },
	{ "outlive", "outlived\n" },
	{ "sleeper", "good\n" },
	{ "exit_group", "Runtime.ExitError: the program exited with status 3" },
	{ "fault", "Runtime.Fault: page fault * writing address 0x8 *" },
	{ "deadlock", "Runtime.Deadlock: the program waits for what nothing in "
		      "it can bring about (system call futex)" },
	{ "deadlock_of_two",
	  "Runtime.Deadlock: the program's 2 threads wait for *futex)" },
	{ "wake", "good\n" },
	{ "bitset", "good\n" },
	{ "requeue", "good\n" },
	{ "wake_op", "good\n" },
	{ "wild_futex", "good\n" },
	{ "wild_end", "good\n" },
	{ "robust_list", "good\n" },
	{ "wild_clone", "good\n" },
	{ "no_stack", "Runtime.Fault: page fault *" },
	{ "ids", "good\n" },
	{ "scheduling", "good\n" },
	{ "no such command",
	  "Runtime.ExitError: the program exited with status 6" },
};

START_TEST(threads_of_an_invocation_end_with_it)
{
	struct thaw *thaw = open_threads(_i, "plain");

	if (!thaw)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "locals", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(threads_from_before_the_snapshot_go_on_in_each_copy)
{
	struct thaw *thaw = open_threads(_i, "early");

	if (!thaw)
		return;
	for (int i = 0; i < 3; i++) {
		expect(thaw, "early", "good\n");
		expect(thaw, "mutex", "good\n");
		expect(thaw, "preempt", "good\n");
		expect(thaw, "exit_group", "*status 3");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(any_thread_may_ask_for_the_request)
{
	struct thaw *thaw = open_threads(_i, "thread");

	if (!thaw)
		return;
	expect(thaw, "join", "good\n");
	expect(thaw, "spin", "good\n");
	expect(thaw, "mutex", "good\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_deadlock_before_the_snapshot_is_told)
{
	static const char catalog[] =
		"{\"functions\":[{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		"\"" TEST_GUESTS "/linux_threads_fixed\","
		"\"argv\":[\"p\",\"deadlock\"]}]}";
	struct engine_options options = backend_options(backends[_i]);
	struct thaw_error error;
	struct thaw *thaw;

	ck_assert_int_eq(engine_open_text(catalog, strlen(catalog), "t",
					  &options, &error, &thaw),
			 0);
	ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
	ck_assert_msg(!fnmatch("*waits for what nothing in it can bring about "
			       "(system call futex)*",
			       error.message, 0),
		      "%s", error.message);
	thaw_close(thaw);
}
END_TEST

/* A turn's end is an exit: without others that could run there is none. */
START_TEST(a_thread_that_runs_alone_is_not_stopped)
{
	struct thaw *thaw = open_program(_i, "threads_fixed", "plain", "");
	struct thaw_reply reply;

	call(thaw, "p", "join", 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_uint_lt(reply.exits, 200);
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_deadline_ends_all_threads)
{
	struct thaw *thaw = open_program(_i, "threads_fixed", "early",
					 ",\"timeout\":\"1s\"");

	expect(thaw, "outlive", "Sandbox.Timedout: *");
	expect(thaw, "early", "good\n");
	thaw_close(thaw);
}
END_TEST

static const char *const standards[] = { "static", "dynamic" };

START_TEST(the_standard_library_of_cpp_works)
{
	const char *build = standards[_i % 2];
	struct thaw *thaw;
	char name[32];

	if (!program_is_built("standard", build))
		return;
	snprintf(name, sizeof(name), "standard_%s", build);
	thaw = open_program(_i / 2, name, "", "");
	for (int i = 0; i < 2; i++) {
		expect(thaw, "one two\ntwo three\n",
		       "before 1\none 1\nthree 1\ntwo 2\n");
		expect(thaw, "one\n\n",
		       "caught an empty line\nbefore 1\none 1\n");
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_threads");
	TCase *tests = tcase_create("threads");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, threads_of_an_invocation_end_with_it, 0,
			    BUILDS);
	tcase_add_loop_test(tests,
			    threads_from_before_the_snapshot_go_on_in_each_copy,
			    0, BUILDS);
	tcase_add_loop_test(tests, any_thread_may_ask_for_the_request, 0,
			    BUILDS);
	tcase_add_loop_test(tests, a_deadlock_before_the_snapshot_is_told, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_thread_that_runs_alone_is_not_stopped, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_deadline_ends_all_threads, 0,
			    program_trackers());
	tcase_add_loop_test(tests, the_standard_library_of_cpp_works, 0,
			    2 * program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
