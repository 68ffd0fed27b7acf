/* changed_file.c - see changed_file.h. */
#include "tests/fuzz/changed_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot/store/advice.h"
#include "snapshot/store/vouch.h"
#include "snapshot/store/writer.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"

#define CHANGE_SIZE 6

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

/* The good file, and the one that is made of it; all of it, since most is zero. */
static uint8_t *good, *made;
static size_t file_size;
static struct store_header header;
static struct store_parts parts;
static char path[256];

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
static uint8_t *find_part(enum changed_part part, unsigned page,
			  size_t *ret_size)
{
	switch (part) {
	case CHANGED_READY:
		*ret_size = header.ready_size;
		return made + parts.ready;
	case CHANGED_STATE:
		*ret_size = header.state_size;
		return made + parts.state;
	case CHANGED_BITMAP:
		*ret_size = parts.bitmap_size;
		return made + parts.bitmap;
	case CHANGED_FROZEN:
		*ret_size = sizeof(header.frozen_ns);
		return made + offsetof(struct store_header, frozen_ns);
	case CHANGED_FEATURES:
		*ret_size = sizeof(header.features);
		return made + offsetof(struct store_header, features);
	case CHANGED_ADVICE:
		*ret_size = sizeof(advice);
		return (uint8_t *)&advice;
	default:
		*ret_size = THAW_PAGE_SIZE;
		return made + parts.memory +
		       page % (header.memory_size / THAW_PAGE_SIZE) *
			       THAW_PAGE_SIZE;
	}
}

/* Makes one change; returns the bytes of the input that it has taken. */
static size_t change(const uint8_t *bytes, size_t size)
{
	const unsigned page = bytes[3] | (unsigned)bytes[4] << 8;
	size_t at = bytes[1] | (size_t)bytes[2] << 8, count = bytes[5], room;
	uint8_t *part = find_part(bytes[0] % CHANGED_PARTS, page, &room);

	if (count > size - CHANGE_SIZE)
		count = size - CHANGE_SIZE;
	at %= room;
	memcpy(part + at, bytes + CHANGE_SIZE,
	       count < room - at ? count : room - at);
	return CHANGE_SIZE + count;
}

static void put_hashes(void)
{
	struct store_header *now = (struct store_header *)made;

	for (size_t i = 0; i < header.memory_size / STORE_CHUNK; i++) {
		const uint8_t *chunk = made + parts.memory + i * STORE_CHUNK;
		uint8_t *hash = made + parts.hashes + i * STORE_HASH_SIZE;

		memset(hash, 0, STORE_HASH_SIZE);
		if (!store_is_zero(chunk, STORE_CHUNK))
			store_hash(chunk, STORE_CHUNK, hash);
	}
	store_hash_parts(now, made + sizeof(*now), now->hash);
	memcpy(advice.header.key, now->key, sizeof(now->key));
	memcpy(advice.header.of, now->hash, sizeof(now->hash));
	memset(advice.header.hash, 0, sizeof(advice.header.hash));
	store_hash(&advice, sizeof(advice), advice.header.hash);
}

/* As a file is written: without the pages that are zero. */
static void write_made(void)
{
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

void changed_file_begin(const char *of)
{
	snprintf(path, sizeof(path), "%s", of);
	good = store_fixture_read(path, &file_size);
	made = malloc(file_size);
	REQUIRE(made != NULL);
	memcpy(&header, good, sizeof(header));
	parts = store_parts_of(&header);
	REQUIRE(parts.end == file_size);
}

void changed_file_write(const uint8_t *bytes, size_t size)
{
	char name[STORE_NAME_MAX], beside[sizeof(path)];

	memcpy(made, good, file_size);
	begin_advice();
	for (size_t at = 0; size - at > CHANGE_SIZE;)
		at += change(bytes + at, size - at);
	put_hashes();
	write_made();
	store_name(header.key, STORE_ADVICE_SUFFIX, name);
	snprintf(beside, sizeof(beside), "%s/%s", store_fixture_path, name);
	store_fixture_write(beside, &advice, sizeof(advice));
}

void changed_file_end(void)
{
	free(good);
	free(made);
}
