/*
 * test_hyperlight_faults.c - Hyperlight guests that abort, fault, use up their memory
 * or never end. The next call finds the guest as ever: see hyperlight_calls().
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "arch_behaviours.h"
#include "tests/contract/support/hyperlight.h"

#define ROWS(rows) (rows), sizeof(rows) / sizeof(*(rows))

static const struct hyperlight_row aborts[] = {
	{ "GuestAbortWithCode", "13", "Hyperlight.GuestAborted: code 13" },
	/* the lower 8 bits */
	{ "GuestAbortWithCode", "-1", "Hyperlight.GuestAborted: code 255" },
	{ "GuestAbortWithCode", "256", "Hyperlight.GuestAborted: code 0" },
	{ "GuestAbortWithMessage", "25,\"Oh no\"",
	  "Hyperlight.GuestAborted: code 25: Oh no" },
	{ "GuestAbortWithMessage", "25,\"\"",
	  "Hyperlight.GuestAborted: code 25: " },
	{ "GuestAbortWithoutMessage", "9", "Hyperlight.GuestAborted: code 9" },
	{ "FillHeapAndAbort", "",
	  "Hyperlight.GuestAborted: code 7: no memory is needed for this" },
	{ "Abort", "", "Runtime.Abort: abort() was called" },
	{ "guest_panic", "\"Error...\"",
	  "Runtime.AssertionFailed: *: guest_panic: assertion failed: *" },
	{ "Exit", "3", "Runtime.ExitError: exit(3) was called" },
	{ "Exit", "0", "Runtime.ExitError: exit(0) was called" },
};

START_TEST(aborts_say_code_and_message)
{
	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(aborts));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(a_long_message_of_an_abort_is_cut)
{
	char arguments[4200], expected[1100];

	hyperlight_open(_i, "");
	snprintf(arguments, sizeof(arguments), "1,\"%s\"", repeat('m', 4000));
	snprintf(expected, sizeof(expected), "Hyperlight.GuestAborted: %.1023s",
		 strcat(strcpy(arguments + 10, "code 1: "), repeat('m', 1015)));
	snprintf(arguments, sizeof(arguments), "1,\"%s\"", repeat('m', 4000));
	ck_assert_str_eq(hyperlight_call("GuestAbortWithMessage", arguments),
			 expected);
	thaw_close(hyperlight);
}
END_TEST

#define STACK_OVERFLOW "Runtime.Fault: stack overflow *"

static const struct hyperlight_row memory_rows[] = {
	{ "SmallVar", "", "{\"result\":1024}" },
	{ "LargeVar", "", STACK_OVERFLOW },
	{ "StackAllocate", "16384", "{\"result\":16384}" },
	{ "StackAllocate", "65536", STACK_OVERFLOW },
	{ "StackOverflow", "8", "{\"result\":8}" },
	{ "StackOverflow", "32", STACK_OVERFLOW },
	{ "InfiniteRecursion", "", STACK_OVERFLOW },
	{ "BufferOverrun", "\"short\"", "{\"result\":12}" },
	{ "ExhaustHeap", "",
	  "Hyperlight.MallocFailed: error 13: the heap is exhausted" },
	{ "FillHeapAndCauseException", "",
	  "Runtime.OutOfMemory: * the heap is exhausted: raise memory" },
	{ "FillHeapAndReturn", "",
	  "Hyperlight.MallocFailed: error 13: no memory for * bytes" },
};

START_TEST(memory_ends_where_it_ends)
{
	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(memory_rows));
	thaw_close(hyperlight);
}
END_TEST

/* The frame's own memory is all that it can reach without a fault. */
START_TEST(a_buffer_that_is_overrun_harms_one_invocation)
{
	char arguments[600];

	hyperlight_open(_i, "");
	snprintf(arguments, sizeof(arguments), "\"%s\"", repeat('o', 500));
	for (int i = 0; i < 3; i++) {
		const char *is = hyperlight_call("BufferOverrun", arguments);

		ck_assert_msg(!strncmp(is, "Runtime.Fault: ", 15) ||
				      !strcmp(is, "{\"result\":-483}"),
			      "%s", is);
		ck_assert_str_eq(hyperlight_call("Echo", "\"clean\""),
				 "{\"result\":\"clean\"}");
	}
	thaw_close(hyperlight);
}
END_TEST

static const struct hyperlight_row faults[] = {
	{ "TriggerException", "", "Runtime.Fault: *" },
	{ "ExecuteOnHeap", "",
	  "Runtime.Fault: " EXECUTING("0x*") PROTECTED " *" },
	{ "ExecuteOnStack", "",
	  "Runtime.Fault: " EXECUTING("0x*") PROTECTED " *" },
	{ "ReadFromUserMemory", "8", "Runtime.Fault: *" },
	{ "ReadFromUserMemory", "1048576", "{\"result\":*}" },
	{ "WriteToMemory", "1048576",
	  "Runtime.Fault: " WRITING("0x100000") PROTECTED " *" },
	{ "WriteToMemory", "8", "Runtime.Fault: *" },
	{ "ReadFromUserMemory", "18446744073709551615", "Runtime.Fault: *" },
	{ "Privileged", "0", "Runtime.Fault: *" },
	{ "Privileged", "1", "Runtime.Fault: *" },
	{ "Privileged", "2", "Runtime.Fault: *" },
	{ "Privileged", "3", "Runtime.Fault: *" },
	{ "Privileged", "4", "Runtime.Fault: *" },
	{ "Privileged", "5", "Runtime.Fault: *" },
	{ "Privileged", "6", "Runtime.Fault: *" },
	{ "Privileged", "7", "Runtime.Fault: *" },
};

START_TEST(faults_end_one_invocation)
{
	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(faults));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(clocks_go_on_while_a_guest_spins)
{
	static const struct hyperlight_row spins[] = {
		{ "SpinForMs", "0", "{\"result\":*}" },
		{ "SpinForMs", "20", "{\"result\":*}" },
	};

	hyperlight_open(_i, "");
	hyperlight_calls(ROWS(spins));
	thaw_close(hyperlight);
}
END_TEST

START_TEST(a_guest_that_spins_is_stopped)
{
	hyperlight_open(_i, "");
	for (int i = 0; i < 3; i++)
		hyperlight_stops("Spin", "");
	thaw_close(hyperlight);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hyperlight faults");
	TCase *group = tcase_create("hyperlight faults");
	const int count = hyperlight_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, aborts_say_code_and_message, 0, count);
	tcase_add_loop_test(group, a_long_message_of_an_abort_is_cut, 0, 2);
	tcase_add_loop_test(group, memory_ends_where_it_ends, 0, count);
	tcase_add_loop_test(group,
			    a_buffer_that_is_overrun_harms_one_invocation, 0,
			    count);
	tcase_add_loop_test(group, faults_end_one_invocation, 0, count);
	tcase_add_loop_test(group, clocks_go_on_while_a_guest_spins, 0, count);
	tcase_add_loop_test(group, a_guest_that_spins_is_stopped, 0, count);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
