/* libc_heap.c - what malloc() and free() notice, and what they must not mind. */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <thaw.h>

#include "expect.h"

/* The compiler is not to know what they are, and what becomes of them. */
static void *volatile allocated, *volatile freed;

static char *allocate(size_t size)
{
	char *block;

	allocated = malloc(size);
	block = allocated;
	EXPECT(block);
	memset(block, 'x', size);
	return block;
}

static void release(void *block)
{
	freed = block;
	free(freed);
}

THAW_HANDLER(heap_freed_twice)
{
	char *block = allocate(100);

	allocate(100);
	release(block);
	release(block);
	return 0;
}

/* The second is part of the block that the first has become. */
THAW_HANDLER(heap_freed_twice_merged)
{
	char *first = allocate(100), *second = allocate(100);

	allocate(100);
	release(first);
	release(second);
	release(second);
	return 0;
}

/* Nothing is behind it: it is part of the rest of the heap. */
THAW_HANDLER(heap_freed_twice_last)
{
	char *block = allocate(100);

	release(block);
	release(block);
	return 0;
}

THAW_HANDLER(heap_reallocated_after_free)
{
	char *block = allocate(100);

	allocate(100);
	release(block);
	freed = realloc(freed, 200);
	return 0;
}

THAW_HANDLER(heap_foreign)
{
	static char outside[64] __attribute__((aligned(16)));

	allocate(100);
	release(outside + 16);
	return 0;
}

THAW_HANDLER(heap_foreign_before_malloc)
{
	char on_stack[64] __attribute__((aligned(16))) = { 0 };

	release(on_stack + 16);
	return 0;
}

THAW_HANDLER(heap_inside)
{
	release(allocate(100) + 32);
	return 0;
}

THAW_HANDLER(heap_unaligned)
{
	release(allocate(100) + 1);
	return 0;
}

THAW_HANDLER(heap_beyond)
{
	release(allocate(100) + (1 << 20));
	return 0;
}

/* The end of a string, one byte too far. */
THAW_HANDLER(heap_overrun_by_one)
{
	volatile char *block = allocate(24);

	allocate(24);
	block[24] = '\0';
	release((char *)block);
	return 0;
}

/* Whoever comes first to the head that was overwritten notices. */
THAW_HANDLER(heap_overrun_neighbour)
{
	volatile char *block = allocate(24);
	char *next = allocate(24);

	for (size_t i = 24; i < 32; i++)
		block[i] = 'A';
	release(next);
	return 0;
}

THAW_HANDLER(heap_overrun_last)
{
	volatile char *block = allocate(24);

	for (size_t i = 24; i < 64; i++)
		block[i] = '\xff';
	allocate(24);
	return 0;
}

THAW_HANDLER(heap_written_after_free)
{
	static void *fake[8];
	char *block = allocate(100);

	allocate(100);
	release(block);
	((void *volatile *)block)[0] = fake;
	allocate(100);
	return 0;
}

#define BLOCKS 64
#define STEPS 40000

static struct {
	unsigned char *data;
	size_t size;
} blocks[BLOCKS];

static uint32_t next_random(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static void fill(size_t i)
{
	EXPECT(blocks[i].data && !((uintptr_t)blocks[i].data % 16));
	memset(blocks[i].data, (int)i, blocks[i].size);
}

static void look_at(size_t i)
{
	for (size_t at = 0; at < blocks[i].size; at++)
		EXPECT(blocks[i].data[at] == i);
}

static void renew(size_t i)
{
	const size_t kept = blocks[i].size;
	unsigned char *larger;

	blocks[i].size = next_random() % (next_random() % 8 ? 300 : 20000);
	larger = realloc(blocks[i].data, blocks[i].size + 1);
	EXPECT(larger);
	for (size_t at = 0; at < kept && at < blocks[i].size; at++)
		EXPECT(larger[at] == i);
	blocks[i].data = larger;
}

static void step(size_t i)
{
	const size_t size = next_random() % (next_random() % 8 ? 300 : 20000);

	if (next_random() % 2 && blocks[i].data) {
		renew(i);
	} else {
		free(blocks[i].data);
		blocks[i].size = size;
		blocks[i].data =
			next_random() % 4 ?
				malloc(size + 1) :
				memalign(16u << next_random() % 6, size + 1);
	}
	fill(i);
	/* memory of another's, in the middle of the heap */
	if (!(next_random() % 1000))
		EXPECT(sbrk(48) != (void *)-1);
}

/* All that is allowed, in any order. */
THAW_HANDLER(heap_sound)
{
	for (int i = 0; i < STEPS; i++) {
		const size_t block = next_random() % BLOCKS;

		if (blocks[block].data)
			look_at(block);
		step(block);
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		look_at(i);
		free(blocks[i].data);
	}
	return 0;
}

static void leave(void)
{
	thaw_fail("Test.Left", "by exit()");
}

THAW_HANDLER(leaves)
{
	EXPECT(!atexit(leave));
	exit(1);
}
