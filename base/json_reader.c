/* json_reader.c - strict reading of JSON. See json_reader.h. */
#include "base/json_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_position.h"
#include "base/similar.h"

/* How much of a pointer is shown. */
#define POINTER_SHOWN_MAX 200

struct json_place json_place_member(const struct json_place *parent,
				    const char *key)
{
	return (struct json_place){
		.reader = parent->reader,
		.parent = parent,
		.key = key,
	};
}

struct json_place json_place_element(const struct json_place *parent,
				     size_t index)
{
	return (struct json_place){
		.reader = parent->reader,
		.parent = parent,
		.index = index,
	};
}

static void write_pointer(FILE *out, const struct json_place *place)
{
	if (!place->parent)
		return;
	write_pointer(out, place->parent);
	fputc('/', out);
	if (!place->key)
		fprintf(out, "%zu", place->index);
	for (const char *c = place->key; c && *c; c++) {
		if (*c == '~')
			fputs("~0", out);
		else if (*c == '/')
			fputs("~1", out);
		else
			fputc(*c, out);
	}
}

/* Returns owned; NULL if there is no memory. */
static char *make_pointer(const struct json_place *place)
{
	char *pointer = NULL;
	size_t size;
	FILE *out = open_memstream(&pointer, &size);

	if (!out)
		return NULL;
	write_pointer(out, place);
	fclose(out);
	return pointer;
}

/* Bytes of @text to show: all, or whole UTF-8 characters up to @max. */
static size_t shown(const char *text, size_t max)
{
	size_t size = strlen(text);

	if (size <= max)
		return size;
	for (size = max; size && (text[size] & 0xc0) == 0x80; size--)
		;
	return size;
}

/* Tells the caller of a refusal with @code. */
static int tell_refusal(const struct json_reader *reader, int code,
			const struct error *err)
{
	if (reader->err)
		*reader->err = *err;
	if (!reader->refused || code != -EINVAL)
		return code;
	return reader->refused(reader->cookie, err->message) ? code :
							       -ECANCELED;
}

static int refuse_at(const struct json_place *place, int code,
		     const char *problem)
{
	const struct json_reader *reader = place->reader;
	cleanup_free char *pointer = make_pointer(place);
	const char *where = pointer ? pointer : "";
	size_t line = json_position_line(reader->text, reader->size, where);
	struct error err;

	error_set(&err, code, "%s:%zu: %.*s%s%s", reader->name, line,
		  (int)shown(where, POINTER_SHOWN_MAX), where,
		  *where ? ": " : "", problem);
	return tell_refusal(reader, code, &err);
}

static bool is_told(const struct json_reader *reader)
{
	return reader->err || reader->refused;
}

int json_reader_refuse(const struct json_place *place, const char *format, ...)
{
	char problem[ERROR_MESSAGE_MAX];
	va_list args;

	if (!is_told(place->reader))
		return -EINVAL;
	va_start(args, format);
	vsnprintf(problem, sizeof(problem), format, args);
	va_end(args);
	return refuse_at(place, -EINVAL, problem);
}

int json_reader_no_memory(const struct json_place *place)
{
	if (!is_told(place->reader))
		return -ENOMEM;
	return refuse_at(place, -ENOMEM, "out of memory");
}

bool json_reader_ends(const struct json_place *place, int r, int *result)
{
	if (!*result)
		*result = r;
	return r < 0 && (r != -EINVAL || !place->reader->refused);
}

int json_reader_parse(const struct json_reader *reader, json_t **ret)
{
	struct json_place root = { .reader = reader };
	struct error err;
	json_error_t error;
	json_t *document = json_loadb(reader->text, reader->size,
				      JSON_REJECT_DUPLICATES, &error);

	if (document) {
		*ret = document;
		return 0;
	}
	/* Where the parser has nothing to say, it had no memory. */
	if (!error.text[0])
		return json_reader_no_memory(&root);
	error_set(&err, -EINVAL, "%s:%d:%d: %s", reader->name, error.line,
		  error.column, error.text);
	return tell_refusal(reader, -EINVAL, &err);
}

char *json_reader_quote(const json_t *value, char text[static JSON_QUOTE_MAX])
{
	size_t flags = JSON_ENCODE_ANY | JSON_ENSURE_ASCII |
		       JSON_REAL_PRECISION(15);
	cleanup_free char *dump = NULL;

	if (json_is_object(value) || json_is_array(value))
		return strcpy(text,
			      json_is_object(value) ? "an object" : "an array");
	dump = json_dumps(value, flags);
	if (!dump)
		return strcpy(text, "the value");
	snprintf(text, JSON_QUOTE_MAX, "%s", dump);
	if (strlen(dump) >= JSON_QUOTE_MAX)
		memcpy(text + JSON_QUOTE_MAX - 4, "...", 4);
	return text;
}

/* The key that was probably meant, or NULL. */
static const char *nearest_key(const struct json_field *fields, const char *key)
{
	struct similar similar = similar_to(key);

	for (const struct json_field *f = fields; f->key; f++)
		similar_try(&similar, f->key, strlen(f->key));
	return similar.name;
}

static int refuse_key(const struct json_place *place,
		      const struct json_field *fields)
{
	const char *nearest = nearest_key(fields, place->key);
	char known[ERROR_MESSAGE_MAX / 2] = "";
	size_t used = 0;

	for (const struct json_field *f = fields; f->key; f++)
		used += snprintf(known + used, sizeof(known) - used, "%s%s",
				 used ? ", " : "", f->key);
	assert(used < sizeof(known));
	if (nearest)
		return json_reader_refuse(
			place, "unknown key, did you mean \"%s\"? Known: %s",
			nearest, known);
	return json_reader_refuse(place, "unknown key. Known: %s", known);
}

static const struct json_field *find_field(const struct json_field *fields,
					   const char *key)
{
	for (const struct json_field *f = fields; f->key; f++)
		if (!strcmp(f->key, key))
			return f;
	return NULL;
}

int json_reader_object(const struct json_place *place, json_t *value,
		       const struct json_field *fields, void *target)
{
	const char *key;
	json_t *member;
	int result = 0, r;

	if (!json_is_object(value))
		return json_reader_refuse(
			place, "%s is not an object: write {...}",
			json_reader_quote(value, (char[JSON_QUOTE_MAX]){ 0 }));
	json_object_foreach(value, key, member)
	{
		struct json_place here = json_place_member(place, key);
		const struct json_field *field = find_field(fields, key);

		r = field ? field->read(&here, member, field, target) :
			    refuse_key(&here, fields);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	for (const struct json_field *f = fields; f->key; f++) {
		if (!f->required || json_object_get(value, f->key))
			continue;
		r = json_reader_refuse(place, "\"%s\" is missing", f->key);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}
