/*
 * format.h - the bytes of a snapshot's file.
 *
 *	struct store_header
 *	manifest	JSON, for people: what the snapshot is of
 *	ready		what the guest has said when it was ready; of a Linux program, what
 *			the host knows of it (executor/linux/state.h)
 *	state		the vcpu's
 *	bitmap		a bit for each page of memory: it exists
 *	hashes		one of each STORE_CHUNK bytes of memory; zero: no page exists there
 *	memory		page n at n * page_size; pages that do not exist are holes
 *
 * Each part begins at a multiple of 8, where the one before it ends. Memory begins at the
 * next multiple of STORE_CHUNK, and ends the file. So it can be mapped as it is, with host
 * pages of any size. All numbers are little endian, all padding is zero.
 *
 * Files of all formats have magic, format and version where this one has them.
 */
#ifndef SNAPSHOT_STORE_FORMAT_H
#define SNAPSHOT_STORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_abi.h"
#include "vm/layout.h"

#define STORE_MAGIC "thawsnap"
#define STORE_FORMAT 3u

#define STORE_HASH_SIZE 32
#define STORE_KEY_SIZE 32
#define STORE_VERSION_MAX 24
#define STORE_FEATURES 96
#define STORE_CHUNK (64u << 10)
#define STORE_CHUNK_PAGES (STORE_CHUNK / THAW_PAGE_SIZE)

/* The most bytes of a part. */
#define STORE_MANIFEST_MAX (1u << 20)
#define STORE_READY_MAX (16u << 20)
#define STORE_STATE_MAX (64u << 10)
/* The latest such time, 146 years: sums of it and of other times do not wrap. */
#define STORE_FROZEN_NS_MAX (UINT64_C(1) << 62)

struct store_header {
	char magic[8];	 /* STORE_MAGIC, without its zero */
	uint32_t format; /* STORE_FORMAT */
	uint32_t reserved;
	char version[STORE_VERSION_MAX]; /* of the thaw that wrote it */
	uint32_t abi;			 /* THAW_ABI_VERSION */
	uint32_t architecture;		 /* as an ELF file has it: e_machine */
	uint32_t page_size;		 /* THAW_PAGE_SIZE */
	uint32_t reserved_too;
	uint32_t features[STORE_FEATURES]; /* a mask: struct vm_machine */
	uint64_t created_s;		   /* seconds since 1970 */
	uint8_t key[STORE_KEY_SIZE];	   /* what the snapshot was made of */
	uint64_t manifest_size;
	uint64_t ready_size;
	uint64_t state_size;
	uint64_t memory_size; /* the guest's */
	uint64_t frozen_ns;   /* its CLOCK_MONOTONIC when it was frozen */
	/* of all parts up to the hashes, with zeros here; what follows them is zero */
	uint8_t hash[STORE_HASH_SIZE];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as in the file");
_Static_assert(offsetof(struct store_header, format) == 8, "of all formats");
_Static_assert(offsetof(struct store_header, version) == 16, "of all formats");
_Static_assert(offsetof(struct store_header, abi) == 40, "format 3");
_Static_assert(offsetof(struct store_header, architecture) == 44, "format 3");
_Static_assert(offsetof(struct store_header, page_size) == 48, "format 3");
_Static_assert(offsetof(struct store_header, features) == 56, "format 3");
_Static_assert(offsetof(struct store_header, created_s) == 440, "format 3");
_Static_assert(offsetof(struct store_header, key) == 448, "format 3");
_Static_assert(offsetof(struct store_header, manifest_size) == 480, "format 3");
_Static_assert(offsetof(struct store_header, memory_size) == 504, "format 3");
_Static_assert(offsetof(struct store_header, frozen_ns) == 512, "format 3");
_Static_assert(offsetof(struct store_header, hash) == 520, "format 3");
_Static_assert(sizeof(struct store_header) == 552, "format 3");
_Static_assert((LAYOUT_MEMORY_UNIT & (STORE_CHUNK - 1)) == 0, "whole chunks");
/* A file holds guest memory as it is: what is in it is part of its format. */
_Static_assert(THAW_PAGE_SIZE == 4096 && THAW_GPA_SYSTEM == 0x10000 &&
		       THAW_GPA_INFO == 0x14000 && THAW_GPA_IMAGE == 0x100000 &&
		       THAW_ABI_VERSION == 6 && STORE_FORMAT == 3,
	       "a new layout is a new ABI version, and a new golden file");

/* Where the parts are, and how large they are; from the sizes in a header. */
struct store_parts {
	uint64_t manifest, ready, state, bitmap, hashes, memory; /* offsets */
	uint64_t bitmap_size, hashes_size;
	uint64_t end; /* of the file */
};

/* Works them out of @header, whose sizes are within their bounds: no sum can wrap. */
static inline struct store_parts
store_parts_of(const struct store_header *header)
{
	const uint64_t chunks = header->memory_size / STORE_CHUNK;
	struct store_parts parts = {
		.manifest = sizeof(*header),
		.bitmap_size = chunks * STORE_CHUNK_PAGES / 8,
		.hashes_size = chunks * STORE_HASH_SIZE,
	};

	parts.ready = (parts.manifest + header->manifest_size + 7) & ~7ull;
	parts.state = (parts.ready + header->ready_size + 7) & ~7ull;
	parts.bitmap = (parts.state + header->state_size + 7) & ~7ull;
	parts.hashes = (parts.bitmap + parts.bitmap_size + 7) & ~7ull;
	parts.memory = (parts.hashes + parts.hashes_size + STORE_CHUNK - 1) &
		       ~(uint64_t)(STORE_CHUNK - 1);
	parts.end = parts.memory + header->memory_size;
	return parts;
}

#endif
