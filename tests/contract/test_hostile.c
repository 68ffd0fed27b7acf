/*
 * test_hostile.c - whatever a function does ends its own invocation only. The error
 * says what it did, and the next invocation finds no trace of it.
 */
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_behaviours.h"
#include "base/clock.h"
#include "behaviours.h"
#include "tests/contract/support/guests.h"

#define TIMEOUT_NS (50 * NS_PER_MS)

struct behaviour {
	const char *name;
	unsigned ends;
	const char *text;
};

#define ROW(name, ends, text) { #name, ends, text },
static const struct behaviour behaviours[] = { BEHAVIOURS(ROW)
						       ARCH_BEHAVIOURS(ROW) };
#undef ROW
#define COUNT ((int)(sizeof(behaviours) / sizeof(*behaviours)))

/*
 * Whether the environment's TEST_LEAVE_OUT, names with commas between, has it:
 * what the processor of an emulated machine does not do as it should.
 */
static bool is_left_out(const struct behaviour *behaviour)
{
	const char *at = getenv("TEST_LEAVE_OUT");
	size_t size = strlen(behaviour->name);

	while (at && *at) {
		if (strcspn(at, ",") == size &&
		    !strncmp(at, behaviour->name, size))
			return true;
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return false;
}

static void behave(struct thaw *thaw, const struct behaviour *behaviour)
{
	bool may_stop = behaviour->ends & ENDS_TIMEOUT;
	struct thaw_reply reply;
	const char *text, *wanted = behaviour->text;

	call(thaw, "hostile", behaviour->name, may_stop ? TIMEOUT_NS : 0,
	     &reply);
	text = outcome(&reply);
	ck_assert_msg(behaviour->ends & 1u << reply.result,
		      "%s ended with result %d: %s", behaviour->name,
		      reply.result, text);
	/* one that may do both was too slow for its fault */
	if (reply.result == THAW_TIMEOUT)
		wanted = TIMED_OUT;
	ck_assert_msg(!fnmatch(wanted, text, 0), "%s:\n%s\nnot\n%s",
		      behaviour->name, text, wanted);
	thaw_reply_release(&reply);
}

static void behave_well(struct thaw *thaw, const struct behaviour *after)
{
	const char *text = call_once(thaw, "hostile", "good");

	ck_assert_msg(!strcmp(text, "pristine"), "after %s: %s", after->name,
		      text);
}

/* Loops over behaviours, in each backend. */
START_TEST(ends_with_its_own_error_and_leaves_nothing)
{
	const struct behaviour *behaviour = &behaviours[_i % COUNT];
	struct thaw *thaw;

	if (is_left_out(behaviour)) {
		printf("skip: %s: TEST_LEAVE_OUT names it\n", behaviour->name);
		return;
	}
	thaw = open_guest(backends[_i / COUNT], "hostile", "");
	/* the first time pages fault and are reported; later they are hot */
	for (int round = 0; round < 3; round++) {
		behave(thaw, behaviour);
		behave_well(thaw, behaviour);
	}
	thaw_close(thaw);
}
END_TEST

/* One vm endures them all, in an order that is different each time. */
START_TEST(many_in_a_row_leave_nothing)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile", "");
	unsigned seed = (unsigned)clock_now_ns();

	printf("seed %u\n", seed);
	for (int i = 0; i < 2 * COUNT; i++) {
		const struct behaviour *behaviour =
			&behaviours[rand_r(&seed) % COUNT];

		if (is_left_out(behaviour))
			continue;
		behave(thaw, behaviour);
		if (rand_r(&seed) % 4 == 0)
			behave_well(thaw, behaviour);
	}
	behave_well(thaw, &behaviours[0]);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hostile");
	TCase *each = tcase_create("each"), *all = tcase_create("all");
	const int n = backend_count_all();

	tcase_set_timeout(each, 60);
	tcase_add_loop_test(each, ends_with_its_own_error_and_leaves_nothing, 0,
			    COUNT * n);
	suite_add_tcase(suite, each);
	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, many_in_a_row_leave_nothing, 0, n);
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
