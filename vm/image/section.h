/* section.h - finds what the SDK has left in a section of an image. */
#ifndef VM_IMAGE_SECTION_H
#define VM_IMAGE_SECTION_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct image_reader;

/*
 * Finds the bytes of the section called @name as the file has them, and their number;
 * NULL if there is no such section, or nothing is in it. For those that read an image;
 * call it once the segments are known. -ENOEXEC: there is one, and its bytes are not in
 * the file, or not in those of a segment.
 */
int image_section(const struct image_reader *reader, const char *name,
		  struct error *err, const uint8_t **ret_bytes,
		  size_t *ret_size);

#endif
