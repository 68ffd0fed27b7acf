/*
 * test_tracker.c - which tracker a function's vms get, and that a trial finds out where
 * page tables do not tell of every write.
 */
#include "snapshot/tracker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snapshot/gate.h"
#include "tests/contract/support/guests.h"
#include "vm/table_bits.h"

#define SMALL ((size_t)4 << 20)
#define LARGE ((size_t)LAYOUT_MEMORY_MAX)

/* What gate_try() is to say; and a region whose bits nobody sees. */
static struct {
	bool is_set;
	bool ring, tables;
} gates;
static size_t hidden = SIZE_MAX;

int __real_gate_try(enum dirty_backend tracker, size_t memory_size,
		    bool cooperative, struct error *err,
		    struct gate_facts *ret_facts);
int __wrap_gate_try(enum dirty_backend tracker, size_t memory_size,
		    bool cooperative, struct error *err,
		    struct gate_facts *ret_facts);
const uint64_t *__real_table_bits_look(struct table_bits *bits, size_t region);
const uint64_t *__wrap_table_bits_look(struct table_bits *bits, size_t region);

int __wrap_gate_try(enum dirty_backend tracker, size_t memory_size,
		    bool cooperative, struct error *err,
		    struct gate_facts *ret_facts)
{
	if (!gates.is_set)
		return __real_gate_try(tracker, memory_size, cooperative, err,
				       ret_facts);
	return (tracker == DIRTY_TABLES ? gates.tables : gates.ring) ?
		       0 :
		       -EOPNOTSUPP;
}

const uint64_t *__wrap_table_bits_look(struct table_bits *bits, size_t region)
{
	const uint64_t *entries = __real_table_bits_look(bits, region);

	return region == hidden ? NULL : entries;
}

static enum dirty_backend choose(enum dirty_backend wanted, size_t memory_size,
				 enum layout_control control, bool is_program)
{
	const struct layout_config layout = { .memory_size = memory_size,
					      .control = control };
	enum dirty_backend tracker;
	struct error err;

	ck_assert_msg(!tracker_choose(wanted, &layout, is_program, &err,
				      &tracker),
		      "%s", err.message);
	return tracker;
}

/* What is chosen where the ring does not do. */
static enum dirty_backend second(void)
{
	return tracker_try_tables(NULL) ? DIRTY_AUTO : DIRTY_TABLES;
}

START_TEST(what_is_asked_for_by_name_is_chosen)
{
	const enum layout_control none = LAYOUT_CONTROL_NONE;

	ck_assert_int_eq(choose(DIRTY_RING, SMALL, none, false), DIRTY_RING);
	ck_assert_int_eq(choose(DIRTY_RING, SMALL, none, true), DIRTY_RING);
	ck_assert_int_eq(choose(DIRTY_BITMAP, SMALL, none, false),
			 DIRTY_BITMAP);
	ck_assert_int_eq(choose(DIRTY_BITMAP, LARGE, LAYOUT_CONTROL_SUPERVISOR,
				false),
			 DIRTY_BITMAP);
	if (second() == DIRTY_TABLES)
		ck_assert_int_eq(choose(DIRTY_TABLES, SMALL, none, false),
				 DIRTY_TABLES);
}
END_TEST

/* As on CPUs with page-modification logging; or for want of room in it. */
START_TEST(page_tables_take_the_place_of_a_ring_that_has_no_gate)
{
	const enum layout_control gate = LAYOUT_CONTROL_SUPERVISOR;

	gates.is_set = true;
	gates.tables = true;
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, gate, false), second());
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, LAYOUT_CONTROL_USER, false),
			 second());
	/* without a gate it need not be in time */
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, LAYOUT_CONTROL_NONE, false),
			 DIRTY_AUTO);
	ck_assert_int_eq(choose(DIRTY_AUTO, LARGE, LAYOUT_CONTROL_NONE, false),
			 DIRTY_AUTO);
	gates.ring = true;
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, gate, false), DIRTY_AUTO);
	gates.ring = gates.tables = false;
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, gate, false), DIRTY_AUTO);
}
END_TEST

START_TEST(linux_programs_get_no_tracker_by_page_tables)
{
	const struct layout_config layout = { .memory_size = LARGE };
	enum dirty_backend tracker;
	struct error err;

	ck_assert_int_eq(choose(DIRTY_AUTO, LARGE, LAYOUT_CONTROL_NONE, true),
			 DIRTY_AUTO);
	ck_assert_int_eq(tracker_choose(DIRTY_TABLES, &layout, true, &err,
					&tracker),
			 -EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr(err.message, "Linux programs"));
}
END_TEST

/*
 * As if a CPU or a KVM did not set them, or we looked in the wrong place. Nothing has been
 * tried before in this process.
 */
START_TEST(a_trial_that_misses_bits_fails)
{
	const struct layout_config layout = { .memory_size = SMALL };
	enum dirty_backend tracker;
	struct error err;

	hidden = (size_t)_i;
	ck_assert_int_eq(tracker_try_tables(&err), -EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr(err.message, "do not tell"));
	ck_assert_int_eq(tracker_choose(DIRTY_TABLES, &layout, false, &err,
					&tracker),
			 -EOPNOTSUPP);
	gates.is_set = gates.tables = true;
	ck_assert_int_eq(choose(DIRTY_AUTO, SMALL, LAYOUT_CONTROL_SUPERVISOR,
				false),
			 DIRTY_AUTO);
}
END_TEST

/* The ring could not hold its pages. */
START_TEST(a_large_function_is_polled)
{
	static const char text[] =
		"{\"functions\":[{\"name\":\"large\",\"memory\":\"256MiB\","
		"\"image\":\"" TEST_GUESTS "/hostile.elf\","
		"\"entry\":\"hostile\",\"dispatch\":\"polled\"}]}";
	struct engine_options options = backend_options("auto");
	struct thaw_stats stats;
	struct thaw_error error;
	struct thaw *thaw;

	if (backend_count() < 4 || tracker_try_tables(NULL)) {
		printf("skip: large functions: they are not polled here\n");
		return;
	}
	options.verify = true;
	ck_assert_msg(!engine_open_text(text, strlen(text), "test.json",
					&options, &error, &thaw),
		      "%s", error.message);
	for (int i = 0; i < 20; i++)
		ck_assert_str_eq(call_once(thaw, "large", "good"), "pristine");
	ck_assert_int_eq(thaw_get_stats(thaw, "large", &error, &stats), 0);
	ck_assert_msg(stats.is_polled, "%s", stats.no_gate);
	ck_assert_uint_ge(stats.polled, 19);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tracker");
	TCase *group = tcase_create("tracker");

	tcase_set_timeout(group, 60);
	tcase_add_test(group, what_is_asked_for_by_name_is_chosen);
	tcase_add_test(group,
		       page_tables_take_the_place_of_a_ring_that_has_no_gate);
	tcase_add_test(group, linux_programs_get_no_tracker_by_page_tables);
	tcase_add_loop_test(group, a_trial_that_misses_bits_fails, 0, 8);
	tcase_add_test(group, a_large_function_is_polled);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
