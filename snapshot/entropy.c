/* entropy.c - a fast-key-erasure generator for each thread. See entropy.h. */
#include "snapshot/entropy.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

/* A new key comes from the kernel after this many calls. */
#define CALLS_PER_SEED 65536

static _Thread_local struct {
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	uint32_t calls_left;
} generator;

int entropy_get(void *buffer, size_t size)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t stream[sizeof(generator.key) + ENTROPY_MAX];

	assert(size <= ENTROPY_MAX);
	if (!generator.calls_left) {
		if (getrandom(generator.key, sizeof(generator.key), 0) !=
		    sizeof(generator.key))
			return errno ? -errno : -EIO;
		generator.calls_left = CALLS_PER_SEED;
	}
	generator.calls_left--;
	crypto_stream_chacha20(stream, sizeof(generator.key) + size, nonce,
			       generator.key);
	memcpy(generator.key, stream, sizeof(generator.key));
	memcpy(buffer, stream + sizeof(generator.key), size);
	sodium_memzero(stream, sizeof(stream));
	return 0;
}
