/*
 * test_store_advice.c - what was learned of a snapshot: written, read, refused, removed with
 * its file
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/store/advice.h"
#include "tests/unit/store_fixture.h"

#define KEY 1

static struct store *store;
static struct store_file file = { .fd = -1 };
static struct store_advice advice, found;
static struct error err;

static void open_file(void)
{
	const uint8_t key[STORE_KEY_SIZE] = { KEY };

	store_file_close(&file);
	ck_assert_int_eq(store_find(store, &store_fixture_machine, key, NULL,
				    &err, &file),
			 0);
}

/* Chunks 0, 1 and 2 have pages; chunk 3 has none. */
static void set_up(void)
{
	store = store_fixture_open();
	ck_assert_int_eq(store_fixture_put(store, KEY, &err), 0);
	open_file();
	advice = (struct store_advice){
		.invocations = 16,
		.hot_count = 3,
		.hot = { 2, 47, 63 },
		.working_count = 2,
		.working = { 0, 2 },
	};
}

static void tear_down(void)
{
	store_file_close(&file);
	store_fixture_close(store);
}

static bool is_there(void)
{
	return !access(store_fixture_file(KEY, STORE_ADVICE_SUFFIX), F_OK);
}

static void write_advice(void)
{
	ck_assert_int_eq(store_advice_write(store, &file, &advice, &err), 0);
}

static int read_advice(void)
{
	return store_advice_read(store, &file, &err, &found);
}

static void check_found(void)
{
	ck_assert_int_eq(read_advice(), 0);
	ck_assert_uint_eq(found.invocations, advice.invocations);
	ck_assert_uint_eq(found.hot_count, advice.hot_count);
	ck_assert_uint_eq(found.working_count, advice.working_count);
	ck_assert_mem_eq(found.hot, advice.hot,
			 advice.hot_count * sizeof(*advice.hot));
	ck_assert_mem_eq(found.working, advice.working,
			 advice.working_count * sizeof(*advice.working));
}

START_TEST(what_is_written_is_read)
{
	struct stat status;

	ck_assert_int_eq(read_advice(), -ENOENT);
	write_advice();
	check_found();
	ck_assert_int_eq(stat(store_fixture_file(KEY, STORE_ADVICE_SUFFIX),
			      &status),
			 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	/* another one takes its place */
	advice.invocations = 20;
	advice.hot_count = advice.working_count = 0;
	write_advice();
	check_found();
}
END_TEST

START_TEST(what_is_written_is_such_as_will_be_read)
{
	advice = (struct store_advice){
		.hot_count = 6,
		.hot = { 63, 2, 64, 47, 2, UINT32_MAX },
		.working_count = 6,
		.working = { 3, 2, 0, 2, 4, UINT32_MAX },
	};
	write_advice();
	ck_assert_uint_eq(advice.hot_count, 3);
	ck_assert_uint_eq(advice.working_count, 2);
	check_found();
	ck_assert_uint_eq(found.hot[2], 63);
	ck_assert_uint_eq(found.working[1], 2);
}
END_TEST

START_TEST(it_names_so_many_pages_and_no_more)
{
	struct advice_header header;
	uint8_t *bytes;
	size_t size;

	memset(&advice, 0, sizeof(advice));
	write_advice();
	bytes = store_fixture_read(store_fixture_file(KEY, STORE_ADVICE_SUFFIX),
				   &size);
	ck_assert_uint_eq(size, sizeof(header));
	memcpy(&header, bytes, sizeof(header));
	free(bytes);
	bytes = calloc(1, 2 * STORE_ADVICE_SIZE_MAX);
	header.hot_count = STORE_HOT_MAX;
	header.working_count = STORE_WORKING_MAX;
	memcpy(bytes, &header, sizeof(header));
	/* the numbers are looked at only when the hash is right */
	ck_assert_int_eq(store_advice_parse(&file, bytes, STORE_ADVICE_SIZE_MAX,
					    &err, &found),
			 -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, "corrupt"));
	for (int i = 0; i < 2; i++) {
		header.hot_count = STORE_HOT_MAX + (i == 0);
		header.working_count = STORE_WORKING_MAX + (i == 1);
		memcpy(bytes, &header, sizeof(header));
		ck_assert_int_eq(store_advice_parse(&file, bytes,
						    STORE_ADVICE_SIZE_MAX + 4,
						    &err, &found),
				 -EBADMSG);
		ck_assert_ptr_nonnull(strstr(err.message, "too many"));
	}
	store_fixture_write(store_fixture_file(KEY, STORE_ADVICE_SUFFIX), bytes,
			    2 * STORE_ADVICE_SIZE_MAX);
	free(bytes);
	ck_assert_int_eq(read_advice(), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, "too large"));
	store_advice_remove(store, &file);
	ck_assert(!is_there());
}
END_TEST

/* Each byte of it, and each border. */
START_TEST(what_is_damaged_is_refused)
{
	const char *path = store_fixture_file(KEY, STORE_ADVICE_SUFFIX);
	uint8_t *bytes;
	size_t size;

	write_advice();
	bytes = store_fixture_read(path, &size);
	for (size_t at = 0; at < size; at++) {
		bytes[at] ^= 0x10;
		store_fixture_write(path, bytes, size);
		bytes[at] ^= 0x10;
		ck_assert_msg(read_advice() == -EBADMSG, "a flip at %zu", at);
		ck_assert_ptr_nonnull(strstr(err.message, "is ignored"));
	}
	for (size_t less = 0; less < size; less++) {
		store_fixture_write(path, bytes, less);
		ck_assert_int_eq(read_advice(), -EBADMSG);
	}
	bytes[size] = 0;
	store_fixture_write(path, bytes, size + 1);
	ck_assert_int_eq(read_advice(), -EBADMSG);
	store_fixture_write(path, bytes, size);
	check_found();
	free(bytes);
}
END_TEST

/* As whole as any, but for what it names. */
static void check_refused(const char *what)
{
	struct store_file other = file;
	uint8_t *bitmap = malloc(2 * file.parts.bitmap_size);

	/* written for a snapshot with more memory, and pages in all of it */
	memset(bitmap, 0xff, 2 * file.parts.bitmap_size);
	other.bitmap = bitmap;
	other.header.memory_size *= 2;
	ck_assert_int_eq(store_advice_write(store, &other, &advice, &err), 0);
	free(bitmap);
	ck_assert_int_eq(read_advice(), -EBADMSG);
	ck_assert_msg(strstr(err.message, what) != NULL, "%s", err.message);
}

START_TEST(pages_that_are_not_there_are_refused)
{
	advice.hot[2] = 64;
	check_refused("beyond memory");
	advice.hot[2] = 63;
	advice.working[1] = 3;
	check_refused("do not exist");
}
END_TEST

START_TEST(what_is_of_another_snapshot_is_refused)
{
	struct store_file other = file;
	char path[256];

	other.header.hash[31] ^= 1;
	ck_assert_int_eq(store_advice_write(store, &other, &advice, &err), 0);
	ck_assert_int_eq(read_advice(), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, "another snapshot"));
	store_advice_remove(store, &file);
	/* that of another key has another name, too */
	other = file;
	other.header.key[0] = KEY + 1;
	ck_assert_int_eq(store_advice_write(store, &other, &advice, &err), 0);
	ck_assert_int_eq(read_advice(), -ENOENT);
	/* under the name of this one */
	strcpy(path, store_fixture_file(KEY + 1, STORE_ADVICE_SUFFIX));
	ck_assert_int_eq(rename(path,
				store_fixture_file(KEY, STORE_ADVICE_SUFFIX)),
			 0);
	ck_assert_int_eq(read_advice(), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, "another snapshot"));
}
END_TEST

START_TEST(what_others_may_have_written_is_not_read)
{
	const char *path = store_fixture_file(KEY, STORE_ADVICE_SUFFIX);

	write_advice();
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(read_advice(), -EPERM);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(read_advice(), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(read_advice(), -EPERM);
}
END_TEST

START_TEST(it_goes_when_its_file_goes)
{
	const uint8_t key[STORE_KEY_SIZE] = { KEY };
	char name[STORE_NAME_MAX];

	store_name(key, STORE_SUFFIX, name);
	/* removed, */
	write_advice();
	store_file_close(&file);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	ck_assert(!is_there());
	/* moved aside, */
	ck_assert_int_eq(store_fixture_put(store, KEY, &err), 0);
	open_file();
	write_advice();
	ck_assert_int_eq(truncate(store_fixture_file(KEY, STORE_SUFFIX), 1000),
			 0);
	ck_assert_int_eq(store_fixture_find(store, &store_fixture_machine, KEY,
					    &err),
			 -EBADMSG);
	ck_assert(!is_there());
	/* replaced, */
	write_advice();
	ck_assert_int_eq(store_fixture_put(store, KEY, &err), 0);
	ck_assert(!is_there());
	/* or in the way of another one */
	open_file();
	write_advice();
	store_file_close(&file);
	store_close(store);
	ck_assert_int_eq(store_open(store_fixture_path, 1 << 20, &err, &store),
			 0);
	for (uint8_t other = KEY + 1; is_there() && other < 40; other++)
		ck_assert_int_eq(store_fixture_put(store, other, &err), 0);
	ck_assert(!is_there());
	ck_assert(access(store_fixture_file(KEY, STORE_SUFFIX), F_OK) != 0);
}
END_TEST

START_TEST(it_counts_as_its_files)
{
	struct store_entry *entries;
	uint64_t before;
	size_t count;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	before = entries[0].bytes;
	free(entries);
	write_advice();
	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_gt(entries[0].bytes, before);
	free(entries);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_advice");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("store_advice");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, what_is_written_is_read);
	tcase_add_test(group, what_is_written_is_such_as_will_be_read);
	tcase_add_test(group, it_names_so_many_pages_and_no_more);
	tcase_add_test(group, what_is_damaged_is_refused);
	tcase_add_test(group, pages_that_are_not_there_are_refused);
	tcase_add_test(group, what_is_of_another_snapshot_is_refused);
	tcase_add_test(group, what_others_may_have_written_is_not_read);
	tcase_add_test(group, it_goes_when_its_file_goes);
	tcase_add_test(group, it_counts_as_its_files);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
