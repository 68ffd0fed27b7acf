/*
 * test_linux_store.c - Linux programs from a state directory: what makes a file another
 * one, or stale; files that are whole, but not what thaw has written; and clocks. That
 * programs do the same from a file as after a boot, the tests *_stored say.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/function.h"
#include "executor/linux/state.h"
#include "guest/abi/thaw_linux.h"
#include "guest/abi/thaw_shim.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"
#include "vm/calls.h"

#define HOUR_NS (3600 * NS_PER_S)
#define MEMORY "\"memory\":\"8MiB\",\"max_request\":\"4KiB\""

static struct store *store;
static struct error err;

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

static struct thaw *open_program(const char *program, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"name\":\"p\",\"kind\":\"linux\",\"program\":\"%s\"%s%s,"
		 "\"concurrency\":{\"max\":2}}",
		 program, *more ? "," : "", more);
	return open_functions("bitmap", text);
}

#define FIXED "%s/linux_shim_fixed"

/* When the program of the file was frozen, in seconds. */
static long frozen_s;

/* That the program's clocks agree; it says the times, or else what is wrong. */
static void check_clocks(struct thaw *thaw)
{
	long real, monotonic;
	char command[33];
	const char *said;

	snprintf(command, sizeof(command), "%-31s\n", "clocks");
	said = call_once(thaw, "p", command);
	ck_assert_msg(sscanf(said, "%ld %ld", &real, &monotonic) == 2, "%s",
		      said);
	ck_assert_int_ge(monotonic, frozen_s);
}

/* Whether it is from the store; if not, *@ret_why says why, "": there was no file. */
static bool is_stored(const char *program, const char *more, char *ret_why,
		      size_t size)
{
	struct thaw *thaw = open_program(program, more);
	struct thaw_error error;
	const struct function *function;
	bool is;

	ck_assert_msg(!thaw_deploy(thaw, "p", &error), "%s", error.message);
	function = engine_find(thaw, "p");
	is = function->is_stored;
	if (ret_why)
		snprintf(ret_why, size, "%s", function->not_stored.message);
	for (int i = 0; i < 3; i++)
		check_clocks(thaw);
	thaw_close(thaw);
	return is;
}

static bool is_stored_now(const char *more)
{
	return is_stored(FIXED, more, NULL, 0);
}

static size_t count_kept(char *ret_path, size_t size)
{
	struct store_entry *entries;
	size_t count;

	ck_assert_int_eq(store_list(store, &err, &entries, &count), 0);
	if (ret_path && count)
		snprintf(ret_path, size, "%s/%s", store_fixture_path,
			 entries[0].name);
	free(entries);
	return count;
}

/* What a file has otherwise. */
struct change {
	uint64_t gpa;	    /* that byte of memory, + 1; 0: none */
	size_t state;	    /* the same of what the host knows */
	uint64_t frozen_ns; /* 0: as it is */
	uint8_t bits;	    /* of the byte */
};

/* Makes a file of @good, with the change, as whole as that is. */
static void write_changed(const uint8_t *good, size_t size, const char *path,
			  const struct change *change)
{
	const size_t head = sizeof(struct store_header);
	uint8_t *bytes = malloc(size), *page;
	struct store_header header;
	struct store_parts parts;

	memcpy(bytes, good, size);
	memcpy(&header, bytes, head);
	parts = store_parts_of(&header);
	if (change->frozen_ns)
		header.frozen_ns = change->frozen_ns;
	if (change->state)
		bytes[parts.ready + change->state - 1] ^= change->bits;
	if (change->gpa) {
		const uint64_t gpa = change->gpa - 1;
		const uint64_t number = gpa / THAW_PAGE_SIZE;

		bytes[parts.memory + gpa] ^= change->bits;
		bytes[parts.bitmap + number / 8] |= (uint8_t)(1 << number % 8);
		page = bytes + parts.memory + gpa / STORE_CHUNK * STORE_CHUNK;
		store_hash(page, STORE_CHUNK,
			   bytes + parts.hashes +
				   gpa / STORE_CHUNK * STORE_HASH_SIZE);
	}
	store_hash_parts(&header, bytes + head, header.hash);
	memcpy(bytes, &header, head);
	unlink(path);
	store_fixture_write(path, bytes, size);
	ck_assert_int_eq(chmod(path, 0600), 0);
	free(bytes);
}

START_TEST(what_shapes_the_start_makes_another_file)
{
	static const char *const others[] = {
		MEMORY,
		MEMORY ",\"argv\":[\"q\"]",
		MEMORY ",\"environment\":{\"A\":\"b\"}",
		MEMORY ",\"environment\":{\"A\":\"c\"}",
		MEMORY ",\"tmp\":\"1MiB\"",
		MEMORY ",\"files\":[\"/proc/version\"]",
		MEMORY ",\"writable_code\":true",
		MEMORY ",\"stack\":\"128KiB\"",
		MEMORY ",\"warm_input\":{\"text\":\"clocks\\n\"}",
		MEMORY ",\"warm_input\":{\"text\":\"clocks\\n\",\"count\":2}",
	};
	const size_t count = sizeof(others) / sizeof(*others);

	for (int is = 0; is < 2; is++)
		for (size_t i = 0; i < count; i++) {
			ck_assert_int_eq(is_stored_now(others[i]), is);
			ck_assert_uint_eq(count_kept(NULL, 0),
					  is ? count : i + 1);
		}
	/* what does not reach the program */
	ck_assert(is_stored_now(MEMORY ",\"timeout\":\"9s\""));
}
END_TEST

/* A copy of the program at @path, a little newer each time. */
static void copy_program(const char *path)
{
	size_t size;
	uint8_t *bytes =
		store_fixture_read(TEST_GUESTS "/linux_shim_fixed", &size);

	store_fixture_write(path, bytes, size);
	ck_assert_int_eq(chmod(path, 0700), 0);
	free(bytes);
}

START_TEST(a_file_of_the_host_that_has_changed_makes_it_boot)
{
	char path[128], why[ERROR_MESSAGE_MAX];

	snprintf(path, sizeof(path), "%s/program", store_fixture_path);
	copy_program(path);
	ck_assert(!is_stored(path, MEMORY, why, sizeof(why)));
	ck_assert_str_eq(why, "");
	ck_assert_msg(is_stored(path, MEMORY, why, sizeof(why)), "%s", why);
	copy_program(path);
	ck_assert(!is_stored(path, MEMORY, why, sizeof(why)));
	ck_assert_msg(strstr(why, path) && strstr(why, "is not what it was"),
		      "%s", why);
	/* and a new file was written in its place, none moved aside */
	ck_assert_uint_eq(count_kept(NULL, 0), 1);
	ck_assert_msg(is_stored(path, MEMORY, why, sizeof(why)), "%s", why);
}
END_TEST

/* The shim reads the clock without a call; both say the same. */
START_TEST(the_monotonic_clock_of_a_program_does_not_run_backwards)
{
	struct change change = { .gpa = 0 };
	char path[256];
	uint8_t *good;
	size_t size;

	ck_assert(!is_stored_now(MEMORY));
	ck_assert_uint_eq(count_kept(path, sizeof(path)), 1);
	good = store_fixture_read(path, &size);
	change.frozen_ns = clock_now_ns() + HOUR_NS;
	write_changed(good, size, path, &change);
	free(good);
	frozen_s = (long)(change.frozen_ns / NS_PER_S);
	ck_assert(is_stored_now(MEMORY));
}
END_TEST

#define STARTS 3
#define CALLS 4

/* Neither two vms of one file, nor two invocations of one vm. */
START_TEST(no_two_vms_of_a_file_draw_the_same)
{
	char drawn[STARTS * CALLS][33], command[33];
	size_t count = 0;

	ck_assert(!is_stored_now(MEMORY));
	snprintf(command, sizeof(command), "%-31s\n", "random");
	for (int start = 0; start < STARTS; start++) {
		struct thaw *thaw = open_program(FIXED, MEMORY);

		ck_assert_int_eq(thaw_deploy(thaw, "p", NULL), 0);
		ck_assert(engine_find(thaw, "p")->is_stored);
		for (int i = 0; i < CALLS; i++) {
			const char *said = call_once(thaw, "p", command);

			ck_assert_uint_eq(strlen(said), 32);
			for (size_t other = 0; other < count; other++)
				ck_assert_str_ne(said, drawn[other]);
			strcpy(drawn[count++], said);
		}
		thaw_close(thaw);
	}
}
END_TEST

static void check_refused(const uint8_t *good, size_t size, const char *path,
			  const struct change *change)
{
	char why[ERROR_MESSAGE_MAX];

	write_changed(good, size, path, change);
	ck_assert_msg(!is_stored(FIXED, MEMORY, why, sizeof(why)),
		      "gpa %#lx state %zu", change->gpa, change->state);
	ck_assert_ptr_nonnull(strstr(why, "written by thaw"));
}

/* A byte of the registers in @memory that makes them no program's: of the mode. */
static uint64_t mode_byte(const uint8_t *memory, uint8_t bits)
{
	struct thaw_frame frame;

	for (size_t at = 0; at < sizeof(frame); at++) {
		memcpy(&frame, memory + THAW_GPA_FRAME, sizeof(frame));
		ck_assert(vm_frame_is_users(&frame));
		((uint8_t *)&frame)[at] ^= bits;
		if (!vm_frame_is_users(&frame))
			return THAW_GPA_FRAME + at;
	}
	ck_abort_msg("registers may be anything");
	return 0;
}

START_TEST(a_file_with_other_pages_is_refused)
{
	static const uint64_t pages[] = {
		THAW_GPA_SYSTEM + 8, THAW_GPA_SUPERVISOR + 64,
		THAW_GPA_FAULT,	     THAW_GPA_STUB + 9,
		THAW_GPA_INFO + 8,   THAW_GPA_VDSO + 0x1010,
		THAW_GPA_SITES,	     THAW_GPA_SITES + THAW_SITES_SIZE - 1,
	};
	const struct layout *layout;
	struct thaw *thaw;
	struct layout_range tables, request;
	size_t memory;
	char path[256];
	uint8_t *good;
	size_t size;

	ck_assert(!is_stored_now(MEMORY));
	thaw = open_program(FIXED, MEMORY);
	ck_assert_int_eq(thaw_deploy(thaw, "p", NULL), 0);
	layout = snapshot_layout(engine_find(thaw, "p")->snapshot);
	tables = layout->tables;
	memory = layout->memory_size;
	request = layout->request;
	thaw_close(thaw);
	ck_assert_uint_eq(count_kept(path, sizeof(path)), 1);
	good = store_fixture_read(path, &size);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		check_refused(good, size, path,
			      &(struct change){ .gpa = pages[i] + 1,
						.bits = 0x04 | 0x20 });
	check_refused(good, size, path,
		      &(struct change){ .gpa = request.start + 1, .bits = 1 });
	check_refused(good, size, path,
		      &(struct change){
			      .gpa = mode_byte(good + size - memory, 0x22) + 1,
			      .bits = 0x22 });
	for (uint64_t at = 0; at < tables.size; at += 5 * THAW_PAGE_SIZE + 8)
		check_refused(good, size, path,
			      &(struct change){ .gpa = tables.start + at + 1,
						.bits = 2 });
	/* the state has other areas than the tables */
	check_refused(good, size, path,
		      &(struct change){ .state = 1, .bits = 1 });
	free(good);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("linux_store");
	TCase *tests = tcase_create("linux_store");

	tcase_set_timeout(tests, 240);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_shapes_the_start_makes_another_file);
	tcase_add_test(tests,
		       a_file_of_the_host_that_has_changed_makes_it_boot);
	tcase_add_test(tests,
		       the_monotonic_clock_of_a_program_does_not_run_backwards);
	tcase_add_test(tests, no_two_vms_of_a_file_draw_the_same);
	tcase_add_test(tests, a_file_with_other_pages_is_refused);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
