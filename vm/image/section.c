/* section.c - see section.h. */
#include "vm/image/section.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "vm/image/image_internal.h"

static bool find_section(const struct image_reader *reader, const char *wanted,
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
		if (name && !strcmp(name, wanted))
			return true;
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

int image_section(const struct image_reader *reader, const char *name,
		  struct error *err, const uint8_t **ret_bytes,
		  size_t *ret_size)
{
	GElf_Shdr header;

	*ret_bytes = NULL;
	*ret_size = 0;
	if (!find_section(reader, name, &header) || !header.sh_size)
		return 0;
	if (header.sh_type == SHT_PROGBITS)
		*ret_bytes = find_bytes(reader->image,
					header.sh_addr + reader->bias,
					header.sh_size);
	if (!*ret_bytes)
		return error_set(err, -ENOEXEC,
				 "the section %s has no bytes in the file, or "
				 "is in no segment: link with the SDK's "
				 "function.ld",
				 name);
	*ret_size = header.sh_size;
	return 0;
}
