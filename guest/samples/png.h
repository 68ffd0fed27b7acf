/*
 * png.h - writes PNG images with a palette, compressed.
 *
 *	png_init();			once, before the first image
 *	size = png_encode(&image, out, capacity);
 */
#ifndef PNG_H
#define PNG_H

#include <stddef.h>
#include <stdint.h>

#define PNG_COLOURS 256

struct png_image {
	uint32_t width, height;		 /* pixels, at least 1 */
	uint8_t palette[PNG_COLOURS][3]; /* red, green, blue */
	const uint8_t *rows; /* each: a zero, then @width palette indices */
};

/* Prepares the table that checksums need. */
void png_init(void);

/*
 * Writes @image to @out; returns its bytes, or 0 if they are too many. No
 * image takes more than 9/8 of a byte per pixel and row, and 1 KiB.
 */
size_t png_encode(const struct png_image *image, uint8_t *out, size_t capacity);

#endif
