/* test_wanted.c - memory that loads compare with is all zero, whoever had it before */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/abi/thaw_abi.h"
#include "snapshot/pages.h"
#include "snapshot/wanted.h"
#include "vm/image/image.h"

static struct layout plan(size_t memory_size)
{
	const struct layout_config config = {
		.memory_size = memory_size,
		.stack_size = LAYOUT_MEMORY_UNIT,
		.request_size = LAYOUT_MEMORY_UNIT,
		.reply_size = LAYOUT_MEMORY_UNIT,
	};
	const struct image image = { .end = THAW_GPA_IMAGE };
	struct layout layout;

	ck_assert_int_eq(layout_plan(&image, &config, NULL, &layout), 0);
	return layout;
}

static void must_be_zero(const uint8_t *memory, size_t size)
{
	static const uint8_t zero[1 << 20];

	for (size_t at = 0; at < size; at += sizeof(zero))
		ck_assert_int_eq(memcmp(memory + at, zero, sizeof(zero)), 0);
}

/* Makes all of what a load makes in it, with an environment as large as can be. */
static void use(uint8_t *memory, const struct layout *layout)
{
	char *text = malloc(THAW_ENVIRONMENT_MAX);
	char *environment[] = { text, NULL };

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', THAW_ENVIRONMENT_MAX);
	text[THAW_ENVIRONMENT_MAX - 2 * sizeof(uint64_t) - 1] = '\0';
	ck_assert_int_eq(pages_prepare(memory, layout, environment, 1, NULL),
			 0);
	pages_freeze_given(memory, layout, DIRTY_AUTO, THAW_GPA_IMAGE);
	free(text);
}

/* Whether nothing is mapped at @memory. */
static bool is_unmapped(uint8_t *memory)
{
	return msync(memory, THAW_PAGE_SIZE, MS_ASYNC) && errno == ENOMEM;
}

START_TEST(the_next_load_finds_nothing_of_the_last)
{
	const struct layout large = plan(WANTED_KEPT_SIZE);
	const struct layout small = plan((size_t)4 << 20);
	uint8_t *memory = wanted_get(&large), *again;

	ck_assert_ptr_nonnull(memory);
	must_be_zero(memory, WANTED_KEPT_SIZE);
	use(memory, &large);
	wanted_put(memory, &large);
	again = wanted_get(&small);
	ck_assert_ptr_eq(again, memory);
	must_be_zero(again, WANTED_KEPT_SIZE);
	use(again, &small);
	wanted_put(again, &small);
	again = wanted_get(&large);
	ck_assert_ptr_eq(again, memory);
	must_be_zero(again, WANTED_KEPT_SIZE);
	wanted_put(again, &large);
}
END_TEST

START_TEST(loads_at_once_have_memory_of_their_own)
{
	const struct layout layout = plan((size_t)4 << 20);
	uint8_t *first = wanted_get(&layout), *second = wanted_get(&layout);

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_ne(first, second);
	use(first, &layout);
	must_be_zero(second, layout.memory_size);
	use(second, &layout);
	wanted_put(second, &layout);
	wanted_put(first, &layout);
	ck_assert(is_unmapped(first));
	ck_assert(!is_unmapped(second));
}
END_TEST

START_TEST(what_a_large_guest_needs_is_not_kept)
{
	const struct layout layout =
		plan(WANTED_KEPT_SIZE + LAYOUT_MEMORY_UNIT);
	uint8_t *memory = wanted_get(&layout);

	ck_assert_ptr_nonnull(memory);
	use(memory, &layout);
	wanted_put(memory, &layout);
	ck_assert(is_unmapped(memory));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wanted");
	TCase *group = tcase_create("wanted");
	SRunner *runner;
	int failed;

	tcase_add_test(group, the_next_load_finds_nothing_of_the_last);
	tcase_add_test(group, loads_at_once_have_memory_of_their_own);
	tcase_add_test(group, what_a_large_guest_needs_is_not_kept);
	tcase_set_timeout(group, 60);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
