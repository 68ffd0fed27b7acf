/* test_holes.c - a file with holes, mapped: its bytes, and no more of its pages */
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/holes.h"

#define UNIT HOLES_SIZE_MIN
#define UNITS 32
#define SIZE ((size_t)UNITS * UNIT)

static int fd;

static void set_up(void)
{
	fd = memfd_create("holes", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
}

static void tear_down(void)
{
	close(fd);
}

/* Writes all of the units that @map has an x for. */
static void fill(const char *map)
{
	char bytes[UNIT];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; map[i]; i++)
		if (map[i] == 'x')
			ck_assert_int_eq(pwrite(fd, bytes, UNIT,
						(off_t)(i * UNIT)),
					 UNIT);
}

static blkcnt_t blocks(void)
{
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	return stat.st_blocks;
}

/* Reads and writes all of a mapping; @is_all: the file gets no page by that. */
static void check_map(const struct holes *holes, bool is_all)
{
	static char bytes[SIZE];
	blkcnt_t before = blocks();
	uint8_t *memory;

	ck_assert_int_eq(pread(fd, bytes, SIZE, 0), (ssize_t)SIZE);
	ck_assert_int_eq(holes_map(holes, fd, 0, SIZE, PROT_READ | PROT_WRITE,
				   &memory),
			 0);
	ck_assert_int_eq(memcmp(memory, bytes, SIZE), 0);
	memset(memory, 'y', SIZE);
	ck_assert_int_eq(is_all, blocks() == before);
	/* and back */
	ck_assert_int_eq(madvise(memory, SIZE, MADV_DONTNEED), 0);
	ck_assert_int_eq(memcmp(memory, bytes, SIZE), 0);
	munmap(memory, SIZE);
}

static const struct {
	const char *map;
	unsigned count;
	size_t largest; /* units */
	bool is_all;
} cases[] = {
	{ "................................", 1, 32, true },
	{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0, 0, true },
	{ "x..............................x", 1, 30, true },
	{ "..............................xx", 1, 30, true },
	{ "xx..............................", 1, 30, true },
	{ ".x..xx...xxx....xxxxxxxxxxxxxxxx", 4, 4, true },
	/* the smallest is left out, wherever it is */
	{ "..xx...x.x.....xxxxxxx......xxxx", 4, 6, false },
	{ ".x..xx...xxx....xxxxxxx.....xxxx", 4, 5, false },
	{ ".x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x", 4, 1, false },
};

START_TEST(the_largest_holes_are_found_and_stay_holes)
{
	struct holes holes;
	size_t largest = 0;

	fill(cases[_i].map);
	holes_find(fd, SIZE, &holes);
	ck_assert_uint_eq(holes.count, cases[_i].count);
	for (unsigned i = 0; i < holes.count; i++)
		if (holes.of[i].size > largest)
			largest = holes.of[i].size;
	ck_assert_uint_eq(largest, cases[_i].largest * UNIT);
	check_map(&holes, cases[_i].is_all);
}
END_TEST

START_TEST(small_holes_are_left_to_the_file)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct holes holes;

	fill("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.");
	ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)(SIZE - 1)), 1);
	holes_find(fd, SIZE, &holes);
	ck_assert_uint_eq(holes.count, 0);
	/* pages as large as the least hole leave none at all */
	check_map(&holes, page >= (long)UNIT);
}
END_TEST

START_TEST(a_hole_covers_what_is_all_in_it)
{
	static const struct holes holes = {
		.of = { { 100, 50 }, { 150, 50 }, { 1000, 10 } },
		.count = 3,
	};
	static const struct holes none = { .count = 0 };

	ck_assert(holes_cover(&holes, 100, 50));
	ck_assert(holes_cover(&holes, 149, 1));
	ck_assert(holes_cover(&holes, 150, 50));
	ck_assert(holes_cover(&holes, 1009, 1));
	ck_assert(!holes_cover(&holes, 99, 1));
	ck_assert(!holes_cover(&holes, 99, 51));
	ck_assert(!holes_cover(&holes, 100, 51));
	ck_assert(!holes_cover(&holes, 200, 1));
	ck_assert(!holes_cover(&holes, 1009, 2));
	ck_assert(!holes_cover(&holes, 1010, 1));
	ck_assert(!holes_cover(&holes, 1000, SIZE_MAX));
	ck_assert(!holes_cover(&none, 0, 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holes");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("holes");
	int failed;

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, the_largest_holes_are_found_and_stay_holes,
			    0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(group, small_holes_are_left_to_the_file);
	tcase_add_test(group, a_hole_covers_what_is_all_in_it);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
