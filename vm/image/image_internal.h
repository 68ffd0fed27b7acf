/*
 * image_internal.h - what the files that make an image share: an image's parts,
 * and the file that is being read.
 */
#ifndef VM_IMAGE_IMAGE_INTERNAL_H
#define VM_IMAGE_IMAGE_INTERNAL_H

#include <gelf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "vm/image/declarations.h"
#include "vm/image/image.h"

/* Eight bytes to be written at @gva once the segments are in memory. */
struct image_relocation {
	uint64_t gva;
	uint64_t value;
};

struct image_symbol {
	uint64_t gva;
	uint64_t size;	  /* 0: not known, up to the next symbol */
	const char *name; /* in image_private.symbol_names */
};

struct image_private {
	_Atomic unsigned references;
	pthread_mutex_t lock; /* of the hashes */
	bool has_hash;
	uint8_t hash[IMAGE_HASH_SIZE];
	char sha256[65]; /* "": not computed yet */
	char *name;	 /* for messages */
	uint8_t *bytes;	 /* the whole file; the segments point into it */
	size_t size;
	struct image_relocation *relocations;
	size_t relocation_count;
	char (*handlers)[THAW_NAME_MAX];
	size_t handler_count;
	struct declarations functions, imports;
	struct image_symbol *symbols; /* by address */
	size_t symbol_count;
	char *symbol_names;
};

/* An ELF file being read into @image. */
struct image_reader {
	struct image *image;
	const uint8_t *bytes;
	size_t size;
	Elf64_Ehdr header;
	Elf *elf;      /* libelf's view of the bytes, once they were checked */
	uint64_t bias; /* what is added to every address in the file */
};

/* Are there @size bytes at @offset in something of @total bytes? */
bool image_range_inside(uint64_t offset, uint64_t size, uint64_t total);

/*
 * The length of the string at @string, where at most @size bytes are; 0 if
 * one of its characters is not printable ASCII.
 */
size_t image_printable_length(const char *string, size_t size);

/* The segment that holds all of the @size bytes at @gva, or NULL. */
const struct image_segment *image_find_segment(const struct image *image,
					       uint64_t gva, uint64_t size);

#endif
