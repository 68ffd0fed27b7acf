/*
 * test_linux_signals.c - signals of Linux programs: tests/linux/signals.c, built in
 * several ways. After every invocation the library compares memory with the snapshot.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/linux/signals.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "dynamic", "musl" };
#define BUILDS 3

static struct thaw *open_signals(int i, const char *build, const char *argument,
				 const char *timeout)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_signals_%s\",\"argv\":[\"p\",\"%s\"],"
		 "\"timeout\":\"%s\",\"concurrency\":{\"max\":1}}",
		 build, argument, timeout);
	return open_functions(backends[i], text);
}

#define ENDED "Runtime.ExitError: the program was ended by signal "
#define FAULT "Runtime.Fault: page fault * "

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "info", "good\n" },
	{ "nested", "good\n" },
	{ "masks", "good\n" },
	{ "queue 128", "good\n" },
	{ "stack", "good\n" },
	{ "stack 1", "good\n" },
	{ "overflow", "good\n" },
	{ "fix", "good\n" },
	{ "fix 1", "good\n" },
	{ "codes", "good\n" },
	{ "exceptions", "good\n" },
	{ "float", "good\n" },
	{ "registers", "good\n" },
	{ "frame", "good\n" },
	{ "compute", "good\n" },
	{ "sleep", "good\n" },
	{ "restart", "good\n" },
	{ "alarm", "good\n" },
	{ "threads", "good\n" },
	{ "timers", "good\n" },
	{ "timer_limit", "32 EAGAIN\n" },
	/* what ends it */
	{ "wild_return 8", ENDED "11" },
	{ "wild_return 0x14000", ENDED "11" },
	{ "wild_return -8", ENDED "11" },
	{ "wild_return 0x8000000000000000", ENDED "11" },
	{ "wild_stack 8", ENDED "11" },
	{ "wild_stack 0x30800", ENDED "11" },
	{ "wild_stack -8", ENDED "11" },
	{ "fault_in_handler", FAULT "writing address 0x10 *" },
	{ "fault_in_handler 1", FAULT "writing address 0x10 *" },
	{ "blocked_fault", FAULT "writing address 0x10 *" },
	{ "raise 1", "good\n" },
	{ "raise 9", ENDED "9" },
	{ "raise 13", ENDED "13" },
	{ "raise 14", ENDED "14" },
	{ "raise 15", ENDED "15" },
	{ "raise 17", "good\n" },
	{ "raise 18", "good\n" },
	{ "raise 23", "good\n" },
	{ "raise 28", "good\n" },
	{ "raise 40", ENDED "40" },
	{ "raise 19",
	  "Runtime.ExitError: the program was stopped by signal 19*" },
	{ "raise 20",
	  "Runtime.ExitError: the program was stopped by signal 20*" },
	{ "wait", "Runtime.Deadlock: *" },
};

/* Emulated processors raise no floating-point error: see tests/emulated/machines.py. */
static bool is_left_out(const char *request)
{
	const char *names = getenv("TEST_LEAVE_OUT");

	if (strcmp(request, "float") || !names ||
	    !strstr(names, "sse_exception"))
		return false;
	printf("skip: sse_exception: TEST_LEAVE_OUT names it\n");
	return true;
}

START_TEST(signals_are_as_the_kernel_sends_them)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("signals", build))
		return;
	thaw = open_signals(_i / BUILDS, build, "early", "60s");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (is_left_out(rows[i].request))
			continue;
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "early", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

/* However often it is interrupted. */
START_TEST(a_program_that_loops_on_signals_ends_at_its_timeout)
{
	struct thaw *thaw = open_signals(_i, "fixed", "early", "50ms");

	for (int i = 0; i < 4; i++) {
		char request[16];

		snprintf(request, sizeof(request), "loop %d", i);
		expect(thaw, request, "Sandbox.Timedout: *");
		expect(thaw, "early", "good\n");
	}
	expect(thaw, "sleep 1", "good\n");
	thaw_close(thaw);
}
END_TEST

/* A timer that is armed before it goes on in each invocation with what was left. */
START_TEST(a_timer_goes_on_from_the_snapshot)
{
	struct thaw *thaw = open_signals(_i, "fixed", "left", "60s");

	for (int i = 0; i < 3; i++)
		expect(thaw, "left", "good\n");
	thaw_close(thaw);
}
END_TEST

/* A handler runs before the snapshot as it does after it. */
START_TEST(signals_come_before_the_snapshot)
{
	static const char *const ways[] = { "fault", "timer" };

	for (int i = 0; i < 2; i++) {
		struct thaw *thaw = open_signals(_i, "fixed", ways[i], "60s");

		expect(thaw, "fix", "good\n");
		expect(thaw, "info", "good\n");
		thaw_close(thaw);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_signals");
	TCase *tests = tcase_create("linux_signals");
	_Static_assert(SIGNALS_QUEUED_MAX == 128 && SIGNAL_TIMERS_MAX == 32,
		       "the rows say so");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, signals_are_as_the_kernel_sends_them, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests,
			    a_program_that_loops_on_signals_ends_at_its_timeout,
			    0, program_trackers());
	tcase_add_loop_test(tests, a_timer_goes_on_from_the_snapshot, 0,
			    program_trackers());
	tcase_add_loop_test(tests, signals_come_before_the_snapshot, 0,
			    program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
