/*
 * entropy.c - random bytes that no two invocations share.
 *
 * The host puts fresh entropy and a new generation number into the info page
 * for every invocation. Bytes come from ChaCha20 (RFC 8439, section 2.3) keyed
 * with that entropy; a new generation means a new key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk.h"

#define BLOCK 64
#define GETENTROPY_MAX 256

static struct {
	uint64_t generation;
	uint32_t state[16];
	uint8_t block[BLOCK];
	size_t used;
} chacha;

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c,
			  unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void next_block(void)
{
	uint32_t x[16];

	memcpy(x, chacha.state, sizeof(x));
	for (int round = 0; round < 10; round++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		x[i] += chacha.state[i];
	memcpy(chacha.block, x, BLOCK);
	chacha.state[12]++;
	chacha.used = 0;
}

static void set_key(void)
{
	static const uint32_t constants[4] = { 0x61707865, 0x3320646e,
					       0x79622d32, 0x6b206574 };

	chacha.generation = thaw_info->generation;
	memcpy(chacha.state, constants, sizeof(constants));
	memcpy(chacha.state + 4, (const void *)thaw_info->entropy, 32);
	chacha.state[12] = 0;
	chacha.state[13] = (uint32_t)chacha.generation;
	chacha.state[14] = (uint32_t)(chacha.generation >> 32);
	chacha.state[15] = 0;
	chacha.used = BLOCK;
}

static void random_bytes(void *buffer, size_t size)
{
	uint8_t *at = buffer;

	if (chacha.generation != thaw_info->generation)
		set_key();
	for (; size; size--) {
		if (chacha.used == BLOCK)
			next_block();
		*at++ = chacha.block[chacha.used++];
	}
}

int getentropy(void *buffer, size_t size)
{
	if (size > GETENTROPY_MAX) {
		errno = EIO;
		return -1;
	}
	random_bytes(buffer, size);
	return 0;
}

uint32_t arc4random(void)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

void arc4random_buf(void *buffer, size_t size)
{
	random_bytes(buffer, size);
}

/* Without bias: values below 2^32 mod @bound are drawn again. */
uint32_t arc4random_uniform(uint32_t bound)
{
	uint32_t value;

	if (bound < 2)
		return 0;
	do {
		value = arc4random();
	} while (value < -bound % bound);
	return value % bound;
}

/*
 * From the generation, which is random and new: a block of ChaCha20 for every
 * invocation would cost as much as the rest of the SDK. Who needs secrets takes
 * getentropy() or arc4random().
 */
void thaw_entropy_reseed(void)
{
	const uint64_t generation = thaw_info->generation;

	srand((unsigned)generation);
	srandom((unsigned)(generation >> 32));
}
