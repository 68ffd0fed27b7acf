/*
 * test_clones.c - clones of one snapshot share no randomness, and their clocks are
 * right however old the snapshot is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/engine.h"
#include "executor/function.h"
#include "tests/contract/support/guests.h"

#define PAIRS 20
#define KINDS 5 /* of randomness */
#define TOLERANCE_NS (5 * NS_PER_MS)
#define HOUR_NS (3600 * NS_PER_S)

static void parse(const struct thaw_reply *reply, uint64_t *ret, size_t count)
{
	const char *text = outcome(reply);
	char *end = (char *)text;

	ck_assert_int_eq(reply->result, THAW_OK);
	for (size_t i = 0; i < count; i++)
		ret[i] = strtoull(end, &end, 10);
	ck_assert_msg(!*end, "%s", text);
}

START_TEST(two_vms_and_two_invocations_have_different_randomness)
{
	struct thaw *thaw = open_guest(backends[_i], "clones",
				       "\"entry\":\"randoms\","
				       "\"concurrency\":{\"max\":2}");
	uint64_t seen[2 * PAIRS][KINDS];

	for (int pair = 0; pair < PAIRS; pair++) {
		struct thaw_reply first, second;

		call(thaw, "clones", "", 0, &first);
		call(thaw, "clones", "", 0, &second);
		ck_assert_ptr_ne(first.data, second.data);
		parse(&first, seen[2 * pair], KINDS);
		parse(&second, seen[2 * pair + 1], KINDS);
		thaw_reply_release(&first);
		thaw_reply_release(&second);
	}
	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < 2 * PAIRS; i++)
			for (int k = 0; k < i; k++)
				ck_assert_msg(seen[i][kind] != seen[k][kind],
					      "kind %d: %" PRIu64, kind,
					      seen[i][kind]);
	thaw_close(thaw);
}
END_TEST

static void check_clock(const char *name, uint64_t guest, uint64_t before,
			uint64_t after, uint64_t skew_ns)
{
	ck_assert_msg(guest + TOLERANCE_NS >= before + skew_ns &&
			      guest <= after + skew_ns + TOLERANCE_NS,
		      "%s: %" PRIu64 " is not in %" PRIu64 " .. %" PRIu64, name,
		      guest, before + skew_ns, after + skew_ns);
}

static void check_times(struct thaw *thaw, uint64_t skew_ns)
{
	const struct thaw_invoke_request request = { .timeout_ns =
							     2 * NS_PER_S };
	uint64_t real = clock_read_ns(CLOCK_REALTIME);
	uint64_t monotonic = clock_now_ns(), real_end, monotonic_end;
	uint64_t in_guest[3];
	struct thaw_reply reply;

	ck_assert_int_eq(thaw_deploy(thaw, "clones", NULL), 0);
	engine_find(thaw, "clones")->clock_skew_ns = skew_ns;
	ck_assert_int_eq(thaw_invoke(thaw, "clones", &request, NULL, &reply),
			 0);
	real_end = clock_read_ns(CLOCK_REALTIME);
	monotonic_end = clock_now_ns();
	parse(&reply, in_guest, 3);
	thaw_reply_release(&reply);
	check_clock("real", in_guest[0], real, real_end, skew_ns);
	check_clock("monotonic", in_guest[1], monotonic, monotonic_end,
		    skew_ns);
	check_clock("deadline", in_guest[2], monotonic + request.timeout_ns,
		    monotonic_end + request.timeout_ns, skew_ns);
}

START_TEST(time_is_right_at_once_and_an_hour_later)
{
	struct thaw *thaw =
		open_guest(backends[_i], "clones", "\"entry\":\"times\"");

	for (int i = 0; i < 10; i++) {
		check_times(thaw, 0);
		check_times(thaw, HOUR_NS);
		check_times(thaw, 24 * 365 * HOUR_NS);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_function_can_keep_its_deadline_by_its_own_clock)
{
	struct thaw *thaw =
		open_guest(backends[_i], "clones",
			   "\"entry\":\"half\",\"timeout\":\"400ms\"");

	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(call_once(thaw, "clones", ""), "half");
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clones");
	TCase *group = tcase_create("clones");
	int n = backend_count();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(
		group, two_vms_and_two_invocations_have_different_randomness, 0,
		n);
	tcase_add_loop_test(group, time_is_right_at_once_and_an_hour_later, 0,
			    n);
	tcase_add_loop_test(group,
			    a_function_can_keep_its_deadline_by_its_own_clock,
			    0, n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
