/*
 * fuzz_stored.c - libFuzzer target: a snapshot's file whose hashes are right and whose
 * contents are hostile: what the guest has said when it was ready, its vcpu's state, the
 * bitmap, pages, and what was learned of it. It is refused with a message, or what the
 * guest could not have changed is as a boot makes it.
 *
 * What an input is, changed_file.h says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "snapshot/stored.h"
#include "tests/fuzz/changed_file.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"
#include "vm/boot_state.h"
#include "vm/image/open.h"

#define MEMORY (2u << 20)
#define SKIPPED 77

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const uint8_t key[STORE_KEY_SIZE] = { 0x5a };
static char *environment[] = { "GREETING=Salut", NULL };
static struct snapshot_options options = {
	.layout = { .memory_size = MEMORY,
		    .stack_size = 64u << 10,
		    .request_size = 4096,
		    .reply_size = 4096,
		    .result_size = 4096,
		    .control = LAYOUT_CONTROL_SUPERVISOR },
	.init_timeout_ns = 10 * NS_PER_S,
	.environment = environment,
	.host_local = THAW_HOST_LOCAL_PRINT,
	.dirty = DIRTY_BITMAP,
};
static struct image *image;
static struct store *store;
static struct snapshot *booted;

static void at_end(void)
{
	snapshot_free(booted);
	image_close(image);
	store_fixture_close(store);
	changed_file_end();
}

static void save(void)
{
	struct stored_copy *copy;
	struct error err;

	REQUIRE(!stored_copy(booted, key, "1.2.3", "{}", &err, &copy));
	REQUIRE(!stored_write(store, copy, &(struct snapshot_pause){ 0 },
			      &err));
	stored_free(copy);
	changed_file_begin(store_fixture_file(key[0], STORE_SUFFIX));
}

/* A guest is booted once; without KVM there is nothing to do. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err;

	(void)argc;
	(void)argv;
	if (access("/dev/kvm", R_OK | W_OK)) {
		printf("skipped: no access to /dev/kvm\n");
		exit(SKIPPED);
	}
	store = store_fixture_open();
	REQUIRE(!image_open(TEST_GUESTS "/edges.elf", &err, &image));
	if (snapshot_create(image, &options, &err, &booted)) {
		fprintf(stderr, "%s\n", err.message);
		abort();
	}
	save();
	REQUIRE(!atexit(at_end));
	return 0;
}

/* Whether a guest can have changed what is in the page: its own data, or what it said. */
static bool is_guests_own(const struct layout_mapping *mapping)
{
	return mapping->prot & IMAGE_PROT_WRITE &&
	       !(mapping->prot & LAYOUT_SUPERVISOR);
}

/* Of one that was accepted: all that the guest could not write is as it was booted. */
static void check(const struct snapshot *loaded)
{
	const struct layout *layout = &booted->layout;

	REQUIRE(loaded->layout.memory_size == layout->memory_size &&
		loaded->layout.mapping_count == layout->mapping_count);
	REQUIRE(!memcmp(loaded->state, booted->state, vm_state_size()));
	REQUIRE(!memcmp(loaded->pristine + layout->tables.start,
			booted->pristine + layout->tables.start,
			layout->tables.size));
	for (unsigned i = 0; i < layout->mapping_count; i++) {
		const struct layout_range *range = &layout->mappings[i].range;
		/* where dispatch is, which the guest says, is in there */
		const bool is_info = range->start == THAW_GPA_INFO &&
				     loaded->ready.dispatch !=
					     booted->ready.dispatch;

		if (!is_guests_own(&layout->mappings[i]) && !is_info &&
		    range->start < layout->memory_size)
			REQUIRE(!memcmp(loaded->pristine + range->start,
					booted->pristine + range->start,
					range->size));
	}
	REQUIRE(loaded->handler_count <= THAW_HANDLERS_MAX);
	for (size_t i = 0; i < loaded->handler_count; i++)
		REQUIRE(strnlen(loaded->handlers[i], THAW_NAME_MAX) <
			THAW_NAME_MAX);
	REQUIRE(loaded->registered_count <= THAW_FUNCTIONS_MAX);
	REQUIRE(!loaded->registered_count == !loaded->registered);
}

/* It may become a vm, which is what the file says. */
static void check_start(struct snapshot *loaded)
{
	struct error err = { "" };
	uint64_t gpa;
	struct vm *vm;

	if (snapshot_start(loaded, false, &err, &vm)) {
		REQUIRE(err.message[0] != '\0');
		return;
	}
	REQUIRE(snapshot_matches(loaded, vm, &gpa));
	vm_free(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct snapshot *loaded;
	struct error err = { "" };
	int r;

	changed_file_write(bytes, size);
	r = snapshot_load(image, &options, store, key, &err, &loaded);
	if (r) {
		/* or it is of a CPU with more */
		REQUIRE((r == -EBADMSG || r == -ESTALE) &&
			err.message[0] != '\0');
		return 0;
	}
	check(loaded);
	check_start(loaded);
	snapshot_free(loaded);
	return 0;
}
