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

/* As guest/sdk/function.ld names it. */
#define SECTION_NAME ".thaw_handlers"

static bool find_section(const struct image_reader *reader,
			 GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(reader->elf, &names))
		return false;
	while ((section = elf_nextscn(reader->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, ret_header))
			return false;
		name = elf_strptr(reader->elf, names, ret_header->sh_name);
		if (name && !strcmp(name, SECTION_NAME))
			return ret_header->sh_type == SHT_PROGBITS;
	}
	return false;
}

/* The @size bytes at @gva as the file has them, or NULL. */
static const uint8_t *find_bytes(const struct image *image, uint64_t gva,
				 uint64_t size)
{
	const struct image_segment *segment =
		image_find_segment(image, gva, size);

	if (!segment || gva < segment->data_gva ||
	    !image_range_inside(gva - segment->data_gva, size,
				segment->data_size))
		return NULL;
	return segment->data + (gva - segment->data_gva);
}

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
	GElf_Shdr header;
	size_t count;

	if (!find_section(reader, &header) || header.sh_size % entry)
		return 0;
	count = header.sh_size / entry;
	bytes = find_bytes(reader->image, header.sh_addr + reader->bias,
			   header.sh_size);
	if (!bytes || !count || count > THAW_HANDLERS_MAX)
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
