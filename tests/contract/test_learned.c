/*
 * test_learned.c - what a start from a file knows of earlier invocations: the pages that
 * they wrote are writable before the first one, and what they touched is read by the kernel.
 * A file that is no good costs time, and nothing else. The test counts pages and faults.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/function.h"
#include "executor/invoke_state.h"
#include "snapshot/hot_set.h"
#include "snapshot/store/advice.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"
#include "tests/unit/store_fixture.h"
#include "vm/vm.h"

/* Enough for a vm that is awaited: TOUCH_PAGES_MIN of start.c. */
#define PAGES 64
/* Invocations after which a snapshot has learned: LEARN_AFTER of restore.c. */
#define LEARN_AFTER 16
/* Pages that the host writes, or an invocation beside those it is asked for. */
#define FEW 12

static struct store *store;
static struct store_advice advice;
static struct error err;

/* Bytes that the kernel was asked to read. */
static off_t prefetched;

int __wrap_posix_fadvise(int fd, off_t offset, off_t size, int what);

int __wrap_posix_fadvise(int fd, off_t offset, off_t size, int what)
{
	(void)fd;
	ck_assert_int_eq(offset % STORE_CHUNK, 0);
	ck_assert_int_eq(what, POSIX_FADV_WILLNEED);
	prefetched += size;
	return 0;
}

static void set_up(void)
{
	store = store_fixture_open();
	state_dir = store_fixture_path;
}

static void tear_down(void)
{
	state_dir = NULL;
	store_fixture_close(store);
}

static struct thaw *open_pages(int loop)
{
	return open_steps(&(struct steps_options){
		.backend = backends[loop], .memory = "8MiB", .verify = true });
}

/* Opens the one snapshot that is kept; its key, and so its file's names, are known then. */
static struct store_file open_kept(void)
{
	struct store_file file;
	struct store_entry *entries;
	size_t count;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(store_file_open(store_directory(store),
					 entries[0].name, NULL, NULL, &err,
					 &file),
			 0);
	free(entries);
	return file;
}

/* What is known of it, in @advice: 0, or -errno. */
static int read_kept(void)
{
	struct store_file file = open_kept();
	int r = store_advice_read(store, &file, &err, &advice);

	store_file_close(&file);
	return r;
}

static void write_kept(void)
{
	struct store_file file = open_kept();

	ck_assert_int_eq(store_advice_write(store, &file, &advice, &err), 0);
	store_file_close(&file);
}

/* Boots the function, and invokes it so often. */
static void learn(int loop, int invocations)
{
	struct thaw *thaw = open_pages(loop);

	for (int i = 0; i < invocations; i++)
		change_pages(thaw, 0, PAGES);
	thaw_close(thaw);
}

static bool is_stored(struct thaw *thaw)
{
	struct thaw_error error;

	ck_assert_msg(!thaw_deploy(thaw, "steps", &error), "%s", error.message);
	return engine_find(thaw, "steps")->is_stored;
}

/* Pages that the first invocation of a start from the file writes first in its vm. */
static unsigned first_writes(int loop)
{
	struct thaw *thaw = open_pages(loop);
	struct thaw_reply reply;

	ck_assert(is_stored(thaw));
	reply = change_pages(thaw, 0, PAGES);
	thaw_close(thaw);
	return reply.dirty_pages;
}

static void forget(void)
{
	struct store_file file = open_kept();
	char name[STORE_NAME_MAX];

	store_name(file.header.key, STORE_ADVICE_SUFFIX, name);
	store_file_close(&file);
	ck_assert_int_eq(unlinkat(store_directory(store), name, 0), 0);
}

START_TEST(a_start_from_a_file_begins_with_the_hot_set)
{
	learn(_i, LEARN_AFTER + 4);
	ck_assert_uint_le(first_writes(_i), FEW);
	forget();
	ck_assert_uint_ge(first_writes(_i), host_pages(PAGES));
	/* what that one has written is known by now */
	ck_assert_uint_le(first_writes(_i), FEW);
}
END_TEST

START_TEST(one_invocation_is_enough_to_learn_from)
{
	learn(_i, 1);
	ck_assert_int_eq(read_kept(), 0);
	ck_assert_uint_eq(advice.invocations, 1);
	ck_assert_uint_ge(advice.hot_count, host_pages(PAGES));
	ck_assert_uint_le(first_writes(_i), FEW);
	/* until more is known */
	learn(_i, LEARN_AFTER + 1);
	ck_assert_int_eq(read_kept(), 0);
	ck_assert_uint_ge(advice.invocations, LEARN_AFTER);
}
END_TEST

START_TEST(without_an_invocation_nothing_is_learned)
{
	struct thaw *thaw = open_pages(_i);

	ck_assert(!is_stored(thaw));
	thaw_close(thaw);
	ck_assert_int_eq(read_kept(), -ENOENT);
}
END_TEST

/* It is written then, and not at the end, which a server may never see. */
START_TEST(what_is_learned_is_written_at_once)
{
	struct thaw *thaw = open_pages(_i);

	for (int i = 0; i < LEARN_AFTER; i++)
		change_pages(thaw, 0, PAGES);
	while (!store_fixture_count(store) || read_kept())
		usleep(1000);
	ck_assert_uint_eq(advice.invocations, LEARN_AFTER);
	forget();
	/* once */
	for (int i = 0; i < 2 * LEARN_AFTER; i++)
		change_pages(thaw, 0, PAGES);
	thaw_close(thaw);
	ck_assert_int_eq(read_kept(), -ENOENT);
}
END_TEST

static bool names_chunk(uint32_t chunk)
{
	for (uint32_t i = 0; i < advice.working_count; i++)
		if (advice.working[i] == chunk)
			return true;
	return false;
}

/* The stub and the image, but not what no invocation comes to. */
START_TEST(the_working_set_is_what_invocations_touch)
{
	struct store_file file;
	uint32_t chunks = 0;

	learn(_i, LEARN_AFTER);
	ck_assert_int_eq(read_kept(), 0);
	ck_assert(names_chunk(THAW_GPA_STUB / STORE_CHUNK));
	ck_assert(names_chunk(THAW_GPA_IMAGE / STORE_CHUNK));
	file = open_kept();
	for (uint64_t i = 0; i < file.header.memory_size / STORE_CHUNK; i++)
		chunks +=
			!store_is_zero(file.bitmap + i * STORE_CHUNK_PAGES / 8,
				       STORE_CHUNK_PAGES / 8);
	store_file_close(&file);
	ck_assert_uint_le(advice.working_count, chunks);
	/* a start has the kernel read it */
	ck_assert_int_eq(prefetched, 0);
	first_writes(_i);
	ck_assert_int_eq(prefetched, (off_t)advice.working_count * STORE_CHUNK);
}
END_TEST

/* The function starts, says why it knows nothing, answers, and learns anew. */
static void check_ignored(int loop, const char *what)
{
	const unsigned lines = logged.lines;
	struct thaw *thaw = open_pages(loop);
	struct thaw_reply reply;

	ck_assert(is_stored(thaw));
	ck_assert_uint_eq(logged.lines, lines + 1);
	ck_assert_int_eq(logged.level, THAW_LOG_WARN);
	ck_assert_msg(strstr(logged.text, what) != NULL, "%s", logged.text);
	reply = change_pages(thaw, 0, PAGES);
	ck_assert_uint_ge(reply.dirty_pages, host_pages(PAGES));
	thaw_close(thaw);
	ck_assert_uint_le(first_writes(loop), FEW);
}

START_TEST(pages_that_the_guest_cannot_write_are_not_written)
{
	static const uint64_t pages[] = {
		0,
		THAW_GPA_SYSTEM,
		THAW_GPA_FAULT,
		THAW_GPA_STUB,
		THAW_GPA_INFO,
		THAW_GPA_ENVIRONMENT,
		THAW_GPA_IMAGE,
		(8u << 20) - THAW_PAGE_SIZE, /* page tables */
	};

	learn(_i, LEARN_AFTER);
	if (sysconf(_SC_PAGESIZE) != THAW_PAGE_SIZE)
		return; /* larger ones have something to write as well */
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		memset(&advice, 0, sizeof(advice));
		advice.invocations = 1000;
		advice.hot_count = 1;
		advice.hot[0] = (uint32_t)(pages[i] / THAW_PAGE_SIZE);
		write_kept();
		check_ignored(_i, "cannot write");
	}
}
END_TEST

START_TEST(what_is_damaged_is_ignored)
{
	struct store_file file;
	char path[256];
	size_t size;
	uint8_t *bytes;

	learn(_i, LEARN_AFTER);
	file = open_kept();
	snprintf(path, sizeof(path), "%s/", store_fixture_path);
	store_name(file.header.key, STORE_ADVICE_SUFFIX, path + strlen(path));
	store_file_close(&file);
	bytes = store_fixture_read(path, &size);
	bytes[size - 1] ^= 1;
	store_fixture_write(path, bytes, size);
	check_ignored(_i, "corrupt");
	store_fixture_write(path, bytes, 50);
	check_ignored(_i, "truncated");
	free(bytes);
}
END_TEST

/* All pages that it may name, none of which is of use. Restores are compared. */
START_TEST(a_wrong_set_costs_only_time)
{
	struct thaw *thaw;
	struct thaw_reply reply;

	learn(_i, LEARN_AFTER);
	memset(&advice, 0, sizeof(advice));
	advice.invocations = 1;
	for (uint32_t page = 512; page < 512 + STORE_HOT_MAX / 2; page++)
		advice.hot[advice.hot_count++] = page;
	write_kept();
	thaw = open_pages(_i);
	ck_assert(is_stored(thaw));
	for (int i = 0; i < 200; i++)
		reply = change_pages(thaw, 0, PAGES);
	/* and not for long */
	ck_assert_uint_le(reply.hot_pages, host_pages(PAGES) + FEW);
	thaw_close(thaw);
	ck_assert_int_eq(read_kept(), 0);
	ck_assert_uint_ge(advice.invocations, LEARN_AFTER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("learned");
	TCase *group = tcase_create("learned");
	const int n = backend_count_all();

	tcase_set_timeout(group, 120);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, a_start_from_a_file_begins_with_the_hot_set,
			    0, n);
	tcase_add_loop_test(group, one_invocation_is_enough_to_learn_from, 0,
			    n);
	tcase_add_loop_test(group, without_an_invocation_nothing_is_learned, 0,
			    n);
	tcase_add_loop_test(group, what_is_learned_is_written_at_once, 0, n);
	tcase_add_loop_test(group, the_working_set_is_what_invocations_touch, 0,
			    n);
	tcase_add_loop_test(group,
			    pages_that_the_guest_cannot_write_are_not_written,
			    0, n);
	tcase_add_loop_test(group, what_is_damaged_is_ignored, 0, n);
	tcase_add_loop_test(group, a_wrong_set_costs_only_time, 0, n);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
