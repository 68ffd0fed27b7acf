/* image_declarations.c - see image_declarations.h. */
#include "vm/image/image_declarations.h"

#include <errno.h>

#include "base/error.h"
#include "vm/image/image_internal.h"
#include "vm/image/section.h"

/* As guest/sdk/function.ld names them. */
#define FUNCTIONS_SECTION ".thaw_functions"
#define IMPORTS_SECTION ".thaw_imports"
#define REGISTERS_SECTION ".thaw_registers"

static int read_section(const struct image_reader *reader, const char *section,
			const char *kind, bool is_named, struct error *err,
			struct declarations *declarations)
{
	const uint8_t *bytes;
	size_t size;
	int r = image_section(reader, section, err, &bytes, &size);

	return r ? r :
		   declarations_read(bytes, size, kind, is_named, err,
				     declarations);
}

int image_read_declarations(struct image_reader *reader, struct error *err)
{
	struct image_private *file = reader->image->internal;
	const uint8_t *bytes = NULL;
	size_t size;
	int r = read_section(reader, FUNCTIONS_SECTION, "typed function", true,
			     err, &file->functions);

	file->imports.may_repeat = true;
	if (!r)
		r = read_section(reader, IMPORTS_SECTION, "import", false, err,
				 &file->imports);
	if (!r && file->imports.has_dispatch)
		r = error_set(err, -ENOEXEC,
			      "an import is a dispatch function");
	if (!r)
		r = image_section(reader, REGISTERS_SECTION, err, &bytes,
				  &size);
	file->functions.is_open = bytes != NULL;
	return r;
}

const struct declarations *image_functions(const struct image *image)
{
	return &image->internal->functions;
}

const struct declarations *image_imports(const struct image *image)
{
	return &image->internal->imports;
}
