/*
 * test_linux_warm.c - warm_input of a Linux program that reads standard input: it answers
 * in vms of the snapshot, before there are any others. Those begin with the pages that it
 * has written, and with nothing else of it. The test counts pages.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"
#include "tests/contract/support/steps.h"

/* What `allocate` writes, and the pages that it takes. */
#define ALLOCATE "allocate 4000000"
#define ALLOCATED 976
/* Pages of page tables and of thaw's own, which are written by others. */
#define FEW 32

/* Opens a program of tests/linux with its warm_input, members of JSON. */
static struct thaw *open_warm(int i, const char *program, const char *warm,
			      const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_%s\",\"concurrency\":{\"max\":2},"
		 "\"timeout\":\"60s\"%s%s%s%s}",
		 program, *warm ? ",\"warm_input\":{" : "", warm,
		 *warm ? "}" : "", more);
	return open_functions(backends[i], text);
}

static unsigned pages_of_first(struct thaw *thaw)
{
	struct thaw_reply reply;

	call(thaw, "p", ALLOCATE, 0, &reply);
	ck_assert_str_eq(outcome(&reply), "allocated\n");
	thaw_reply_release(&reply);
	return reply.dirty_pages;
}

START_TEST(a_new_vm_begins_with_the_pages_that_warm_input_has_written)
{
	struct thaw *cold = open_warm(_i, "program_fixed", "", "");
	struct thaw *other =
		open_warm(_i, "program_fixed", "\"text\":\"echo short\"", "");
	struct thaw *warm =
		open_warm(_i, "program_fixed", "\"text\":\"" ALLOCATE "\"", "");

	ck_assert_uint_ge(pages_of_first(cold), host_pages(ALLOCATED));
	ck_assert_uint_ge(pages_of_first(other), host_pages(ALLOCATED));
	ck_assert_uint_le(pages_of_first(warm), FEW);
	thaw_close(cold);
	thaw_close(other);
	thaw_close(warm);
}
END_TEST

/* A second vm, once the first one has shown what invocations are really like. */
START_TEST(what_invocations_write_counts_more_than_what_warm_input_has_written)
{
	/* so often that other vms would have been learned from */
	struct thaw *thaw = open_warm(_i, "program_fixed",
				      "\"text\":\"echo short\",\"count\":20",
				      "");
	struct thaw_reply first, second;

	for (int i = 0; i < 50; i++)
		pages_of_first(thaw);
	call(thaw, "p", ALLOCATE, 0, &first);
	call(thaw, "p", ALLOCATE, 0, &second);
	thaw_reply_release(&second);
	thaw_reply_release(&first);
	ck_assert_uint_le(second.dirty_pages, FEW);
	thaw_close(thaw);
}
END_TEST

START_TEST(nothing_else_of_it_stays)
{
	struct thaw *thaw = open_warm(_i, "program_fixed",
				      "\"text\":\"count\",\"count\":20", "");

	expect(thaw, "count", "1 1 2 7\n");
	expect(thaw, "count", "1 1 2 7\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(it_is_answered_so_many_times)
{
	struct thaw *thaw;

	logged.lines = 0;
	thaw = open_warm(_i, "trace", "\"text\":\"x\",\"count\":7", "");
	expect(thaw, "y", "ythirty*");
	/* and then by the invocation */
	ck_assert_uint_eq(logged.lines, 8);
	ck_assert_str_eq(logged.text, "log line");
	thaw_close(thaw);
}
END_TEST

/* Each run changes a page table, so it spoils its vm. */
START_TEST(a_program_may_need_a_new_vm_for_each)
{
	struct thaw *thaw = open_warm(_i, "program_fixed",
				      "\"text\":\"protect\",\"count\":3", "");

	expect(thaw, "protect", "good\n");
	expect(thaw, "count", "1 1 2 7\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(it_may_be_in_a_file_and_need_not_be_JSON)
{
	char path[] = "/tmp/thaw-warm-XXXXXX", warm[128];
	int fd = mkstemp(path);
	struct thaw *thaw;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "echo\0\1\2", 7), 7);
	close(fd);
	snprintf(warm, sizeof(warm), "\"file\":\"%s\"", path);
	thaw = open_warm(_i, "program_fixed", warm, "");
	expect(thaw, "echo a", "echo a");
	thaw_close(thaw);
	ck_assert_int_eq(truncate(path, 0), 0);
	logged.lines = 0;
	thaw = open_warm(_i, "trace", warm, "");
	expect(thaw, "y", "ythirty*");
	ck_assert_uint_eq(logged.lines, 2);
	thaw_close(thaw);
	unlink(path);
}
END_TEST

static const struct {
	const char *program, *warm, *more, *message;
} refused[] = {
	{ "program_fixed", "\"text\":\"error 3\",\"count\":2", "",
	  "*: warm_input, run 1 of 2: the program exited with status 3: "
	  "first?last words" },
	{ "program_fixed", "\"text\":\"abort\"", "",
	  "*: warm_input, run 1 of 1: the program was ended by signal 6" },
	{ "program_fixed", "\"text\":\"null 0\"", "",
	  "*: warm_input, run 1 of 1: page fault * writing address 0 * at 0x*" },
	{ "program_fixed", "\"text\":\"writes 2049\"",
	  ",\"max_reply\":\"6KiB\"",
	  "*: warm_input, run 1 of 1: *more than max_reply of 6144 bytes" },
	{ "program_fixed", "\"text\":\"spin\"", ",\"init_timeout\":\"500ms\"",
	  "*: warm_input, run 1 of 1: *within its init_timeout*" },
	{ "program_fixed", "\"text\":\"sleep 100000\"",
	  ",\"init_timeout\":\"500ms\"",
	  "*: warm_input, run 1 of 1: *within its init_timeout*" },
	{ "program_fixed", "\"text\":\"sleep 40\",\"count\":10000",
	  ",\"init_timeout\":\"500ms\"",
	  "*: warm_input, run * of 10000: *within its init_timeout*" },
	/* none takes long, but each has a vm made */
	{ "program_fixed", "\"text\":\"protect\",\"count\":10000",
	  ",\"init_timeout\":\"500ms\"",
	  "*: warm_input, run * of 10000: *within its init_timeout*" },
	{ "fds_fixed", "\"text\":\"stuck 1\"", "",
	  "*: warm_input, run 1 of 1: the program waits *(system call read)" },
};

START_TEST(a_program_that_does_not_answer_it_is_not_deployed)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct thaw *thaw = open_warm(_i, refused[i].program,
					      refused[i].warm, refused[i].more);
		struct thaw_error error;

		ck_assert_int_ne(thaw_deploy(thaw, "p", &error), 0);
		ck_assert_msg(!fnmatch(refused[i].message, error.message, 0),
			      "%s", error.message);
		thaw_close(thaw);
	}
}
END_TEST

int main(void)
{
	const TTest *const list[] = {
		a_new_vm_begins_with_the_pages_that_warm_input_has_written,
		what_invocations_write_counts_more_than_what_warm_input_has_written,
		nothing_else_of_it_stays,
		it_is_answered_so_many_times,
		a_program_may_need_a_new_vm_for_each,
		it_may_be_in_a_file_and_need_not_be_JSON,
		a_program_that_does_not_answer_it_is_not_deployed,
	};
	Suite *suite = suite_create("linux_warm");
	TCase *tests = tcase_create("linux_warm");
	tcase_set_timeout(tests, 120);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		tcase_add_loop_test(tests, list[i], 0, program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
