/*
 * test_hot_set.c - which pages are hot: pages that are written stay in the hot set,
 * pages that are no longer written leave it, and new vms begin with what others have
 * learned. The test counts pages.
 */
#include <string.h>

#include "executor/function.h"
#include "executor/invoke_state.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "vm/stats.h"
#include "vm/vm.h"

/* Fewer are not touched for a request that waits: TOUCH_PAGES_MIN of start.c. */
#define UNTOUCHED 16u
#define HEAVY 1024
/* Far more than that: 12 MiB. */
#define MUCH 3072
/* What a new vm touches at most: WARM_PAGES_MAX of hot_set.c. */
#define WARM_PAGES 2048
/* Where light invocations write, which is none of the heavy one's pages. */
#define LIGHT_FIRST 1200
#define LIGHT 4
/* So many invocations later all is as it was. */
#define SOON 100
/* Pages that come and go: such as where the host has put a request. */
#define FEW 4
/* What the snapshot may grow by: pages in between those that are written. */
#define SMALL_HOLES (256u << 10)

static struct thaw *open_large(int loop, unsigned concurrency)
{
	return open_steps(&(struct steps_options){
		.backend = backends[loop],
		.memory = "8MiB",
		.concurrency = concurrency,
	});
}

static void check_forgotten(int loop, int before)
{
	struct thaw *thaw = open_large(loop, 1);
	struct thaw_reply reply = { 0 };
	unsigned hot_before, copied_before;

	for (int i = 0; i < before; i++)
		reply = change_pages(thaw, LIGHT_FIRST, LIGHT);
	hot_before = reply.hot_pages;
	copied_before = (unsigned)reply.copied_bytes;
	reply = change_pages(thaw, 0, HEAVY);
	ck_assert_uint_ge(reply.dirty_pages, host_pages(HEAVY));
	ck_assert_uint_ge(reply.hot_pages, host_pages(HEAVY));
	for (int i = 0; i < SOON; i++)
		reply = change_pages(thaw, LIGHT_FIRST, LIGHT);
	ck_assert_uint_le(reply.hot_pages, hot_before + FEW);
	ck_assert_uint_le(reply.copied_bytes, copied_before + FEW * 65536);
	/* and the light ones' pages are hot again */
	ck_assert_uint_eq(reply.dirty_pages, 0);
	thaw_close(thaw);
}

/* Whenever it comes. */
START_TEST(a_heavy_invocation_is_forgotten_within_a_hundred_light_ones)
{
	for (int before = 50; before < 66; before += 3)
		check_forgotten(_i, before);
}
END_TEST

/* More than 4 MiB: within 20 invocations, where others take up to 68 looks. */
START_TEST(what_a_very_heavy_invocation_wrote_is_forgotten_sooner)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i], .memory = "16MiB", .concurrency = 1 });
	struct thaw_reply reply = change_pages(thaw, 0, MUCH);
	const unsigned most = reply.hot_pages;

	for (int i = 0; i < 20; i++)
		reply = change_pages(thaw, LIGHT_FIRST, LIGHT);
	ck_assert_uint_ge(most, host_pages(MUCH));
	ck_assert_uint_le(reply.hot_pages, most / 2);
	thaw_close(thaw);
}
END_TEST

START_TEST(a_function_that_is_always_heavy_keeps_its_hot_set)
{
	struct thaw *thaw = open_large(_i, 1);
	struct thaw_reply reply = change_pages(thaw, 0, HEAVY);
	unsigned hot_pages = reply.hot_pages;

	ck_assert_uint_ge(reply.dirty_pages, host_pages(HEAVY));
	for (int i = 0; i < 600; i++) {
		reply = change_pages(thaw, 0, HEAVY);
		ck_assert_uint_eq(reply.dirty_pages, 0);
		ck_assert_uint_eq(reply.hot_pages, hot_pages);
	}
	thaw_close(thaw);
}
END_TEST

/* Heavy ones come back all the time, if not each time. */
START_TEST(a_function_that_is_often_heavy_learns_ever_more_rarely)
{
	struct thaw *thaw = open_large(_i, 1);
	unsigned early = 0, late = 0;

	for (int i = 0; i < 2000; i++) {
		bool heavy = i % 20 == 19;
		struct thaw_reply reply = change_pages(thaw,
						       heavy ? 0 : LIGHT_FIRST,
						       heavy ? HEAVY : LIGHT);

		*(i < 1000 ? &early : &late) += reply.dirty_pages >=
						host_pages(HEAVY);
	}
	ck_assert_uint_ge(early, 1);
	ck_assert_uint_le(early, 5);
	ck_assert_uint_le(late, 2);
	thaw_close(thaw);
}
END_TEST

/* Many pages and few others, each hot, cold, and written again. */
START_TEST(pages_that_cooled_are_restored_when_written_again)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i],
		.memory = "4MiB",
		.verify = true,
	});
	unsigned learned = 0;

	for (uint32_t phase = 0; phase < 6; phase++)
		for (int i = 0; i < 200; i++) {
			struct thaw_reply reply =
				change_pages(thaw, phase % 2 ? 300 : 0,
					     phase % 2 ? 20 : 200);

			learned += reply.dirty_pages > 0;
		}
	ck_assert_uint_ge(learned, 4);
	thaw_close(thaw);
}
END_TEST

static bool is_in(const struct layout_range *range, uint64_t gpa)
{
	return gpa >= range->start && gpa - range->start < range->size;
}

/*
 * Whether the host itself has written the page; or the processor, for which
 * looking into a page table may be writing, where there is nested paging. A
 * doorbell, which polled invocations do not ring, has it look into others.
 */
static bool is_not_the_functions(const struct layout *layout, uint64_t gpa)
{
	return gpa == THAW_GPA_INFO || is_in(&layout->request, gpa) ||
	       is_in(&layout->tables, gpa);
}

/* Of an invocation that has run: pages the guest wrote for the first time. */
static size_t written_first(const struct thaw_reply *reply)
{
	const struct snapshot *snapshot =
		invoke_state(reply)->function->snapshot;
	struct dirty *dirty = vm_dirty(invoke_state(reply)->vm);
	size_t count = 0;

	ck_assert_int_eq(dirty_collect(dirty), 0);
	for (size_t i = dirty->old_count; i < dirty->count; i++)
		count += !is_not_the_functions(snapshot_layout(snapshot),
					       dirty->pages[i] *
						       snapshot_page_size(
							       snapshot));
	return count;
}

static void check_new_vm(int loop, uint32_t pages)
{
	struct thaw *thaw = open_large(loop, 2);
	struct thaw_reply first, second;
	struct steps steps = { 0 };

	steps_add(&steps, STEP_CHECK, 0, pages);
	steps_add(&steps, STEP_CHANGE, 0, pages);
	/* the first vm takes all its faults, */
	steps_invoke(thaw, &steps, 0, &first);
	ck_assert_uint_ge(written_first(&first), host_pages(pages));
	thaw_reply_release(&first);
	for (int i = 0; i < 50; i++)
		change_pages(thaw, 0, pages);
	/* and while it is busy, the second none, or few: it is awaited */
	steps_invoke(thaw, &steps, 0, &first);
	steps_invoke(thaw, &steps, 0, &second);
	ck_assert_ptr_ne(invoke_state(&first)->vm, invoke_state(&second)->vm);
	ck_assert_str_eq(outcome(&second), "");
	ck_assert_uint_le(written_first(&second),
			  host_pages(pages) < UNTOUCHED ? UNTOUCHED : 0);
	thaw_reply_release(&second);
	ck_assert_uint_ge(second.hot_pages, host_pages(pages));
	thaw_reply_release(&first);
	thaw_close(thaw);
}

START_TEST(a_new_vm_begins_with_the_hot_set_of_others)
{
	check_new_vm(_i, 0);
	check_new_vm(_i, 1);
	check_new_vm(_i, 64);
	check_new_vm(_i, HEAVY);
}
END_TEST

/* The rest of what they write, the new vm's own invocations fault in. */
START_TEST(a_new_vm_is_made_in_bounded_time)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i], .memory = "16MiB", .concurrency = 2 });
	struct thaw_reply first, second;
	struct steps steps = { 0 };

	steps_add(&steps, STEP_CHANGE, 0, MUCH);
	for (int i = 0; i < 50; i++)
		change_pages(thaw, 0, MUCH);
	steps_invoke(thaw, &steps, 0, &first);
	steps_invoke(thaw, &steps, 0, &second);
	ck_assert_ptr_ne(invoke_state(&first)->vm, invoke_state(&second)->vm);
	ck_assert_uint_ge(written_first(&second) + WARM_PAGES,
			  host_pages(MUCH));
	thaw_reply_release(&second);
	thaw_reply_release(&first);
	thaw_close(thaw);
}
END_TEST

START_TEST(memory_of_pages_that_are_not_hot_any_more_is_given_back)
{
	const size_t heavy = (size_t)HEAVY * 4096, some = heavy / 4;
	struct thaw *thaw = open_large(_i, 1);
	size_t before;

	for (int i = 0; i < 50; i++)
		change_pages(thaw, LIGHT_FIRST, LIGHT);
	before = private_bytes();
	change_pages(thaw, 0, HEAVY);
	ck_assert_uint_ge(private_bytes(), before + 2 * some);
	for (int i = 0; i < SOON; i++)
		change_pages(thaw, LIGHT_FIRST, LIGHT);
	ck_assert_uint_le(private_bytes(), before + some);
	thaw_close(thaw);
}
END_TEST

static void check_holes(struct thaw *thaw, uint32_t pages)
{
	struct thaw_reply first, second;
	struct steps steps = { 0 };
	const struct snapshot *snapshot;
	size_t before, limit;

	steps_invoke(thaw, &steps, 0, &first);
	snapshot = invoke_state(&first)->function->snapshot;
	before = snapshot_bytes(snapshot);
	limit = before + SMALL_HOLES;
	ck_assert_uint_le(before, 1 << 20);
	steps_add(&steps, STEP_CHECK, 0, pages);
	steps_add(&steps, STEP_CHANGE, 0, pages);
	steps_add(&steps, STEP_STACK, 0, 40);
	steps_add(&steps, STEP_REPLY, 0, STEPS_REPLY_MAX);
	steps.more_size = 60000;
	steps_invoke(thaw, &steps, 0, &second);
	ck_assert_msg(second.size == STEPS_REPLY_MAX, "%s", outcome(&second));
	thaw_reply_release(&second);
	thaw_reply_release(&first);
	ck_assert_uint_le(snapshot_bytes(snapshot), limit);
	for (int i = 0; i < 1000; i++)
		change_pages(thaw, (uint32_t)i, 8);
	ck_assert_uint_le(snapshot_bytes(snapshot), limit);
}

/* Whether vms, restores or comparisons only read them, or write there. */
START_TEST(pages_that_boot_has_not_written_are_not_the_snapshots)
{
	struct thaw *thaw = open_steps(&(struct steps_options){
		.backend = backends[_i],
		.memory = "64MiB",
		.concurrency = 2,
		.verify = true,
	});

	check_holes(thaw, 4096);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hot_set");
	TCase *group = tcase_create("hot_set");
	int n = backend_count_all();

	tcase_set_timeout(group, 120);
	tcase_add_loop_test(
		group,
		a_heavy_invocation_is_forgotten_within_a_hundred_light_ones, 0,
		n);
	tcase_add_loop_test(
		group, what_a_very_heavy_invocation_wrote_is_forgotten_sooner,
		0, n);
	tcase_add_loop_test(group, a_new_vm_is_made_in_bounded_time, 0, n);
	tcase_add_loop_test(group,
			    a_function_that_is_always_heavy_keeps_its_hot_set,
			    0, n);
	tcase_add_loop_test(
		group, a_function_that_is_often_heavy_learns_ever_more_rarely,
		0, n);
	tcase_add_loop_test(group,
			    pages_that_cooled_are_restored_when_written_again,
			    0, n);
	tcase_add_loop_test(
		group, memory_of_pages_that_are_not_hot_any_more_is_given_back,
		0, n);
	tcase_add_loop_test(group, a_new_vm_begins_with_the_hot_set_of_others,
			    0, n);
	tcase_add_loop_test(
		group, pages_that_boot_has_not_written_are_not_the_snapshots, 0,
		n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
