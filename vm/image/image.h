/*
 * image.h - a guest image: an ELF file, checked once, ready to be loaded.
 *
 *	struct image *image;
 *	int r = image_open("hello.elf", &err, &image);
 *	...
 *	r = image_load(image, memory, memory_size, &err);
 *	name = image_symbol(image, pc, &offset);
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
/* Names of functions are cut after this many characters. */
#define IMAGE_SYMBOL_NAME_MAX 128

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
	uint64_t entry;			/* in an executable segment */
	uint64_t end;			/* first page after the last segment */
	struct image_private *internal; /* file bytes, relocations, symbols */
};

/*
 * Reads and checks the ELF file at @path. On success *@ret_image is owned by
 * the caller, who frees it by image_close(). Errors, each with a message in
 * @err that names the path: -ENOENT, -EACCES, ... from opening it; -EFBIG
 * larger than IMAGE_FILE_MAX; -ENOEXEC anything about its contents; -ENOMEM.
 */
int image_open(const char *path, struct error *err, struct image **ret_image);

/*
 * The same for @size bytes at @bytes, which are copied; @name stands for the
 * path in messages.
 */
int image_parse(const void *bytes, size_t size, const char *name,
		struct error *err, struct image **ret_image);

/* Frees @image; NULL is fine. */
void image_close(struct image *image);

/*
 * Copies the segments into guest memory (gva == offset into @memory) and
 * applies the relocations of a static PIE. @memory must be zero there.
 * Returns -ENOEXEC if the image ends beyond @memory_size.
 */
int image_load(const struct image *image, uint8_t *memory, size_t memory_size,
	       struct error *err);

/*
 * The handlers that the SDK has left in the image, in the order in which the
 * guest will offer them. 0: the file does not tell, as one without section
 * headers; then booting it does.
 */
size_t image_handler_count(const struct image *image);
const char *image_handler_name(const struct image *image, size_t index);

/*
 * The name of the function @gva lies in, or NULL, and how many bytes into it
 * it is. The string lives as long as the image and has IMAGE_SYMBOL_NAME_MAX
 * characters at most. Only symbols with printable ASCII names count.
 */
const char *image_symbol(const struct image *image, uint64_t gva,
			 uint64_t *ret_offset);

#endif
