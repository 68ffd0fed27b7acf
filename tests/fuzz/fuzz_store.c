/*
 * fuzz_store.c - libFuzzer target: any bytes as a snapshot's file, opened and verified, and
 * as what was learned of one. What is accepted must keep the promises of
 * snapshot/store/file.h and advice.h.
 *
 * A hash keeps damaged files out, so the target puts the right one into half of its
 * inputs, by the first byte. The first run writes one of each that is good
 * to begin with:
 *
 *	FUZZ_STORE_SEEDS=corpus fuzz_store -runs=0
 *	fuzz_store -max_len=131072 corpus
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot/store/advice.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char path[] = "/tmp/thaw-fuzz-XXXXXX";
static int file_fd;

static void remove_file(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct {
		struct advice_header header;
		uint32_t hot[3], working[2];
	} advice = {
		.header = { .magic = { 't', 'h', 'a', 'w', 'p', 'a', 'g', 'e' },
			    .format = STORE_ADVICE_FORMAT,
			    .hot_count = 3,
			    .working_count = 2 },
		.hot = { 1, 5, 200 },
		.working = { 1, 15 },
	};
	const char *directory = getenv("FUZZ_STORE_SEEDS");
	struct store_written written;
	struct store_content content;
	uint8_t *bytes;
	char seed[4096];
	size_t size;

	(void)argc;
	(void)argv;
	file_fd = mkostemp(path, O_CLOEXEC);
	REQUIRE(file_fd >= 0 && atexit(remove_file) == 0);
	if (!directory)
		return 0;
	store_fixture_begin();
	content = store_fixture_content(1);
	content.memory_size = STORE_CHUNK;
	REQUIRE(store_write(AT_FDCWD, &store_fixture_machine, &content, NULL,
			    &written) == 0);
	bytes = store_fixture_read(written.name, &size);
	store_written_abort(AT_FDCWD, &written);
	store_fixture_end();
	snprintf(seed, sizeof(seed), "%s/good", directory);
	store_fixture_write(seed, bytes, size);
	free(bytes);
	snprintf(seed, sizeof(seed), "%s/advice", directory);
	store_fixture_write(seed, &advice, sizeof(advice));
	return 0;
}

/* Advice on a snapshot of which half of the chunks exist; what is accepted is in range. */
static void check_advice(uint8_t *bytes, size_t size)
{
	static struct store_advice advice;
	static uint8_t bitmap[STORE_CHUNK_PAGES / 8 * 16];
	struct store_file file = { .fd = -1, .bitmap = bitmap };
	struct error err = { "" };

	for (size_t i = 0; i < sizeof(bitmap); i++)
		bitmap[i] = i / (STORE_CHUNK_PAGES / 8) % 2 ? 0xff : 0;
	file.header.memory_size = 16 * STORE_CHUNK;
	if (store_advice_parse(&file, bytes, size, &err, &advice)) {
		REQUIRE(err.message[0] != '\0');
		return;
	}
	REQUIRE(advice.hot_count <= STORE_HOT_MAX);
	REQUIRE(advice.working_count <= STORE_WORKING_MAX);
	for (uint32_t i = 0; i < advice.hot_count; i++)
		REQUIRE(advice.hot[i] < 16 * STORE_CHUNK_PAGES);
	for (uint32_t i = 0; i < advice.working_count; i++)
		REQUIRE(advice.working[i] < 16 && advice.working[i] % 2);
}

/* Makes the hash of what may be advice the right one, and has it be of that snapshot. */
static void put_advice_hash(uint8_t *bytes, size_t size)
{
	const size_t of = offsetof(struct advice_header, key);

	if (size < sizeof(struct advice_header))
		return;
	memset(bytes + of, 0, sizeof(struct advice_header) - of);
	store_hash(bytes, size, bytes + offsetof(struct advice_header, hash));
}

static void check(const struct store_file *file, uint64_t size)
{
	const struct store_header *header = &file->header;
	const uint8_t *end =
		file->parts_copy + (file->parts.memory - sizeof(*header));
	uint64_t sum = 0;

	REQUIRE(header->memory_size <= LAYOUT_MEMORY_MAX);
	REQUIRE(header->memory_size % LAYOUT_MEMORY_UNIT == 0);
	REQUIRE(file->parts.end == size);
	REQUIRE(file->parts.memory + header->memory_size == size);
	REQUIRE((const uint8_t *)file->manifest >= file->parts_copy);
	REQUIRE((const uint8_t *)file->manifest + header->manifest_size <=
		file->ready);
	REQUIRE(file->ready + header->ready_size <= file->state);
	REQUIRE(file->state + header->state_size <= file->bitmap);
	REQUIRE(file->bitmap + file->parts.bitmap_size <= file->hashes);
	REQUIRE(file->hashes + file->parts.hashes_size <= end);
	for (uint64_t i = 0; i < header->memory_size / THAW_PAGE_SIZE; i++)
		sum += store_file_has_page(file, i);
	REQUIRE(sum * THAW_PAGE_SIZE == store_file_bytes(file));
}

/* Makes the hash of the @size bytes the right one, if their sizes are within bounds. */
static void put_hash(uint8_t *bytes, size_t size)
{
	struct store_header header;

	if (size < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.manifest_size > STORE_MANIFEST_MAX ||
	    header.ready_size > STORE_READY_MAX ||
	    header.state_size > STORE_STATE_MAX ||
	    header.memory_size > LAYOUT_MEMORY_MAX ||
	    store_parts_of(&header).memory > size)
		return;
	store_hash_parts(&header, bytes + sizeof(header),
			 bytes + offsetof(struct store_header, hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct store_file file;
	struct error err = { "" };
	uint8_t *copy = malloc(size + 1), *advice = malloc(size + 1);

	REQUIRE(copy != NULL && advice != NULL);
	memcpy(copy, bytes, size);
	memcpy(advice, bytes, size);
	/* a good file begins with 't', which is even */
	if (size && !(bytes[0] & 1))
		put_hash(copy, size);
	if (size && !(bytes[0] & 1))
		put_advice_hash(advice, size);
	check_advice(advice, size);
	free(advice);
	REQUIRE(ftruncate(file_fd, 0) == 0);
	REQUIRE(pwrite(file_fd, copy, size, 0) == (ssize_t)size);
	free(copy);
	if (store_file_open(AT_FDCWD, path, NULL, NULL, &err, &file)) {
		REQUIRE(err.message[0] != '\0');
		return 0;
	}
	check(&file, size);
	if (store_file_verify(&file, NULL, &err))
		REQUIRE(err.message[0] != '\0');
	store_file_close(&file);
	return 0;
}
