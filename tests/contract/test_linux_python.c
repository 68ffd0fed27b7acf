/*
 * test_linux_python.c - Debian's python3 with the samples' driver: what several vms of it
 * cost, and that they keep their state apart.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

#define PYTHON "/usr/bin/python3"
#define VMS 8
/* A vm may take the pages that it writes, and this of private memory. */
#define PRIVATE_BESIDES (128u << 10)
/* The interpreter and its modules are far more. */
#define WRITTEN_MOST (2u << 20)

static struct thaw *open_python(int i)
{
	cleanup_free char *samples = realpath("samples/linux", NULL);
	char text[8192];

	ck_assert_ptr_nonnull(samples);
	snprintf(text, sizeof(text),
		 "{\"name\":\"python\",\"kind\":\"linux\",\"program\":\"" PYTHON
		 "\",\"argv\":[\"python3\",\"%s/driver.py\","
		 "\"%s/functions.py\"],\"files\":[\"%s\"],\"memory\":\"64MiB\","
		 "\"timeout\":\"60s\",\"concurrency\":{\"max\":%d},"
		 "\"warm_input\":{\"text\":\"{\\\"function\\\":\\\"add\\\","
		 "\\\"args\\\":[1,2]}\",\"count\":10}}",
		 samples, samples, samples, VMS);
	return open_functions(backends[i], text);
}

/* Begins so many invocations, each in a vm of its own, and ends them. */
static void invoke_all(struct thaw *thaw, size_t count,
		       struct thaw_reply *replies)
{
	static const char request[] = "{\"function\":\"times_called\"}";
	static const char result[] = "{\"result\": 1}";

	for (size_t i = 0; i < count; i++) {
		call(thaw, "python", request, 0, &replies[i]);
		ck_assert_msg(replies[i].result == THAW_OK, "%s",
			      outcome(&replies[i]));
	}
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(replies[i].size, strlen(result));
		ck_assert(!memcmp(replies[i].data, result, strlen(result)));
	}
	for (size_t i = 0; i < count; i++)
		thaw_reply_release(&replies[i]);
}

START_TEST(a_further_vm_costs_what_it_writes)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct thaw *thaw = open_python(_i);
	static struct thaw_reply replies[VMS];
	size_t before, each, pages = 0;

	for (int i = 0; i < 3; i++)
		invoke_all(thaw, 1, replies);
	before = private_bytes();
	for (int i = 0; i < 3; i++)
		invoke_all(thaw, VMS, replies);
	each = (private_bytes() - before) / (VMS - 1);
	for (size_t i = 0; i < VMS; i++)
		if (replies[i].hot_pages + replies[i].dirty_pages > pages)
			pages = replies[i].hot_pages + replies[i].dirty_pages;
	printf("%s: a further vm takes %zu KiB, and writes %zu pages\n",
	       backends[_i], each / 1024, pages);
#ifdef TEST_SANITIZED
	printf("skip: memory of a vm: a sanitizer takes its own\n");
	(void)page_size;
#else
	ck_assert_uint_le(each, pages * page_size + PRIVATE_BESIDES);
	ck_assert_uint_lt(pages * page_size, WRITTEN_MOST);
#endif
	thaw_close(thaw);
}
END_TEST

/* A second input() ends as the first line does not, and so does a third. */
START_TEST(the_end_of_input_is_final)
{
	struct thaw *thaw = open_functions(
		backends[_i],
		"{\"name\":\"p\",\"kind\":\"linux\",\"program\":\"" PYTHON
		"\",\"argv\":[\"python3\",\"-c\",\""
		"import select, sys\\n"
		"line = input()\\n"
		"for i in range(2):\\n"
		"  try: input()\\n"
		"  except EOFError: print(line, 'ends', i)\\n"
		"  print(len(select.select([sys.stdin], [], [])[0]))\\n"
		"print(repr(sys.stdin.read()))\"],"
		"\"memory\":\"64MiB\",\"timeout\":\"60s\"}");

	for (int i = 0; i < 2; i++)
		expect(thaw, "a line\n",
		       "a line ends 0\n1\na line ends 1\n1\n''\n");
	expect(thaw, "half a line",
	       "half a line ends 0\n1\nhalf a line ends 1\n1\n''\n");
	expect(thaw, "", "*exited with status 1: *EOFError*");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_python");
	TCase *tests = tcase_create("linux_python");
	if (access(PYTHON, X_OK)) {
		printf("skip: there is no " PYTHON "\n");
		return 77;
	}
	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, a_further_vm_costs_what_it_writes, 0,
			    program_trackers());
	tcase_add_loop_test(tests, the_end_of_input_is_final, 0,
			    program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
