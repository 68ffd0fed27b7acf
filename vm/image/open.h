/* open.h - makes an image of an ELF file, which is hostile. See image.h. */
#ifndef VM_IMAGE_OPEN_H
#define VM_IMAGE_OPEN_H

#include <stddef.h>

struct error;
struct image;

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

#endif
