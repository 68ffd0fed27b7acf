/*
 * test_state.c - functions whose snapshots are kept in a state directory: they answer as
 * those that were booted, and whatever happens to the directory, they answer.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/function.h"
#include "executor/image_cache.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"

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

/* The names of the snapshots that are kept; on the heap. */
static struct store_entry *list(size_t *ret_count)
{
	struct store_entry *entries;

	ck_assert_int_eq(store_list(store, &err, &entries, ret_count), 0);
	return entries;
}

static const struct function *deploy(struct thaw *thaw, const char *name)
{
	struct thaw_error error;

	ck_assert_msg(!thaw_deploy(thaw, name, &error), "%s", error.message);
	return engine_find(thaw, name);
}

/* Whether the function is from the store; it answers in any case. */
static bool is_stored(const char *backend, const char *guest, const char *more,
		      const char *answer)
{
	struct thaw *thaw = open_guest(backend, guest, more);
	const struct function *function = deploy(thaw, guest);
	const bool is = function->is_stored;

	ck_assert_msg(!*function->not_stored.message, "%s",
		      function->not_stored.message);
	if (answer)
		for (int i = 0; i < 3; i++)
			ck_assert_str_eq(call_once(thaw, guest, "good"),
					 answer);
	/* has what is to be written be written */
	thaw_close(thaw);
	return is;
}

START_TEST(a_function_from_the_store_answers_as_one_that_was_booted)
{
	const char *backend = backends[_i];

	ck_assert(!is_stored(backend, "hostile", "", "pristine"));
	ck_assert_uint_eq(store_fixture_count(store), 1);
	for (int i = 0; i < 3; i++)
		ck_assert(is_stored(backend, "hostile", "", "pristine"));
	ck_assert_uint_eq(store_fixture_count(store), 1);
}
END_TEST

/* Hostile requests and faults: each vm equals the snapshot again, or the library aborts. */
START_TEST(vms_of_a_file_are_restored)
{
	const char *backend = backends[_i];
	struct thaw *thaw;
	struct thaw_reply reply;

	ck_assert(!is_stored(backend, "edges", "\"entry\":\"measure\"", NULL));
	thaw = open_guest(backend, "edges",
			  "\"entry\":\"measure\",\"concurrency\":{\"max\":3}");
	ck_assert(deploy(thaw, "edges")->is_stored);
	for (int i = 0; i < 50; i++) {
		call(thaw, "edges", "some text", 0, &reply);
		ck_assert_int_eq(reply.result, THAW_OK);
		thaw_reply_release(&reply);
	}
	thaw_close(thaw);
}
END_TEST

#define VMS 4
#define EACH 5
#define KINDS 5 /* of randomness, that the guest replies with */

/* Each engine is another process, as far as a file is concerned. */
START_TEST(no_two_vms_of_one_file_share_a_random_stream)
{
	static uint64_t seen[VMS * EACH][KINDS];
	const char *more = "\"entry\":\"randoms\"";

	ck_assert(!is_stored(backends[_i], "clones", more, NULL));
	for (int vm = 0; vm < VMS; vm++) {
		struct thaw *thaw = open_guest(backends[_i], "clones", more);

		ck_assert(deploy(thaw, "clones")->is_stored);
		for (int i = 0; i < EACH; i++) {
			const char *end = call_once(thaw, "clones", "");

			for (int k = 0; k < KINDS; k++)
				seen[vm * EACH + i][k] =
					strtoull(end, (char **)&end, 10);
		}
		thaw_close(thaw);
	}
	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < VMS * EACH; i++)
			for (int k = 0; k < i; k++)
				ck_assert_msg(seen[i][kind] != seen[k][kind],
					      "kind %d: %" PRIu64, kind,
					      seen[i][kind]);
}
END_TEST

#define BASE "\"entry\":\"measure\""

START_TEST(a_thaw_that_is_closed_keeps_no_image)
{
	const size_t before = image_cache_reads();

	for (int i = 0; i < 3; i++)
		is_stored("bitmap", "edges", BASE, NULL);
	ck_assert_uint_eq(image_cache_reads() - before, 3);
}
END_TEST

START_TEST(what_shapes_the_guest_has_a_snapshot_of_its_own)
{
	static const char *const changes[] = {
		BASE ",\"memory\":\"5MiB\"",
		BASE ",\"stack\":\"128KiB\"",
		BASE ",\"max_request\":\"8KiB\"",
		BASE ",\"max_reply\":\"8KiB\"",
		BASE ",\"environment\":{\"A\":\"b\"}",
		BASE ",\"environment\":{\"A\":\"c\"}",
		BASE ",\"environment\":{\"Ab\":\"\"}",
		BASE ",\"host\":{\"allow\":[\"time\"]}",
		BASE ",\"host\":{\"allow\":[\"time\"],\"max_size\":\"8KiB\"}",
		BASE ",\"host\":{\"allow\":[\"print\"]}",
		BASE ",\"dispatch\":\"polled\"",
		BASE ",\"dispatch\":\"polled\",\"isolation\":\"cooperative\"",
	};
	const size_t count = sizeof(changes) / sizeof(*changes);

	ck_assert(!is_stored("bitmap", "edges", BASE, NULL));
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(!is_stored("bitmap", "edges", changes[i], NULL),
			      "%s", changes[i]);
		ck_assert_uint_eq(store_fixture_count(store), i + 2);
	}
	for (size_t i = 0; i < count; i++)
		ck_assert(is_stored("bitmap", "edges", changes[i], NULL));
	ck_assert(is_stored("bitmap", "edges", BASE, NULL));
	ck_assert_uint_eq(store_fixture_count(store), count + 1);
}
END_TEST

START_TEST(what_does_not_shape_the_guest_has_the_same_snapshot)
{
	static const char *const changes[] = {
		"\"entry\":\"where\"",
		BASE ",\"timeout\":\"2s\"",
		BASE ",\"init_timeout\":\"2s\"",
		BASE ",\"concurrency\":{\"max\":2,\"warm\":1}",
		BASE ",\"description\":\"another\"",
		BASE ",\"log_level\":\"debug\"",
		BASE ",\"labels\":{\"a\":\"b\"}",
	};

	ck_assert(!is_stored("bitmap", "edges", BASE, NULL));
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		ck_assert_msg(is_stored("bitmap", "edges", changes[i], NULL),
			      "%s", changes[i]);
	ck_assert_uint_eq(store_fixture_count(store), 1);
}
END_TEST

/* Has the file say that its guest was frozen at @frozen_ns. */
static void freeze_at(uint64_t frozen_ns)
{
	const size_t size = sizeof(struct store_header);
	struct store_header header;
	struct store_entry *entries;
	char path[256];
	uint8_t *bytes;
	size_t count;
	int fd;

	entries = list(&count);
	ck_assert_uint_eq(count, 1);
	snprintf(path, sizeof(path), "%s/%s", store_fixture_path,
		 entries[0].name);
	free(entries);
	bytes = store_fixture_read(path, &count);
	memcpy(&header, bytes, size);
	/* by the clock of this machine, and just now */
	ck_assert_uint_lt(clock_now_ns() - header.frozen_ns, 60 * NS_PER_S);
	header.frozen_ns = frozen_ns;
	store_hash_parts(&header, bytes + size, header.hash);
	free(bytes);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, &header, size, 0), (ssize_t)size);
	close(fd);
}

#define HOUR_NS (3600 * NS_PER_S)
#define TOLERANCE_NS (NS_PER_S / 1000)

/*
 * What the guest, frozen at @frozen_ns, says of its clocks, and the deadline that it is
 * told. Its clock is set between two moments.
 */
static void check_times(uint64_t frozen_ns)
{
	const uint64_t first_ns = clock_now_ns();
	struct thaw *thaw =
		open_guest("bitmap", "clones",
			   "\"entry\":\"times\",\"timeout\":\"10s\"");
	uint64_t real_ns, last_ns, least, most, times[3];
	const char *end;

	ck_assert(deploy(thaw, "clones")->is_stored);
	last_ns = clock_now_ns();
	most = frozen_ns > first_ns ? frozen_ns - first_ns : 0;
	least = frozen_ns > last_ns ? frozen_ns - last_ns : 0;
	real_ns = clock_read_ns(CLOCK_REALTIME);
	least += clock_now_ns();
	end = call_once(thaw, "clones", "");
	most += clock_now_ns();
	for (int i = 0; i < 3; i++)
		times[i] = strtoull(end, (char **)&end, 10);
	ck_assert_uint_lt(times[0] + TOLERANCE_NS - real_ns, 60 * NS_PER_S);
	ck_assert_uint_ge(times[1] + TOLERANCE_NS, least);
	ck_assert_uint_le(times[1], most + TOLERANCE_NS);
	ck_assert_uint_ge(times[1], frozen_ns);
	ck_assert_uint_ge(times[2], least + 10 * NS_PER_S);
	ck_assert_uint_le(times[2], most + 10 * NS_PER_S);
	thaw_close(thaw);
}

/* As if this machine had been started later than the one that has written the file. */
START_TEST(the_monotonic_clock_of_a_guest_does_not_run_backwards)
{
	const uint64_t now_ns = clock_now_ns();

	ck_assert(!is_stored("bitmap", "clones", "\"entry\":\"times\"", NULL));
	check_times(now_ns);
	freeze_at(now_ns + HOUR_NS);
	check_times(now_ns + HOUR_NS);
}
END_TEST

/* The last byte of each segment, in the file, as an offset; returns how many. */
static unsigned segment_ends(const uint8_t *bytes, size_t ends[static 16])
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned count = 0;

	memcpy(&header, bytes, sizeof(header));
	for (unsigned i = 0; i < header.e_phnum && count < 16; i++) {
		memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_filesz)
			ends[count++] = segment.p_offset + segment.p_filesz - 1;
	}
	return count;
}

/*
 * What the guest has of the image counts: the bytes of each segment, but neither the image's
 * path nor what else is in the file.
 */
START_TEST(another_image_has_another_snapshot)
{
	char path[128], functions[512];
	size_t size, ends[16];
	uint8_t *bytes = store_fixture_read(TEST_GUESTS "/edges.elf", &size);
	const unsigned segments = segment_ends(bytes, ends);

	ck_assert_uint_ge(segments, 3);
	snprintf(path, sizeof(path), "%s/image.elf", store_fixture_path);
	snprintf(functions, sizeof(functions),
		 "{\"name\":\"f\",\"image\":\"%s\",\"entry\":"
		 "\"measure\",\"memory\":\"4MiB\",\"max_request\":\"4KiB\","
		 "\"max_reply\":\"4KiB\"}",
		 path);
	/* a byte behind an ELF file's sections means nothing */
	bytes[size] = 'x';
	for (unsigned i = 0; i <= segments + 1; i++) {
		const bool is_other = i > 1;
		struct thaw *thaw;

		if (is_other)
			bytes[ends[i - 2]] ^= 1;
		store_fixture_write(path, bytes, size + (i == 1));
		thaw = open_functions("bitmap", functions);
		ck_assert_int_eq(deploy(thaw, "f")->is_stored, i == 1);
		thaw_close(thaw);
		if (is_other)
			bytes[ends[i - 2]] ^= 1;
	}
	free(bytes);
	ck_assert_uint_eq(store_fixture_count(store), 1 + segments);
}
END_TEST

/* Deploys the function, which was booted: the message has @what. It is written again. */
static void check_booted(const char *what)
{
	struct thaw *thaw = open_guest("bitmap", "edges", BASE);
	const struct function *function = deploy(thaw, "edges");

	ck_assert(!function->is_stored);
	ck_assert_msg(strstr(function->not_stored.message, what) != NULL,
		      "\"%s\" has no \"%s\"", function->not_stored.message,
		      what);
	call_once(thaw, "edges", "");
	thaw_close(thaw);
}

START_TEST(a_file_that_is_no_good_is_booted_again_and_says_so)
{
	struct store_entry *entries;
	char path[256];
	size_t count;
	int fd;

	ck_assert(!is_stored("bitmap", "edges", BASE, NULL));
	entries = list(&count);
	snprintf(path, sizeof(path), "%s/%s", store_fixture_path,
		 entries[0].name);
	free(entries);
	ck_assert_int_eq(truncate(path, 100000), 0);
	check_booted("truncated");
	ck_assert(is_stored("bitmap", "edges", BASE, NULL));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "x", 1, 300000), 1);
	close(fd);
	check_booted("written by thaw");
	ck_assert(is_stored("bitmap", "edges", BASE, NULL));
}
END_TEST

START_TEST(without_a_directory_functions_are_booted_and_say_so)
{
	ck_assert_int_eq(chmod(store_fixture_path, 0777), 0);
	check_booted("chmod");
	ck_assert_int_eq(chmod(store_fixture_path, 0700), 0);
	state_dir = "/nonexistent/directory";
	check_booted("/nonexistent/directory");
	state_dir = "/dev/null";
	check_booted("/dev/null");
}
END_TEST

/* Gone while the engine has it open. */
START_TEST(a_directory_that_vanishes_is_said_once_it_is_written_to)
{
	struct thaw *thaw = open_guest("bitmap", "edges", BASE);

	ck_assert_int_eq(rmdir(store_fixture_path), 0);
	logged.lines = 0;
	deploy(thaw, "edges");
	ck_assert(call_once(thaw, "edges", "") != NULL);
	thaw_close(thaw);
	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_int_eq(logged.level, THAW_LOG_WARN);
	ck_assert_ptr_nonnull(strstr(logged.text, "not in the store"));
}
END_TEST

/* By the interface for programs, whose structs have no more room than this takes. */
static struct thaw *open_as_a_program(const char *directory)
{
	static const char text[] =
		"{\"functions\":[{\"name\":\"f\",\"image\":\"" TEST_GUESTS
		"/edges.elf\",\"entry\":\"measure\"}]}";
	const struct thaw_options options = { .log = take_line,
					      .state_dir = directory,
					      .state_max = 64u << 20 };
	struct thaw_error error;
	struct thaw *thaw;

	ck_assert_msg(!thaw_open_text(text, strlen(text), "test.json", &options,
				      &error, &thaw),
		      "%s", error.message);
	return thaw;
}

START_TEST(a_program_keeps_snapshots_as_well)
{
	for (int i = 0; i < 3; i++) {
		struct thaw *thaw =
			open_as_a_program(i < 2 ? store_fixture_path : NULL);

		ck_assert_int_eq(deploy(thaw, "f")->is_stored, i == 1);
		thaw_close(thaw);
	}
	ck_assert_uint_eq(store_fixture_count(store), 1);
	ck_assert_uint_eq(logged.lines, 0);
}
END_TEST

START_TEST(a_program_is_told_that_its_directory_is_of_no_use)
{
	struct thaw *thaw = open_as_a_program("/dev/null/state");

	ck_assert_uint_eq(logged.lines, 1);
	ck_assert_int_eq(logged.level, THAW_LOG_WARN);
	ck_assert_ptr_nonnull(strstr(logged.text, "/dev/null/state"));
	ck_assert(!deploy(thaw, "f")->is_stored);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *group = tcase_create("state");
	const int n = backend_count_all();

	tcase_set_timeout(group, 120);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(
		group, a_function_from_the_store_answers_as_one_that_was_booted,
		0, n);
	tcase_add_loop_test(group, vms_of_a_file_are_restored, 0, n);
	tcase_add_loop_test(group, no_two_vms_of_one_file_share_a_random_stream,
			    0, n);
	tcase_add_test(group, what_shapes_the_guest_has_a_snapshot_of_its_own);
	tcase_add_test(group,
		       what_does_not_shape_the_guest_has_the_same_snapshot);
	tcase_add_test(group,
		       the_monotonic_clock_of_a_guest_does_not_run_backwards);
	tcase_add_test(group, a_thaw_that_is_closed_keeps_no_image);
	tcase_add_test(group, another_image_has_another_snapshot);
	tcase_add_test(group,
		       a_file_that_is_no_good_is_booted_again_and_says_so);
	tcase_add_test(group,
		       without_a_directory_functions_are_booted_and_say_so);
	tcase_add_test(group,
		       a_directory_that_vanishes_is_said_once_it_is_written_to);
	tcase_add_test(group, a_program_keeps_snapshots_as_well);
	tcase_add_test(group,
		       a_program_is_told_that_its_directory_is_of_no_use);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
