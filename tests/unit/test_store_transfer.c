/* test_store_transfer.c - snapshots copied out of a store and into one; and the scrub */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/store/scrub.h"
#include "snapshot/store/transfer.h"
#include "tests/unit/store_fixture.h"

static struct store *store;
static struct error err;

static void set_up(void)
{
	store = store_fixture_open();
}

static void tear_down(void)
{
	store_fixture_close(store);
}

static int put(uint8_t key)
{
	return store_fixture_put(store, key, &err);
}

static int find(uint8_t key)
{
	return store_fixture_find(store, &store_fixture_machine, key, &err);
}

static unsigned count_files(bool bad)
{
	struct store_entry *entries;
	unsigned found = 0;
	size_t count;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	for (size_t i = 0; i < count; i++)
		found += entries[i].is_bad == bad;
	free(entries);
	return found;
}

/* Where a file is exported to, outside the store. */
static int open_outside(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? memfd_create("outside", MFD_CLOEXEC) : fd;
}

START_TEST(what_is_exported_can_be_imported)
{
	uint8_t sha256[STORE_SHA256_SIZE];
	const uint8_t key[STORE_KEY_SIZE] = { 3 };
	char name[STORE_NAME_MAX], again[STORE_NAME_MAX] = "";
	struct stat in, out;
	uint64_t size;
	int fd = open_outside();

	store_name(key, STORE_SUFFIX, name);
	ck_assert_int_eq(store_export(store, name, fd, &err, sha256, &size),
			 -ENOENT);
	ck_assert_int_eq(put(3), 0);
	ck_assert_int_eq(stat(store_fixture_file(3, STORE_SUFFIX), &in), 0);
	ck_assert_int_eq(store_export(store, name, fd, &err, sha256, &size), 0);
	ck_assert_uint_eq(size, (uint64_t)in.st_size);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	ck_assert_int_eq(find(3), -ENOENT);
	ck_assert_int_eq(store_import(store, fd, size, sha256, &err, again), 0);
	ck_assert_str_eq(again, name);
	ck_assert_int_eq(find(3), 0);
	/* holes are holes */
	ck_assert_int_eq(stat(store_fixture_file(3, STORE_SUFFIX), &out), 0);
	ck_assert_int_le(out.st_blocks, in.st_blocks);
	ck_assert_uint_eq(out.st_mode & 0777, 0600);
	close(fd);
}
END_TEST

/* Where its key and its hashes are is not known. */
/* Writes the snapshot with the key 3 to a file outside, which alone has it then. */
static int move_outside(char name[STORE_NAME_MAX],
			uint8_t sha256[STORE_SHA256_SIZE], uint64_t *ret_size)
{
	const uint8_t key[STORE_KEY_SIZE] = { 3 };
	const int fd = open_outside();

	store_name(key, STORE_SUFFIX, name);
	ck_assert_int_eq(put(3), 0);
	ck_assert_int_eq(store_export(store, name, fd, &err, sha256, ret_size),
			 0);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	return fd;
}

START_TEST(what_is_of_another_format_is_not_imported)
{
	uint8_t sha256[STORE_SHA256_SIZE];
	char name[STORE_NAME_MAX];
	struct store_header header;
	uint8_t *bytes;
	uint64_t size;
	int fd;

	fd = move_outside(name, sha256, &size);
	ck_assert_int_eq(pread(fd, &header, sizeof(header), 0), sizeof(header));
	header.format++;
	ck_assert_int_eq(pwrite(fd, &header, sizeof(header), 0),
			 sizeof(header));
	bytes = malloc(size);
	ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
	crypto_hash_sha256(sha256, bytes, size);
	ck_assert_int_eq(store_import(store, fd, size, sha256, &err, name),
			 -ESTALE);
	/* which has no name; the copy's is nobody's business */
	ck_assert_msg(!strncmp(err.message, "the file: ", 10), "%s",
		      err.message);
	ck_assert_ptr_nonnull(strstr(err.message, "another format"));
	ck_assert_ptr_nonnull(strstr(err.message, "written by thaw 0.1.0"));
	ck_assert_uint_eq(count_files(false), 0);
	free(bytes);
	close(fd);
}
END_TEST

START_TEST(what_is_no_good_is_not_imported)
{
	uint8_t sha256[STORE_SHA256_SIZE], wrong[STORE_SHA256_SIZE] = { 0 };
	char name[STORE_NAME_MAX];
	uint8_t *bytes, byte;
	uint64_t size;
	int fd;

	fd = move_outside(name, sha256, &size);
	ck_assert_int_eq(store_import(store, fd, size, wrong, &err, name),
			 -EBADMSG);
	ck_assert_int_eq(store_import(store, fd, size + 1, sha256, &err, name),
			 -EBADMSG);
	ck_assert_int_eq(store_import(store, fd, size - 1, sha256, &err, name),
			 -EBADMSG);
	ck_assert_int_eq(store_import(store, fd, STORE_FILE_MAX + 1, sha256,
				      &err, name),
			 -EBADMSG);
	/* with the right hash of the whole, but not what the file itself says */
	bytes = malloc(size);
	for (size_t at = 0; at < size; at += 4099) {
		ck_assert_int_eq(pread(fd, bytes, size, 0), (ssize_t)size);
		byte = bytes[at];
		bytes[at] ^= 1;
		crypto_hash_sha256(sha256, bytes, size);
		ck_assert_int_eq(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
		ck_assert_int_lt(store_import(store, fd, size, sha256, &err,
					      name),
				 0);
		ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
	}
	free(bytes);
	close(fd);
	ck_assert_uint_eq(count_files(true) + count_files(false), 0);
	ck_assert_int_eq(rmdir(store_fixture_path), 0);
}
END_TEST

/* How often it was asked, and what it says. */
static struct {
	unsigned calls;
	bool stops;
} asked;

static bool ask(void *cookie)
{
	ck_assert_ptr_eq(cookie, &asked);
	asked.calls++;
	return asked.stops;
}

/* Two chunks more than it takes to be asked. */
#define LARGE ((STORE_PAUSE_CHUNKS + 2) * (size_t)STORE_CHUNK)
_Static_assert(LARGE % LAYOUT_MEMORY_UNIT == 0, "a guest may have so much");

START_TEST(writing_and_verifying_stop_when_they_are_told)
{
	const struct store_pause pause = { ask, &asked };
	struct store_content content = store_fixture_content(9);
	uint8_t *bytes = malloc(LARGE);
	char name[STORE_NAME_MAX];

	store_name(content.key, STORE_SUFFIX, name);
	memset(bytes, 'x', LARGE);
	content.memory_fd = memfd_create("large", MFD_CLOEXEC);
	content.memory_size = LARGE;
	content.pause = pause;
	ck_assert_int_eq(write(content.memory_fd, bytes, LARGE), LARGE);
	free(bytes);
	asked.stops = true;
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &content,
				   &err),
			 -ESHUTDOWN);
	ck_assert_uint_eq(asked.calls, 1);
	ck_assert_int_eq(find(9), -ENOENT);
	asked.stops = false;
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &content,
				   &err),
			 0);
	ck_assert_uint_eq(asked.calls, 2);
	ck_assert_int_eq(store_verify(store, name, &pause, &err), 0);
	ck_assert_uint_eq(asked.calls, 3);
	asked.stops = true;
	ck_assert_int_eq(store_verify(store, name, &pause, &err), -ESHUTDOWN);
	/* it is as good as before */
	ck_assert_int_eq(find(9), 0);
	close(content.memory_fd);
}
END_TEST

static _Atomic unsigned found_bad;

static void count_bad(void *cookie, const struct error *why)
{
	ck_assert_ptr_eq(cookie, &err);
	ck_assert(strstr(why->message, "written by thaw") ||
		  strstr(why->message, "others may write"));
	found_bad++;
}

/* Nobody uses them, so nothing else would look at them. */
START_TEST(a_scrub_finds_what_is_damaged_in_all_files)
{
	struct scrub *scrub;
	const struct timespec long_ago[2] = { { 1000, 0 }, { 1000, 0 } };
	struct store_entry *entries;
	size_t count;

	for (uint8_t key = 1; key <= 5; key++) {
		ck_assert_int_eq(put(key), 0);
		ck_assert_int_eq(
			utimensat(AT_FDCWD,
				  store_fixture_file(key, STORE_VOUCH_SUFFIX),
				  long_ago, 0),
			0);
	}
	ck_assert_int_eq(scrub_start(store, 1000000, count_bad, &err, &err,
				     &scrub),
			 0);
	usleep(100000);
	ck_assert_uint_eq(found_bad, 0);
	ck_assert_int_eq(truncate(store_fixture_file(2, STORE_SUFFIX), 1000),
			 0);
	ck_assert_int_eq(truncate(store_fixture_file(5, STORE_SUFFIX), 1000),
			 0);
	while (found_bad < 2)
		usleep(1000);
	/* it stays, and is told of each time */
	ck_assert_int_eq(chmod(store_fixture_file(3, STORE_SUFFIX), 0620), 0);
	while (found_bad < 4)
		usleep(1000);
	scrub_stop(scrub);
	ck_assert_uint_eq(count_files(true), 2);
	ck_assert_uint_eq(count_files(false), 3);
	/* verifying is no use: the order in which files make room stays */
	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (!entries[i].is_bad)
			ck_assert_int_eq(entries[i].used_s, 1000);
	free(entries);
}
END_TEST

static char found_why[sizeof(err.message)];

static void keep_bad(void *cookie, const struct error *why)
{
	(void)cookie;
	strcpy(found_why, why->message);
	found_bad++;
}

/* Its size and times are as they were, it is vouched for: only its hash tells. */
START_TEST(a_scrub_finds_the_one_file_whose_memory_has_changed)
{
	const uint8_t key[STORE_KEY_SIZE] = { 3 };
	char name[STORE_NAME_MAX];
	struct scrub *scrub;

	for (uint8_t i = 1; i <= 5; i++)
		ck_assert_int_eq(put(i), 0);
	store_fixture_damage(store, 3);
	for (uint8_t i = 1; i <= 5; i++)
		ck_assert_int_eq(find(i), 0);
	ck_assert_int_eq(scrub_start(store, 1000000, keep_bad, NULL, &err,
				     &scrub),
			 0);
	for (unsigned i = 0; i < 10000 && !found_bad; i++)
		usleep(1000);
	/* some rounds more */
	usleep(100000);
	scrub_stop(scrub);
	ck_assert_uint_eq(found_bad, 1);
	store_name(key, STORE_SUFFIX, name);
	ck_assert_ptr_nonnull(strstr(found_why, name));
	ck_assert_ptr_nonnull(strstr(found_why, STORE_FIXTURE_DAMAGED_CHUNK));
	ck_assert_int_eq(access(store_fixture_file(3, STORE_BAD_SUFFIX), F_OK),
			 0);
	ck_assert_uint_eq(count_files(true), 1);
	ck_assert_uint_eq(count_files(false), 4);
	for (uint8_t i = 1; i <= 5; i++)
		ck_assert_int_eq(find(i), i == 3 ? -ENOENT : 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_transfer");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("store_transfer");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, what_is_exported_can_be_imported);
	tcase_add_test(group, what_is_of_another_format_is_not_imported);
	tcase_add_test(group, what_is_no_good_is_not_imported);
	tcase_add_test(group, writing_and_verifying_stop_when_they_are_told);
	tcase_add_test(group, a_scrub_finds_what_is_damaged_in_all_files);
	tcase_add_test(group,
		       a_scrub_finds_the_one_file_whose_memory_has_changed);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
