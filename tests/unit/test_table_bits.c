/*
 * test_table_bits.c - what page tables tell of writes. What a CPU does to them is done
 * here by hand; that CPUs do it is for tests/contract.
 */
#include "vm/table_bits.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/abi/thaw_abi.h"
#include "vm/arch.h"
#include "vm/image/image.h"
#include "vm/layout.h"
#include "vm/vm.h"

/* Four regions and a part of one. */
#define MEMORY_SIZE ((size_t)(8 << 20) + LAYOUT_MEMORY_UNIT)
#define REGIONS 5

static struct layout layout;
static uint8_t *memory, *before;
static struct table_bits bits;

static void setup(void)
{
	const struct image image = { .end = THAW_GPA_IMAGE };
	const struct layout_config config = {
		.memory_size = MEMORY_SIZE,
		.stack_size = 64 << 10,
		.request_size = THAW_PAGE_SIZE,
		.reply_size = THAW_PAGE_SIZE,
		.control = LAYOUT_CONTROL_SUPERVISOR,
	};
	struct error err;

	ck_assert_msg(!layout_plan(&image, &config, &err, &layout), "%s",
		      err.message);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	vm_prepare_memory(memory, &layout);
	table_bits_clear(memory, MEMORY_SIZE, layout.tables.start);
	before = malloc(MEMORY_SIZE);
	ck_assert_ptr_nonnull(before);
	memcpy(before, memory, MEMORY_SIZE);
	ck_assert_int_eq(table_bits_init(&bits, memory, MEMORY_SIZE,
					 layout.tables.start),
			 0);
}

static void teardown(void)
{
	table_bits_done(&bits);
	free(before);
	munmap(memory, MEMORY_SIZE);
}

/* The entry that maps the page at @gva. */
static uint64_t *entry_of(uint64_t gva)
{
	const uint64_t table = arch_entry_gpa(bits.directory[gva >> 21]);

	return (uint64_t *)(void *)(memory + table) + (gva >> 12 & 511);
}

/* What a CPU does when it writes to the page, or reads it. */
static void touch(uint64_t gva, bool writes)
{
	bits.directory[gva >> 21] |= arch_entry_accessed;
	*entry_of(gva) |= arch_entry_accessed;
	if (writes)
		*entry_of(gva) |= arch_entry_dirty;
}

/* Whether a look finds changes in @gva's region and only there; and it as written. */
static bool is_seen(uint64_t gva)
{
	bool is = false;

	for (size_t region = 0; region < REGIONS; region++) {
		const uint64_t *entries = table_bits_look(&bits, region);

		if (region == gva >> 21)
			is = entries &&
			     (entries[gva >> 12 & 511] & arch_entry_dirty);
		else
			ck_assert_ptr_null(entries);
	}
	return is;
}

/* In each region one page. */
static uint64_t page_in(size_t region)
{
	return region ? region * TABLE_BITS_REGION : THAW_GPA_MAILBOX;
}

START_TEST(nothing_is_written_at_first)
{
	ck_assert_uint_eq(bits.region_count, REGIONS);
	for (size_t region = 0; region < REGIONS; region++)
		ck_assert_ptr_null(table_bits_look(&bits, region));
}
END_TEST

START_TEST(what_is_written_is_seen_once)
{
	for (size_t region = 0; region < REGIONS; region++) {
		const uint64_t page = page_in(region);

		ck_assert(!is_seen(page));
		touch(page, true);
		ck_assert(is_seen(page));
		ck_assert(!is_seen(page));
		touch(page, true);
		ck_assert(!is_seen(page));
	}
}
END_TEST

START_TEST(what_is_read_is_not_written_and_may_be_later)
{
	const uint64_t page = page_in(1);

	touch(page, false);
	ck_assert(!is_seen(page));
	touch(page, true);
	ck_assert(is_seen(page));
}
END_TEST

START_TEST(every_entry_of_a_table_is_looked_at)
{
	for (uint64_t page = page_in(1); page < page_in(2);
	     page += THAW_PAGE_SIZE) {
		touch(page, true);
		ck_assert(is_seen(page));
	}
}
END_TEST

START_TEST(what_is_written_again_after_forgetting_is_seen_again)
{
	for (int round = 0; round < 3; round++) {
		touch(page_in(1), true);
		touch(page_in(3), true);
		ck_assert_ptr_nonnull(table_bits_look(&bits, 1));
		ck_assert_ptr_nonnull(table_bits_look(&bits, 3));
		ck_assert_int_eq(table_bits_forget(&bits), 0);
		ck_assert(!(*entry_of(page_in(1)) & arch_entry_dirty));
		ck_assert(!is_seen(page_in(1)));
		/* the very same bits as before */
		touch(page_in(1), true);
		ck_assert(is_seen(page_in(1)));
		ck_assert(!is_seen(page_in(3)));
		/* it can be written by the host as before */
		memory[page_in(1)]++;
		ck_assert_int_eq(table_bits_forget(&bits), 0);
	}
}
END_TEST

/* A file's tables may say anything. */
START_TEST(tables_that_are_not_in_memory_are_not_followed)
{
	const uint64_t root = layout.tables.start;
	uint64_t *first = (uint64_t *)(void *)(memory + root);
	const uint64_t good = *first;
	const uint64_t bad[] = { MEMORY_SIZE, MEMORY_SIZE + THAW_PAGE_SIZE,
				 UINT64_C(0xf00000000) };
	struct table_bits other;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		*first = arch_table_entry(bad[i]);
		ck_assert_int_eq(table_bits_init(&other, memory, MEMORY_SIZE,
						 root),
				 -EINVAL);
		table_bits_clear(memory, MEMORY_SIZE, root);
	}
	ck_assert_int_eq(table_bits_init(&other, memory, MEMORY_SIZE,
					 MEMORY_SIZE),
			 -EINVAL);
	/* the last page is in memory, and has no table */
	*first = arch_table_entry(MEMORY_SIZE - THAW_PAGE_SIZE);
	memset(memory + MEMORY_SIZE - THAW_PAGE_SIZE, 0, THAW_PAGE_SIZE);
	ck_assert_int_eq(table_bits_init(&other, memory, MEMORY_SIZE, root),
			 -EINVAL);
	*first = good;
}
END_TEST

/* What has not been looked at yet is forgotten as well. */
START_TEST(forgetting_clears_what_nobody_has_seen)
{
	touch(page_in(2), true);
	ck_assert_int_eq(table_bits_forget(&bits), 0);
	ck_assert(!is_seen(page_in(2)));
	touch(page_in(2) + THAW_PAGE_SIZE, false);
	ck_assert(!is_seen(page_in(2)));
}
END_TEST

START_TEST(nothing_but_these_bits_changes)
{
	const uint64_t start = layout.tables.start;

	for (size_t region = 0; region < REGIONS; region++)
		touch(page_in(region), true);
	ck_assert(memcmp(memory + start, before + start, layout.tables.size));
	ck_assert(table_bits_match(memory + start, before + start,
				   layout.tables.size));
	ck_assert_int_eq(table_bits_forget(&bits), 0);
	ck_assert(table_bits_match(memory + start, before + start,
				   layout.tables.size));
	ck_assert_mem_eq(memory, before, start);
}
END_TEST

START_TEST(tables_that_differ_otherwise_do_not_match)
{
	const uint64_t start = layout.tables.start;
	const uint64_t marks = arch_entry_accessed | arch_entry_dirty;

	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t mask = UINT64_C(1) << bit;

		*entry_of(page_in(1)) ^= mask;
		ck_assert(table_bits_match(memory + start, before + start,
					   layout.tables.size) ==
			  !!(marks & mask));
		*entry_of(page_in(1)) ^= mask;
	}
}
END_TEST

START_TEST(memory_without_tables_is_refused)
{
	struct table_bits none;

	memset(memory + layout.tables.start, 0, layout.tables.size);
	ck_assert_int_eq(table_bits_init(&none, memory, MEMORY_SIZE,
					 layout.tables.start),
			 -EINVAL);
	table_bits_done(&none);
	/* more than one directory has entries for */
	memcpy(memory, before, MEMORY_SIZE);
	ck_assert_int_eq(table_bits_init(&none, memory,
					 (size_t)LAYOUT_MEMORY_MAX + 1,
					 layout.tables.start),
			 -EINVAL);
	table_bits_done(&none);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table_bits");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("table_bits");
	int failed;

	if (!arch_entry_dirty) {
		printf("skip: page tables tell nothing on this architecture\n");
		srunner_free(runner);
		return 77;
	}
	tcase_add_checked_fixture(group, setup, teardown);
	tcase_add_test(group, nothing_is_written_at_first);
	tcase_add_test(group, what_is_written_is_seen_once);
	tcase_add_test(group, what_is_read_is_not_written_and_may_be_later);
	tcase_add_test(group, every_entry_of_a_table_is_looked_at);
	tcase_add_test(group,
		       what_is_written_again_after_forgetting_is_seen_again);
	tcase_add_test(group, forgetting_clears_what_nobody_has_seen);
	tcase_add_test(group, nothing_but_these_bits_changes);
	tcase_add_test(group, tables_that_differ_otherwise_do_not_match);
	tcase_add_test(group, memory_without_tables_is_refused);
	tcase_add_test(group, tables_that_are_not_in_memory_are_not_followed);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
