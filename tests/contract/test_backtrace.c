/*
 * test_backtrace.c - the backtrace in the log of a function that faults: known calls,
 * its limit, and frame pointers that lead astray.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/support/guests.h"
#include "vm/backtrace.h"

static struct thaw *thaw;

static void open_entry(int backend, const char *entry)
{
	char more[64];

	snprintf(more, sizeof(more), "\"entry\":\"%s\"", entry);
	thaw = open_guest(backends[backend], "backtrace", more);
}

/* Calls it, sees it fault, and leaves what it has logged in `logged`. */
static void call_to_fault(const char *text)
{
	struct thaw_reply reply;

	memset(&logged, 0, sizeof(logged));
	call(thaw, "backtrace", text, 0, &reply);
	ck_assert_msg(reply.result == THAW_FAULT, "%s: %s", text,
		      outcome(&reply));
	thaw_reply_release(&reply);
	/* nothing but the backtrace */
	ck_assert_uint_eq(logged.lines, 0);
}

/* The frames of the backtrace, which are numbered. */
static unsigned frame_count(void)
{
	const char *at = logged.backtrace;
	char number[16];
	unsigned count = 0;

	do {
		snprintf(number, sizeof(number), "#%u ", count);
		at = strstr(at, number);
	} while (at && ++count);
	return count;
}

static const struct {
	const char *entry;
	const char *backtrace; /* a pattern */
} known[] = {
	{ "calls", "#0 inner+* (0x*) #1 outer+* (0x*) "
		   "#2 thaw_handler_calls+* (0x*) #3 *" },
	{ "leaf", "#0 strlen+* (0x*) #1 measure+* (0x*) "
		  "#2 thaw_handler_leaf+* (0x*) #3 *" },
	{ "callback", "#0 inner+* (0x*) #1 compare+* (0x*) "
		      "#2 qsort+* (0x*) "
		      "#3 thaw_handler_callback+* (0x*) #4 *" },
	{ "jumps", "#0 [?] (0x8) #1 jump+* (0x*) "
		   "#2 thaw_handler_jumps+* (0x*) #3 *" },
	{ "overflow", "#0 fill+* (0x*) #1 fill+* (0x*) #2 fill+* "
		      "#31 fill+* (0x*)" },
};

#define KNOWN (int)(sizeof(known) / sizeof(*known))

START_TEST(calls_are_listed_from_the_fault_outwards)
{
	for (int i = 0; i < KNOWN; i++) {
		open_entry(_i, known[i].entry);
		/* the second time after a complete restore */
		for (int times = 0; times < 2; times++) {
			call_to_fault("");
			ck_assert_msg(!fnmatch(known[i].backtrace,
					       logged.backtrace, 0),
				      "%s: %s", known[i].entry,
				      logged.backtrace);
		}
		thaw_close(thaw);
	}
}
END_TEST

static unsigned frames_of_depth(unsigned depth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", depth);
	call_to_fault(text);
	return frame_count();
}

START_TEST(no_more_frames_than_the_limit_are_listed)
{
	unsigned others;

	open_entry(_i, "depth");
	others = frames_of_depth(1) - 1;
	ck_assert_uint_ge(others, 2);
	for (unsigned frames = VM_BACKTRACE_MAX - 1;
	     frames <= VM_BACKTRACE_MAX + 1; frames++)
		ck_assert_uint_eq(frames_of_depth(frames - others),
				  frames > VM_BACKTRACE_MAX ? VM_BACKTRACE_MAX :
							      frames);
	ck_assert_uint_eq(frames_of_depth(1000), VM_BACKTRACE_MAX);
	thaw_close(thaw);
}
END_TEST

static const struct {
	const char *kind;
	unsigned frames;
} astray[] = {
	{ "chain", VM_BACKTRACE_MAX },
	{ "self", 2 },
	{ "back", 2 },
	{ "overlapping", 2 },
	{ "data", 1 },
	{ "nowhere", 1 },
	{ "memory's end", 1 },
	{ "elsewhere", 1 },
	{ "above", 1 },
	{ "pushed", 5 },
	{ "unaligned", 1 },
	{ "low", 1 },
	{ "top", 1 },
	{ "wild", 1 },
	{ "", 1 },
};

START_TEST(a_frame_pointer_that_leads_astray_ends_the_list)
{
	open_entry(_i, "astray");
	for (size_t i = 0; i < sizeof(astray) / sizeof(*astray); i++) {
		call_to_fault(astray[i].kind);
		ck_assert_msg(frame_count() == astray[i].frames, "%s: %s",
			      astray[i].kind, logged.backtrace);
		ck_assert_msg(!fnmatch("#0 thaw_handler_astray+*",
				       logged.backtrace, 0),
			      "%s: %s", astray[i].kind, logged.backtrace);
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backtrace");
	TCase *group = tcase_create("backtrace");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, calls_are_listed_from_the_fault_outwards, 0,
			    backend_count());
	tcase_add_loop_test(group, no_more_frames_than_the_limit_are_listed, 0,
			    backend_count());
	tcase_add_loop_test(group,
			    a_frame_pointer_that_leads_astray_ends_the_list, 0,
			    backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
