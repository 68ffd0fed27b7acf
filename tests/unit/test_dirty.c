/*
 * test_dirty.c - the set of pages that may differ from the snapshot, as the
 * host fills it. What guests write is in tests/contract/test_restore.c.
 */
#include "vm/dirty.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm/kvm.h"
#include "vm/vm.h"

#define MEMORY_SIZE ((size_t)4 << 20)

static const enum dirty_backend trackers[] = { DIRTY_NONE, DIRTY_AUTO,
					       DIRTY_BITMAP, DIRTY_RING };

static struct vm *vm;
static size_t page_size;
static size_t page_count;

static int create(size_t size, enum dirty_backend tracker, struct error *err)
{
	struct vm_config config = {
		.memory_size = size,
		.memory_fd = memfd_create("test", MFD_CLOEXEC),
		.dirty = tracker,
	};
	int r;

	ck_assert_int_eq(ftruncate(config.memory_fd, (off_t)size), 0);
	r = vm_create(&config, err, &vm);
	close(config.memory_fd);
	return r;
}

static void start(enum dirty_backend tracker)
{
	struct error err;

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	page_count = MEMORY_SIZE / page_size;
	ck_assert_msg(!create(MEMORY_SIZE, tracker, &err), "%s", err.message);
}

static void check_counts(size_t count)
{
	const struct dirty *dirty = vm_dirty(vm);
	size_t bits = 0;

	ck_assert_uint_eq(dirty->count, count);
	for (size_t i = 0; i < (dirty->page_count + 63) / 64; i++)
		bits += (size_t)__builtin_popcountll(dirty->bits[i]);
	ck_assert_uint_eq(bits, count);
}

START_TEST(a_page_is_in_the_set_once)
{
	struct dirty *dirty;

	start(trackers[_i]);
	dirty = vm_dirty(vm);
	ck_assert_uint_eq(dirty->page_count, page_count);
	check_counts(0);
	for (int round = 0; round < 2; round++)
		for (size_t page = page_count; page-- > 0;)
			dirty_add(dirty, page);
	check_counts(page_count);
	ck_assert_uint_eq(dirty->pages[0], page_count - 1);
	ck_assert_uint_eq(dirty->pages[page_count - 1], 0);
	vm_free(vm);
}
END_TEST

/* KVM takes powers of two, from a page of the host on; entries have 16 bytes. */
START_TEST(a_ring_is_large_enough_for_pages_of_every_size)
{
	for (size_t page = 4 << 10; page <= 64 << 10; page *= 4)
		for (size_t size = 1 << 20; size <= 1 << 30; size *= 2) {
			size_t entries = dirty_ring_entries(size, page);

			ck_assert_uint_eq(entries & (entries - 1), 0);
			ck_assert_uint_ge(entries, 2 * (size / page));
			ck_assert_uint_ge(entries * 16, page);
		}
	ck_assert_uint_eq(dirty_ring_entries(4 << 20, 4 << 10), 2048);
	ck_assert_uint_eq(dirty_ring_entries(4 << 20, 64 << 10), 4096);
}
END_TEST

START_TEST(forgetting_empties_the_set)
{
	static const size_t edges[] = { 0, 1, 62, 63, 64, 65, 127, 128 };
	struct dirty *dirty;

	start(trackers[_i]);
	dirty = vm_dirty(vm);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
			dirty_add(dirty, edges[i] % page_count);
		dirty_add(dirty, page_count - 1);
		ck_assert_int_eq(dirty_collect(dirty), 0);
		ck_assert_uint_gt(dirty->count, 0);
		ck_assert_int_eq(dirty_forget(dirty), 0);
		check_counts(0);
		ck_assert_int_eq(dirty_drain(dirty), 0);
		check_counts(0);
	}
	vm_free(vm);
}
END_TEST

/* What is cold leaves; with the ring, which knows only all, everything does. */
START_TEST(cooling_takes_out_what_is_cold)
{
	static const uint32_t kept[] = { 2, 63, 64, 200 };
	size_t kept_count;
	struct dirty *dirty;

	start(trackers[_i]);
	dirty = vm_dirty(vm);
	kept_count = page_count > 200 ? 4 : 2;
	for (int round = 0; round < 2; round++) {
		for (uint32_t page = 0; page < page_count; page++) {
			dirty_add(dirty, page);
			dirty->idle[page] = 3;
		}
		for (size_t i = 0; i < kept_count; i++)
			dirty->idle[kept[i]] = 2;
		dirty->cold = page_count - kept_count;
		ck_assert_int_eq(dirty_cool(dirty, 3), 0);
		check_counts(dirty->backend == DIRTY_BITMAP ? kept_count : 0);
		for (size_t i = 0; i < dirty->count; i++)
			ck_assert_uint_eq(dirty->pages[i], kept[i]);
		ck_assert_uint_eq(dirty->cold, 0);
		for (uint32_t page = 0; page < page_count; page++)
			ck_assert_uint_eq(dirty->idle[page], 0);
	}
	/* nobody has written them meanwhile */
	ck_assert_int_eq(dirty_collect(dirty), 0);
	check_counts(dirty->backend == DIRTY_BITMAP ? kept_count : 0);
	ck_assert_int_eq(dirty_forget(dirty), 0);
	check_counts(0);
	vm_free(vm);
}
END_TEST

START_TEST(the_set_knows_what_is_in_it)
{
	struct dirty *dirty;

	start(trackers[_i]);
	dirty = vm_dirty(vm);
	dirty_add(dirty, page_count / 2);
	dirty_add(dirty, page_count - 1);
	for (size_t page = 0; page < page_count; page++)
		ck_assert(dirty_has(dirty, page) ==
			  (page == page_count / 2 || page == page_count - 1));
	vm_free(vm);
}
END_TEST

START_TEST(a_vm_that_did_not_run_reports_nothing)
{
	start(trackers[_i]);
	ck_assert_int_eq(dirty_collect(vm_dirty(vm)), 0);
	check_counts(0);
	vm_free(vm);
}
END_TEST

START_TEST(host_writes_are_noted_to_the_byte)
{
	static uint8_t bytes[MEMORY_SIZE];
	const struct dirty *dirty;

	start(trackers[_i]);
	dirty = vm_dirty(vm);
	ck_assert_int_eq(vm_write(vm, 10, bytes, 0), 0);
	ck_assert_uint_eq(dirty->written_count, 0);
	for (unsigned i = 0; i < DIRTY_WRITTEN_MAX; i++) {
		ck_assert_int_eq(vm_write(vm, i + 5, bytes, i + 1), 0);
		ck_assert_uint_eq(dirty->written_count, i + 1);
		ck_assert_uint_eq(dirty->written[i].gpa, i + 5);
		ck_assert_uint_eq(dirty->written[i].size, i + 1);
	}
	check_counts(0);
	vm_free(vm);
}
END_TEST

START_TEST(more_host_writes_mark_each_page_they_touch)
{
	static uint8_t bytes[MEMORY_SIZE];

	start(trackers[_i]);
	for (unsigned i = 0; i < DIRTY_WRITTEN_MAX; i++)
		ck_assert_int_eq(vm_write(vm, 0, bytes, 1), 0);
	ck_assert_int_eq(vm_write(vm, 0, bytes, 1), 0);
	check_counts(1);
	ck_assert_int_eq(vm_write(vm, page_size - 1, bytes, 1), 0);
	check_counts(1);
	ck_assert_int_eq(vm_write(vm, 2 * page_size - 1, bytes, 2), 0);
	check_counts(3);
	ck_assert_int_eq(vm_write(vm, MEMORY_SIZE - 1, bytes, 1), 0);
	check_counts(4);
	ck_assert_int_eq(vm_write(vm, 10 * page_size, bytes, 0), 0);
	check_counts(4);
	ck_assert_int_eq(vm_write(vm, 0, bytes, MEMORY_SIZE), 0);
	check_counts(page_count);
	vm_free(vm);
}
END_TEST

START_TEST(host_writes_outside_are_refused_and_mark_nothing)
{
	const uint8_t bytes[16] = { 0 };

	start(trackers[_i]);
	ck_assert_int_eq(vm_write(vm, MEMORY_SIZE, bytes, 1), -EFAULT);
	ck_assert_int_eq(vm_write(vm, MEMORY_SIZE - 15, bytes, 16), -EFAULT);
	ck_assert_int_eq(vm_write(vm, UINT64_MAX, bytes, 16), -EFAULT);
	ck_assert_int_eq(vm_write(vm, 8, bytes, SIZE_MAX), -EFAULT);
	check_counts(0);
	ck_assert_ptr_null(vm_view(vm, MEMORY_SIZE, 1));
	ck_assert_ptr_null(vm_view(vm, UINT64_MAX, 1));
	ck_assert_ptr_null(vm_view(vm, 1, UINT64_MAX));
	ck_assert_ptr_nonnull(vm_view(vm, MEMORY_SIZE, 0));
	ck_assert_ptr_nonnull(vm_view(vm, MEMORY_SIZE - 1, 1));
	vm_free(vm);
}
END_TEST

/* The largest memory a catalog may give, and the smallest unit. */
START_TEST(every_size_of_memory_can_be_tracked)
{
	static const size_t sizes[] = { 64 << 10, 2 << 20, 1 << 30 };
	struct error err;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ck_assert_msg(!create(sizes[i], DIRTY_AUTO, &err), "%s",
			      err.message);
		dirty_add(vm_dirty(vm), vm_dirty(vm)->page_count - 1);
		check_counts(1);
		ck_assert_int_eq(dirty_forget(vm_dirty(vm)), 0);
		vm_free(vm);
	}
}
END_TEST

int main(void)
{
	const struct kvm_host *host;
	struct error err;
	Suite *suite = suite_create("dirty");
	SRunner *runner = srunner_create(suite);
	TCase *group = tcase_create("dirty");
	int n = sizeof(trackers) / sizeof(*trackers);
	int failed;

	if (kvm_open(&err, &host)) {
		printf("skip: %s\n", err.message);
		srunner_free(runner);
		return 77;
	}
	if (!host->has_dirty_ring) {
		printf("skip: ring: this KVM has no dirty ring\n");
		n--;
	}
	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, a_page_is_in_the_set_once, 0, n);
	tcase_add_test(group, a_ring_is_large_enough_for_pages_of_every_size);
	tcase_add_loop_test(group, forgetting_empties_the_set, 0, n);
	tcase_add_loop_test(group, cooling_takes_out_what_is_cold, 0, n);
	tcase_add_loop_test(group, the_set_knows_what_is_in_it, 0, n);
	tcase_add_loop_test(group, a_vm_that_did_not_run_reports_nothing, 0, n);
	tcase_add_loop_test(group, host_writes_are_noted_to_the_byte, 0, n);
	tcase_add_loop_test(group, more_host_writes_mark_each_page_they_touch,
			    0, n);
	tcase_add_loop_test(group,
			    host_writes_outside_are_refused_and_mark_nothing, 0,
			    n);
	tcase_add_test(group, every_size_of_memory_can_be_tracked);
	suite_add_tcase(suite, group);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
