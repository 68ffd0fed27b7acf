/*
 * declarations.c - reads declarations of functions. Unlike handlers, of which the
 * booted guest tells, those in an image are known without booting it; so an image
 * whose declarations make no sense is refused. See thaw_typed.h for the bytes.
 */
#include "vm/image/declarations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "guest/abi/thaw_abi.h"

/* The entry that is being read. */
struct entry_reader {
	struct declarations *declarations;
	const char *kind; /* what messages call it */
	size_t number;
	bool is_named; /* names are C's, and its parameters have some */
	struct thaw_function_entry entry;
};

static const char *const type_names[] = {
	[THAW_TYPE_NONE] = "nothing",  [THAW_TYPE_INT] = "int",
	[THAW_TYPE_UINT] = "uint",     [THAW_TYPE_LONG] = "long",
	[THAW_TYPE_ULONG] = "ulong",   [THAW_TYPE_FLOAT] = "float",
	[THAW_TYPE_DOUBLE] = "double", [THAW_TYPE_STRING] = "string",
	[THAW_TYPE_BOOL] = "bool",     [THAW_TYPE_BYTES] = "bytes",
	[THAW_TYPE_VOID] = "void",
};

#define TYPES (sizeof(type_names) / sizeof(*type_names))

const char *type_name(unsigned type)
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

bool declaration_is_name(const char *text)
{
	const size_t length = identifier_length(text);

	return length && !text[length];
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

static int check_types(const struct entry_reader *reader, struct error *err)
{
	const struct thaw_function_entry *entry = &reader->entry;

	if (entry->count > THAW_PARAMETERS_MAX)
		return error_set(err, -ENOEXEC,
				 "%s %zu (%s) has %u parameters; %d are allowed",
				 reader->kind, reader->number, entry->name,
				 entry->count, THAW_PARAMETERS_MAX);
	if (entry->returns == THAW_TYPE_NONE || entry->returns >= TYPES)
		return error_set(err, -ENOEXEC,
				 "%s %zu (%s) returns type %u, which does not "
				 "exist",
				 reader->kind, reader->number, entry->name,
				 entry->returns);
	for (unsigned i = 0; i < entry->count; i++)
		if (entry->types[i] == THAW_TYPE_NONE ||
		    entry->types[i] >= THAW_TYPE_VOID)
			return error_set(err, -ENOEXEC,
					 "parameter %u of %s %zu (%s) has type "
					 "%u, which does not exist",
					 i + 1, reader->kind, reader->number,
					 entry->name, entry->types[i]);
	if (!is_zero(entry->types + entry->count,
		     sizeof(entry->types) - entry->count) ||
	    !(is_names(entry->parameters, entry->count) ||
	      (!reader->is_named && !*entry->parameters)))
		return error_set(err, -ENOEXEC,
				 "%s %zu (%s) has other parameters than it "
				 "names",
				 reader->kind, reader->number, entry->name);
	return 0;
}

/* Whether the name, which is zero-terminated, is one. */
static bool is_name(const struct entry_reader *reader)
{
	const char *name = reader->entry.name;

	if (reader->is_named)
		return declaration_is_name(name);
	for (size_t i = 0; name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return *name;
}

static int check_entry(const struct entry_reader *reader, struct error *err)
{
	const struct thaw_function_entry *entry = &reader->entry;

	if (entry->reserved || entry->flags)
		return error_set(err, -ENOEXEC,
				 "%s %zu has flags that this thaw does not "
				 "know: use the thaw that its SDK is of",
				 reader->kind, reader->number);
	if (!is_name(reader))
		return error_set(err, -ENOEXEC, "the name of %s %zu is no name",
				 reader->kind, reader->number);
	return check_types(reader, err);
}

static int take_dispatch(const struct entry_reader *reader, struct error *err)
{
	const struct thaw_function_entry *entry = &reader->entry;

	if (reader->declarations->has_dispatch)
		return error_set(err, -ENOEXEC,
				 "%s %zu is a second dispatch function",
				 reader->kind, reader->number);
	if (entry->reserved || entry->flags != THAW_FUNCTION_DISPATCH ||
	    entry->returns || entry->count || *entry->name)
		return error_set(err, -ENOEXEC,
				 "%s %zu, the dispatch function, has a name, "
				 "types or flags",
				 reader->kind, reader->number);
	reader->declarations->has_dispatch = true;
	return 0;
}

/* For a second one of the same name. */
static int check_repeated(const struct entry_reader *reader,
			  const struct declaration *first,
			  const struct declaration *second, struct error *err)
{
	char one[DECLARATION_SIGNATURE_MAX], other[DECLARATION_SIGNATURE_MAX];

	if (!reader->declarations->may_repeat)
		return error_set(err, -ENOEXEC, "two %ss are called %s",
				 reader->kind, second->name);
	if (declaration_is_like(first, second))
		return 0;
	return error_set(err, -ENOEXEC,
			 "%s %zu is %s, and another one is %s: give them the "
			 "same types",
			 reader->kind, reader->number,
			 declaration_signature(second, other),
			 declaration_signature(first, one));
}

static int add_declaration(const struct entry_reader *reader, struct error *err)
{
	const struct thaw_function_entry *entry = &reader->entry;
	struct declarations *declarations = reader->declarations;
	const struct declaration *first =
		declarations_find(declarations, entry->name);
	struct declaration declaration = {
		.index = (uint16_t)reader->number,
		.returns = entry->returns,
		.count = entry->count,
	};

	memcpy(declaration.types, entry->types, sizeof(entry->types));
	strcpy(declaration.name, entry->name);
	strcpy(declaration.parameters, entry->parameters);
	if (first)
		return check_repeated(reader, first, &declaration, err);
	if (declarations_total(declarations) == THAW_FUNCTIONS_MAX)
		return error_set(err, -ENOEXEC,
				 "more than %d %ss: so many are allowed",
				 THAW_FUNCTIONS_MAX, reader->kind);
	declarations->list[declarations->count++] = declaration;
	return 0;
}

static int take_entry(const struct entry_reader *reader, struct error *err)
{
	const struct thaw_function_entry *entry = &reader->entry;
	int r;

	if (entry->flags & THAW_FUNCTION_DISPATCH)
		return take_dispatch(reader, err);
	if (entry->name[sizeof(entry->name) - 1] ||
	    entry->parameters[sizeof(entry->parameters) - 1])
		return error_set(err, -ENOEXEC, "a name of %s %zu does not end",
				 reader->kind, reader->number);
	r = check_entry(reader, err);
	return r ? r : add_declaration(reader, err);
}

static int compare_names(const void *a, const void *b)
{
	const struct declaration *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Makes room for @more declarations. */
static int grow(struct declarations *declarations, size_t more,
		struct error *err)
{
	struct declaration *list = reallocarray(declarations->list,
						declarations->count + more,
						sizeof(*list));

	if (!list)
		return error_set(err, -ENOMEM, "no memory for declarations");
	declarations->list = list;
	return 0;
}

int declarations_read(const void *bytes, size_t size, const char *kind,
		      bool is_named, struct error *err,
		      struct declarations *declarations)
{
	const size_t before = declarations_total(declarations);
	const size_t entry_size = sizeof(struct thaw_function_entry);
	const size_t count = size / entry_size;
	const size_t left = THAW_FUNCTIONS_MAX - before;
	const size_t most =
		declarations->may_repeat ? DECLARATIONS_REPEATED_MAX : left;
	struct entry_reader reader = { .declarations = declarations,
				       .kind = kind,
				       .is_named = is_named };
	int r;

	if (!size)
		return 0;
	if (size % entry_size || count > most)
		return error_set(err, -ENOEXEC,
				 "%zu bytes of %ss; up to %d of %zu bytes each "
				 "are allowed",
				 size, kind,
				 declarations->may_repeat ?
					 DECLARATIONS_REPEATED_MAX :
					 THAW_FUNCTIONS_MAX,
				 entry_size);
	r = grow(declarations, count < left ? count : left, err);
	for (size_t i = 0; !r && i < count; i++) {
		reader.number = before + i;
		memcpy(&reader.entry, (const char *)bytes + i * entry_size,
		       entry_size);
		r = take_entry(&reader, err);
	}
	if (!r)
		qsort(declarations->list, declarations->count,
		      sizeof(*declarations->list), compare_names);
	return r;
}

int declarations_copy(const struct declarations *from, struct error *err,
		      struct declarations *ret_copy)
{
	int r;

	*ret_copy = (struct declarations){ .has_dispatch = from->has_dispatch,
					   .is_open = from->is_open };
	r = grow(ret_copy, from->count + 1, err);
	if (r)
		return r;
	if (from->count)
		memcpy(ret_copy->list, from->list,
		       from->count * sizeof(*from->list));
	ret_copy->count = from->count;
	return 0;
}

void declarations_done(struct declarations *declarations)
{
	free(declarations->list);
	*declarations = (struct declarations){ .list = NULL };
}

const struct declaration *
declarations_find(const struct declarations *declarations, const char *name)
{
	for (size_t i = 0; i < declarations->count; i++)
		if (!strcmp(declarations->list[i].name, name))
			return &declarations->list[i];
	return NULL;
}

const char *declaration_parameter_name(const struct declaration *declaration,
				       unsigned number, char *to, size_t size)
{
	const char *at = declaration->parameters;

	for (; number && (at = strstr(at, ", ")); number--)
		at += 2;
	snprintf(to, size, "%.*s", at ? (int)strcspn(at, ",") : 0,
		 at ? at : "");
	return to;
}

const char *declaration_signature(const struct declaration *declaration,
				  char to[static DECLARATION_SIGNATURE_MAX])
{
	const size_t max = DECLARATION_SIGNATURE_MAX;
	char name[sizeof(declaration->parameters)];
	size_t used = (size_t)snprintf(to, max, "%s %s(",
				       type_name(declaration->returns),
				       declaration->name);

	for (unsigned i = 0; i < declaration->count; i++) {
		declaration_parameter_name(declaration, i, name, sizeof(name));
		used += (size_t)snprintf(to + used, max - used, "%s%s%s%s",
					 i ? ", " : "",
					 type_name(declaration->types[i]),
					 *name ? " " : "", name);
	}
	snprintf(to + used, max - used, ")");
	return to;
}

bool declaration_is_like(const struct declaration *one,
			 const struct declaration *other)
{
	return one->returns == other->returns && one->count == other->count &&
	       !memcmp(one->types, other->types, one->count);
}
