/* section.h - finds what the SDK has left in a section of an image. */
#ifndef VM_IMAGE_SECTION_H
#define VM_IMAGE_SECTION_H

#include <stddef.h>
#include <stdint.h>

struct image_reader;

/*
 * Returns the bytes of the section called @name as the file has them, and their
 * number; NULL if there is no such section, or it is not in the bytes of a segment.
 * For those that read an image; call it once the segments are known.
 */
const uint8_t *image_section(const struct image_reader *reader,
			     const char *name, size_t *ret_size);

#endif
