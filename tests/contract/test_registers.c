/*
 * test_registers.c - an invocation finds every register as documented, whatever the
 * previous one left there, and however it ended.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/contract/support/guests.h"

#define TIMEOUT_NS (30 * NS_PER_MS)

/* What ends by itself has the time it takes. */
static const struct {
	const char *name;
	enum thaw_result result;
	uint64_t timeout_ns;
} endings[] = {
	{ "done", THAW_OK, 0 },
	{ "fault", THAW_FAULT, 0 },
	{ "spin", THAW_TIMEOUT, TIMEOUT_NS },
};
#define ENDINGS ((int)(sizeof(endings) / sizeof(*endings)))

/* @i, the loop's variable, says which ending and which backend. */
static void leave(const char *dirt, int i, bool may_fault)
{
	int ending = i % ENDINGS;
	struct thaw *thaw = open_guest(backends[i / ENDINGS], "registers", "");
	char request[64];

	ck_assert_str_eq(call_once(thaw, "registers", "look"), "pristine");
	snprintf(request, sizeof(request), "%s %s", dirt, endings[ending].name);
	for (int round = 0; round < 3; round++) {
		struct thaw_reply reply;

		call(thaw, "registers", request, endings[ending].timeout_ns,
		     &reply);
		ck_assert_msg(reply.result == endings[ending].result ||
				      (may_fault && reply.result == THAW_FAULT),
			      "%s: %s", request, outcome(&reply));
		if (reply.result == THAW_OK)
			ck_assert_str_eq(outcome(&reply), "dirty");
		thaw_reply_release(&reply);
		ck_assert_str_eq(call_once(thaw, "registers", "look"),
				 "pristine");
	}
	thaw_close(thaw);
}

START_TEST(leaves_nothing_in_general_registers)
{
	leave("general", _i, false);
}
END_TEST

START_TEST(leaves_nothing_in_flags)
{
	leave("flags", _i, false);
}
END_TEST

START_TEST(leaves_nothing_in_floating_point_state)
{
	leave("float", _i, false);
}
END_TEST

START_TEST(leaves_nothing_in_vector_registers)
{
	leave("vectors", _i, false);
}
END_TEST

START_TEST(leaves_nothing_in_selectors)
{
	leave("selectors", _i, false);
}
END_TEST

/* Where user mode may not change them, it faults. */
START_TEST(leaves_nothing_in_bases)
{
	leave("bases", _i, true);
}
END_TEST

START_TEST(leaves_nothing_in_the_stack_pointer)
{
	leave("stack", _i, false);
}
END_TEST

/* Of the processor's state; a CPU that has none faults, by the first look. */
START_TEST(leaves_nothing_in_modes)
{
	static const char *const looks[] = { "look modes", "look" };
	int ending = _i % ENDINGS;
	struct thaw *thaw = open_guest(backends[_i / ENDINGS], "registers", "");
	const char *look = looks[0];
	char request[64];

	snprintf(request, sizeof(request), "modes %s", endings[ending].name);
	for (int round = 0; round < 3; round++) {
		struct thaw_reply reply;

		call(thaw, "registers", look, 0, &reply);
		if (reply.result == THAW_FAULT) {
			if (look == looks[0])
				printf("skip: PKRU, SSBS, DIT: none that this "
				       "processor lets user mode change\n");
			look = looks[1];
		} else {
			ck_assert_str_eq(outcome(&reply), "pristine");
		}
		thaw_reply_release(&reply);
		call(thaw, "registers", request, endings[ending].timeout_ns,
		     &reply);
		ck_assert(reply.result == endings[ending].result ||
			  look == looks[1]);
		thaw_reply_release(&reply);
		ck_assert_str_eq(call_once(thaw, "registers", look),
				 "pristine");
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(leaves_nothing_anywhere_at_once)
{
	leave("all", _i, false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registers");
	TCase *group = tcase_create("registers");
	int n = ENDINGS * backend_count_all();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, leaves_nothing_in_general_registers, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_flags, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_floating_point_state, 0,
			    n);
	tcase_add_loop_test(group, leaves_nothing_in_vector_registers, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_selectors, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_bases, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_the_stack_pointer, 0, n);
	tcase_add_loop_test(group, leaves_nothing_in_modes, 0, n);
	tcase_add_loop_test(group, leaves_nothing_anywhere_at_once, 0, n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
