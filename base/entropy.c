/* entropy.c - a fast-key-erasure generator for each thread. See entropy.h. */
#include "base/entropy.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/hot.h"

/* A new key comes from the kernel after this many fillings. */
#define FILLS_PER_SEED 16384

/*
 * Whole blocks of 64 bytes: enough for several callers, and not so much that the
 * one that refills is much slower than the others.
 */
#define FILL_SIZE 512

/* A thread takes bytes from here, and refills it when they do not suffice. */
static _Thread_local struct {
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	uint8_t bytes[FILL_SIZE - crypto_stream_chacha20_KEYBYTES];
	size_t left; /* at the end of bytes[]; the others are erased */
	uint32_t fills_left;
} generator;

_Static_assert(sizeof(generator.key) + sizeof(generator.bytes) ==
		       offsetof(__typeof__(generator), left),
	       "one stream fills both");

/* Erases bytes that nobody reads again: the compiler must not leave it out. */
static void entropy_erase(uint8_t *bytes, size_t size)
{
	memset(bytes, 0, size);
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

static int entropy_refill(void)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t key[sizeof(generator.key)];

	if (!generator.fills_left) {
		/* it chooses code for this CPU; calling it again costs nothing */
		if (sodium_init() < 0)
			return -ENOSYS;
		if (getrandom(generator.key, sizeof(generator.key), 0) !=
		    sizeof(generator.key))
			return errno ? -errno : -EIO;
		generator.fills_left = FILLS_PER_SEED;
	}
	generator.fills_left--;
	/* the stream begins with the next key, which overwrites this one */
	memcpy(key, generator.key, sizeof(key));
	crypto_stream_chacha20((uint8_t *)&generator,
			       offsetof(__typeof__(generator), left), nonce,
			       key);
	sodium_memzero(key, sizeof(key));
	generator.left = sizeof(generator.bytes);
	return 0;
}

HOT int entropy_fill(void *buffer, size_t size)
{
	uint8_t *from;

	assert(size <= ENTROPY_MAX);
	if (generator.left < size) {
		int r = entropy_refill();

		if (r)
			return r;
	}
	from = generator.bytes + sizeof(generator.bytes) - generator.left;
	memcpy(buffer, from, size);
	entropy_erase(from, size);
	generator.left -= size;
	return 0;
}
