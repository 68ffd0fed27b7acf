/*
 * functions.c - the typed functions that the SDK's THAW_FUNCTION has declared in an
 * image. Unlike handlers, of which the booted guest tells, they are known by the
 * image alone; so declarations that make no sense are refused. See thaw_typed.h.
 */
#include "vm/image/functions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"
#include "vm/image/image_internal.h"
#include "vm/image/section.h"

/* As guest/sdk/function.ld names it. */
#define SECTION_NAME ".thaw_functions"

static const char *const type_names[] = {
	[THAW_TYPE_NONE] = "nothing",  [THAW_TYPE_INT] = "int",
	[THAW_TYPE_UINT] = "uint",     [THAW_TYPE_LONG] = "long",
	[THAW_TYPE_ULONG] = "ulong",   [THAW_TYPE_FLOAT] = "float",
	[THAW_TYPE_DOUBLE] = "double", [THAW_TYPE_STRING] = "string",
	[THAW_TYPE_BOOL] = "bool",     [THAW_TYPE_BYTES] = "bytes",
	[THAW_TYPE_VOID] = "void",
};

#define TYPES (sizeof(type_names) / sizeof(*type_names))

const char *image_type_name(unsigned type)
{
	return type < TYPES ? type_names[type] : "unknown";
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of the identifier of C at @text, or 0. */
static size_t identifier_length(const char *text)
{
	size_t length = 0;

	if (!is_letter(*text))
		return 0;
	while (is_letter(text[length]) ||
	       (text[length] >= '0' && text[length] <= '9'))
		length++;
	return length;
}

/* Whether @text, which is zero-terminated, is @count names: "a, b". */
static bool is_names(const char *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const size_t length = identifier_length(text);

		if (!length)
			return false;
		text += length;
		if (i + 1 < count && (*text++ != ',' || *text++ != ' '))
			return false;
	}
	return !*text;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	uint8_t all = 0;

	for (size_t i = 0; i < size; i++)
		all |= bytes[i];
	return !all;
}

static int check_types(const struct thaw_function_entry *entry, size_t number,
		       struct error *err)
{
	if (entry->count > THAW_PARAMETERS_MAX)
		return error_set(err, -ENOEXEC,
				 "typed function %zu (%s) has %u parameters; "
				 "%d are allowed",
				 number, entry->name, entry->count,
				 THAW_PARAMETERS_MAX);
	if (entry->returns == THAW_TYPE_NONE || entry->returns >= TYPES)
		return error_set(err, -ENOEXEC,
				 "typed function %zu (%s) returns type %u, "
				 "which does not exist",
				 number, entry->name, entry->returns);
	for (unsigned i = 0; i < entry->count; i++)
		if (entry->types[i] == THAW_TYPE_NONE ||
		    entry->types[i] >= THAW_TYPE_VOID)
			return error_set(err, -ENOEXEC,
					 "parameter %u of typed function %zu "
					 "(%s) has type %u, which does not "
					 "exist",
					 i + 1, number, entry->name,
					 entry->types[i]);
	if (!is_zero(entry->types + entry->count,
		     sizeof(entry->types) - entry->count) ||
	    !is_names(entry->parameters, entry->count))
		return error_set(err, -ENOEXEC,
				 "typed function %zu (%s) has other parameters "
				 "than it names",
				 number, entry->name);
	return 0;
}

static int check_entry(const struct image *image,
		       const struct thaw_function_entry *entry, size_t number,
		       struct error *err)
{
	const size_t length = identifier_length(entry->name);

	if (entry->reserved || entry->flags)
		return error_set(err, -ENOEXEC,
				 "typed function %zu has flags that this thaw "
				 "does not know: use the thaw that its SDK is "
				 "of",
				 number);
	if (!length || entry->name[length])
		return error_set(err, -ENOEXEC,
				 "the name of typed function %zu is no name",
				 number);
	if (image_find_function(image, entry->name))
		return error_set(err, -ENOEXEC,
				 "two typed functions are called %s",
				 entry->name);
	return check_types(entry, number, err);
}

static int take_dispatch(struct image_private *file,
			 const struct thaw_function_entry *entry, size_t number,
			 struct error *err)
{
	if (file->has_dispatch)
		return error_set(err, -ENOEXEC,
				 "typed function %zu is a second dispatch "
				 "function",
				 number);
	if (entry->reserved || entry->flags != THAW_FUNCTION_DISPATCH ||
	    entry->returns || entry->count || *entry->name)
		return error_set(err, -ENOEXEC,
				 "typed function %zu, the dispatch function, "
				 "has a name, types or flags",
				 number);
	file->has_dispatch = true;
	return 0;
}

static int take_entry(struct image *image, const uint8_t *bytes, size_t number,
		      struct error *err)
{
	struct image_private *file = image->internal;
	struct image_function *function =
		&file->functions[file->function_count];
	struct thaw_function_entry entry;
	int r;

	memcpy(&entry, bytes, sizeof(entry));
	if (entry.flags & THAW_FUNCTION_DISPATCH)
		return take_dispatch(file, &entry, number, err);
	if (entry.name[sizeof(entry.name) - 1] ||
	    entry.parameters[sizeof(entry.parameters) - 1])
		return error_set(err, -ENOEXEC,
				 "a name of typed function %zu does not end",
				 number);
	r = check_entry(image, &entry, number, err);
	if (r)
		return r;
	function->index = (uint16_t)number;
	function->returns = entry.returns;
	function->count = entry.count;
	memcpy(function->types, entry.types, sizeof(entry.types));
	strcpy(function->name, entry.name);
	strcpy(function->parameters, entry.parameters);
	file->function_count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct image_function *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int image_read_functions(struct image_reader *reader, struct error *err)
{
	const size_t size = sizeof(struct thaw_function_entry);
	struct image_private *file = reader->image->internal;
	const uint8_t *bytes;
	size_t total, count;

	bytes = image_section(reader, SECTION_NAME, &total);
	if (!bytes || !total)
		return 0;
	count = total / size;
	if (total % size || count > THAW_FUNCTIONS_MAX)
		return error_set(err, -ENOEXEC,
				 "%zu bytes of typed functions; up to %d of "
				 "%zu bytes each are allowed",
				 total, THAW_FUNCTIONS_MAX, size);
	file->functions = calloc(count, sizeof(*file->functions));
	if (!file->functions)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int r = take_entry(reader->image, bytes + i * size, i, err);

		if (r)
			return r;
	}
	qsort(file->functions, file->function_count, sizeof(*file->functions),
	      compare_names);
	return 0;
}

size_t image_function_count(const struct image *image)
{
	return image->internal->function_count;
}

const struct image_function *image_function(const struct image *image,
					    size_t number)
{
	return &image->internal->functions[number];
}

const struct image_function *image_find_function(const struct image *image,
						 const char *name)
{
	const struct image_private *file = image->internal;

	for (size_t i = 0; i < file->function_count; i++)
		if (!strcmp(file->functions[i].name, name))
			return &file->functions[i];
	return NULL;
}

bool image_has_dispatch(const struct image *image)
{
	return image->internal->has_dispatch;
}

size_t image_declaration_count(const struct image *image)
{
	return image_function_count(image) + image_has_dispatch(image);
}

const char *image_parameter_name(const struct image_function *function,
				 unsigned number, char *to, size_t size)
{
	const char *at = function->parameters;

	for (; number && (at = strstr(at, ", ")); number--)
		at += 2;
	snprintf(to, size, "%.*s", at ? (int)strcspn(at, ",") : 0,
		 at ? at : "");
	return to;
}

const char *image_signature(const struct image_function *function,
			    char to[static IMAGE_SIGNATURE_MAX])
{
	char name[sizeof(function->parameters)];
	size_t used = (size_t)snprintf(to, IMAGE_SIGNATURE_MAX, "%s %s(",
				       image_type_name(function->returns),
				       function->name);

	for (unsigned i = 0; i < function->count; i++)
		used += (size_t)snprintf(to + used, IMAGE_SIGNATURE_MAX - used,
					 "%s%s %s", i ? ", " : "",
					 image_type_name(function->types[i]),
					 image_parameter_name(function, i, name,
							      sizeof(name)));
	snprintf(to + used, IMAGE_SIGNATURE_MAX - used, ")");
	return to;
}
