/* symbols.h - the names of an image's functions. */
#ifndef VM_IMAGE_SYMBOLS_H
#define VM_IMAGE_SYMBOLS_H

#include <stdint.h>

struct error;
struct image;
struct image_reader;

/* Names of functions are cut after this many characters. */
#define IMAGE_SYMBOL_NAME_MAX 128

/*
 * For open.c: sets the image's symbols. A symbol table that makes no sense is
 * ignored, as if the file were stripped. -ENOMEM.
 */
int image_read_symbols(struct image_reader *reader, struct error *err);

/*
 * The name of the function @gva lies in, or NULL, and how many bytes into it
 * it is. The string lives as long as the image and has IMAGE_SYMBOL_NAME_MAX
 * characters at most. Only symbols with printable ASCII names count.
 */
const char *image_symbol(const struct image *image, uint64_t gva,
			 uint64_t *ret_offset);

#endif
