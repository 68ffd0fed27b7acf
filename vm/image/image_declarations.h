/* image_declarations.h - what an image declares: see declarations.h. */
#ifndef VM_IMAGE_IMAGE_DECLARATIONS_H
#define VM_IMAGE_IMAGE_DECLARATIONS_H

#include "vm/image/declarations.h"

struct error;
struct image;
struct image_reader;

/*
 * For open.c: reads what the image declares. An image without section headers declares
 * nothing. Errors as declarations_read().
 */
int image_read_declarations(struct image_reader *reader, struct error *err);

/* The functions that the image has. They live as long as the image. */
const struct declarations *image_functions(const struct image *image);

/* The functions that it wants of the host. They live as long as the image. */
const struct declarations *image_imports(const struct image *image);

#endif
