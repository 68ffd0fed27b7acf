/*
 * image.c - puts an image into guest memory, and answers questions about it. See
 * image.h; how an image is made of a file is in open.c.
 */
#include "vm/image/image.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vm/image/declarations.h"
#include "vm/image/image_internal.h"

void image_close(struct image *image)
{
	if (!image)
		return;
	free(image->internal->name);
	free(image->internal->bytes);
	free(image->internal->relocations);
	free(image->internal->handlers);
	declarations_done(&image->internal->functions);
	declarations_done(&image->internal->imports);
	free(image->internal->symbols);
	free(image->internal->symbol_names);
	free(image->internal);
	free(image);
}

int image_load(const struct image *image, uint8_t *memory, size_t memory_size,
	       struct error *err)
{
	const struct image_private *file = image->internal;

	if (image->end > memory_size)
		return error_set(err, -ENOEXEC,
				 "%s: ends at 0x%" PRIx64 ", beyond the "
				 "function's memory of 0x%zx bytes",
				 file->name, image->end, memory_size);

	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		memcpy(memory + segment->data_gva, segment->data,
		       segment->data_size);
	}
	for (size_t i = 0; i < file->relocation_count; i++) {
		uint64_t value = htole64(file->relocations[i].value);

		memcpy(memory + file->relocations[i].gva, &value,
		       sizeof(value));
	}
	return 0;
}

bool image_range_inside(uint64_t offset, uint64_t size, uint64_t total)
{
	return size <= total && offset <= total - size;
}

size_t image_printable_length(const char *string, size_t size)
{
	size_t length = strnlen(string, size);

	for (size_t i = 0; i < length; i++) {
		if (string[i] < ' ' || string[i] > '~')
			return 0;
	}
	return length;
}

const struct image_segment *image_find_segment(const struct image *image,
					       uint64_t gva, uint64_t size)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		/* Below the segment, the difference wraps: not inside. */
		if (image_range_inside(gva - segment->gva, size, segment->size))
			return segment;
	}
	return NULL;
}
