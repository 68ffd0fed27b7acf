/* test_layout.c - where everything lies in guest memory. */
#include "vm/layout.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi/thaw_abi.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static const struct image image = {
	.segments = {
		{ .gva = THAW_GPA_IMAGE, .size = 0x3000,
		  .prot = IMAGE_PROT_READ | IMAGE_PROT_EXECUTE },
		{ .gva = THAW_GPA_IMAGE + 0x3000, .size = 0x1000,
		  .prot = IMAGE_PROT_READ },
		{ .gva = THAW_GPA_IMAGE + 0x8000, .size = 0x2000,
		  .prot = IMAGE_PROT_READ | IMAGE_PROT_WRITE },
	},
	.segment_count = 3,
	.entry = THAW_GPA_IMAGE + 0x10,
	.end = THAW_GPA_IMAGE + 0xa000,
};

static const struct layout_config usual = {
	.memory_size = 4 * MIB,
	.stack_size = 64 * KIB,
	.request_size = 100000,
	.reply_size = 1,
};

static struct layout plan(const struct layout_config *config)
{
	struct layout layout;
	struct error err;
	int r = layout_plan(&image, config, &err, &layout);

	ck_assert_msg(!r, "%s", err.message);
	return layout;
}

static bool overlap(const struct layout_range *a, const struct layout_range *b)
{
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

START_TEST(nothing_overlaps_and_nothing_is_outside)
{
	struct layout layout = plan(&usual);

	for (unsigned i = 0; i < layout.mapping_count; i++) {
		const struct layout_range *range = &layout.mappings[i].range;

		ck_assert_uint_eq(range->start % THAW_PAGE_SIZE, 0);
		ck_assert_uint_eq(range->size % THAW_PAGE_SIZE, 0);
		ck_assert_uint_gt(range->size, 0);
		ck_assert_uint_ge(range->start, THAW_GPA_SYSTEM);
		ck_assert_uint_le(range->start + range->size,
				  layout.memory_size);
		ck_assert(!overlap(range, &layout.tables));
		for (unsigned k = 0; k < i; k++)
			ck_assert(!overlap(range, &layout.mappings[k].range));
	}
}
END_TEST

START_TEST(nothing_is_both_writable_and_executable)
{
	struct layout layout = plan(&usual);
	const unsigned both = IMAGE_PROT_WRITE | IMAGE_PROT_EXECUTE;

	for (unsigned i = 0; i < layout.mapping_count; i++)
		ck_assert_uint_ne(layout.mappings[i].prot & both, both);
}
END_TEST

static bool is_mapped(const struct layout *layout, uint64_t gva)
{
	const struct layout_range page = { gva & ~0xfffull, THAW_PAGE_SIZE };

	for (unsigned i = 0; i < layout->mapping_count; i++)
		if (overlap(&layout->mappings[i].range, &page))
			return true;
	return false;
}

START_TEST(guards_surround_heap_stack_and_windows)
{
	struct layout layout = plan(&usual);
	const struct layout_range *ranges[] = { &layout.heap, &layout.stack,
						&layout.request,
						&layout.reply };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		ck_assert(is_mapped(&layout, ranges[i]->start));
		ck_assert(!is_mapped(&layout, ranges[i]->start - 1));
		ck_assert(!is_mapped(&layout,
				     ranges[i]->start + ranges[i]->size));
	}
	ck_assert(!is_mapped(&layout, 0));
	ck_assert(!is_mapped(&layout, THAW_GPA_SYSTEM - 1));
	ck_assert(!is_mapped(&layout, layout.tables.start));
	ck_assert(!is_mapped(&layout, THAW_GPA_IMAGE + 0x5000));
}
END_TEST

START_TEST(sizes_are_rounded_up_and_limits_kept_exactly)
{
	struct layout layout = plan(&usual);

	ck_assert_uint_eq(layout.request.size, 102400);
	ck_assert_uint_eq(layout.request_max, 100000);
	ck_assert_uint_eq(layout.reply.size, THAW_PAGE_SIZE);
	ck_assert_uint_eq(layout.reply_max, 1);
	ck_assert_uint_eq(layout.stack.size, 64 * KIB);
	ck_assert_uint_eq(layout.entry, image.entry);
}
END_TEST

static unsigned prot_at(const struct layout *layout, uint64_t gva)
{
	for (unsigned i = 0; i < layout->mapping_count; i++)
		if (layout->mappings[i].range.start == gva)
			return layout->mappings[i].prot;
	ck_abort_msg("nothing at %#llx", (unsigned long long)gva);
}

START_TEST(user_mode_gets_what_the_contract_says)
{
	struct layout layout = plan(&usual);
	const unsigned read = IMAGE_PROT_READ;
	const unsigned write = IMAGE_PROT_READ | IMAGE_PROT_WRITE;
	const unsigned execute = IMAGE_PROT_READ | IMAGE_PROT_EXECUTE;

	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_SYSTEM),
			  read | LAYOUT_SUPERVISOR);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_SUPERVISOR),
			  execute | LAYOUT_SUPERVISOR);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_FAULT),
			  write | LAYOUT_SUPERVISOR);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_STUB), execute);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_INFO), read);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_MAILBOX), write);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_ENVIRONMENT), read);
	ck_assert_uint_eq(prot_at(&layout, layout.request.start), read);
	ck_assert_uint_eq(prot_at(&layout, layout.reply.start), write);
	ck_assert_uint_eq(prot_at(&layout, layout.stack.start), write);
	ck_assert_uint_eq(prot_at(&layout, layout.heap.start), write);
}
END_TEST

START_TEST(the_control_page_is_whose_it_was_meant_to_be)
{
	const unsigned write = IMAGE_PROT_READ | IMAGE_PROT_WRITE;
	struct layout_config config = usual;
	struct layout layout = plan(&config);

	for (unsigned i = 0; i < layout.mapping_count; i++)
		ck_assert_uint_ne(layout.mappings[i].range.start,
				  THAW_GPA_CONTROL);
	config.control = LAYOUT_CONTROL_SUPERVISOR;
	layout = plan(&config);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_CONTROL),
			  write | LAYOUT_SUPERVISOR);
	config.control = LAYOUT_CONTROL_USER;
	layout = plan(&config);
	ck_assert_uint_eq(prot_at(&layout, THAW_GPA_CONTROL), write);
}
END_TEST

/* The least memory in which the usual parts fit, and 64 KiB less. */
START_TEST(memory_that_is_too_small_is_refused_with_its_sum)
{
	struct layout_config config = usual;
	struct layout layout;
	struct error err;

	config.memory_size = LAYOUT_MEMORY_UNIT;
	while (layout_plan(&image, &config, NULL, &layout))
		config.memory_size += LAYOUT_MEMORY_UNIT;
	ck_assert_uint_ge(layout.heap.size, LAYOUT_HEAP_MIN);
	config.memory_size -= LAYOUT_MEMORY_UNIT;
	ck_assert_int_eq(layout_plan(&image, &config, &err, &layout), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(err.message, "is too small for image"));
}
END_TEST

START_TEST(sizes_out_of_bounds_are_refused)
{
	static const struct layout_config wrong[] = {
		{ .memory_size = 0 },
		{ .memory_size = 4 * MIB + 4096 },
		{ .memory_size = LAYOUT_MEMORY_MAX + LAYOUT_MEMORY_UNIT },
		{ .memory_size = SIZE_MAX & ~(LAYOUT_MEMORY_UNIT - 1ul) },
		{ .memory_size = 4 * MIB, .stack_size = SIZE_MAX },
		{ .memory_size = 4 * MIB, .request_size = SIZE_MAX },
		{ .memory_size = 4 * MIB, .reply_size = SIZE_MAX },
	};
	struct layout layout;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_int_eq(layout_plan(&image, &wrong[i], NULL, &layout),
				 -EINVAL);
}
END_TEST

START_TEST(parts_larger_than_memory_do_not_wrap_around)
{
	struct layout_config config = usual;
	struct layout layout;

	config.stack_size = LAYOUT_MEMORY_MAX;
	ck_assert_int_eq(layout_plan(&image, &config, NULL, &layout), -ENOMEM);
	config.reply_size = config.request_size = LAYOUT_MEMORY_MAX;
	ck_assert_int_eq(layout_plan(&image, &config, NULL, &layout), -ENOMEM);
}
END_TEST

START_TEST(a_program_has_tables_for_its_reserve)
{
	struct layout_config config = usual;
	struct layout layout;

	for (size_t size = 4 * MIB; size <= LAYOUT_MEMORY_MAX; size *= 4) {
		config.memory_size = size;
		ck_assert(!layout_plan_program(&config, NULL, &layout));
		ck_assert_uint_eq(layout.reserve.start, LAYOUT_RESERVE_START);
		ck_assert_uint_eq(layout.reserve_tables.size / THAW_PAGE_SIZE,
				  size / (2 * MIB) + LAYOUT_RESERVE_TABLES +
					  LAYOUT_RESERVE_KEPT);
		ck_assert_uint_eq(layout.reserve_tables.start +
					  layout.reserve_tables.size,
				  layout.tables.start + layout.tables.size);
		/* those of memory are before them */
		ck_assert_uint_gt(layout.reserve_tables.start -
					  layout.tables.start,
				  size / (2 * MIB) * THAW_PAGE_SIZE);
		ck_assert_uint_le(layout.tables.size,
				  LAYOUT_TABLES_MAX * THAW_PAGE_SIZE);
	}
}
END_TEST

START_TEST(the_largest_memory_has_room_for_its_page_tables)
{
	struct layout_config config = usual;
	struct layout layout;

	config.memory_size = LAYOUT_MEMORY_MAX;
	layout = plan(&config);
	/* 512 last-level tables, one above them, one or two above that */
	ck_assert_uint_ge(layout.tables.size, 515 * THAW_PAGE_SIZE);
	ck_assert_uint_le(layout.tables.start + layout.tables.size,
			  layout.memory_size);
}
END_TEST

START_TEST(the_stack_overflows_where_its_pointer_is)
{
	struct layout layout = plan(&usual);
	const uint64_t start = layout.stack.start;
	const uint64_t heap_end = layout.heap.start + layout.heap.size;
	const uint64_t high = start + layout.stack.size - 16;

	ck_assert(layout_is_overflow(&layout, start - 8, start));
	ck_assert(layout_is_overflow(&layout, heap_end, heap_end - 65536));
	ck_assert(layout_is_overflow(&layout, start - 1,
				     start + THAW_PAGE_SIZE - 1));
	/* the heap has, or something else is wrong */
	ck_assert(!layout_is_overflow(&layout, heap_end, high));
	ck_assert(!layout_is_overflow(&layout, heap_end - 1, start));
	ck_assert(!layout_is_overflow(&layout, start, start));
	ck_assert(!layout_is_overflow(&layout, UINT64_MAX, start));
	ck_assert(!layout_is_overflow(&layout, 0, start));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("layout");
	int failed;

	tcase_add_test(group, nothing_overlaps_and_nothing_is_outside);
	tcase_add_test(group, nothing_is_both_writable_and_executable);
	tcase_add_test(group, guards_surround_heap_stack_and_windows);
	tcase_add_test(group, sizes_are_rounded_up_and_limits_kept_exactly);
	tcase_add_test(group, user_mode_gets_what_the_contract_says);
	tcase_add_test(group, memory_that_is_too_small_is_refused_with_its_sum);
	tcase_add_test(group, the_control_page_is_whose_it_was_meant_to_be);
	tcase_add_test(group, sizes_out_of_bounds_are_refused);
	tcase_add_test(group, parts_larger_than_memory_do_not_wrap_around);
	tcase_add_test(group, a_program_has_tables_for_its_reserve);
	tcase_add_test(group, the_largest_memory_has_room_for_its_page_tables);
	tcase_add_test(group, the_stack_overflows_where_its_pointer_is);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
