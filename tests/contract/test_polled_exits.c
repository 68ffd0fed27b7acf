/*
 * test_polled_exits.c - what ends an invocation that is polled is not lost, though its
 * owner is kept from the CPU just after it has started the invocation.
 */
#include <fnmatch.h>
#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "tests/contract/support/guests.h"
#include "vm/control.h"
#include "vm/poll.h"

#define POLLED 2
#define COOPERATIVE 3
#define ROUNDS 20

/* Far longer than a guest takes to ring. */
#define LATE_NS (20 * NS_PER_MS)

static bool is_late;
static unsigned late;

void __real_control_begin(struct control *control, uint32_t looks);
void __wrap_control_begin(struct control *control, uint32_t looks);

/* The guest has been told of an invocation, and its owner does not run for a while. */
void __wrap_control_begin(struct control *control, uint32_t looks)
{
	const struct timespec pause = { .tv_nsec = LATE_NS };
	const bool was_new = control->is_new;

	__real_control_begin(control, looks);
	if (!is_late || !was_new)
		return;
	nanosleep(&pause, NULL);
	late++;
}

/* Whether the vcpu still runs at its gate, where the next invocation finds it. */
static bool waits_at_gate(struct thaw *thaw, const char *function,
			  const char *request, const char *expected)
{
	struct thaw_reply reply;
	bool waits;

	call(thaw, function, request, 0, &reply);
	ck_assert_msg(!fnmatch(expected, outcome(&reply), 0), "%s: %s", request,
		      outcome(&reply));
	waits = poll_is_running(invoke_state(&reply)->vm);
	thaw_reply_release(&reply);
	return waits;
}

START_TEST(no_call_to_the_host_is_lost)
{
	struct thaw *thaw = open_calls_host(backends[_i]);
	unsigned waited = 0;

	is_late = true;
	for (int i = 0; i < ROUNDS; i++)
		waited += waits_at_gate(thaw, "calls_host", "", "500");
	ck_assert_uint_ge(late, ROUNDS);
	ck_assert_uint_gt(waited, 0);
	thaw_close(thaw);
}
END_TEST

START_TEST(no_fault_is_lost)
{
	struct thaw *thaw = open_guest(backends[_i], "hostile", "");

	is_late = true;
	for (int i = 0; i < ROUNDS; i++) {
		waits_at_gate(thaw, "hostile", "good", "pristine");
		waits_at_gate(thaw, "hostile", "write_null",
			      "Runtime.Fault: *");
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("polled exits");
	TCase *group = tcase_create("polled exits");

	tcase_set_timeout(group, 120);
	if (backend_count() > COOPERATIVE) {
		tcase_add_loop_test(group, no_call_to_the_host_is_lost, POLLED,
				    COOPERATIVE + 1);
		tcase_add_loop_test(group, no_fault_is_lost, POLLED,
				    COOPERATIVE + 1);
	}
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
