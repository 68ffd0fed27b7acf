/*
 * image.h - a guest image: an ELF file, checked once, ready to be loaded.
 *
 *	struct image *image;
 *	int r = image_open("hello.elf", &err, &image);		open.h
 *	...
 *	r = image_load(image, memory, memory_size, &err);
 *	name = image_symbol(image, pc, &offset);		symbols.h
 *	image_close(image);
 *
 * The file is hostile. It is read whole into memory first, so that nobody can
 * change it between check and use, and everything in it is checked against
 * its size before libelf or we look at it. What is accepted: 64-bit little
 * endian ELF for this machine (ELF gABI, psABI of the architecture), ET_EXEC
 * or static PIE (ET_DYN without PT_INTERP and without DT_NEEDED), whose
 * PT_LOAD segments start on pages of their own, do not overlap, lie at or
 * above THAW_GPA_IMAGE, and are never writable and executable at once.
 *
 * An image does not change after image_open(); any number of threads may use
 * it together.
 */
#ifndef VM_IMAGE_IMAGE_H
#define VM_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* An image file larger than this is refused. */
#define IMAGE_FILE_MAX (64u << 20)
/* An image with more PT_LOAD segments than this is refused. */
#define IMAGE_SEGMENTS_MAX 16
/* An image that ends beyond this address is refused. */
#define IMAGE_MEMORY_MAX (1u << 30)

/* Bytes of image_hash(). */
#define IMAGE_HASH_SIZE 32

#define IMAGE_PROT_READ 0x1
#define IMAGE_PROT_WRITE 0x2
#define IMAGE_PROT_EXECUTE 0x4

/* One PT_LOAD: @data_size bytes of the file, then zeros up to @size. */
struct image_segment {
	uint64_t gva;  /* page-aligned start (load bias of a PIE included) */
	uint64_t size; /* bytes in memory, a multiple of THAW_PAGE_SIZE */
	unsigned prot; /* IMAGE_PROT_* */
	uint64_t data_gva; /* where the file's bytes go */
	const uint8_t *data;
	uint64_t data_size;
};

struct image {
	struct image_segment segments[IMAGE_SEGMENTS_MAX]; /* by address */
	unsigned segment_count;
	uint64_t entry; /* in an executable segment */
	uint64_t bias;	/* gva - address in the file; of a PIE */
	uint64_t end;	/* first page after the last segment */
	struct image_private *internal; /* file bytes, relocations, symbols */
};

/* Takes one more reference, and returns @image. Any thread. */
struct image *image_hold(struct image *image);

/* Gives a reference back; the last one frees @image. NULL is fine. Any thread. */
void image_close(struct image *image);

/*
 * Copies the segments into guest memory (gva == offset into @memory) and
 * applies the relocations of a static PIE. @memory must be zero there.
 * Returns -ENOEXEC if the image ends beyond @memory_size.
 */
int image_load(const struct image *image, uint8_t *memory, size_t memory_size,
	       struct error *err);

/*
 * Whether @memory, in which the image was loaded, has the same in all segments that are not
 * to be written: what image_load() puts there, or zeros. The page that differs is in
 * *@ret_gva. False as well without memory for the comparison.
 */
bool image_matches(const struct image *image, const uint8_t *memory,
		   uint64_t *ret_gva);

/* Bytes of the file, which are in memory as long as the image. */
size_t image_file_size(const struct image *image);

/*
 * The BLAKE2b hash of what image_load() takes of the file, and of where that goes: not of
 * the rest, which is symbols and what debuggers read, and may be most of it. The SHA-256 of
 * the whole file, in hexadecimal. Each is computed when it is asked for first, and lives as
 * long as the image. Any thread.
 */
const uint8_t *image_hash(const struct image *image);
const char *image_sha256(const struct image *image);

#endif
