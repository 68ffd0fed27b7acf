/*
 * fuzz_stored.c - libFuzzer target: a snapshot's file whose hashes are right and whose
 * contents are hostile: what the guest has said when it was ready, its vcpu's state, the
 * bitmap, pages, and what was learned of it. It is refused with a message, or what the
 * guest could not have changed is as a boot makes it.
 *
 * An input is a list of changes to a good file: what is changed (enum part), where (2
 * bytes), which page (1), how many bytes (1), and these. Its hashes are made right then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "snapshot/boot.h"
#include "snapshot/snapshot_internal.h"
#include "snapshot/start.h"
#include "snapshot/store/advice.h"
#include "snapshot/store/writer.h"
#include "snapshot/stored.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"
#include "vm/boot_state.h"
#include "vm/image/open.h"

#define MEMORY (2u << 20)
#define SKIPPED 77

enum part {
	PART_READY,
	PART_STATE,
	PART_BITMAP,
	PART_PAGE,
	PART_FROZEN,
	PART_ADVICE,
	PARTS
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A voucher would spare the checks, and to write one waits for a tick of the clock. */
bool __wrap_vouch_is_there(int dir, const char *name, int fd,
			   const uint8_t hash[STORE_HASH_SIZE]);
int __wrap_vouch_write(int dir, const char *name, int fd,
		       const uint8_t hash[STORE_HASH_SIZE]);

bool __wrap_vouch_is_there(int dir, const char *name, int fd,
			   const uint8_t hash[STORE_HASH_SIZE])
{
	(void)dir, (void)name, (void)fd, (void)hash;
	return false;
}

int __wrap_vouch_write(int dir, const char *name, int fd,
		       const uint8_t hash[STORE_HASH_SIZE])
{
	(void)dir, (void)name, (void)fd, (void)hash;
	return 0;
}

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

/* The good file, and the one that is made of it; all of it, since most is zero. */
static uint8_t *good, *made;
static size_t file_size;
static struct store_parts parts;

static void at_end(void)
{
	snapshot_free(booted);
	image_close(image);
	store_close(store);
	store_fixture_end();
	free(good);
	free(made);
}

static void save(void)
{
	struct stored_copy *copy;
	struct store_header header;
	struct error err;

	REQUIRE(!stored_copy(booted, key, "1.2.3", "{}", &err, &copy));
	REQUIRE(!stored_write(store, copy, &(struct snapshot_pause){ 0 },
			      &err));
	stored_free(copy);
	good = store_fixture_read(store_fixture_file(key[0], STORE_SUFFIX),
				  &file_size);
	made = malloc(file_size);
	REQUIRE(made != NULL);
	memcpy(&header, good, sizeof(header));
	parts = store_parts_of(&header);
	REQUIRE(parts.end == file_size);
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
	store_fixture_begin();
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

/* What was learned, with numbers that the input may change. */
static struct {
	struct advice_header header;
	uint32_t numbers[16];
} advice;

static void begin_advice(void)
{
	memset(&advice, 0, sizeof(advice));
	memcpy(advice.header.magic, STORE_ADVICE_MAGIC,
	       sizeof(advice.header.magic));
	advice.header.format = STORE_ADVICE_FORMAT;
	advice.header.hot_count = 8;
	advice.header.working_count = 8;
	for (uint32_t i = 0; i < 16; i++)
		advice.numbers[i] = i % 8;
}

/* The part, and how many bytes it has. */
static uint8_t *find_part(enum part part, unsigned page, size_t *ret_size)
{
	struct store_header *header = (struct store_header *)made;

	switch (part) {
	case PART_READY:
		*ret_size = header->ready_size;
		return made + parts.ready;
	case PART_STATE:
		*ret_size = header->state_size;
		return made + parts.state;
	case PART_BITMAP:
		*ret_size = parts.bitmap_size;
		return made + parts.bitmap;
	case PART_FROZEN:
		*ret_size = sizeof(header->frozen_ns);
		return (uint8_t *)&header->frozen_ns;
	case PART_ADVICE:
		*ret_size = sizeof(advice);
		return (uint8_t *)&advice;
	default:
		*ret_size = THAW_PAGE_SIZE;
		return made + parts.memory +
		       page % (MEMORY / THAW_PAGE_SIZE) * THAW_PAGE_SIZE;
	}
}

/* Makes one change; returns the bytes of the input that it has taken. */
static size_t change(const uint8_t *bytes, size_t size)
{
	const unsigned page = bytes[3] * 2u + (bytes[0] >> 7);
	size_t at = bytes[1] | (size_t)bytes[2] << 8, count = bytes[4], room;
	uint8_t *part = find_part(bytes[0] % PARTS, page, &room);

	if (count > size - 5)
		count = size - 5;
	at %= room;
	memcpy(part + at, bytes + 5, count < room - at ? count : room - at);
	return 5 + count;
}

static void put_hashes(void)
{
	struct store_header *header = (struct store_header *)made;

	for (size_t i = 0; i < MEMORY / STORE_CHUNK; i++) {
		const uint8_t *chunk = made + parts.memory + i * STORE_CHUNK;
		uint8_t *hash = made + parts.hashes + i * STORE_HASH_SIZE;

		memset(hash, 0, STORE_HASH_SIZE);
		if (!store_is_zero(chunk, STORE_CHUNK))
			store_hash(chunk, STORE_CHUNK, hash);
	}
	store_hash_parts(header, made + sizeof(*header), header->hash);
	memcpy(advice.header.key, key, sizeof(key));
	memcpy(advice.header.of, header->hash, sizeof(header->hash));
	memset(advice.header.hash, 0, sizeof(advice.header.hash));
	store_hash(&advice, sizeof(advice), advice.header.hash);
}

/* As a file is written: without the pages that are zero. */
static void write_made(void)
{
	const char *path = store_fixture_file(key[0], STORE_SUFFIX);
	const int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && !ftruncate(fd, (off_t)file_size));
	REQUIRE(!store_write_all(fd, made, parts.memory, 0));
	for (size_t at = parts.memory; at < file_size; at += THAW_PAGE_SIZE)
		if (!store_is_zero(made + at, THAW_PAGE_SIZE))
			REQUIRE(!store_write_all(fd, made + at, THAW_PAGE_SIZE,
						 at));
	close(fd);
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

	memcpy(made, good, file_size);
	begin_advice();
	for (size_t at = 0; size - at > 5;)
		at += change(bytes + at, size - at);
	put_hashes();
	write_made();
	store_fixture_write(store_fixture_file(key[0], STORE_ADVICE_SUFFIX),
			    &advice, sizeof(advice));
	r = snapshot_load(image, &options, store, key, &err, &loaded);
	if (r) {
		REQUIRE(r == -EBADMSG && err.message[0] != '\0');
		return 0;
	}
	check(loaded);
	check_start(loaded);
	snapshot_free(loaded);
	return 0;
}
