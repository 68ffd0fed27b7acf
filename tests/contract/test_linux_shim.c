/*
 * test_linux_shim.c - what the shim answers costs no exit, and is what the host would
 * answer; and what a program does to the shim harms nobody else. After every invocation
 * the library compares memory with the snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "executor/linux/shim_files.h"
#include "guest/abi/thaw_shim.h"

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "pie", "musl" };
#define BUILDS 3

/* The length of the program's lines. */
#define LINE 64
/* A multiple of 32: what its first read takes. */
#define COMMAND "%-31s\n"

/* With further members of the catalog. */
static struct thaw *open_with(int i, const char *members)
{
	const char *build = builds[i % BUILDS];
	char text[4096];

	if (!program_is_built("shim", build))
		return NULL;
	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_shim_%s\",\"concurrency\":{\"max\":1},"
		 "\"max_reply\":\"1MiB\",\"timeout\":\"60s\",%s}",
		 build, members);
	return open_functions(backends[i / BUILDS], text);
}

static struct thaw *open_shim_as(int i, const char *argument)
{
	char members[64];

	snprintf(members, sizeof(members), "\"argv\":[\"p\",\"%s\"]", argument);
	return open_with(i, members);
}

static struct thaw *open_shim(int i)
{
	return open_shim_as(i, "");
}

/* Invokes it with a command and what follows; at most @exits exits. */
static void do_call(struct thaw *thaw, const char *command, const char *rest,
		    unsigned exits, struct thaw_reply *reply)
{
	char text[1024];

	snprintf(text, sizeof(text), COMMAND "%s", command, rest);
	call(thaw, "p", text, 0, reply);
	ck_assert_msg(reply->exits <= exits, "%s: %u exits", command,
		      reply->exits);
}

static void expect_exits(struct thaw *thaw, const char *command,
			 const char *rest, unsigned exits, const char *result)
{
	struct thaw_reply reply;

	do_call(thaw, command, rest, exits, &reply);
	ck_assert_str_eq(outcome(&reply), result);
	thaw_reply_release(&reply);
}

static void expect_lines(struct thaw *thaw, unsigned count, unsigned exits)
{
	struct thaw_reply reply;
	char command[32], line[LINE + 1];

	logged.lines = 0;
	snprintf(command, sizeof(command), "writes %u", count);
	do_call(thaw, command, "", exits, &reply);
	ck_assert_int_eq(reply.result, THAW_OK);
	ck_assert_uint_eq(reply.size, (size_t)count * LINE);
	for (unsigned i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%*u\n", LINE - 1, i);
		ck_assert_mem_eq((const char *)reply.data + (size_t)i * LINE,
				 line, LINE);
	}
	ck_assert_uint_eq(logged.lines, (count + 9) / 10);
	thaw_reply_release(&reply);
}

START_TEST(what_the_shim_answers_costs_no_exit)
{
	struct thaw *thaw = open_shim(_i);

	if (!thaw)
		return;
	/* it is deployed, which logs a line */
	expect_exits(thaw, "sites", "", 1, "good\n");
	for (int i = 0; i < 3; i++) {
		expect_lines(thaw, 100, 1);
		/* the windows have 512 lines, and the log's 128 */
		expect_lines(thaw, 512, 1);
		expect_lines(thaw, 513, 2);
		expect_lines(thaw, 5000, 10);
		expect_exits(thaw, "rest", "some more of the request", 1,
			     "some more of the request");
		expect_exits(thaw, "rest", "", 1, "");
		expect_exits(thaw, "sites", "", 1, "good\n");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(the_shim_answers_as_the_host_does)
{
	struct thaw *thaw = open_shim(_i);
	long now;

	if (!thaw)
		return;
	for (int i = 0; i < 3; i++) {
		struct thaw_reply reply;

		expect_exits(thaw, "writev", "", 100, "abc\na");
		expect_exits(thaw, "files", "", 100, "dup good\n");
		expect_exits(thaw, "memory", "", 200, "good\n");
		expect_exits(thaw, "signals", "", 100, "good\n");
		do_call(thaw, "clocks", "", 4, &reply);
		now = atol(outcome(&reply));
		ck_assert_int_le(labs(now - (long)time(NULL)), 2);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

/* Files that the program has open at its snapshot: not in /tmp, where it has its own. */
static char directory[] = "/var/tmp/thaw-shim-XXXXXX";
#define FIRST_SIZE 5000

static char *path_of(int file)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%d", directory, file);
	return path;
}

/* As tests/linux/shim_files.c has it. */
static void put_file(int file, size_t size)
{
	FILE *to = fopen(path_of(file), "w");

	ck_assert_ptr_nonnull(to);
	for (size_t i = 0; i < size; i++) {
		uint32_t mixed =
			((uint32_t)i + (uint32_t)file * 1000003) * 2654435761u;

		mixed = (mixed ^ mixed >> 15) * 2246822507u;
		putc((int)(mixed >> 24), to);
	}
	ck_assert_int_eq(fclose(to), 0);
}

/*
 * Opens the program, with the files of these @sizes. It opens the first more than once:
 * they have descriptors 3 and up, and four more.
 */
static struct thaw *open_files(int i, const char *memory, const size_t *sizes,
			       int count)
{
	char members[2048], *end = members;

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	end += sprintf(end,
		       "\"memory\":\"%s\",\"files\":[\"%s\"],"
		       "\"argv\":[\"p\",\"files\"",
		       memory, directory);
	for (int file = 0; file < count; file++) {
		put_file(file, sizes[file]);
		end += sprintf(end, ",\"%s\"", path_of(file));
	}
	strcpy(end, "]");
	return open_with(i, members);
}

static void close_files(struct thaw *thaw)
{
	if (thaw)
		thaw_close(thaw);
	for (int file = 0; !unlink(path_of(file)); file++)
		;
	ck_assert_int_eq(rmdir(directory), 0);
}

/* What the @i-th run of the builds that are tested is of all. */
static int run_of(int i)
{
	const int tested = program_builds(BUILDS);

	return i / tested * BUILDS + i % tested;
}

static struct thaw *open_first(int i)
{
	const size_t size = FIRST_SIZE;

	return open_files(i, "8MiB", &size, 1);
}

START_TEST(files_in_the_snapshot_are_read_without_an_exit)
{
	struct thaw *thaw = open_first(run_of(_i));

	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i < 3; i++) {
		expect_exits(thaw, "read", "", 1, "good\n");
		expect_exits(thaw, "seek", "", 1, "good\n");
	}
	close_files(thaw);
}
END_TEST

START_TEST(the_shim_and_the_host_share_offsets_of_files)
{
	static const char *const commands[] = {
		"share", "replace", "threads", "handler", "wild", "read",
	};
	struct thaw *thaw = open_first(run_of(_i));

	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i < 12; i++)
		expect_exits(thaw, commands[i % 6], "", UINT32_MAX, "good\n");
	close_files(thaw);
}
END_TEST

START_TEST(a_program_cannot_write_the_files_of_the_snapshot)
{
	struct thaw *thaw = open_first(_i);

	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i < 3; i++) {
		struct thaw_reply reply;

		do_call(thaw, "page", "", 20, &reply);
		ck_assert_str_eq(reply.error_type, "Runtime.Fault");
		thaw_reply_release(&reply);
		expect_exits(thaw, "read", "", 1, "good\n");
	}
	close_files(thaw);
}
END_TEST

/* The program reads all of @file, which the shim does if @is_shims. */
static void expect_sum(struct thaw *thaw, int file, size_t size, bool is_shims)
{
	struct thaw_reply reply;
	char command[16], result[16];

	snprintf(command, sizeof(command), "sum %d", file);
	snprintf(result, sizeof(result), "%zu\n", size);
	do_call(thaw, command, "", UINT32_MAX, &reply);
	ck_assert_str_eq(outcome(&reply), result);
	ck_assert_msg((reply.exits == 1) == is_shims, "file %d: %u exits", file,
		      reply.exits);
	thaw_reply_release(&reply);
}

START_TEST(the_files_of_the_snapshot_have_a_limit)
{
	static const size_t sizes[] = {
		FIRST_SIZE,
		/* one too large, then as much as there may be, then an empty one */
		SHIM_FILES_BYTES_MAX - FIRST_SIZE + 1,
		SHIM_FILES_BYTES_MAX - FIRST_SIZE,
		1,
		0,
	};
	struct thaw *thaw = open_files(_i, "16MiB", sizes, 5);

	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i < 2; i++) {
		expect_sum(thaw, 0, sizes[0], true);
		expect_sum(thaw, 1, sizes[1], false);
		expect_sum(thaw, 2, sizes[2], true);
		expect_sum(thaw, 3, sizes[3], false);
		expect_sum(thaw, 4, sizes[4], true);
	}
	close_files(thaw);
}
END_TEST

START_TEST(the_files_of_the_snapshot_leave_memory_to_the_program)
{
	static const size_t sizes[] = { FIRST_SIZE, 1 << 20, 64 << 10 };
	struct thaw *thaw = open_files(_i, "8MiB", sizes, 3);

	if (!thaw) {
		close_files(NULL);
		return;
	}
	expect_sum(thaw, 0, sizes[0], true);
	expect_sum(thaw, 1, sizes[1], false);
	expect_sum(thaw, 2, sizes[2], true);
	expect_exits(thaw, "memory", "", 200, "good\n");
	close_files(thaw);
}
END_TEST

START_TEST(the_shim_has_so_many_descriptors)
{
	size_t sizes[THAW_SHIM_FILES + 1];
	struct thaw *thaw;

	for (int i = 0; i <= THAW_SHIM_FILES; i++)
		sizes[i] = FIRST_SIZE + (size_t)i;
	thaw = open_files(_i, "16MiB", sizes, THAW_SHIM_FILES + 1);
	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i <= THAW_SHIM_FILES; i++)
		expect_sum(thaw, i, sizes[i], i < THAW_SHIM_FILES);
	/* those that are closed make room for others */
	expect_exits(thaw, "share", "", 100, "good\n");
	close_files(thaw);
}
END_TEST

START_TEST(what_spoils_the_shim_harms_its_invocation_alone)
{
	struct thaw *thaw = open_first(_i);
	struct thaw_reply reply;
	char command[32];

	if (!thaw) {
		close_files(NULL);
		return;
	}
	for (int i = 0; i < 9 * 40; i++) {
		snprintf(command, sizeof(command), "spoil %d", i * 7);
		do_call(thaw, command, "", 100, &reply);
		thaw_reply_release(&reply);
		if (i % 20 == 0)
			expect_exits(thaw, "read", "", 1, "good\n");
	}
	for (int i = 0; i < 300; i++) {
		snprintf(command, sizeof(command), "jump %d", i * 61);
		call(thaw, "p", command, 200 * 1000 * 1000, &reply);
		thaw_reply_release(&reply);
		if (i % 20 == 0)
			expect_exits(thaw, "sites", "", 1, "good\n");
	}
	expect_lines(thaw, 100, 1);
	close_files(thaw);
}
END_TEST

START_TEST(a_program_may_be_frozen_in_a_handler)
{
	struct thaw *thaw = open_shim_as(_i, "handler");

	if (!thaw)
		return;
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(call_once(thaw, "p", "x"), "good\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_thread_that_ends_a_request_leaves_no_mask)
{
	struct thaw *thaw = open_shim_as(_i, "thread");

	if (!thaw)
		return;
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(call_once(thaw, "p", "x"), "mask 0\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(what_is_written_before_the_snapshot_has_a_limit)
{
	struct thaw *thaw = open_shim_as(_i, "flood");
	struct thaw_error error;

	if (!thaw)
		return;
	ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
	ck_assert_ptr_nonnull(strstr(error.message,
				     "has written more than 1048576 bytes to "
				     "standard output before it asked"));
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_shim");
	TCase *tests = tcase_create("linux_shim");

	tcase_set_timeout(tests, 120);
	mkdir("/var", 0755);
	mkdir("/var/tmp", 01777);
	tcase_add_loop_test(tests, what_the_shim_answers_costs_no_exit, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests, the_shim_answers_as_the_host_does, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests,
			    files_in_the_snapshot_are_read_without_an_exit, 0,
			    program_trackers() * program_builds(BUILDS));
	tcase_add_loop_test(tests, the_shim_and_the_host_share_offsets_of_files,
			    0, program_trackers() * program_builds(BUILDS));
	tcase_add_loop_test(tests,
			    a_program_cannot_write_the_files_of_the_snapshot, 0,
			    program_trackers());
	tcase_add_loop_test(tests, the_files_of_the_snapshot_have_a_limit, 0,
			    program_trackers());
	tcase_add_loop_test(
		tests, the_files_of_the_snapshot_leave_memory_to_the_program, 0,
		program_trackers());
	tcase_add_loop_test(tests, the_shim_has_so_many_descriptors, 0,
			    program_trackers());
	tcase_add_loop_test(tests,
			    what_spoils_the_shim_harms_its_invocation_alone, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_program_may_be_frozen_in_a_handler, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests, a_thread_that_ends_a_request_leaves_no_mask,
			    0, program_trackers() * BUILDS);
	tcase_add_loop_test(tests,
			    what_is_written_before_the_snapshot_has_a_limit, 0,
			    program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
