/*
 * test_linux_process.c - what Linux programs are told of themselves:
 * tests/linux/process.c, built in several ways. After every invocation the library
 * compares memory with the snapshot.
 */
#include <stdio.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "dynamic", "musl" };
#define BUILDS 3

static const char *const commands[] = {
	"identity", "priority",	   "usage",   "children", "attributes",
	"advice",   "descriptors", "threads", "sizes",
};

START_TEST(a_process_is_told_what_holds_for_it)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;
	char text[512];

	if (!program_is_built("process", build))
		return;
	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_process_%s\",\"argv\":[\"p\"],"
		 "\"timeout\":\"60s\",\"concurrency\":{\"max\":1}}",
		 build);
	thaw = open_functions(backends[_i / BUILDS], text);
	/* the second time all is as it was */
	for (int times = 0; times < 2; times++)
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands);
		     i++)
			expect(thaw, commands[i], "good\n");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_process");
	TCase *tests = tcase_create("linux_process");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, a_process_is_told_what_holds_for_it, 0,
			    program_trackers() * BUILDS);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
