/* test_store.c - a directory of snapshots: what is written, found, refused, removed */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot/store/vouch.h"
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

static int find_for(const struct store_machine *machine, uint8_t key)
{
	return store_fixture_find(store, machine, key, &err);
}

static int find(uint8_t key)
{
	return find_for(&store_fixture_machine, key);
}

static bool is_there(uint8_t key, const char *suffix)
{
	return !access(store_fixture_file(key, suffix), F_OK);
}

START_TEST(what_is_written_is_found)
{
	const struct store_content content = store_fixture_content(7);
	struct store_file file;
	static uint8_t memory[STORE_FIXTURE_SIZE], kept[STORE_FIXTURE_SIZE];
	struct stat status;

	ck_assert_int_eq(find(7), -ENOENT);
	ck_assert_int_eq(put(7), 0);
	ck_assert_int_eq(store_find(store, &store_fixture_machine, content.key,
				    NULL, &err, &file),
			 0);
	ck_assert_str_eq(file.header.version, "0.1.0");
	ck_assert_uint_eq(file.header.memory_size, STORE_FIXTURE_SIZE);
	ck_assert_uint_eq(file.header.frozen_ns, content.frozen_ns);
	ck_assert_uint_eq(file.header.manifest_size, content.manifest_size);
	ck_assert_mem_eq(file.manifest, content.manifest,
			 content.manifest_size);
	ck_assert_mem_eq(file.ready, content.ready, content.ready_size);
	ck_assert_mem_eq(file.state, content.state, content.state_size);
	ck_assert_uint_eq(file.parts.memory % STORE_CHUNK, 0);
	ck_assert_int_eq(pread(file.fd, kept, sizeof(kept),
			       (off_t)file.parts.memory),
			 sizeof(kept));
	ck_assert_int_eq(pread(content.memory_fd, memory, sizeof(memory), 0),
			 sizeof(memory));
	ck_assert_mem_eq(kept, memory, sizeof(memory));
	/* a page exists if it is not zero */
	for (uint64_t i = 0; i < STORE_FIXTURE_SIZE / THAW_PAGE_SIZE; i++)
		ck_assert_int_eq(store_file_has_page(&file, i),
				 i == 0 || i == 16 || i == 18 || i == 47);
	ck_assert_uint_eq(store_file_bytes(&file), 4 * THAW_PAGE_SIZE);
	ck_assert_int_eq(fstat(file.fd, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(store_file_verify(&file, NULL, &err), 0);
	store_file_close(&file);
}
END_TEST

START_TEST(what_is_there_is_not_written_again)
{
	struct stat before, after;
	struct store_machine machine = store_fixture_machine;
	const struct store_content content = store_fixture_content(1);

	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(stat(store_fixture_file(1, STORE_SUFFIX), &before), 0);
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(stat(store_fixture_file(1, STORE_SUFFIX), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	/* but one for another machine is in the way */
	machine.features[0]++;
	ck_assert_int_eq(store_put(store, &machine, &content, &err), 0);
	ck_assert_int_eq(find_for(&machine, 1), 0);
	/* and so is one that is no good */
	ck_assert_int_eq(truncate(store_fixture_file(1, STORE_SUFFIX), 1000),
			 0);
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(find(1), 0);
}
END_TEST

/* Changes one byte, and sees whether that is noticed; then puts it back. */
static void check_flip(const char *path, const uint8_t *bytes, size_t size,
		       size_t at)
{
	const uint8_t flipped = bytes[at] ^ 0x10;
	int fd, r;

	store_fixture_write(path, bytes, size);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, &flipped, 1, (off_t)at), 1);
	close(fd);
	r = find(1);
	ck_assert_msg(r == -EBADMSG || r == -ESTALE, "a flip at %zu: %d", at,
		      r);
	ck_assert_ptr_nonnull(strstr(err.message, ".thaw"));
	/* it is not in the way of the one that will be written */
	ck_assert(!is_there(1, STORE_SUFFIX));
	ck_assert(is_there(1, STORE_BAD_SUFFIX));
}

/* All of the header, and samples of the rest, holes and padding included. */
START_TEST(a_flipped_byte_is_noticed_wherever_it_is)
{
	size_t size;
	uint8_t *bytes;
	char path[256];

	ck_assert_int_eq(put(1), 0);
	strcpy(path, store_fixture_file(1, STORE_SUFFIX));
	bytes = store_fixture_read(path, &size);
	for (size_t at = 0; at < sizeof(struct store_header); at++)
		check_flip(path, bytes, size, at);
	for (size_t at = sizeof(struct store_header); at < size; at += 997)
		check_flip(path, bytes, size, at);
	check_flip(path, bytes, size, size - 1);
	store_fixture_write(path, bytes, size);
	ck_assert_int_eq(find(1), 0);
	free(bytes);
}
END_TEST

/* A byte in a hole of a file that keeps its holes. */
START_TEST(a_byte_in_a_hole_is_noticed)
{
	size_t size;
	int fd;

	ck_assert_int_eq(put(1), 0);
	free(store_fixture_read(store_fixture_file(1, STORE_SUFFIX), &size));
	fd = open(store_fixture_file(1, STORE_SUFFIX), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "z", 1, (off_t)size - 100), 1);
	close(fd);
	ck_assert_int_eq(find(1), -EBADMSG);
}
END_TEST

START_TEST(a_truncated_file_is_refused_at_each_border)
{
	const struct store_content content = store_fixture_content(1);
	struct store_file file;
	struct store_parts parts;
	size_t size;
	uint8_t *bytes;

	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(store_find(store, &store_fixture_machine, content.key,
				    NULL, &err, &file),
			 0);
	parts = file.parts;
	store_file_close(&file);
	bytes = store_fixture_read(store_fixture_file(1, STORE_SUFFIX), &size);
	ck_assert_uint_eq(size, parts.end);
	const uint64_t borders[] = {
		0,
		8,
		12,
		parts.manifest,
		parts.ready,
		parts.state,
		parts.bitmap,
		parts.hashes,
		parts.memory,
		parts.end - STORE_CHUNK,
		parts.end,
	};
	for (size_t i = 0; i < sizeof(borders) / sizeof(*borders); i++) {
		for (int by = -1; by <= 1; by++) {
			const uint64_t end = borders[i] + (uint64_t)by;

			if (end > parts.end)
				continue;
			store_fixture_write(store_fixture_file(1, STORE_SUFFIX),
					    bytes, (size_t)end);
			ck_assert_int_eq(find(1),
					 end == parts.end ? 0 : -EBADMSG);
		}
	}
	/* and one that is longer */
	bytes[size] = 0;
	store_fixture_write(store_fixture_file(1, STORE_SUFFIX), bytes,
			    size + 1);
	ck_assert_int_eq(find(1), -EBADMSG);
	free(bytes);
}
END_TEST

static void check_refused(const struct store_machine *machine, const char *what)
{
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(find_for(machine, 1), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.message, what));
	ck_assert_ptr_nonnull(strstr(err.message, "written by thaw 0.1.0"));
	ck_assert(!is_there(1, STORE_SUFFIX));
	ck_assert(is_there(1, STORE_BAD_SUFFIX));
}

START_TEST(a_file_of_another_machine_is_refused_and_says_who_wrote_it)
{
	struct store_machine machine = store_fixture_machine;

	machine.architecture = EM_AARCH64;
	check_refused(&machine, "architecture");
	machine = store_fixture_machine;
	machine.abi++;
	check_refused(&machine, "ABI");
	machine = store_fixture_machine;
	machine.page_size = 16384;
	check_refused(&machine, "pages of another size");
	machine = store_fixture_machine;
	machine.features[3] &= ~1u;
	check_refused(&machine, "CPU");
	machine = store_fixture_machine;
	machine.features[STORE_FEATURES - 1] &= ~(1u << 31);
	check_refused(&machine, "features that this one lacks");
}
END_TEST

START_TEST(a_file_of_a_cpu_with_less_is_used)
{
	struct store_machine machine = store_fixture_machine;

	ck_assert_int_eq(put(1), 0);
	for (size_t i = 0; i < STORE_FEATURES; i++)
		machine.features[i] |= 0x10000010;
	ck_assert_int_eq(find_for(&machine, 1), 0);
	/* and it stays */
	ck_assert_int_eq(find(1), 0);
}
END_TEST

START_TEST(a_file_of_another_format_is_refused_and_says_who_wrote_it)
{
	struct store_header header;
	size_t size;
	uint8_t *bytes;

	ck_assert_int_eq(put(1), 0);
	bytes = store_fixture_read(store_fixture_file(1, STORE_SUFFIX), &size);
	memcpy(&header, bytes, sizeof(header));
	header.format++;
	strcpy(header.version, "9.8.7");
	memcpy(bytes, &header, sizeof(header));
	store_fixture_write(store_fixture_file(1, STORE_SUFFIX), bytes, size);
	free(bytes);
	ck_assert_int_eq(find(1), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.message, "format"));
	ck_assert_ptr_nonnull(strstr(err.message, "written by thaw 9.8.7"));
}
END_TEST

/* Sums of such times are made without a look. */
START_TEST(a_file_that_was_frozen_too_late_is_refused)
{
	struct store_content content = store_fixture_content(1);

	content.frozen_ns = STORE_FROZEN_NS_MAX;
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &content,
				   &err),
			 0);
	ck_assert_int_eq(find(1), 0);
	ck_assert_int_eq(unlink(store_fixture_file(1, STORE_SUFFIX)), 0);
	content.frozen_ns++;
	ck_assert_int_eq(store_put(store, &store_fixture_machine, &content,
				   &err),
			 0);
	ck_assert_int_eq(find(1), -EBADMSG);
}
END_TEST

START_TEST(a_file_with_the_name_of_another_is_refused)
{
	char path[256];

	ck_assert_int_eq(put(1), 0);
	strcpy(path, store_fixture_file(2, STORE_SUFFIX));
	ck_assert_int_eq(rename(store_fixture_file(1, STORE_SUFFIX), path), 0);
	ck_assert_int_eq(find(2), -ESTALE);
}
END_TEST

START_TEST(what_others_may_have_written_is_not_read)
{
	char path[256];

	ck_assert_int_eq(put(1), 0);
	strcpy(path, store_fixture_file(1, STORE_SUFFIX));
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(find(1), -EPERM);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(find(1), -ELOOP);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(find(1), -EPERM);
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_refused)
{
	struct store *other;

	ck_assert_int_eq(chmod(store_fixture_path, 0770), 0);
	ck_assert_int_eq(store_open(store_fixture_path, STORE_SIZE_DEFAULT,
				    &err, &other),
			 -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, "chmod"));
}
END_TEST

static uint8_t vouched(const struct store_file *file)
{
	char name[STORE_NAME_MAX];

	store_name(file->header.key, STORE_VOUCH_SUFFIX, name);
	return vouch_is_there(store_directory(store), name, file->fd,
			      file->header.hash);
}

START_TEST(a_file_is_vouched_for_until_anything_of_it_changes)
{
	const struct store_content content = store_fixture_content(1);
	struct store_file file;
	size_t size;
	uint8_t *bytes;

	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(store_find(store, &store_fixture_machine, content.key,
				    NULL, &err, &file),
			 0);
	ck_assert(vouched(&file));
	ck_assert_int_eq(fchmod(file.fd, 0400), 0);
	ck_assert(!vouched(&file));
	store_file_close(&file);
	ck_assert_int_eq(store_find(store, &store_fixture_machine, content.key,
				    NULL, &err, &file),
			 0);
	ck_assert(vouched(&file));
	/* what vouches for it is damaged: the memory is verified again */
	bytes = store_fixture_read(store_fixture_file(1, STORE_VOUCH_SUFFIX),
				   &size);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 1;
		store_fixture_write(store_fixture_file(1, STORE_VOUCH_SUFFIX),
				    bytes, size);
		ck_assert(!vouched(&file));
		bytes[i] ^= 1;
	}
	free(bytes);
	store_file_close(&file);
	ck_assert_int_eq(find(1), 0);
}
END_TEST

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

START_TEST(only_the_last_bad_files_are_kept)
{
	for (uint8_t key = 1; key <= STORE_BAD_MAX + 3; key++) {
		store_fixture_write(store_fixture_file(key, STORE_SUFFIX),
				    "bad", 3);
		ck_assert_int_eq(find(key), -EBADMSG);
		usleep(20000); /* times of files have the kernel's tick */
	}
	ck_assert_uint_eq(count_files(true), STORE_BAD_MAX);
	ck_assert(!is_there(3, STORE_BAD_SUFFIX));
	ck_assert(is_there(4, STORE_BAD_SUFFIX));
}
END_TEST

static uint64_t bytes_of_one(void)
{
	struct store_entry *entries;
	size_t count;
	uint64_t bytes;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	ck_assert_uint_ge(count, 1);
	bytes = entries[0].bytes;
	free(entries);
	return bytes;
}

static void open_with_room_for(uint64_t bytes)
{
	store_close(store);
	ck_assert_int_eq(store_open(store_fixture_path, bytes, &err, &store),
			 0);
}

START_TEST(the_one_used_least_recently_makes_room)
{
	ck_assert_int_eq(put(1), 0);
	open_with_room_for(3 * bytes_of_one());
	for (uint8_t key = 2; key <= 3; key++) {
		usleep(20000);
		ck_assert_int_eq(put(key), 0);
	}
	usleep(20000);
	ck_assert_int_eq(find(1), 0);
	ck_assert_int_eq(put(4), 0);
	ck_assert(is_there(1, STORE_SUFFIX));
	ck_assert(!is_there(2, STORE_SUFFIX));
	ck_assert(!is_there(2, STORE_VOUCH_SUFFIX));
	ck_assert(is_there(3, STORE_SUFFIX));
	ck_assert(is_there(4, STORE_SUFFIX));
	/* one that is there already takes no more room */
	ck_assert_int_eq(put(4), 0);
	ck_assert_uint_eq(count_files(false), 3);
}
END_TEST

/* Files are not counted at each write, but the limit holds. */
START_TEST(the_limit_holds_however_many_are_written)
{
	struct store_entry *entries;
	uint64_t most, total;
	size_t count;

	ck_assert_int_eq(put(0), 0);
	most = 20 * bytes_of_one() + 1000;
	open_with_room_for(most);
	for (unsigned key = 0; key < 60; key++) {
		ck_assert_int_eq(put((uint8_t)key), 0);
		ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
		total = 0;
		for (size_t i = 0; i < count; i++)
			total += entries[i].bytes;
		free(entries);
		ck_assert_uint_le(total, most);
	}
	ck_assert_uint_ge(count, 15);
}
END_TEST

START_TEST(a_file_in_use_is_never_removed)
{
	const struct store_content content = store_fixture_content(1);
	struct store_file file;
	char name[STORE_NAME_MAX];

	store_name(content.key, STORE_SUFFIX, name);
	ck_assert_int_eq(put(1), 0);
	open_with_room_for(bytes_of_one());
	ck_assert_int_eq(store_find(store, &store_fixture_machine, content.key,
				    NULL, &err, &file),
			 0);
	ck_assert_int_eq(put(2), -ENOSPC);
	ck_assert_int_eq(store_remove(store, name, &err), -EBUSY);
	ck_assert(is_there(1, STORE_SUFFIX));
	ck_assert(!is_there(2, STORE_SUFFIX));
	store_file_close(&file);
	ck_assert_int_eq(put(2), 0);
	ck_assert(!is_there(1, STORE_SUFFIX));
	open_with_room_for(bytes_of_one() - 1);
	ck_assert_int_eq(put(1), -EFBIG);
	ck_assert(is_there(2, STORE_SUFFIX));
}
END_TEST

START_TEST(what_vouches_for_a_file_outlives_one_that_was_moved_aside)
{
	char name[STORE_NAME_MAX];
	const uint8_t key[STORE_KEY_SIZE] = { 1 };

	store_name(key, STORE_BAD_SUFFIX, name);
	ck_assert_int_eq(put(1), 0);
	store_fixture_write(store_fixture_file(1, STORE_BAD_SUFFIX), "bad", 3);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	ck_assert(is_there(1, STORE_VOUCH_SUFFIX));
	store_name(key, STORE_SUFFIX, name);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	ck_assert(!is_there(1, STORE_VOUCH_SUFFIX));
}
END_TEST

START_TEST(a_name_that_is_no_snapshots_is_not_removed)
{
	ck_assert_int_eq(store_remove(store, "../etc", &err), -ENOENT);
	ck_assert_int_eq(store_remove(store, "tmp-0", &err), -ENOENT);
	ck_assert_int_eq(store_verify(store, "../etc", NULL, &err), -ENOENT);
}
END_TEST

START_TEST(verifying_looks_at_memory_that_is_vouched_for)
{
	char name[STORE_NAME_MAX];
	const uint8_t key[STORE_KEY_SIZE] = { 1 };

	store_name(key, STORE_SUFFIX, name);
	ck_assert_int_eq(store_verify(store, name, NULL, &err), -ENOENT);
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(store_verify(store, name, NULL, &err), 0);
	store_fixture_damage(store, 1);
	/* a start does not look */
	ck_assert_int_eq(find(1), 0);
	ck_assert_int_eq(store_verify(store, name, NULL, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.message, STORE_FIXTURE_DAMAGED_CHUNK));
	ck_assert(is_there(1, STORE_BAD_SUFFIX));
	ck_assert_int_eq(find(1), -ENOENT);
	/* and one that is truncated */
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(truncate(store_fixture_file(1, STORE_SUFFIX), 1000),
			 0);
	ck_assert_int_eq(store_verify(store, name, NULL, &err), -EBADMSG);
}
END_TEST

/* Root may write to a directory whatever its mode is. */
START_TEST(a_directory_that_is_read_only_is_read)
{
	const bool is_root = !geteuid();

	if (is_root) {
		ck_assert_int_eq(chown(store_fixture_path, 65534, 65534), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_assert_int_eq(put(1), 0);
	ck_assert_int_eq(chmod(store_fixture_path, 0500), 0);
	ck_assert_int_eq(put(2), -EACCES);
	ck_assert_int_eq(find(1), 0);
	ck_assert_int_eq(truncate(store_fixture_file(1, STORE_SUFFIX), 1000),
			 0);
	ck_assert_int_eq(find(1), -EBADMSG);
	ck_assert(is_there(1, STORE_SUFFIX));
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_directory_that_has_vanished_is_an_empty_one)
{
	ck_assert_int_eq(rmdir(store_fixture_path), 0);
	ck_assert_int_eq(find(1), -ENOENT);
	ck_assert_int_eq(put(1), -ENOENT);
	ck_assert_uint_gt(strlen(err.message), 0);
}
END_TEST

#define WRITERS 4

START_TEST(executors_that_write_the_same_snapshot_do_not_disturb_one_another)
{
	pid_t writers[WRITERS];
	int status;

	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		ck_assert_int_ge(writers[i], 0);
		if (writers[i])
			continue;
		for (unsigned j = 0; j < 20; j++) {
			int r;

			unlink(store_fixture_file(1, STORE_SUFFIX));
			if (put(1))
				_exit(1);
			r = find(1);
			if (r && r != -ENOENT)
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		ck_assert_int_eq(waitpid(writers[i], &status, 0), writers[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(find(1), 0);
	ck_assert_uint_eq(count_files(false), 1);
	ck_assert_uint_eq(count_files(true), 0);
}
END_TEST

#define GOLDEN "tests/unit/golden/format-3.thaw"

/* STORE_GOLDEN=FILE has it written: for a new format. */
START_TEST(a_file_of_this_format_is_still_read_and_still_written)
{
	const size_t created = offsetof(struct store_header, created_s);
	const size_t hash = offsetof(struct store_header, hash);
	const uint8_t key[STORE_KEY_SIZE] = { 1 };
	size_t size, now_size;
	uint8_t *golden, *now;

	ck_assert_int_eq(put(1), 0);
	now = store_fixture_read(store_fixture_file(1, STORE_SUFFIX),
				 &now_size);
	if (getenv("STORE_GOLDEN"))
		store_fixture_write(getenv("STORE_GOLDEN"), now, now_size);
	golden = store_fixture_read(GOLDEN, &size);
	ck_assert_uint_eq(size, now_size);
	store_fixture_write(store_fixture_file(1, STORE_SUFFIX), golden, size);
	ck_assert_int_eq(find(key[0]), 0);
	memcpy(golden + created, now + created, 8);
	memcpy(golden + hash, now + hash, STORE_HASH_SIZE);
	ck_assert_mem_eq(golden, now, size);
	free(golden);
	free(now);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("store");
	int failed;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, what_is_written_is_found);
	tcase_add_test(group, what_is_there_is_not_written_again);
	tcase_add_test(group, a_flipped_byte_is_noticed_wherever_it_is);
	tcase_add_test(group, a_byte_in_a_hole_is_noticed);
	tcase_add_test(group, a_truncated_file_is_refused_at_each_border);
	tcase_add_test(
		group,
		a_file_of_another_machine_is_refused_and_says_who_wrote_it);
	tcase_add_test(group, a_file_of_a_cpu_with_less_is_used);
	tcase_add_test(
		group,
		a_file_of_another_format_is_refused_and_says_who_wrote_it);
	tcase_add_test(group, a_file_that_was_frozen_too_late_is_refused);
	tcase_add_test(group, a_file_with_the_name_of_another_is_refused);
	tcase_add_test(group, what_others_may_have_written_is_not_read);
	tcase_add_test(group, a_directory_that_others_may_write_to_is_refused);
	tcase_add_test(group,
		       a_file_is_vouched_for_until_anything_of_it_changes);
	tcase_add_test(group, only_the_last_bad_files_are_kept);
	tcase_add_test(group, the_one_used_least_recently_makes_room);
	tcase_add_test(group, the_limit_holds_however_many_are_written);
	tcase_add_test(group, a_file_in_use_is_never_removed);
	tcase_add_test(
		group,
		what_vouches_for_a_file_outlives_one_that_was_moved_aside);
	tcase_add_test(group, a_name_that_is_no_snapshots_is_not_removed);
	tcase_add_test(group, verifying_looks_at_memory_that_is_vouched_for);
	tcase_add_test(group, a_directory_that_is_read_only_is_read);
	tcase_add_test(group, a_directory_that_has_vanished_is_an_empty_one);
	tcase_add_test(
		group,
		executors_that_write_the_same_snapshot_do_not_disturb_one_another);
	tcase_add_test(group,
		       a_file_of_this_format_is_still_read_and_still_written);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
