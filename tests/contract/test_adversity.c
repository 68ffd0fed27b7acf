/*
 * test_adversity.c - guest and host write to memory in random order, and after every
 * restore the memory equals the snapshot. The library compares them here, and calls
 * abort() if they differ.
 *
 * The test prints its seed; TEST_SEED=N in the environment repeats a run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/invoke_state.h"
#include "guest/abi/thaw_abi.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "vm/kvm.h"
#include "vm/poll.h"
#include "vm/vm.h"

#ifdef TEST_SANITIZED
#define ROUNDS 1500
#else
#define ROUNDS 8000
#endif

/* More than any guest here has. */
#define ALL_PAGES 1000000
/* In each phase the guest has some favourite pages. */
#define PHASE 150

static unsigned seed;

static unsigned random_below(unsigned limit)
{
	return (unsigned)rand_r(&seed) % limit;
}

static bool one_in(unsigned number)
{
	return !random_below(number);
}

static void start_random(void)
{
	const char *given = getenv("TEST_SEED");

	seed = given ? (unsigned)strtoul(given, NULL, 10) :
		       (unsigned)clock_now_ns();
	printf("seed %u\n", seed);
	fflush(stdout);
}

struct wanted {
	enum thaw_result result;
	uint8_t byte; /* of the reply, */
	size_t size;
};

static void add_writes(struct steps *steps, unsigned round)
{
	unsigned favourite = round / PHASE * 37;

	switch (random_below(9)) {
	case 0: /* the same as ever */
		steps_add(steps, STEP_CHANGE, favourite,
			  1 + round / PHASE % 60);
		return;
	case 1: /* none that was written lately */
		steps_add(steps, STEP_CHANGE, round * 5, 1 + random_below(5));
		return;
	case 2:
		steps_add(steps, STEP_SAME, random_below(1000),
			  random_below(20));
		return;
	case 3:
		steps_add(steps, STEP_CHECK, random_below(1000),
			  random_below(100));
		return;
	case 4: /* a heavy one, rarely with every page there is */
		steps_add(steps, STEP_CHANGE, random_below(1000),
			  one_in(20) ? ALL_PAGES : random_below(100));
		return;
	case 5:
		steps_add(steps, STEP_STACK, 0, 1 + random_below(40));
		return;
	case 6: /* changed and changed back */
		for (int i = 0; i < 16; i++)
			steps_add(steps, STEP_CHANGE, favourite, 1);
		return;
	case 7:
		for (int i = 0; i < 10; i++)
			steps_add(steps, STEP_CHANGE, random_below(1000), 1);
		return;
	default:
		return;
	}
}

static enum thaw_result add_ending(struct steps *steps)
{
	static const uint32_t bells[] = { 0, THAW_BELL_READY, THAW_BELL_REFUSED,
					  7, 255 };
	unsigned first = random_below(1000), count = random_below(50);

	switch (random_below(100)) {
	case 0:
		steps_add(steps, STEP_FAULT, first, count);
		return THAW_FAULT;
	case 1:
		steps_add(steps, STEP_SPIN, first, count);
		return THAW_TIMEOUT;
	case 2:
		steps_add(steps, STEP_RING, bells[random_below(5)], 0);
		return THAW_ERROR;
	case 3:
		steps_add(steps, STEP_FAIL, 0, 0);
		return THAW_ERROR;
	case 4: /* a reply too large */
		steps_add(steps, STEP_REPLY, 0, STEPS_REPLY_MAX + 1);
		return THAW_ERROR;
	default:
		return THAW_OK;
	}
}

static void make_request(struct steps *steps, unsigned round,
			 struct wanted *ret_wanted)
{
	struct wanted wanted = { 0 };

	steps->request.count = 0;
	steps->more_size = one_in(10) ? random_below(STEPS_REQUEST_MAX / 2) : 0;
	if (one_in(8))
		steps_add(steps, STEP_CHECK, 0, ALL_PAGES);
	add_writes(steps, round);
	if (one_in(20))
		steps_add(steps, STEP_LOG, round, 0);
	if (one_in(3)) {
		wanted.byte = (uint8_t)random_below(256);
		wanted.size = random_below(STEPS_REPLY_MAX + 1);
		steps_add(steps, STEP_REPLY, wanted.byte,
			  (uint32_t)wanted.size);
	}
	wanted.result = add_ending(steps);
	*ret_wanted = wanted;
}

static void check_reply(const struct thaw_reply *reply,
			const struct wanted *wanted)
{
	const uint8_t *bytes = reply->data;

	ck_assert_msg(reply->result == wanted->result, "%d, not %d: %s",
		      reply->result, wanted->result, outcome(reply));
	if (wanted->result != THAW_OK)
		return;
	ck_assert_uint_eq(reply->size, wanted->size);
	for (size_t i = 0; i < wanted->size; i++)
		if (bytes[i] != wanted->byte)
			ck_abort_msg("byte %zu of the reply is %u", i,
				     bytes[i]);
}

/* As dirty.h wants it before pages leave the set. */
static struct dirty *hold(struct vm *vm)
{
	if (vm_dirty(vm)->backend == DIRTY_TABLES)
		poll_stop(vm);
	return vm_dirty(vm);
}

/* What is done anyway at times, done at any time. */
static void disturb(struct vm *vm)
{
	if (one_in(100))
		ck_assert_int_eq(dirty_forget(hold(vm)), 0);
	else if (one_in(100))
		ck_assert_int_eq(dirty_drain(vm_dirty(vm)), 0);
	else if (one_in(100))
		ck_assert_int_eq(dirty_cool(hold(vm), 1 + random_below(3)), 0);
}

START_TEST(random_invocations_leave_nothing)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i], .memory = "2MiB", .verify = true });
	unsigned hot_pages = 0, cooled = 0, results[4] = { 0 };
	static struct steps steps;

	start_random();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct thaw_reply reply;
		struct wanted wanted;
		struct vm *vm;

		make_request(&steps, round, &wanted);
		steps_invoke(thaw, &steps,
			     wanted.result == THAW_TIMEOUT ? NS_PER_MS : 0,
			     &reply);
		check_reply(&reply, &wanted);
		vm = invoke_state(&reply)->vm;
		thaw_reply_release(&reply);
		results[reply.result]++;
		cooled += reply.hot_pages < hot_pages;
		hot_pages = reply.hot_pages;
		if (reply.result == THAW_OK)
			disturb(vm);
	}
	/* it has not been too easy */
	for (int i = 0; i < 4; i++)
		ck_assert_uint_gt(results[i], 0);
	ck_assert_uint_gt(cooled, ROUNDS / 200);
	thaw_close(thaw);
}
END_TEST

/* Every page, then all of them anew. */
START_TEST(every_page_there_is_is_restored_again_and_again)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i], .memory = "2MiB", .verify = true });
	static struct steps steps;
	struct thaw_reply reply;

	steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
	steps_add(&steps, STEP_CHANGE, 0, ALL_PAGES);
	steps_add(&steps, STEP_STACK, 0, 40);
	steps_add(&steps, STEP_REPLY, 'r', STEPS_REPLY_MAX);
	steps.more_size = STEPS_REQUEST_MAX / 2;
	for (int i = 0; i < 60; i++) {
		struct vm *vm;

		steps_invoke(thaw, &steps, 0, &reply);
		ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
		vm = invoke_state(&reply)->vm;
		thaw_reply_release(&reply);
		if (i % 4 == 1)
			ck_assert_int_eq(dirty_drain(vm_dirty(vm)), 0);
		if (i % 4 == 2)
			ck_assert_int_eq(dirty_cool(hold(vm), 1), 0);
		if (i % 4 >= 2)
			ck_assert_int_eq(dirty_forget(hold(vm)), 0);
	}
	thaw_close(thaw);
}
END_TEST

/*
 * Forgets, without giving KVM the entries of its ring back: as when a signal
 * has ended KVM_RESET_DIRTY_RINGS before it began.
 */
static void forget_without_reset(struct dirty *dirty)
{
	dirty->backend = DIRTY_NONE;
	ck_assert_int_eq(dirty_forget(dirty), 0);
	ck_assert_int_eq(dirty_track(dirty, false), 0);
	dirty->backend = DIRTY_RING;
	ck_assert_int_eq(dirty_track(dirty, true), 0);
}

START_TEST(a_ring_that_is_full_in_the_middle_of_writing_loses_nothing)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = "ring", .memory = "2MiB", .verify = true });
	static struct steps steps;
	struct thaw_reply reply;

	for (int i = 0; i < 100; i++) {
		struct dirty *dirty;

		steps.request.count = 0;
		steps_add(&steps, STEP_CHECK, 0, ALL_PAGES);
		steps_add(&steps, STEP_CHANGE, random_below(200), ALL_PAGES);
		steps_invoke(thaw, &steps, 0, &reply);
		ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
		dirty = vm_dirty(invoke_state(&reply)->vm);
		thaw_reply_release(&reply);
		forget_without_reset(dirty);
		if (i % 10 == 0)
			ck_assert_int_eq(dirty_forget(dirty), 0);
	}
	thaw_close(thaw);
}
END_TEST

#define LARGE "256MiB"
#define LARGE_BYTES (256u << 20)
/* Of an entry of KVM's ring, which must hold every page twice. */
#define RING_ENTRY_BYTES 16

static bool ring_is_too_small(void)
{
	const struct kvm_host *host;
	size_t pages = LARGE_BYTES / (size_t)sysconf(_SC_PAGESIZE);

	if (!kvm_open(NULL, &host) &&
	    host->dirty_ring_bytes >= 2 * pages * RING_ENTRY_BYTES) {
		printf("skip: guests larger than the ring: this KVM's holds "
		       "them all\n");
		return false;
	}
	return true;
}

START_TEST(a_guest_larger_than_the_ring_gets_the_bitmap)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = "auto", .memory = LARGE, .verify = true });

	start_random();
	for (int i = 0; i < 12; i++) {
		static struct steps steps;
		struct thaw_reply reply;

		steps.request.count = 0;
		for (int j = 0; j < 10; j++)
			steps_add(&steps, STEP_CHECK, random_below(65536), 50);
		for (int j = 0; j < 20; j++)
			steps_add(&steps, STEP_CHANGE, random_below(65536), 20);
		steps_invoke(thaw, &steps, 0, &reply);
		ck_assert_msg(reply.result == THAW_OK, "%s", outcome(&reply));
		if (ring_is_too_small())
			ck_assert_int_eq(vm_dirty(invoke_state(&reply)->vm)
						 ->backend,
					 DIRTY_BITMAP);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

START_TEST(a_ring_too_small_for_the_guest_is_refused_if_asked_for)
{
	struct thaw *thaw = open_steps(
		&(struct steps_options){ .backend = "ring", .memory = LARGE });
	const struct thaw_invoke_request request = { .size = 0 };
	struct thaw_error error = { "" };
	struct thaw_reply reply;

	if (ring_is_too_small()) {
		ck_assert_int_eq(thaw_invoke(thaw, "steps", &request, &error,
					     &reply),
				 -EOPNOTSUPP);
		ck_assert_msg(strstr(error.message, "use the bitmap"), "%s",
			      error.message);
	}
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adversity");
	TCase *group = tcase_create("adversity");
	int n = backend_count_all();

	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group, random_invocations_leave_nothing, 0, n);
	tcase_add_loop_test(group,
			    every_page_there_is_is_restored_again_and_again, 0,
			    n);
	if (backend_count() == 2)
		tcase_add_test(
			group,
			a_ring_that_is_full_in_the_middle_of_writing_loses_nothing);
	tcase_add_test(group, a_guest_larger_than_the_ring_gets_the_bitmap);
	tcase_add_test(group,
		       a_ring_too_small_for_the_guest_is_refused_if_asked_for);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
