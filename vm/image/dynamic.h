/* dynamic.h - checks the dynamic section, for open.c. */
#ifndef VM_IMAGE_DYNAMIC_H
#define VM_IMAGE_DYNAMIC_H

struct error;
struct image_reader;

/*
 * Checks the dynamic section, if there is one, and sets the image's
 * relocations. -ENOEXEC, -ENOMEM.
 */
int image_read_dynamic(struct image_reader *reader, struct error *err);

#endif
