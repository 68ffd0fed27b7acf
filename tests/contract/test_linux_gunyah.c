/*
 * test_linux_gunyah.c - programs with the devices of the Gunyah C runtime:
 * tests/linux/gunyah.c, built in several ways. After every invocation the library
 * compares memory with the snapshot.
 */
#include <stdio.h>

#include "tests/contract/support/guests.h"
#include "tests/contract/support/programs.h"

static const char *const builds[] = { "fixed", "pie", "dynamic", "musl" };
#define BUILDS program_builds(4)

/* The program that begins in the way @how, with @interrupts, as in JSON. */
static struct thaw *open_gunyah(int i, const char *build, const char *how,
				const char *interrupts)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
		 "\"%%s/linux_gunyah_%s\",\"argv\":[\"p\",\"%s\"],"
		 "\"devices\":\"gunyah\",\"interrupts\":[%s],"
		 "\"timeout\":\"60s\",\"concurrency\":{\"max\":1}}",
		 build, how, interrupts);
	return open_functions(backends[i], text);
}

static const struct {
	const char *request;
	const char *outcome; /* a pattern */
} rows[] = {
	{ "ranges", "good\n" },
	{ "registers", "good\n" },
	{ "wild", "good\n" },
	{ "triggers", "good\n" },
	{ "assert", "good\n" },
	{ "unhandled", "good\n" },
	{ "order", "good\n" },
	{ "jump", "good\n" },
	{ "refused", "good\n" },
	{ "lost", "Runtime.Fault: *0x7000000000*" },
	{ "return", "Runtime.Fault: *" },
	{ "wait_in_handler", "Runtime.Deadlock: *ppoll)" },
	{ "console", "a\nc\nd\n\none\ntwo\nx\nxy\nz\nnobody\nnobody\ngood\n" },
	{ "long_text", "good\n" },
	{ "blocked_text", "good\n" },
	{ "terminal", "good\n" },
	{ "log", "good\n" },
	{ "exit_requests", "good\n" },
	{ "exit 0", "bye 0\n" },
	{ "exit 3", "Runtime.ExitError: the program exited with status 3" },
	{ "exit_call 0", "bye 0\n" },
	{ "exit_call 4",
	  "Runtime.ExitError: the program exited with status 4" },
	{ "exit_in_handler 0", "bye 0\n" },
	{ "exit_in_handler 5",
	  "Runtime.ExitError: the program exited with status 5" },
	{ "exit_again 6",
	  "Runtime.ExitError: the program exited with status 7" },
};

START_TEST(each_command_finds_the_devices_of_the_snapshot)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("gunyah", build))
		return;
	thaw = open_gunyah(_i / BUILDS, build, "read", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect(thaw, rows[i].request, rows[i].outcome);
		expect(thaw, "kept", "good\n");
	}
	thaw_close(thaw);
}
END_TEST

/* What the host asserts, and a command that expects it. */
static const struct {
	const char *how;
	const char *interrupts;
	const char *request;
	const char *outcome;
} asserted[] = {
	{ "blocked", "\"40@10ms\"", "ppoll -1", "good\n" },
	{ "blocked", "\"40@10ms\"", "ppoll 1000", "good\n" },
	{ "read", "\"40@300ms\"", "sleep", "good\n" },
	{ "read", "\"40@300ms\"", "sleep_until", "good\n" },
	{ "read", "\"100@1ms\",\"101@3ms\",\"102@30ms\"", "compute", "good\n" },
	{ "read", "\"41@1ms\"", "disabled", "good\n" },
	{ "read", "\"41\"", "disabled", "good\n" },
	{ "read", "\"20@1ms\"", "level", "good\n" },
	{ "read", "\"1019@1ms\",\"0@1ms\",\"20\"", "assert", "good\n" },
	{ "read", "\"1019@1ms\",\"0\"", "wait_in_handler",
	  "Runtime.Deadlock: *ppoll)" },
};

START_TEST(the_host_asserts_interrupts_at_their_time)
{
	for (size_t i = 0; i < sizeof(asserted) / sizeof(*asserted); i++) {
		struct thaw *thaw = open_gunyah(_i, "fixed", asserted[i].how,
						asserted[i].interrupts);

		for (int again = 0; again < 3; again++)
			expect(thaw, asserted[i].request, asserted[i].outcome);
		thaw_close(thaw);
	}
}
END_TEST

/* The line of a request that is never served keeps its handler running. */
START_TEST(a_storm_of_interrupts_ends_at_the_deadline)
{
	struct thaw *thaw = open_gunyah(_i, "fixed", "read", "\"20\"");
	struct thaw_reply reply;

	call(thaw, "p", "storm", 300000000, &reply);
	ck_assert_int_eq(reply.result, THAW_TIMEOUT);
	thaw_reply_release(&reply);
	expect(thaw, "triggers", "good\n");
	thaw_close(thaw);
}
END_TEST

START_TEST(a_wait_for_an_interrupt_is_the_point_of_the_snapshot)
{
	const char *build = builds[_i % BUILDS];
	struct thaw *thaw;

	if (!program_is_built("gunyah", build))
		return;
	/* the first run of a vm takes so long that it is stopped on its way to the wait */
	for (int i = 0; i < 5; i++) {
		thaw = open_gunyah(_i / BUILDS, build, "wait", "\"40\"");
		expect(thaw, "kept", "good\n");
		thaw_close(thaw);
	}
	for (int late = 0; late < 2; late++) {
		thaw = open_gunyah(_i / BUILDS, build, "wait",
				   late ? "\"40@30ms\"" : "\"40\"");
		expect(thaw, "kept", "good\n");
		expect(thaw, "order", "good\n");
		expect(thaw, "exit 0", "bye 0\n");
		expect(thaw, "kept", "good\n");
		thaw_close(thaw);
	}
	thaw = open_gunyah(_i / BUILDS, build, "wait", "\"41\"");
	expect(thaw, "kept", "Runtime.Deadlock: *ppoll)");
	expect(thaw, "kept", "Runtime.Deadlock: *ppoll)");
	thaw_close(thaw);
}
END_TEST

START_TEST(other_programs_have_no_such_devices)
{
	struct thaw *thaw =
		open_functions(backends[_i],
			       "{\"name\":\"p\",\"kind\":\"linux\",\"program\":"
			       "\"%s/linux_gunyah_fixed\"}");

	expect(thaw, "", "no devices: No such file or directory");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_gunyah");
	TCase *tests = tcase_create("linux_gunyah");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    each_command_finds_the_devices_of_the_snapshot, 0,
			    program_trackers() * BUILDS);
	tcase_add_loop_test(tests, the_host_asserts_interrupts_at_their_time, 0,
			    program_trackers());
	tcase_add_loop_test(tests, a_storm_of_interrupts_ends_at_the_deadline,
			    0, program_trackers());
	tcase_add_loop_test(tests,
			    a_wait_for_an_interrupt_is_the_point_of_the_snapshot,
			    0, program_trackers() * BUILDS);
	tcase_add_loop_test(tests, other_programs_have_no_such_devices, 0,
			    program_trackers());
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
