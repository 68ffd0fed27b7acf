/*
 * fuzz_sayings.c - libFuzzer target: hostile files beside a snapshot's file. What vouches for
 * it does so only if it is what thaw has written, whatever its own hash says; and what was
 * learned of it is within its bounds, or refused with a message.
 *
 * The first byte of an input says what is made (enum how), the others are put over the good
 * bytes by XOR, so that no input is a good one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/store/advice.h"
#include "snapshot/store/vouch.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"

enum how {
	HOW_ADVICE = 1, /* else what vouches */
	HOW_HASHED = 2,
	HOW_CUT = 4,	/* it ends where the input does */
	HOW_LONGER = 8, /* or goes on behind */
	HOW_OPEN = 16,	/* others may write to it */
	HOW_LINK = 32,	/* its name is that of a symbolic link */
};

#define SAYING_MAX (64u << 10)
#define KEY 1

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct store *store;
static struct store_file file;
static uint8_t voucher[256];
static size_t voucher_size;
static struct {
	struct advice_header header;
	uint32_t numbers[8];
} advice;

static void at_end(void)
{
	store_file_close(&file);
	store_fixture_close(store);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const uint8_t key[STORE_KEY_SIZE] = { KEY };
	uint8_t *bytes;

	(void)argc;
	(void)argv;
	store = store_fixture_open();
	REQUIRE(!store_fixture_put(store, KEY, NULL));
	REQUIRE(!store_find(store, &store_fixture_machine, key, NULL, NULL,
			    &file));
	bytes = store_fixture_read(store_fixture_file(KEY, STORE_VOUCH_SUFFIX),
				   &voucher_size);
	REQUIRE(voucher_size <= sizeof(voucher));
	memcpy(voucher, bytes, voucher_size);
	free(bytes);
	memcpy(advice.header.magic, STORE_ADVICE_MAGIC,
	       sizeof(advice.header.magic));
	advice.header.format = STORE_ADVICE_FORMAT;
	advice.header.invocations = 16;
	advice.header.hot_count = 6;
	advice.header.working_count = 2;
	memcpy(advice.header.key, key, sizeof(key));
	memcpy(advice.header.of, file.header.hash, sizeof(file.header.hash));
	memcpy(advice.numbers, (uint32_t[]){ 0, 16, 17, 18, 47, 63, 0, 1 },
	       sizeof(advice.numbers));
	return atexit(at_end);
}

/* Makes the hash of @size bytes the right one: a voucher's is its last, over the others. */
static void put_hash(unsigned how, uint8_t *bytes, size_t size)
{
	const size_t at = how & HOW_ADVICE ?
				  offsetof(struct advice_header, hash) :
				  voucher_size - STORE_HASH_SIZE;

	if (size < at + STORE_HASH_SIZE)
		return;
	memset(bytes + at, 0, STORE_HASH_SIZE);
	store_hash(bytes, how & HOW_ADVICE ? size : at, bytes + at);
}

static size_t make(unsigned how, const uint8_t *bytes, size_t size,
		   uint8_t *made)
{
	const void *good = how & HOW_ADVICE ? (const void *)&advice : voucher;
	const size_t good_size = how & HOW_ADVICE ? sizeof(advice) :
						    voucher_size;
	size_t made_size = good_size;

	memset(made, 0, SAYING_MAX);
	memcpy(made, good, good_size);
	for (size_t i = 0; i < size; i++)
		made[i] ^= bytes[i];
	if (how & HOW_CUT && size < made_size)
		made_size = size;
	if (how & HOW_LONGER && size > made_size)
		made_size = size;
	if (how & HOW_HASHED)
		put_hash(how, made, made_size);
	return made_size;
}

static void put(unsigned how, const uint8_t *bytes, size_t size)
{
	const char *suffix = how & HOW_ADVICE ? STORE_ADVICE_SUFFIX :
						STORE_VOUCH_SUFFIX;
	const char *path = store_fixture_file(KEY, suffix);
	char other[256];

	unlink(path);
	snprintf(other, sizeof(other), "%s/other", store_fixture_path);
	store_fixture_write(how & HOW_LINK ? other : path, bytes, size);
	if (how & HOW_LINK)
		REQUIRE(!symlink("other", path));
	REQUIRE(!chmod(path, how & HOW_OPEN ? 0666 : 0600));
}

static void check_voucher(unsigned how, const uint8_t *made, size_t size)
{
	const bool is_good = size >= voucher_size &&
			     !memcmp(made, voucher, voucher_size) &&
			     !(how & (HOW_OPEN | HOW_LINK));
	char name[STORE_NAME_MAX];

	store_name(file.header.key, STORE_VOUCH_SUFFIX, name);
	REQUIRE(vouch_is_there(store_directory(store), name, file.fd,
			       file.header.hash) == is_good);
}

static void check_advice(unsigned how)
{
	static struct store_advice is;
	struct error err = { "" };

	if (store_advice_read(store, &file, &err, &is)) {
		REQUIRE(err.message[0] != '\0');
		return;
	}
	REQUIRE(!(how & (HOW_OPEN | HOW_LINK)));
	REQUIRE(is.hot_count <= STORE_HOT_MAX);
	REQUIRE(is.working_count <= STORE_WORKING_MAX);
	for (uint32_t i = 0; i < is.hot_count; i++)
		REQUIRE(is.hot[i] < STORE_FIXTURE_SIZE / THAW_PAGE_SIZE &&
			(!i || is.hot[i] > is.hot[i - 1]));
	for (uint32_t i = 0; i < is.working_count; i++)
		REQUIRE(is.working[i] < STORE_FIXTURE_SIZE / STORE_CHUNK &&
			(!i || is.working[i] > is.working[i - 1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint8_t made[SAYING_MAX];
	unsigned how;
	size_t made_size;

	if (!size || size > SAYING_MAX)
		return 0;
	how = *bytes;
	made_size = make(how, bytes + 1, size - 1, made);
	put(how, made, made_size);
	if (how & HOW_ADVICE)
		check_advice(how);
	else
		check_voucher(how, made, made_size);
	return 0;
}
