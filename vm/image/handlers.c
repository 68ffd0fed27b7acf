/*
 * handlers.c - the handlers that the SDK has left in an image, for those
 * who want to know them before it is booted. What counts is what a booted guest
 * says: see snapshot/boot.c.
 */
#include "vm/image/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "vm/image/image_internal.h"
#include "vm/image/section.h"

/* As guest/sdk/function.ld names it. */
#define SECTION_NAME ".thaw_handlers"

static bool copy_name(char to[THAW_NAME_MAX], const uint8_t *from)
{
	const size_t at = offsetof(struct thaw_handler_entry, name);
	const size_t size = sizeof(struct thaw_handler_entry) - at;
	const char *name = (const char *)from + at;
	const size_t length = image_printable_length(name, size);

	if (!length || length == size)
		return false;
	memcpy(to, name, length + 1);
	return true;
}

int image_read_handlers(struct image_reader *reader, struct error *err)
{
	const size_t entry = sizeof(struct thaw_handler_entry);
	struct image_private *file = reader->image->internal;
	const uint8_t *bytes;
	size_t count, size;

	if (image_section(reader, SECTION_NAME, NULL, &bytes, &size) ||
	    !bytes || size % entry)
		return 0;
	count = size / entry;
	if (!count || count > THAW_HANDLERS_MAX)
		return 0;
	file->handlers = calloc(count, sizeof(*file->handlers));
	if (!file->handlers)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (!copy_name(file->handlers[i], bytes + i * entry))
			return 0;
	file->handler_count = count;
	return 0;
}

size_t image_handler_count(const struct image *image)
{
	return image->internal->handler_count;
}

const char *image_handler_name(const struct image *image, size_t index)
{
	return image->internal->handlers[index];
}
