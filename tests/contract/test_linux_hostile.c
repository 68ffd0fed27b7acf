/*
 * test_linux_hostile.c - Linux programs that do what no decent program does, and what
 * others have got wrong: tests/linux/hostile.c, built in several ways. After every
 * invocation the library compares memory with the snapshot, and here what thaw has of
 * the host is compared with what it had before.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/guest_log.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "dynamic", "musl" };
#define BUILDS program_builds(3)

static struct thaw *open_hostile(int i, const char *build, const char *how,
				 const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_hostile_%s\",\"argv\":[\"p\",\"%s\"],"
		 "\"memory\":\"64MiB\",\"tmp\":\"4MiB\","
		 "\"concurrency\":{\"max\":1}%s%s}",
		 build, how, more,
		 strstr(more, "\"timeout") ? "" : ",\"timeout\":\"60s\"");
	return open_functions(backends[i], text);
}

/* What this process has of the host. */
struct had {
	unsigned descriptors, threads;
	size_t bytes;
};

static unsigned count_entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	ck_assert_ptr_nonnull(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static struct had take_stock(void)
{
	return (struct had){
		.descriptors = count_entries("/proc/self/fd"),
		.threads = count_entries("/proc/self/task"),
		.bytes = private_bytes(),
	};
}

/* A vm may keep the pages that it has written, and malloc() what was freed. */
#define KEPT_MOST ((size_t)(64 + 2 * 4 + 8) << 20)

static void expect_stock(const struct had *before, const char *request)
{
	const struct had now = take_stock();

	ck_assert_msg(now.descriptors == before->descriptors,
		      "%s: %u descriptors, and %u before", request,
		      now.descriptors, before->descriptors);
	ck_assert_msg(now.threads == before->threads,
		      "%s: %u threads, and %u before", request, now.threads,
		      before->threads);
#ifndef TEST_SANITIZED
	ck_assert_msg(now.bytes <= before->bytes + KEPT_MOST,
		      "%s: %zu bytes, and %zu before", request, now.bytes,
		      before->bytes);
#endif
}

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
	bool takes_long;
} rows[] = {
	{ "gigabyte 1", "Function.ResponseSizeTooLarge: *", true },
	{ "gigabyte 2", "", true },
	{ "after_close", "before", false },
	{ "close_all", "", false },
	{ "refused", "good\n", false },
	{ "memory", "good\n", false },
	{ "areas", "good\n", true },
	{ "descriptors", "good\n", false },
	{ "threads", "good\n", false },
	{ "tmp", "good\n", false },
	{ "names", "good\n", false },
	{ "wait_masked", "Runtime.Deadlock: *", false },
	{ "mask", "good\n", false },
	{ "own_code", "good\n", false },
	{ "own_code_at_once", "good\n", false },
	{ "stack", "good\n", false },
	{ "layouts", "good\n", false },
	{ "mounts", "good\n", false },
	{ "grow", "good\n", false },
	{ "nested_faults", "good\n", false },
	{ "kept", "good\n", false },
	{ "probe", "good\n", false },
	{ "signal_stack", "good\n", false },
};

/* Whether the machine is emulated. */
static bool is_slow(void)
{
	return program_builds(2) == 1;
}

START_TEST(a_hostile_invocation_leaves_nothing_behind)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;
	struct had before;

	if (!program_is_built("hostile", build))
		return;
	thaw = open_hostile(_i / BUILDS, build, "", "");
	expect(thaw, "echo a", "a");
	before = take_stock();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].takes_long && is_slow()) {
			printf("skip: %s: emulated machines are slow\n",
			       rows[i].request);
			continue;
		}
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "grow", "good\n");
		expect(thaw, "echo a", "a");
		expect_stock(&before, rows[i].request);
	}
	thaw_close(thaw);
}
END_TEST

/* However a program loops, its time ends; each letter is a way of do_loop(). */
START_TEST(any_loop_ends_at_the_timeout)
{
	static const char *const loops[] = {
		"loop c", "loop e", "loop f", "loop m", "loop n",
		"loop p", "loop w", "loop y", "loop s", "fault_loop",
	};
	struct thaw *thaw =
		open_hostile(_i, "fixed", "", ",\"timeout\":\"50ms\"");
	struct had before;

	expect(thaw, "echo a", "a");
	before = take_stock();
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		expect(thaw, loops[i], "Sandbox.Timedout: *");
		expect(thaw, "echo a", "a");
		expect_stock(&before, loops[i]);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_program_may_write_so_many_lines_to_the_log)
{
	struct thaw *thaw = open_hostile(_i, "fixed", "", "");

	logged.lines = 0;
	expect(thaw, "lines 2", "");
	ck_assert_uint_eq(logged.lines, GUEST_LOG_LINES_MAX + 1);
	ck_assert(strstr(logged.text, "the rest is dropped"));
	logged.lines = 0;
	expect(thaw, is_slow() ? "megabytes 2" : "gigabyte 2", "");
	ck_assert_uint_eq(logged.lines, GUEST_LOG_LINES_MAX + 1);
	thaw_close(thaw);
	logged.lines = 0;
	thaw = open_hostile(_i, "fixed", "flood_log", "");
	expect(thaw, "echo a", "a");
	ck_assert_uint_le(logged.lines, GUEST_LOG_LINES_MAX + 1);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_program_may_sleep_before_it_reads)
{
	struct thaw *thaw = open_hostile(_i, "fixed", "sleep", "");

	expect(thaw, "echo a", "a");
	expect(thaw, "echo b", "b");
	thaw_close(thaw);
}
END_TEST

/* The request is what standard input is, not what descriptor 0 is. */
START_TEST(standard_input_may_be_closed_before_the_snapshot)
{
	struct thaw *thaw = open_hostile(_i, "fixed", "duplicate", "");

	expect(thaw, "echo a", "a");
	expect(thaw, "duplicate", "good\n");
	expect(thaw, "duplicate", "good\n");
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *how;
	const char *message; /* a pattern */
} never[] = {
	{ "close", "*exited with status 5 before it asked for a request*" },
	{ "exit", "*exited with status 0 before it asked for a request*" },
	{ "kill", "*was ended by signal 15 before it asked for a request*" },
	{ "wait", "*waits for what nothing in it can bring about (system call "
		  "rt_sigsuspend)*" },
	{ "sleep_long", "*has not asked for a request within its init_timeout "
			"of 50 ms*" },
	{ "flood", "*has written more than 1048576 bytes to standard output "
		   "before it asked for a request*" },
};

static void expect_refusal(struct thaw *thaw, size_t i)
{
	struct thaw_error error;

	ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
	ck_assert_msg(!fnmatch(never[i].message, error.message, 0), "%s: %s",
		      never[i].how, error.message);
}

START_TEST(a_program_that_never_reads_is_not_deployed)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		const bool is_long = !strcmp(never[i].how, "sleep_long");
		struct thaw *thaw =
			open_hostile(_i, "fixed", never[i].how,
				     is_long ? ",\"init_timeout\":\"50ms\"" :
					       "");
		struct had before;

		expect_refusal(thaw, i);
		before = take_stock();
		expect_refusal(thaw, i);
		expect_refusal(thaw, i);
		expect_stock(&before, never[i].how);
		thaw_close(thaw);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_hostile");
	TCase *tests = tcase_create("linux_hostile");
	const int count = program_trackers();

	/* what small machines lack */
	mkdir("/usr", 0755);
	mkdir("/usr/bin", 0755);
	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, a_hostile_invocation_leaves_nothing_behind,
			    0, count * BUILDS);
	tcase_add_loop_test(tests, any_loop_ends_at_the_timeout, 0, count);
	tcase_add_loop_test(tests, a_program_may_write_so_many_lines_to_the_log,
			    0, count);
	tcase_add_loop_test(tests, a_program_may_sleep_before_it_reads, 0,
			    count);
	tcase_add_loop_test(tests,
			    standard_input_may_be_closed_before_the_snapshot, 0,
			    count);
	tcase_add_loop_test(tests, a_program_that_never_reads_is_not_deployed,
			    0, count);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
