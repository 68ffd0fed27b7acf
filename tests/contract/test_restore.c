/*
 * test_restore.c - after a restore, memory equals the snapshot, whichever pages the
 * guest and the host have written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/info.h"
#include "snapshot/restore.h"
#include "snapshot/snapshot.h"
#include "snapshot/start.h"
#include "snapshot/tracker.h"
#include "tests/contract/support/guests.h"
#include "vm/image/open.h"
#include "vm/run.h"

/* More pages than a hot set keeps; see snapshot/restore.c. */
#define MANY 600

/* Those that this machine has: see find_trackers(). */
static enum dirty_backend trackers[3] = { DIRTY_BITMAP };

static struct image *image;
static struct snapshot *snapshot;
static struct vm *vm;
static unsigned seed;

static void start(enum dirty_backend tracker)
{
	const struct snapshot_options options = {
		.layout = { .memory_size = 8 << 20,
			    .stack_size = 64 << 10,
			    .request_size = 16 << 10,
			    .reply_size = 4 << 10 },
		.init_timeout_ns = 60 * NS_PER_S,
		.dirty = tracker,
	};
	struct error err;

	seed = (unsigned)clock_now_ns();
	ck_assert_msg(!image_open(TEST_GUESTS "/pages.elf", &err, &image), "%s",
		      err.message);
	ck_assert_msg(!snapshot_create(image, &options, &err, &snapshot), "%s",
		      err.message);
	ck_assert_msg(!snapshot_start(snapshot, false, &err, &vm), "%s",
		      err.message);
}

static void stop(void)
{
	vm_free(vm);
	snapshot_free(snapshot);
	image_close(image);
}

static uint32_t pages_handler(void)
{
	for (size_t i = 0; i < snapshot_handler_count(snapshot); i++)
		if (!strcmp(snapshot_handler_name(snapshot, i), "pages"))
			return (uint32_t)i;
	ck_abort_msg("pages.elf has no handler pages");
	return 0;
}

static uint32_t random_offset(void)
{
	return (uint32_t)rand_r(&seed) %
	       (uint32_t)snapshot_layout(snapshot)->heap.size;
}

/* One run, in which the guest increments the bytes at @offsets on its heap. */
static void write_bytes(const uint32_t *offsets, size_t count)
{
	const size_t first = offsetof(struct thaw_info, counter_base);
	const struct layout *layout = snapshot_layout(snapshot);
	struct thaw_info info = {
		.request.handler = pages_handler(),
		.request.size = count * sizeof(*offsets),
	};
	const struct vm_moment now = vm_now();
	struct vm_exit exit;

	ck_assert_int_eq(info_refresh(&info, vm, &now, 0), 0);
	ck_assert_int_eq(vm_write(vm, THAW_GPA_INFO + first,
				  (char *)&info + first, sizeof(info) - first),
			 0);
	ck_assert_int_eq(vm_write(vm, layout->request.start, offsets,
				  count * sizeof(*offsets)),
			 0);
	ck_assert_int_eq(vm_run(vm, UINT64_MAX, &exit), 0);
	ck_assert_int_eq(exit.kind, VM_EXIT_DOORBELL);
	ck_assert_uint_eq(exit.bell, THAW_BELL_DONE);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_ne(vm_memory(
					  vm)[layout->heap.start + offsets[i]],
				  0);
}

static void restore(bool clean)
{
	uint64_t gpa = 0;

	ck_assert_int_eq(snapshot_restore(snapshot, vm, clean, NULL), 0);
	ck_assert_msg(snapshot_matches(snapshot, vm, &gpa), "%#llx, seed %u",
		      (unsigned long long)gpa, seed);
}

START_TEST(random_pages_are_restored)
{
	uint32_t offsets[100];

	start(trackers[_i]);
	for (int round = 0; round < 200; round++) {
		size_t count = (size_t)rand_r(&seed) % 100;

		for (size_t i = 0; i < count; i++)
			offsets[i] = random_offset();
		write_bytes(offsets, count);
		restore(round % 3);
	}
	stop();
}
END_TEST

/* Many pages, which stay hot for a while, then few. */
START_TEST(many_pages_then_few_are_restored)
{
	const size_t many =
		MANY * THAW_PAGE_SIZE / (size_t)sysconf(_SC_PAGESIZE);
	uint32_t offsets[MANY];

	start(trackers[_i]);
	for (uint32_t i = 0; i < MANY; i++)
		offsets[i] = i * THAW_PAGE_SIZE;
	for (int round = 0; round < 10; round++) {
		write_bytes(offsets, MANY);
		restore(true);
		ck_assert_uint_ge(vm_dirty(vm)->count, many);
		for (size_t count = 1; count < 30; count += 7) {
			write_bytes(offsets + 10 * round, count);
			restore(true);
			ck_assert_uint_gt(vm_dirty(vm)->count, 0);
		}
	}
	stop();
}
END_TEST

START_TEST(pages_once_written_stay_hot_and_are_still_restored)
{
	uint32_t offset[2];
	size_t count;

	start(trackers[_i]);
	offset[0] = random_offset();
	offset[1] = offset[0];
	write_bytes(offset, 2);
	restore(true);
	count = vm_dirty(vm)->count;
	for (int round = 0; round < 20; round++) {
		write_bytes(offset, (size_t)round % 3);
		restore(true);
		ck_assert_uint_eq(vm_dirty(vm)->count, count);
	}
	stop();
}
END_TEST

/* How many pages of the vm are its own, not the snapshot's. */
static size_t own_pages(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t count = 0;
	uint64_t entry;

	ck_assert_int_ge(fd, 0);
	for (size_t at = 0; at < snapshot_layout(snapshot)->memory_size;
	     at += size) {
		const uintptr_t address = (uintptr_t)vm_memory(vm) + at;

		ck_assert_int_eq(pread(fd, &entry, sizeof(entry),
				       (off_t)(address / size * sizeof(entry))),
				 sizeof(entry));
		/* mapped here alone, which the page of zeros is not; and of no file */
		count += entry >> 56 & 1 && !(entry >> 61 & 1);
	}
	close(fd);
	return count;
}

START_TEST(a_vm_that_has_shrunk_has_no_pages_and_goes_on)
{
	const size_t unit = (size_t)sysconf(_SC_PAGESIZE);
	const size_t many = MANY * THAW_PAGE_SIZE / unit;
	uint32_t offsets[MANY];
	const struct layout *layout;
	uint64_t gpa = 0;
	size_t before;

	start(trackers[_i]);
	layout = snapshot_layout(snapshot);
	before = own_pages();
	for (uint32_t i = 0; i < MANY; i++)
		offsets[i] = i * THAW_PAGE_SIZE;
	for (int round = 0; round < 20; round++) {
		write_bytes(offsets, MANY);
		restore(true);
	}
	for (int round = 0; round < 3; round++) {
		/* what the host has written, and what is given back to it unasked */
		ck_assert_int_eq(vm_write(vm, layout->request.start, offsets,
					  sizeof(offsets)),
				 0);
		restore(true);
		snapshot_refill(snapshot, vm);
		ck_assert_uint_ge(own_pages(), many);
		ck_assert_int_eq(snapshot_shrink(snapshot, vm), 0);
		ck_assert_uint_le(own_pages(), before + 16);
		write_bytes(offsets, MANY);
		restore(true);
		ck_assert_uint_ge(own_pages(), many);
		ck_assert_int_eq(snapshot_shrink(snapshot, vm), 0);
		ck_assert(snapshot_matches(snapshot, vm, &gpa));
		/* perhaps a page of tables, which are not tracked */
		ck_assert_uint_le(own_pages(), before + 16);
		ck_assert_uint_eq(vm_dirty(vm)->count, 0);
		/* what it writes now is told */
		write_bytes(offsets + round, 20);
		ck_assert(!snapshot_matches(snapshot, vm, &gpa));
		restore(round % 2);
	}
	stop();
}
END_TEST

START_TEST(the_edges_of_the_heap_are_restored)
{
	uint32_t offsets[2];

	start(trackers[_i]);
	offsets[0] = 0;
	offsets[1] = (uint32_t)snapshot_layout(snapshot)->heap.size - 1;
	write_bytes(offsets, 2);
	restore(true);
	stop();
}
END_TEST

START_TEST(what_the_host_writes_is_restored)
{
	const uint64_t size = snapshot_layout(snapshot)->memory_size;
	const uint64_t places[] = { 0, THAW_PAGE_SIZE - 3, THAW_GPA_INFO,
				    size - 8 };
	const uint8_t bytes[8] = "written";

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		ck_assert_int_eq(vm_write(vm, places[i], bytes, 8), 0);
		ck_assert_mem_eq(vm_memory(vm) + places[i], bytes, 8);
		restore(i % 2);
	}
	/* all of it, and what is outside */
	for (uint64_t at = 0; at < size; at += THAW_PAGE_SIZE)
		ck_assert_int_eq(vm_write(vm, at, bytes, 8), 0);
	restore(false);
	ck_assert_int_lt(vm_write(vm, size - 7, bytes, 8), 0);
	ck_assert_int_lt(vm_write(vm, UINT64_MAX, bytes, 8), 0);
	ck_assert_int_eq(vm_write(vm, size, bytes, 0), 0);
	restore(false);
}
END_TEST

/* A restore would take away what they tell. */
START_TEST(page_tables_that_tell_what_was_written_are_not_the_hosts_to_write)
{
	const struct layout_range *tables;
	const uint8_t bytes[2] = "w";

	if (tracker_try_tables(NULL)) {
		printf("skip: page tables: they do not tell here\n");
		return;
	}
	start(DIRTY_TABLES);
	tables = &snapshot_layout(snapshot)->tables;
	ck_assert_int_eq(vm_write(vm, tables->start - 1, bytes, 2), -EFAULT);
	ck_assert_int_eq(vm_write(vm, tables->start, bytes, 1), -EFAULT);
	ck_assert_int_eq(vm_write(vm, tables->start + tables->size - 1, bytes,
				  1),
			 -EFAULT);
	ck_assert_int_eq(vm_write(vm, tables->start - 1, bytes, 1), 0);
	restore(true);
	stop();
}
END_TEST

START_TEST(a_vm_of_the_same_snapshot_sees_nothing)
{
	struct vm *other;
	struct error err;
	uint64_t gpa;
	uint32_t offset;

	start(trackers[_i]);
	ck_assert_int_eq(snapshot_start(snapshot, false, &err, &other), 0);
	offset = random_offset();
	write_bytes(&offset, 1);
	ck_assert(snapshot_matches(snapshot, other, &gpa));
	ck_assert(!snapshot_matches(snapshot, vm, &gpa));
	restore(true);
	vm_free(other);
	stop();
}
END_TEST

static void start_bitmap(void)
{
	start(DIRTY_BITMAP);
}

static int find_trackers(void)
{
	struct error err;
	int n = 1;

	if (backend_count() >= 2)
		trackers[n++] = DIRTY_RING;
	if (tracker_try_tables(&err))
		printf("skip: tables: %s\n", err.message);
	else
		trackers[n++] = DIRTY_TABLES;
	return n;
}

int main(void)
{
	Suite *suite = suite_create("restore");
	TCase *group = tcase_create("restore"), *host = tcase_create("host");
	const int n = find_trackers();

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, random_pages_are_restored, 0, n);
	tcase_add_loop_test(group, many_pages_then_few_are_restored, 0, n);
	tcase_add_loop_test(group,
			    pages_once_written_stay_hot_and_are_still_restored,
			    0, n);
	tcase_add_loop_test(group,
			    a_vm_that_has_shrunk_has_no_pages_and_goes_on, 0,
			    n);
	tcase_add_loop_test(group, the_edges_of_the_heap_are_restored, 0, n);
	tcase_add_loop_test(group, a_vm_of_the_same_snapshot_sees_nothing, 0,
			    n);
	tcase_add_test(
		group,
		page_tables_that_tell_what_was_written_are_not_the_hosts_to_write);
	suite_add_tcase(suite, group);
	tcase_add_checked_fixture(host, start_bitmap, stop);
	tcase_add_test(host, what_the_host_writes_is_restored);
	suite_add_tcase(suite, host);
	return run_suite(suite);
}
