/*
 * test_stored.c - snapshots that come from files: the same as those that were booted; and
 * files that are whole, but not what thaw has written, are refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "snapshot/store/store.h"
#include "snapshot/store/transfer.h"
#include "snapshot/stored.h"
#include "snapshot/tracker.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"
#include "vm/boot_state.h"
#include "vm/image/open.h"
#include "vm/vm_internal.h"

#define MEMORY (4u << 20)

static const uint8_t key[STORE_KEY_SIZE] = { 0x5a };

static char *environment[] = { "GREETING=Salut", NULL };
static struct snapshot_options options = {
	.layout = { .memory_size = MEMORY,
		    .stack_size = 64u << 10,
		    .request_size = 4096,
		    .reply_size = 4096,
		    .result_size = 4096 },
	.init_timeout_ns = 10 * NS_PER_S,
	.environment = environment,
	.host_local = THAW_HOST_LOCAL_PRINT,
};
static struct error err;
static struct image *image;
static struct store *store;
static struct snapshot *booted;

static void set_up(void)
{
	store_fixture_begin();
	ck_assert_int_eq(store_open(store_fixture_path, STORE_SIZE_DEFAULT,
				    &err, &store),
			 0);
	ck_assert_int_eq(image_open(TEST_GUESTS "/edges.elf", &err, &image), 0);
	options.dirty = DIRTY_BITMAP;
	options.layout.control = LAYOUT_CONTROL_SUPERVISOR;
}

static void boot(void)
{
	ck_assert_msg(!snapshot_create(image, &options, &err, &booted), "%s",
		      err.message);
}

static void tear_down(void)
{
	snapshot_free(booted);
	image_close(image);
	store_close(store);
	store_fixture_end();
}

static const struct snapshot_pause never;

static void save(void)
{
	struct stored_copy *copy;

	ck_assert_int_eq(stored_copy(booted, key, "1.2.3", "{}", &err, &copy),
			 0);
	ck_assert_msg(!stored_write(store, copy, &never, &err), "%s",
		      err.message);
	stored_free(copy);
}

static int load(struct snapshot **ret_snapshot)
{
	return snapshot_load(image, &options, store, key, &err, ret_snapshot);
}

static void check_same(const struct snapshot *loaded)
{
	struct snapshot *own = (struct snapshot *)loaded;
	uint64_t gpa;
	struct vm *vm;

	ck_assert_mem_eq(&loaded->layout, &booted->layout,
			 sizeof(booted->layout));
	ck_assert_int_eq(memcmp(loaded->pristine, booted->pristine, MEMORY), 0);
	ck_assert_int_eq(memcmp(loaded->state, booted->state, vm_state_size()),
			 0);
	ck_assert_uint_eq(loaded->handler_count, booted->handler_count);
	ck_assert_mem_eq(loaded->handlers, booted->handlers,
			 booted->handler_count * sizeof(*booted->handlers));
	ck_assert_mem_eq(&loaded->ready, &booted->ready, sizeof(booted->ready));
	ck_assert_uint_le(snapshot_bytes(loaded), snapshot_bytes(booted));
	ck_assert_uint_gt(snapshot_bytes(loaded), 0);
	ck_assert_int_eq(snapshot_start(own, false, &err, &vm), 0);
	ck_assert(snapshot_matches(loaded, vm, &gpa));
	vm_free(vm);
}

static const enum dirty_backend trackers[] = { DIRTY_BITMAP, DIRTY_RING,
					       DIRTY_TABLES };

START_TEST(what_is_loaded_is_what_was_booted)
{
	struct snapshot *loaded;

	options.dirty = trackers[_i];
	if (options.dirty == DIRTY_TABLES && tracker_try_tables(&err))
		return;
	if (snapshot_create(image, &options, &err, &booted))
		return; /* no ring */
	ck_assert_int_eq(load(&loaded), -ENOENT);
	save();
	ck_assert_msg(!load(&loaded), "%s", err.message);
	check_same(loaded);
	snapshot_free(loaded);
}
END_TEST

/* The file goes on to be used when its name, and the snapshot that was booted, are gone. */
START_TEST(a_file_is_in_use_as_long_as_its_snapshot_is)
{
	char name[STORE_NAME_MAX];
	struct snapshot *loaded;

	store_name(key, STORE_SUFFIX, name);
	boot();
	save();
	ck_assert_int_eq(load(&loaded), 0);
	ck_assert_int_eq(store_remove(store, name, &err), -EBUSY);
	ck_assert_int_eq(unlink(store_fixture_file(key[0], STORE_SUFFIX)), 0);
	check_same(loaded);
	snapshot_free(loaded);
	save();
	ck_assert_int_eq(store_remove(store, name, &err), 0);
}
END_TEST

static ino_t inode(void)
{
	struct stat status;

	ck_assert_int_eq(stat(store_fixture_file(key[0], STORE_SUFFIX),
			      &status),
			 0);
	return status.st_ino;
}

/* An import takes a file's name away, and nothing from those who have it open. */
START_TEST(an_import_in_place_of_a_file_in_use_leaves_its_vms_alone)
{
	uint8_t sha256[STORE_SHA256_SIZE];
	struct snapshot *loaded, *next;
	char name[STORE_NAME_MAX], found[STORE_NAME_MAX];
	int fd = memfd_create("exported", MFD_CLOEXEC);
	uint64_t size;
	ino_t before;

	store_name(key, STORE_SUFFIX, name);
	boot();
	save();
	before = inode();
	ck_assert_int_eq(load(&loaded), 0);
	ck_assert_int_eq(store_export(store, name, fd, &err, sha256, &size), 0);
	ck_assert_int_eq(store_import(store, fd, size, sha256, &err, found), 0);
	close(fd);
	ck_assert_str_eq(found, name);
	ck_assert_uint_ne(inode(), before);
	check_same(loaded);
	/* the next one has the imported file, and that is in use now */
	ck_assert_int_eq(load(&next), 0);
	check_same(next);
	ck_assert_int_eq(store_remove(store, name, &err), -EBUSY);
	snapshot_free(next);
	ck_assert_int_eq(store_remove(store, name, &err), 0);
	check_same(loaded);
	snapshot_free(loaded);
}
END_TEST

/* What was made to check the vcpu's state becomes a vm: none is made twice. */
START_TEST(the_vcpu_that_was_made_for_the_check_is_the_first_vms)
{
	struct snapshot *loaded;
	struct vm *first, *second;

	options.layout.control = LAYOUT_CONTROL_NONE;
	boot();
	save();
	ck_assert_msg(!load(&loaded), "%s", err.message);
	ck_assert_int_eq(snapshot_start(loaded, true, &err, &first), 0);
	ck_assert_int_eq(snapshot_start(loaded, true, &err, &second), 0);
	ck_assert_uint_eq(first->reuses, 1);
	ck_assert_uint_eq(second->reuses, 0);
	vm_free(first);
	vm_free(second);
	snapshot_free(loaded);
}
END_TEST

/* What a hostile file has in place of what was written. */
struct change {
	uint64_t gpa;	     /* that byte of memory is another one; 0: none */
	size_t state, ready; /* that byte, + 1; 0: none */
	uint8_t bits;
	const uint32_t *features;      /* the CPU's; NULL: this machine's */
	const struct vcpu_state *vcpu; /* NULL: as booted */
};

static void flip(void *bytes, size_t at, uint8_t bits)
{
	((uint8_t *)bytes)[at] ^= bits;
}

/* Writes a file as whole as any, with the change. */
static void write_changed(const struct change *change)
{
	struct ready ready = booted->ready;
	uint8_t *memory = malloc(MEMORY), *state = malloc(vm_state_size());
	struct store_machine machine;
	struct store_content content = {
		.version = "1.2.3",
		.manifest = "{}",
		.manifest_size = 2,
		.ready = &ready,
		.ready_size = sizeof(ready),
		.state = state,
		.state_size = vm_state_size(),
		.memory_fd = memfd_create("changed", MFD_CLOEXEC),
		.memory_size = MEMORY,
	};

	memcpy(content.key, key, sizeof(key));
	memcpy(memory, booted->pristine, MEMORY);
	memcpy(state, change->vcpu ? change->vcpu : booted->state,
	       content.state_size);
	if (change->gpa)
		flip(memory, change->gpa, change->bits);
	if (change->state)
		flip(state, change->state - 1, change->bits);
	if (change->ready)
		flip(&ready, change->ready - 1, change->bits);
	ck_assert_int_eq(write(content.memory_fd, memory, MEMORY), MEMORY);
	ck_assert_int_eq(stored_machine(&err, &machine), 0);
	if (change->features)
		memcpy(machine.features, change->features,
		       sizeof(machine.features));
	ck_assert_int_eq(store_put(store, &machine, &content, &err), 0);
	close(content.memory_fd);
	free(memory);
	free(state);
}

static void check_refused(const struct change *change)
{
	struct snapshot *loaded;

	write_changed(change);
	ck_assert_msg(load(&loaded) == -EBADMSG, "gpa %#lx state %zu ready %zu",
		      change->gpa, change->state, change->ready);
	ck_assert_ptr_nonnull(strstr(err.message, "written by thaw 1.2.3"));
	/* moved aside */
	ck_assert_int_eq(load(&loaded), -ENOENT);
}

START_TEST(a_file_with_other_pages_of_thaws_own_is_refused)
{
	static const uint64_t pages[] = {
		THAW_GPA_SUPERVISOR, THAW_GPA_FAULT,	   THAW_GPA_STUB,
		THAW_GPA_INFO,	     THAW_GPA_MAILBOX,	   THAW_GPA_HEADERS,
		THAW_GPA_LOG,	     THAW_GPA_ENVIRONMENT,
	};

	boot();
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		for (uint64_t at = 0; at < THAW_PAGE_SIZE; at += 511)
			check_refused(&(struct change){ .gpa = pages[i] + at,
							.bits = 0x40 });
	check_refused(
		&(struct change){ .gpa = THAW_GPA_SYSTEM + 8, .bits = 1 });
}
END_TEST

/* Each bit of some entries: present, writable, of user mode, executable, the address. */
START_TEST(a_file_with_other_page_tables_is_refused)
{
	uint64_t table;

	options.dirty = trackers[_i];
	if (options.dirty == DIRTY_TABLES && tracker_try_tables(&err))
		return;
	if (snapshot_create(image, &options, &err, &booted))
		return; /* no ring */
	table = booted->layout.tables.start;
	for (uint64_t byte = 0; byte < 8; byte++)
		for (unsigned bit = 0; bit < 8; bit++)
			check_refused(&(struct change){
				.gpa = table + byte,
				.bits = (uint8_t)(1 << bit) });
	for (; table < booted->layout.tables.start + booted->layout.tables.size;
	     table += THAW_PAGE_SIZE)
		for (uint64_t at = 0; at < THAW_PAGE_SIZE; at += 1016)
			check_refused(&(struct change){ .gpa = table + at,
							.bits = 2 });
}
END_TEST

START_TEST(a_file_with_other_code_is_refused)
{
	boot();
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (segment->prot & IMAGE_PROT_WRITE)
			continue;
		check_refused(
			&(struct change){ .gpa = segment->gva + 3, .bits = 4 });
		check_refused(&(struct change){
			.gpa = segment->gva + segment->size - 1, .bits = 4 });
	}
	check_refused(&(struct change){ .gpa = booted->layout.request.start,
					.bits = 1 });
	check_refused(&(struct change){ .gpa = booted->layout.result.start,
					.bits = 1 });
}
END_TEST

/* A vm does not have them; the checks look at the file's memory. */
START_TEST(a_file_with_pages_that_its_bitmap_has_not_is_refused)
{
	const char *path = store_fixture_file(key[0], STORE_SUFFIX);
	const size_t page = THAW_GPA_SYSTEM / THAW_PAGE_SIZE;
	struct snapshot *loaded;
	struct store_header header;
	struct store_parts parts;
	uint8_t *bytes;
	size_t size;

	boot();
	save();
	bytes = store_fixture_read(path, &size);
	memcpy(&header, bytes, sizeof(header));
	parts = store_parts_of(&header);
	memset(bytes + parts.bitmap + page / 8, 0, 2);
	store_hash_parts(&header, bytes + sizeof(header), header.hash);
	memcpy(bytes, &header, sizeof(header));
	store_fixture_write(path, bytes, size);
	free(bytes);
	ck_assert_int_eq(load(&loaded), -EBADMSG);
	/* a copy does not have them either: stored.c, where files are on a tmpfs */
	ck_assert(strstr(err.message, "bitmap") ||
		  strstr(err.message, "is not what thaw makes"));
}
END_TEST

START_TEST(a_file_with_another_vcpu_state_is_refused)
{
	boot();
	for (size_t at = 0; at < vm_state_size(); at += 61)
		check_refused(&(struct change){ .state = at + 1, .bits = 1 });
}
END_TEST

START_TEST(a_file_whose_guest_says_what_cannot_be_is_refused)
{
	/* the high bytes of addresses and counts; not dispatch, which is its own affair */
	static const size_t at[] = {
		offsetof(struct ready, handlers) + 7,
		offsetof(struct ready, handlers), /* not at a multiple of 8 */
		offsetof(struct ready, lines) + 7,
		offsetof(struct ready, abi_version),
		offsetof(struct ready, handler_count) + 1,
		offsetof(struct ready, registered_count) + 3,
		/* differs from the info page */
		offsetof(struct ready, dispatch),
	};

	boot();
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		check_refused(
			&(struct change){ .ready = at[i] + 1, .bits = 0x04 });
}
END_TEST

static bool is_not_needed(void *cookie)
{
	return *(const bool *)cookie;
}

/* All of its memory has to be read, which takes a while. */
START_TEST(verifying_a_file_stops_when_the_snapshot_is_not_needed)
{
	static bool stop = true;
	static uint8_t memory[16u << 20];
	const struct snapshot_options good = options;
	struct store_machine machine;
	struct store_content content = {
		.version = "1.2.3",
		.memory_fd = memfd_create("large", MFD_CLOEXEC),
		.memory_size = sizeof(memory),
	};
	struct snapshot *loaded;

	memset(memory, 'x', sizeof(memory));
	memcpy(content.key, key, sizeof(key));
	ck_assert_int_eq(write(content.memory_fd, memory, sizeof(memory)),
			 sizeof(memory));
	ck_assert_int_eq(stored_machine(&err, &machine), 0);
	ck_assert_int_eq(store_put(store, &machine, &content, &err), 0);
	close(content.memory_fd);
	unlink(store_fixture_file(key[0], STORE_VOUCH_SUFFIX));
	options.pause = (struct snapshot_pause){ is_not_needed, &stop };
	ck_assert_int_eq(load(&loaded), -ESHUTDOWN);
	ck_assert_int_eq(load(&loaded), -ESHUTDOWN);
	/* it was not moved aside */
	stop = false;
	ck_assert_int_eq(load(&loaded), -EBADMSG);
	options = good;
}
END_TEST

/* Its state is that of the CPU that it was booted on, which had less. */
START_TEST(a_file_of_a_cpu_with_less_is_used)
{
	static const uint32_t nothing[VM_FEATURES];
	const struct vm_config config = { .memory_size = MEMORY };
	struct change less = { .features = nothing };
	struct snapshot *loaded;
	struct vcpu_state *state;
	uint64_t gpa;
	struct vm *vm;

	boot();
	ck_assert_int_eq(vm_new_state(&config, &booted->layout, nothing, &err,
				      &state),
			 0);
	less.vcpu = state;
	write_changed(&less);
	ck_assert_msg(!load(&loaded), "%s", err.message);
	ck_assert_mem_eq(loaded->state, state, vm_state_size());
	ck_assert_int_eq(snapshot_start(loaded, false, &err, &vm), 0);
	ck_assert(snapshot_matches(loaded, vm, &gpa));
	vm_free(vm);
	snapshot_free(loaded);
	vm_state_free(state);
}
END_TEST

START_TEST(a_file_of_a_cpu_with_more_is_refused)
{
	struct vm_machine machine;
	struct change more = { .features = machine.features };
	struct snapshot *loaded;

	boot();
	for (size_t i = 0; i < VM_FEATURES; i++) {
		ck_assert_int_eq(vm_get_machine(&err, &machine), 0);
		if (!~machine.features[i])
			continue;
		/* the highest one that it lacks */
		machine.features[i] |=
			1u << (31 - __builtin_clz(~machine.features[i]));
		write_changed(&more);
		ck_assert_int_eq(load(&loaded), -ESTALE);
		ck_assert_ptr_nonnull(
			strstr(err.message, "features that this one lacks"));
		ck_assert_int_eq(load(&loaded), -ENOENT);
	}
}
END_TEST

/* The same file is not for a guest that would have been booted differently. */
START_TEST(a_file_of_another_guest_is_refused)
{
	static char *others[] = { "GREETING=Hi", NULL };
	const struct snapshot_options good = options;
	struct snapshot *loaded;
	struct snapshot_options bad[6];

	for (size_t i = 0; i < 6; i++) {
		bad[i] = options;
		bad[i].layout.control = LAYOUT_CONTROL_SUPERVISOR;
	}
	bad[0].layout.memory_size *= 2;
	bad[1].layout.stack_size *= 2;
	bad[2].layout.request_size *= 2;
	bad[3].layout.control = LAYOUT_CONTROL_USER;
	bad[4].environment = others;
	bad[5].host_local = 0;
	boot();
	for (size_t i = 0; i < 6; i++) {
		save();
		options = bad[i];
		ck_assert_int_eq(load(&loaded), -EBADMSG);
		options = good;
		ck_assert_int_eq(load(&loaded), -ENOENT);
	}
	options = good;
	save();
	ck_assert_int_eq(load(&loaded), 0);
	snapshot_free(loaded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored");
	TCase *group = tcase_create("stored");

	tcase_set_timeout(group, 120);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, what_is_loaded_is_what_was_booted, 0, 3);
	tcase_add_test(group, a_file_is_in_use_as_long_as_its_snapshot_is);
	tcase_add_test(group,
		       an_import_in_place_of_a_file_in_use_leaves_its_vms_alone);
	tcase_add_test(group,
		       the_vcpu_that_was_made_for_the_check_is_the_first_vms);
	tcase_add_test(group, a_file_with_other_pages_of_thaws_own_is_refused);
	tcase_add_loop_test(group, a_file_with_other_page_tables_is_refused, 0,
			    3);
	tcase_add_test(group, a_file_with_other_code_is_refused);
	tcase_add_test(group,
		       a_file_with_pages_that_its_bitmap_has_not_is_refused);
	tcase_add_test(group, a_file_with_another_vcpu_state_is_refused);
	tcase_add_test(group,
		       a_file_whose_guest_says_what_cannot_be_is_refused);
	tcase_add_test(group,
		       verifying_a_file_stops_when_the_snapshot_is_not_needed);
	tcase_add_test(group, a_file_of_a_cpu_with_less_is_used);
	tcase_add_test(group, a_file_of_a_cpu_with_more_is_refused);
	tcase_add_test(group, a_file_of_another_guest_is_refused);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
