/*
 * test_linux_fds.c - descriptors of Linux programs: tests/linux/fds.c, built in several
 * ways. After every invocation the library compares memory with the snapshot.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "dynamic", "musl" };
#define BUILDS 3

static struct thaw *open_fds(int i, const char *build, const char *argument)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_fds_%s\",\"argv\":[\"p\",\"%s\"],"
		 "\"timeout\":\"60s\",\"concurrency\":{\"max\":1}}",
		 build, argument);
	return open_functions(backends[i], text);
}

#define STUCK "Runtime.Deadlock: *"

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "pipe", "good\n" },
	{ "atomic", "good\n" },
	{ "round", "good\n" },
	{ "broken", "good\n" },
	{ "broken 1", "Runtime.ExitError: the program was ended by signal 13" },
	{ "event", "good\n" },
	{ "poll", "good\n" },
	{ "select", "good\n" },
	{ "end", "good\n" },
	{ "kept 1", "good\n" },
	{ "descriptors", "good\n" },
	{ "vectors", "good\n" },
	{ "stuck 0", STUCK "write)" },
	{ "stuck 1", STUCK "read)" },
	{ "stuck 2", STUCK "poll)" },
	{ "stuck 3", STUCK "wait)" },
	{ "timer", "good\n" },
	{ "epoll", "good\n" },
	{ "edge", "good\n" },
	{ "nested", "good\n" },
	{ "masks", "good\n" },
	{ "threads", "good\n" },
	{ "cut", "good\n" },
	{ "limits", "good\n" },
	{ "refused", "good\n" },
};

START_TEST(each_command_finds_the_descriptors_of_the_snapshot)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("fds", build))
		return;
	thaw = open_fds(_i / BUILDS, build, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "kept", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(whatever_asks_for_the_request_is_the_point_of_the_snapshot)
{
	static const char *const ways[] = { "poll",	"select", "epoll",
					    "fionread", "mmap",	  "readv",
					    "preadv2" };

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct thaw *thaw = open_fds(_i, "fixed", ways[i]);

		expect(thaw, "kept", "good\n");
		expect(thaw, "end", "good\n");
		expect(thaw, "kept", "good\n");
		thaw_close(thaw);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_fds");
	TCase *tests = tcase_create("linux_fds");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    each_command_finds_the_descriptors_of_the_snapshot,
			    0, program_trackers() * BUILDS);
	tcase_add_loop_test(
		tests,
		whatever_asks_for_the_request_is_the_point_of_the_snapshot, 0,
		program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
