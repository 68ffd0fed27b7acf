/* test_linux_tmpfs.c - the files that a Linux program may write. */
#include "executor/linux/tmpfs.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define SIZE (16 * PAGE)
#define FILE_MODE (S_IFREG | 0600)
#define DIRECTORY_MODE (S_IFDIR | 0700)

static struct tmpfs tmpfs, copy;

static void set_up(void)
{
	ck_assert_int_eq(tmpfs_init(&tmpfs, SIZE, NULL), 0);
	copy = (struct tmpfs){ NULL };
}

static void tear_down(void)
{
	tmpfs_done(&tmpfs);
	tmpfs_done(&copy);
}

static uint32_t make(uint32_t directory, const char *name, mode_t mode)
{
	const int node = tmpfs_make(&tmpfs, directory, name, mode);

	ck_assert_int_ge(node, TMPFS_ROOTS);
	return (uint32_t)node;
}

static void expect_bytes(const struct tmpfs *in, uint32_t node,
			 const char *text)
{
	size_t size;
	const uint8_t *bytes = tmpfs_bytes(in, node, 0, &size);

	ck_assert_uint_eq(size, strlen(text));
	ck_assert(!size || !memcmp(bytes, text, size));
}

static bool none_is_open(const void *cookie, uint32_t node)
{
	return cookie && *(const uint32_t *)cookie == node;
}

START_TEST(files_have_names_and_bytes)
{
	const uint32_t d = make(TMPFS_TMP, "d", DIRECTORY_MODE);
	const uint32_t f = make(d, "f", FILE_MODE);
	char path[64];
	struct stat status;

	ck_assert_int_eq(tmpfs_find(&tmpfs, d, "f"), (int)f);
	ck_assert_int_eq(tmpfs_find(&tmpfs, TMPFS_TMP, "f"), -ENOENT);
	ck_assert_int_eq(tmpfs_find(&tmpfs, TMPFS_SHM, "d"), -ENOENT);
	ck_assert_int_eq(tmpfs_make(&tmpfs, d, "f", FILE_MODE), -EEXIST);
	ck_assert_int_eq(tmpfs_write(&tmpfs, f, 0, "abc", 3), 3);
	ck_assert_int_eq(tmpfs_write(&tmpfs, f, 1, "xyz", 3), 3);
	expect_bytes(&tmpfs, f, "axyz");
	ck_assert_int_eq(tmpfs_path(&tmpfs, f, path, sizeof(path)), 8);
	ck_assert_str_eq(path, "/tmp/d/f");
	ck_assert_int_eq(tmpfs_path(&tmpfs, f, path, 9), 8);
	ck_assert_int_eq(tmpfs_path(&tmpfs, f, path, 8), -ENAMETOOLONG);
	tmpfs_status(&tmpfs, f, &status);
	ck_assert_int_eq(status.st_size, 4);
	ck_assert_uint_eq(status.st_mode, FILE_MODE);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_TMP, "d", true),
			 -ENOTEMPTY);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, d, "f", true), -ENOTDIR);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, d, "f", false), 0);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_TMP, "d", false), -EISDIR);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_TMP, "d", true), 0);
	ck_assert_int_eq(tmpfs_make(&tmpfs, d, "f", FILE_MODE), -ENOENT);
	expect_bytes(&tmpfs, f, "axyz"); /* it may still be open */
	ck_assert(tmpfs_has_unnamed(&tmpfs));
	tmpfs_collect(&tmpfs, none_is_open, &f);
	expect_bytes(&tmpfs, f, "axyz");
	tmpfs_collect(&tmpfs, none_is_open, NULL);
	ck_assert(!tmpfs_has_unnamed(&tmpfs));
	ck_assert_uint_eq(tmpfs_usage(&tmpfs).used, 0);
	ck_assert_uint_eq(tmpfs_usage(&tmpfs).nodes_used, TMPFS_ROOTS);
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	char name[258];

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	ck_assert_int_eq(tmpfs_make(&tmpfs, TMPFS_TMP, name, FILE_MODE),
			 -ENAMETOOLONG);
	name[255] = '\0';
	make(TMPFS_TMP, name, FILE_MODE);
	make(TMPFS_TMP, "a", FILE_MODE);
	name[255] = 'n';
	ck_assert_int_eq(tmpfs_rename(&tmpfs, TMPFS_TMP, "a", TMPFS_TMP, name,
				      0),
			 -ENAMETOOLONG);
}
END_TEST

START_TEST(it_is_full_at_its_size)
{
	static char bytes[SIZE + 1];
	const uint32_t f = make(TMPFS_TMP, "f", FILE_MODE);
	const uint32_t g = make(TMPFS_TMP, "g", FILE_MODE);

	ck_assert_int_eq(tmpfs_write(&tmpfs, f, 0, bytes, SIZE - PAGE),
			 SIZE - PAGE);
	ck_assert_int_eq(tmpfs_write(&tmpfs, g, 0, "g", 1), 1);
	ck_assert_uint_eq(tmpfs_usage(&tmpfs).used, SIZE);
	ck_assert_int_eq(tmpfs_write(&tmpfs, f, SIZE - PAGE, "x", 1), -ENOSPC);
	ck_assert_int_eq(tmpfs_write(&tmpfs, f, SIZE - PAGE - 1, "xy", 2), 1);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, g, PAGE), 0);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, g, PAGE + 1), -ENOSPC);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, g, INT64_MAX), -ENOSPC);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, g, UINT64_MAX), -EFBIG);
	ck_assert_int_eq(tmpfs_write(&tmpfs, g, INT64_MAX, "x", 1), -EFBIG);
	ck_assert_int_eq(tmpfs_write(&tmpfs, g, INT64_MAX - 1, "x", 1),
			 -ENOSPC);
	ck_assert_int_eq(tmpfs_make_link(&tmpfs, TMPFS_TMP, "l", "target"),
			 -ENOSPC);
	ck_assert_int_eq(tmpfs_find(&tmpfs, TMPFS_TMP, "l"), -ENOENT);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, f, 0), 0);
	ck_assert_int_eq(tmpfs_write(&tmpfs, g, 0, bytes, sizeof(bytes)), SIZE);
}
END_TEST

/* Grows each of @count files by @part bytes, in turn, until it is full. */
static void fill_in_turn(const uint32_t *files, int count, size_t part)
{
	static const char bytes[SIZE];
	uint64_t end[8] = { 0 };
	int i = 0;

	while (tmpfs_write(&tmpfs, files[i], end[i], bytes, part) ==
	       (int64_t)part) {
		end[i] += part;
		i = (i + 1) % count;
		ck_assert_uint_le(tmpfs_usage(&tmpfs).held, SIZE);
		ck_assert_uint_ge(tmpfs_usage(&tmpfs).held,
				  tmpfs_usage(&tmpfs).used);
	}
	ck_assert_uint_gt(tmpfs_usage(&tmpfs).used, SIZE - 2 * PAGE);
}

START_TEST(it_holds_no_more_than_its_size)
{
	static const size_t parts[] = { 1, 100, PAGE, PAGE + 1, 5 * PAGE };
	const uint32_t files[] = { make(TMPFS_TMP, "f", FILE_MODE),
				   make(TMPFS_TMP, "g", FILE_MODE),
				   make(TMPFS_TMP, "h", FILE_MODE) };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (int count = 1; count <= 3; count++) {
			if (parts[i] * (size_t)count < 3 * PAGE)
				fill_in_turn(files, count, parts[i]);
			for (int k = 0; k < 3; k++)
				ck_assert(!tmpfs_resize(&tmpfs, files[k], 0));
			ck_assert_uint_eq(tmpfs_usage(&tmpfs).held, 0);
		}
	/* what has been grown into is given back when another file needs it */
	ck_assert_int_eq(tmpfs_resize(&tmpfs, files[0], PAGE), 0);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, files[0], 8 * PAGE), 0);
	ck_assert_uint_gt(tmpfs_usage(&tmpfs).held, 8 * PAGE);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, files[1], 8 * PAGE), 0);
	ck_assert_uint_eq(tmpfs_usage(&tmpfs).held, SIZE);
}
END_TEST

START_TEST(it_has_so_many_nodes_at_most)
{
	char name[16];
	int node = 0;

	for (int i = TMPFS_ROOTS; i < TMPFS_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		make(TMPFS_SHM, name, FILE_MODE);
	}
	ck_assert_int_eq(tmpfs_make(&tmpfs, TMPFS_TMP, "x", FILE_MODE),
			 -ENOSPC);
	ck_assert_int_eq(tmpfs_make_unnamed(&tmpfs, FILE_MODE), -ENOSPC);
	/* names that lead to one node have a limit of their own */
	node = tmpfs_find(&tmpfs, TMPFS_SHM, "2");
	ck_assert_int_eq(tmpfs_link(&tmpfs, (uint32_t)node, TMPFS_TMP, "1"), 0);
	ck_assert_int_eq(tmpfs_link(&tmpfs, (uint32_t)node, TMPFS_TMP, "2"), 0);
	ck_assert_int_eq(tmpfs_link(&tmpfs, (uint32_t)node, TMPFS_TMP, "3"),
			 -ENOSPC);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_SHM, "3", false), 0);
	tmpfs_collect(&tmpfs, none_is_open, NULL);
	make(TMPFS_TMP, "x", FILE_MODE);
}
END_TEST

START_TEST(what_grows_is_zero)
{
	const uint32_t f = make(TMPFS_TMP, "f", FILE_MODE);
	const uint8_t *bytes;
	size_t size;

	ck_assert_int_eq(tmpfs_write(&tmpfs, f, 0, "secret", 6), 6);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, f, 1), 0);
	ck_assert_int_eq(tmpfs_write(&tmpfs, f, 5, "x", 1), 1);
	bytes = tmpfs_bytes(&tmpfs, f, 0, &size);
	ck_assert_uint_eq(size, 6);
	ck_assert(!memcmp(bytes, "s\0\0\0\0x", 6));
	ck_assert_int_eq(tmpfs_resize(&tmpfs, f, 2), 0);
	ck_assert_int_eq(tmpfs_resize(&tmpfs, f, SIZE), 0);
	bytes = tmpfs_bytes(&tmpfs, f, 0, &size);
	for (size_t i = 1; i < SIZE; i++)
		ck_assert_uint_eq(bytes[i], 0);
	ck_assert_ptr_null(tmpfs_bytes(&tmpfs, f, SIZE, &size));
	ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(copies_share_until_one_changes)
{
	const uint32_t d = make(TMPFS_TMP, "d", DIRECTORY_MODE);
	const uint32_t f = make(d, "f", FILE_MODE);
	struct tmpfs_tree *tree;

	tmpfs_write(&tmpfs, f, 0, "before", 6);
	for (int i = 0; i < 3; i++) {
		tmpfs_copy(&copy, &tmpfs);
		ck_assert_ptr_eq(copy.tree, tmpfs.tree);
		tree = tmpfs.tree;
		expect_bytes(&copy, f, "before");
		ck_assert_int_eq(tmpfs_write(&copy, f, 0, "after!!", 7), 7);
		ck_assert_ptr_ne(copy.tree, tree);
		ck_assert_ptr_eq(tmpfs.tree, tree);
		expect_bytes(&copy, f, "after!!");
		expect_bytes(&tmpfs, f, "before");
		for (int k = 0; k < 100; k++) {
			char name[16];

			snprintf(name, sizeof(name), "%d", k);
			ck_assert_int_ge(tmpfs_make(&copy, d, name, FILE_MODE),
					 0);
		}
		ck_assert_int_eq(tmpfs_remove(&copy, d, "f", false), 0);
		tmpfs_collect(&copy, none_is_open, NULL);
		ck_assert_int_eq(tmpfs_find(&tmpfs, d, "f"), (int)f);
		ck_assert_int_eq(tmpfs_find(&tmpfs, d, "1"), -ENOENT);
		expect_bytes(&tmpfs, f, "before");
	}
	/* the other way round: the copy outlives what it was made from */
	tmpfs_copy(&copy, &tmpfs);
	tmpfs_done(&tmpfs);
	expect_bytes(&copy, f, "before");
	tmpfs_copy(&tmpfs, &copy);
}
END_TEST

static int rename_to(const char *from, uint32_t to, const char *name,
		     uint64_t flags)
{
	return tmpfs_rename(&tmpfs, TMPFS_TMP, from, to, name, flags);
}

START_TEST(rename_is_that_of_linux)
{
	const uint32_t a = make(TMPFS_TMP, "a", DIRECTORY_MODE);
	const uint32_t b = make(a, "b", DIRECTORY_MODE);
	const uint32_t f = make(TMPFS_TMP, "f", FILE_MODE);
	const uint32_t g = make(b, "g", FILE_MODE);
	char path[64];

	ck_assert_int_eq(rename_to("none", a, "x", 0), -ENOENT);
	ck_assert_int_eq(rename_to("a", b, "x", 0), -EINVAL);
	ck_assert_int_eq(rename_to("a", a, "x", 0), -EINVAL);
	ck_assert_int_eq(rename_to("a", TMPFS_TMP, "f", 0), -ENOTDIR);
	ck_assert_int_eq(rename_to("f", TMPFS_TMP, "a", 0), -EISDIR);
	ck_assert_int_eq(rename_to("f", b, "g", RENAME_NOREPLACE), -EEXIST);
	ck_assert_int_eq(rename_to("f", b, "h", RENAME_EXCHANGE), -ENOENT);
	ck_assert_int_eq(rename_to("f", b, "h", RENAME_WHITEOUT), -EINVAL);
	ck_assert_int_eq(rename_to("f", b, "h",
				   RENAME_EXCHANGE | RENAME_NOREPLACE),
			 -EINVAL);
	ck_assert_int_eq(rename_to("f", b, "g", RENAME_EXCHANGE), 0);
	ck_assert_int_eq(tmpfs_find(&tmpfs, TMPFS_TMP, "f"), (int)g);
	ck_assert_int_eq(tmpfs_find(&tmpfs, b, "g"), (int)f);
	ck_assert_int_eq(rename_to("f", b, "g", 0), 0);
	ck_assert_int_eq(tmpfs_find(&tmpfs, b, "g"), (int)g);
	ck_assert(tmpfs_has_unnamed(&tmpfs)); /* f */
	make(TMPFS_TMP, "c", DIRECTORY_MODE);
	ck_assert_int_eq(rename_to("c", a, "b", 0), -ENOTEMPTY);
	ck_assert_int_eq(tmpfs_rename(&tmpfs, a, "b", TMPFS_TMP, "c", 0), 0);
	ck_assert_int_gt(tmpfs_path(&tmpfs, g, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/tmp/c/g");
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_TMP, "a", true), 0);
	ck_assert_int_eq(rename_to("c", a, "x", 0), -ENOENT);
	/* two names of one file: nothing is done */
	ck_assert_int_eq(tmpfs_link(&tmpfs, g, TMPFS_TMP, "h"), 0);
	ck_assert_int_eq(tmpfs_rename(&tmpfs, b, "g", TMPFS_TMP, "h", 0), 0);
	ck_assert_int_eq(tmpfs_find(&tmpfs, b, "g"), (int)g);
	ck_assert_int_eq(tmpfs_link(&tmpfs, b, TMPFS_TMP, "i"), -EPERM);
}
END_TEST

/* Lists @directory @size bytes at a time, removing each name; returns how many. */
static int list(uint32_t directory, size_t size, bool remove)
{
	char bytes[4096];
	uint64_t offset = 0;
	int r, count = 0;

	while ((r = tmpfs_list(&tmpfs, directory, &offset, bytes, size)) > 0) {
		for (int at = 0; at < r; count++) {
			const struct dirent *entry =
				(const struct dirent *)(bytes + at);

			if (remove && entry->d_name[0] != '.')
				ck_assert_int_eq(tmpfs_remove(&tmpfs, directory,
							      entry->d_name,
							      false),
						 0);
			at += entry->d_reclen;
		}
	}
	ck_assert_int_eq(r, 0);
	return count;
}

START_TEST(a_directory_is_listed_in_parts_while_it_changes)
{
	char bytes[32], name[16];
	uint64_t offset = 2;
	const uint32_t d = make(TMPFS_TMP, "d", DIRECTORY_MODE);

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		make(d, name, FILE_MODE);
	}
	ck_assert_int_eq(list(d, 4096, false), 202);
	ck_assert_int_eq(list(d, 32, false), 202);
	ck_assert_int_eq(tmpfs_list(&tmpfs, d, &offset, bytes, 31), -EINVAL);
	offset = UINT64_MAX;
	ck_assert_int_eq(tmpfs_list(&tmpfs, d, &offset, bytes, 32), 0);
	ck_assert_int_eq(list(d, 100, true), 202);
	ck_assert_int_eq(list(d, 4096, false), 2);
	ck_assert_int_eq(tmpfs_remove(&tmpfs, TMPFS_TMP, "d", true), 0);
	offset = 0;
	ck_assert_int_eq(tmpfs_list(&tmpfs, d, &offset, bytes, 32), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tmpfs");
	TCase *tests = tcase_create("tmpfs");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, files_have_names_and_bytes);
	tcase_add_test(tests, a_name_has_255_bytes_at_most);
	tcase_add_test(tests, it_is_full_at_its_size);
	tcase_add_test(tests, it_holds_no_more_than_its_size);
	tcase_add_test(tests, it_has_so_many_nodes_at_most);
	tcase_add_test(tests, what_grows_is_zero);
	tcase_add_test(tests, copies_share_until_one_changes);
	tcase_add_test(tests, rename_is_that_of_linux);
	tcase_add_test(tests, a_directory_is_listed_in_parts_while_it_changes);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
