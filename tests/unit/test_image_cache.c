/*
 * test_image_cache.c - a file is read once as long as it is the same, and what is kept is
 * bounded.
 */
#include "executor/image_cache.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/elf_builder.h"
#include "vm/image/image.h"

static struct elf_builder elf;
static char folder[] = "/tmp/thaw-image-cache-XXXXXX";
static bool is_fresh; /* files look as if they had changed now */

int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);

/* Files are an hour older than they are. */
int __wrap_stat(const char *path, struct stat *status)
{
	int r = __real_stat(path, status);

	if (!r && !is_fresh)
		status->st_ctim.tv_sec -= 3600;
	return r;
}

static const char *path_of(unsigned number)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%u.elf", folder, number);
	return path;
}

static void write_image(unsigned number)
{
	FILE *file = fopen(path_of(number), "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(elf.bytes, 1, elf.size, file), elf.size);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	elf_builder_executable(&elf);
}

static void tear_down(void)
{
	image_cache_clear();
	for (unsigned i = 0; i <= IMAGE_CACHE_MAX; i++)
		unlink(path_of(i));
	rmdir(folder);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	is_fresh = false;
}

static struct image *open_one(unsigned number)
{
	struct image *image = NULL;
	struct error err = { "" };
	int r = image_cache_open(path_of(number), &err, &image);

	ck_assert_msg(!r, "%s", err.message);
	return image;
}

START_TEST(functions_of_one_file_share_its_image)
{
	const size_t before = image_cache_reads();
	struct image *one, *other;

	write_image(0);
	one = open_one(0);
	other = open_one(0);
	ck_assert_ptr_eq(one, other);
	ck_assert_uint_eq(image_cache_reads(), before + 1);
	image_close(one);
	/* the other one's is still there without the cache */
	image_cache_clear();
	ck_assert_uint_eq(strlen(image_sha256(other)), 64);
	image_close(other);
	image_close(open_one(0));
	ck_assert_uint_eq(image_cache_reads(), before + 2);
}
END_TEST

START_TEST(a_file_that_has_changed_is_read_again)
{
	struct image *one, *other;

	write_image(0);
	one = open_one(0);
	elf_builder_append(&elf, 0, "more", 4);
	write_image(0);
	other = open_one(0);
	ck_assert_ptr_ne(one, other);
	ck_assert_str_ne(image_sha256(one), image_sha256(other));
	image_close(one);
	image_close(other);
}
END_TEST

/* It could change again, and keep its times. */
START_TEST(a_file_that_has_just_changed_is_not_kept)
{
	const size_t before = image_cache_reads();

	is_fresh = true;
	write_image(0);
	image_close(open_one(0));
	image_close(open_one(0));
	ck_assert_uint_eq(image_cache_reads(), before + 2);
}
END_TEST

START_TEST(the_one_used_least_recently_makes_room)
{
	size_t before;

	for (unsigned i = 0; i <= IMAGE_CACHE_MAX; i++)
		write_image(i);
	for (unsigned i = 0; i < IMAGE_CACHE_MAX; i++)
		image_close(open_one(i));
	image_close(open_one(0));
	before = image_cache_reads();
	image_close(open_one(IMAGE_CACHE_MAX));
	ck_assert_uint_eq(image_cache_reads(), before + 1);
	image_close(open_one(0));
	ck_assert_uint_eq(image_cache_reads(), before + 1);
	image_close(open_one(1));
	ck_assert_uint_eq(image_cache_reads(), before + 2);
}
END_TEST

START_TEST(what_is_no_image_is_not_kept)
{
	struct error err;
	struct image *image;

	ck_assert_int_lt(image_cache_open(path_of(7), &err, &image), 0);
	elf.bytes[0] = 0;
	write_image(0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_lt(image_cache_open(path_of(0), &err, &image), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image_cache");
	TCase *tcase = tcase_create("image_cache");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, functions_of_one_file_share_its_image);
	tcase_add_test(tcase, a_file_that_has_changed_is_read_again);
	tcase_add_test(tcase, a_file_that_has_just_changed_is_not_kept);
	tcase_add_test(tcase, the_one_used_least_recently_makes_room);
	tcase_add_test(tcase, what_is_no_image_is_not_kept);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
