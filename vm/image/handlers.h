/* handlers.h - the handlers that the SDK has left in an image. */
#ifndef VM_IMAGE_HANDLERS_H
#define VM_IMAGE_HANDLERS_H

#include <stddef.h>

struct error;
struct image;
struct image_reader;

/*
 * For open.c: sets the image's handlers. A table of them that makes no sense is
 * ignored, as if it were not there. -ENOMEM.
 */
int image_read_handlers(struct image_reader *reader, struct error *err);

/*
 * The handlers that the SDK has left in the image, in the order in which the
 * guest will offer them. 0: the file does not tell, as one without section
 * headers; then booting it does.
 */
size_t image_handler_count(const struct image *image);
const char *image_handler_name(const struct image *image, size_t index);

#endif
