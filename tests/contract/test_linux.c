/*
 * test_linux.c - Linux programs as functions: the test's own, built in several ways
 * (tests/linux/program.c), and busybox. After every invocation the library compares
 * memory with the snapshot.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

#define BUSYBOX "/bin/busybox"

/* The ways in which the program is built; each is tested with each tracker. */
static const char *const builds[] = { "fixed", "pie", "dynamic", "musl" };
#define BUILDS 4

/* Opens the program of @build, with @argument and further members. */
static struct thaw *open_program(int i, const char *build, const char *argument,
				 const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_program_%s\",\"argv\":[\"p\",\"%s\"],\"environment\":"
		 "{\"VARIABLE\":\"value\"},\"concurrency\":{\"max\":1}%s%s}",
		 build, argument, more,
		 strstr(more, "timeout") ? "" : ",\"timeout\":\"60s\"");
	return open_functions(backends[i], text);
}

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "echo anything at all", "echo anything at all" },
	{ "arguments", "p|plain|value" },
	{ "auxiliary", "good\n" },
	{ "floats", "1 0.33333333333333338*" },
	{ "memory", "good\n" },
	{ "allocate 4000000", "allocated\n" },
	{ "allocate 100000000", "* memory\n" },
	{ "files", "one good\n" },
	{ "identity", "good\n" },
	{ "signals", "good\n" },
	{ "sleep 3", "slept\n" },
	{ "error 3", "Runtime.ExitError: the program exited with status 3: "
		     "first?last words" },
	{ "no such command",
	  "Runtime.ExitError: the program exited with status 6" },
	{ "abort", "Runtime.ExitError: the program was ended by signal 6" },
	{ "null 0", "Runtime.Fault: page fault * writing address 0 *" },
	{ "null 0x14000", "Runtime.Fault: page fault * (protected) *" },
	{ "null 0x30000", "Runtime.Fault: page fault * (protected) *" },
	{ "null 0xffff800000000000", "Runtime.Fault: *" },
	{ "read_only", "Runtime.Fault: page fault * (protected) *" },
	{ "unmapped", "Runtime.Fault: page fault * (not mapped) *" },
	{ "protect", "good\n" },
	{ "protect 1", "Runtime.Fault: page fault * (not mapped) *" },
	{ "protect 2", "Runtime.Fault: page fault * (protected) *" },
	{ "overflow", "Runtime.Fault: *page fault * (not mapped) *" },
};

START_TEST(each_invocation_goes_on_from_the_snapshot)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("program", build))
		return;
	thaw = open_program(_i / BUILDS, build, "plain", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "count", "1 1 2 7\n");
		expect(thaw, "floats", "1 0.33333333333333338*");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_deadline_ends_a_program)
{
	struct thaw *thaw =
		open_program(_i, "fixed", "plain", ",\"timeout\":\"50ms\"");

	expect(thaw, "spin", "Sandbox.Timedout: *");
	expect(thaw, "sleep 10000", "Sandbox.Timedout: *");
	expect(thaw, "count", "1 1 2 7\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(what_is_written_before_the_snapshot_begins_each_reply)
{
	struct thaw *thaw;

	logged.lines = 0;
	thaw = open_program(_i, "fixed", "speak", "");
	expect(thaw, "echo a", "before echo a");
	expect(thaw, "echo b", "before echo b");
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_str_eq(logged.text, "set up");
	thaw_close(thaw);
}
END_TEST

START_TEST(poll_asks_for_the_request_as_read_does)
{
	struct thaw *thaw = open_program(_i, "fixed", "poll", "");

	expect(thaw, "count", "1 1 2 7\n");
	expect(thaw, "count", "1 1 2 7\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_reply_has_max_reply_bytes_at_most)
{
	struct thaw *thaw =
		open_program(_i, "fixed", "plain", ",\"max_reply\":\"6KiB\"");
	struct thaw_reply reply;

	call(thaw, "p", "writes 2048", 0, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_uint_eq(reply.size, 6144);
	thaw_reply_release(&reply);
	expect(thaw, "writes 2049", "Function.ResponseSizeTooLarge: *6144*");
	expect(thaw, "writes 5000", "Function.ResponseSizeTooLarge: *");
	expect(thaw, "count", "1 1 2 7\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_request_has_any_bytes)
{
	struct thaw *thaw = open_program(_i, "fixed", "plain", "");
	static char text[1 << 20];
	const struct thaw_invoke_request request = { .data = text,
						     .size = 1000000 };
	struct thaw_error error;
	struct thaw_reply reply;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	memcpy(text, "echo ", 5);
	ck_assert_int_eq(thaw_invoke(thaw, "p", &request, &error, &reply), 0);
	ck_assert_uint_eq(reply.size, request.size);
	ck_assert(!memcmp(reply.data, text, request.size));
	thaw_reply_release(&reply);
	thaw_close(thaw);
}
END_TEST

START_TEST(lines_of_stderr_are_log_lines)
{
	struct thaw *thaw = open_program(_i, "fixed", "plain", "");

	logged.lines = 0;
	call_once(thaw, "p", "error 3");
	ck_assert_uint_eq(logged.lines, 2);
	ck_assert_str_eq(logged.text, "last words");
	ck_assert_int_eq(logged.level, THAW_LOG_INFO);
	thaw_close(thaw);
}
END_TEST

/* Every number, and some that are none, with wild arguments in every place. */
START_TEST(wild_arguments_do_no_harm)
{
	struct thaw *thaw =
		open_program(_i, "fixed", "plain", ",\"timeout\":\"100ms\"");
	char request[32];

	for (int number = -1; number < 520; number++) {
		snprintf(request, sizeof(request), "wild %d", number);
		call_once(thaw, "p", request);
		if (number % 8 == 0)
			expect(thaw, "count", "1 1 2 7\n");
	}
	thaw_close(thaw);
}
END_TEST

/* Opens a program that cannot be deployed; returns why. */
static const char *refusal(int i, const char *members)
{
	static char text[1024];
	static struct thaw_error error;
	struct engine_options options = backend_options(backends[i]);
	struct thaw *thaw;

	snprintf(text, sizeof(text),
		 "{\"functions\":[{\"name\":\"p\",\"kind\":\"linux\","
		 "\"program\":\"%s/%s}]}",
		 TEST_GUESTS, members);
	ck_assert_int_eq(engine_open_text(text, strlen(text), "t", &options,
					  &error, &thaw),
			 0);
	ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
	thaw_close(thaw);
	return error.message;
}

START_TEST(a_program_that_cannot_be_frozen_is_not_deployed)
{
	static const struct {
		const char *members, *message;
	} refused[] = {
		{ "linux_program_fixed\",\"argv\":[\"p\",\"early\"]",
		  "*exited with status 4 before it asked for a request" },
		{ "linux_program_fixed\",\"argv\":[\"p\",\"fault_early\"]",
		  "*failed before it asked for a request: page fault *" },
		{ "linux_program_fixed\",\"argv\":[\"p\",\"spin_early\"],"
		  "\"init_timeout\":\"50ms\"",
		  "*has not asked for a request within its init_timeout "
		  "of 50 ms: raise it, or have the program ask when it is "
		  "ready" },
		{ "linux_program_fixed\",\"memory\":\"4MiB\"",
		  "*does not fit into the function's memory*raise memory*" },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const char *why = refusal(_i, refused[i].members);

		ck_assert_msg(!fnmatch(refused[i].message, why, 0), "%s", why);
	}
}
END_TEST

/* A directory of which the program sees a part. */
static char top[] = "/tmp/thaw-linux-XXXXXX";

static void put_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void put_link(const char *to, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	ck_assert_int_eq(symlink(to, path), 0);
}

static void make_files(void)
{
	char path[256];

	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(mkdir("seen", 0700), 0);
	ck_assert_int_eq(mkdir("seen/inner", 0700), 0);
	ck_assert_int_eq(mkdir("seen_not", 0700), 0);
	put_file("seen/file", "first file", 0600);
	put_file("seen/inner/file", "inner", 0600);
	put_file("seen_not/file", "secret", 0600);
	put_file("secret", "secret", 0600);
	ck_assert_int_eq(mkfifo("seen/fifo", 0600), 0);
	snprintf(path, sizeof(path), "%s/secret", top);
	put_link(path, "seen/out");
	put_link("../secret", "seen/up");
	put_link("..", "seen/parent");
	put_link("inner/file", "seen/in");
	put_link("loop", "seen/loop");
	put_link("nothing", "seen/broken");
	put_link("/proc/self/root/etc/passwd", "seen/magic");
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static void remove_files(void)
{
	ck_assert_int_eq(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	strcpy(top + strlen(top) - 6, "XXXXXX");
}

/* Sends "COMMAND TOP/NAME". */
static void expect_file(struct thaw *thaw, const char *command,
			const char *name, const char *pattern)
{
	char request[512];

	snprintf(request, sizeof(request), "%s %s/%s", command, top, name);
	expect(thaw, request, pattern);
}

static const struct {
	const char *command, *name, *outcome;
} file_rows[] = {
	{ "cat", "seen/file", "first file" },
	{ "cat", "seen/inner/../file", "first file" },
	{ "cat", "seen/in", "inner" },
	{ "cat", "seen/../seen/file", "first file" },
	{ "cat", "secret", "ENOENT" },
	{ "cat", "seen_not/file", "ENOENT" },
	{ "cat", "seen/../secret", "ENOENT" },
	{ "cat", "seen/out", "ENOENT" },
	{ "cat", "seen/up", "ENOENT" },
	{ "cat", "seen/parent/secret", "ENOENT" },
	{ "cat", "seen/loop", "ELOOP" },
	{ "cat", "seen/broken", "ENOENT" },
	{ "cat", "seen/magic", "E*" },
	{ "cat", "seen/fifo", "EACCES" },
	{ "cat", "seen/inner", "EISDIR" },
	{ "cat", "seen/file/more", "ENOTDIR" },
	{ "cat", "../../../../etc/passwd", "ENOENT" },
	{ "map", "seen/file", "10 first file 0" },
	{ "map", "seen/inner", "ENODEV" },
	{ "list", "seen/inner", "3 . .. file" },
	{ "list", "", "3 . .. seen" },
	{ "list", "seen/file", "ENOTDIR" },
	{ "write", "seen/file", "EROFS" },
	{ "make", "seen/new", "EROFSEROFS" },
	{ "stat", "seen/file", "1 0 " },
	{ "stat", "seen/in", "1 1 inner/file" },
	{ "stat", "seen/up", "ENOENT" },
	{ "stat", "secret", "ENOENT" },
	{ "many", "seen/file", "255 EMFILE" },
};

START_TEST(a_program_sees_the_files_of_its_list_and_no_others)
{
	struct thaw *thaw;
	char more[128];

	make_files();
	snprintf(more, sizeof(more), ",\"files\":[\"%s/seen\"]", top);
	thaw = open_program(_i, "fixed", "plain", more);
	for (size_t i = 0; i < sizeof(file_rows) / sizeof(*file_rows); i++) {
		expect_file(thaw, file_rows[i].command, file_rows[i].name,
			    file_rows[i].outcome);
		expect(thaw, "count", "1 1 2 7\n");
	}
	expect(thaw, "devices", "good\n");
	expect(thaw, "cat /proc/self/mem", "ENOENT");
	expect(thaw, "cat /proc/1/../../etc/passwd", "ENOENT");
	expect(thaw, "cat /dev/kvm", "ENOENT");
	expect(thaw, "cat ", "ENOENT");
	thaw_close(thaw);
	remove_files();
}
END_TEST

START_TEST(an_open_file_is_what_it_was_in_the_snapshot)
{
	struct thaw *thaw;
	char more[128], argument[128];

	make_files();
	snprintf(more, sizeof(more), ",\"files\":[\"%s/seen/file\"]", top);
	snprintf(argument, sizeof(argument), "file\",\"%s/seen/file", top);
	thaw = open_program(_i, "fixed", argument, more);
	expect(thaw, "next", "st  f 10");
	put_file("seen/file", "changed", 0600);
	expect(thaw, "next", "st  f 10");
	expect_file(thaw, "cat", "seen/file", "changed");
	remove_files();
	expect(thaw, "next", "st  f 10");
	thaw_close(thaw);
}
END_TEST

/* The interpreter that a program names is read by the host: it must be listed, too. */
START_TEST(an_interpreter_is_a_file_that_the_program_sees)
{
	const char *why;

	if (!program_is_built("program", "interpreter"))
		return;
	why = refusal(_i, "linux_program_interpreter\"");
	ck_assert_msg(!fnmatch("*/linux_program_interpreter: its interpreter "
			       "/etc/passwd does not exist for it: install it, "
			       "or list it in files",
			       why, 0),
		      "%s", why);
}
END_TEST

START_TEST(busybox_is_a_function)
{
	struct thaw *thaw;

	if (access(BUSYBOX, X_OK)) {
		printf("skip: busybox: there is no " BUSYBOX "\n");
		return;
	}
	thaw = open_functions(
		backends[_i],
		"{\"name\":\"awk\",\"timeout\":\"60s\",\"kind\":\"linux\",\"program\":\"" BUSYBOX
		"\",\"argv\":[\"awk\",\"{ n += $2; print NR, toupper($1) } "
		"END { print n }\"]},"
		"{\"name\":\"sed\",\"timeout\":\"60s\",\"kind\":\"linux\",\"program\":\"" BUSYBOX
		"\",\"argv\":[\"sed\",\"-e\",\"s/a/b/g\",\"-e\",\"2d\"]}");
	for (int i = 0; i < 50; i++) {
		ck_assert_str_eq(call_once(thaw, "awk", "one 1\ntwo 2\n"),
				 "1 ONE\n2 TWO\n3\n");
		ck_assert_str_eq(call_once(thaw, "sed", "banana\nx\na\n"),
				 "bbnbnb\nb\n");
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux");
	TCase *tests = tcase_create("linux");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, each_invocation_goes_on_from_the_snapshot, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests, a_deadline_ends_a_program, 0,
			    program_trackers());
	tcase_add_loop_test(
		tests, what_is_written_before_the_snapshot_begins_each_reply, 0,
		program_trackers());
	tcase_add_loop_test(tests, poll_asks_for_the_request_as_read_does, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_reply_has_max_reply_bytes_at_most, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_request_has_any_bytes, 0,
			    program_trackers());
	tcase_add_loop_test(tests, lines_of_stderr_are_log_lines, 0,
			    program_trackers());
	tcase_add_loop_test(tests, wild_arguments_do_no_harm, 0,
			    program_trackers());
	tcase_add_loop_test(tests,
			    a_program_that_cannot_be_frozen_is_not_deployed, 0,
			    program_trackers());
	tcase_add_loop_test(tests,
			    a_program_sees_the_files_of_its_list_and_no_others,
			    0, program_trackers());
	tcase_add_loop_test(tests, an_open_file_is_what_it_was_in_the_snapshot,
			    0, program_trackers());
	tcase_add_loop_test(tests,
			    an_interpreter_is_a_file_that_the_program_sees, 0,
			    program_trackers());
	tcase_add_loop_test(tests, busybox_is_a_function, 0,
			    program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
