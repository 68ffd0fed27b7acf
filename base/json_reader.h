/*
 * json_reader.h - reads JSON strictly, and says where and why it is wrong.
 *
 *	struct json_reader reader = { "f.json", text, size, err };
 *	struct json_place root = { .reader = &reader };
 *	json_auto_t *document = NULL;
 *
 *	r = json_reader_parse(&reader, &document);
 *	if (r == 0)
 *		r = json_reader_object(&root, document, fields, &target);
 *
 * An object is described by a table of fields. Each field has a function that
 * checks the member and stores it; a member without a field, and a required
 * field without a member, are refused. A refusal reads
 *
 *	f.json:12: /list/3/timeout: "100" has no unit: ...
 *
 * and ends the reading, unless the caller wants all refusals. All of this is for
 * set-up code: a refusal allocates. Any thread.
 */
#ifndef BASE_JSON_READER_H
#define BASE_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One text. Everything is borrowed while it is read. */
struct json_reader {
	const char *name; /* of the file, for messages */
	const char *text; /* @size bytes, not zero-terminated */
	size_t size;
	struct error *err; /* receives the last refusal; may be NULL */
	/*
	 * Receives each refusal; reading goes on if it returns true. If NULL,
	 * reading ends with the first refusal.
	 */
	bool (*refused)(void *cookie, const char *message);
	void *cookie;
};

/*
 * A value's place in the document: a chain of places up to the root, which
 * has no parent. Places live on the stack of the functions that descend.
 */
struct json_place {
	const struct json_reader *reader;
	const struct json_place *parent;
	const char *key; /* of a member; NULL for an element */
	size_t index;	 /* of an element */
};

struct json_place json_place_member(const struct json_place *parent,
				    const char *key);
struct json_place json_place_element(const struct json_place *parent,
				     size_t index);

struct json_field;

/*
 * Checks @value, which stands at @place, and stores it in @target, the struct
 * that json_reader_object() was given. Returns 0 or the result of
 * json_reader_refuse().
 */
typedef int (*json_field_fn)(const struct json_place *place, json_t *value,
			     const struct json_field *field, void *target);

/* A table of these ends with a field without key. */
struct json_field {
	const char *key;
	json_field_fn read;
	size_t offset;	   /* in the target; for the use of @read */
	uint64_t min, max; /* accepted range; for the use of @read */
	bool required;
};

/*
 * Parses the reader's text; objects with a key twice are refused. Returns 0
 * and a document the caller owns, -EINVAL, or -ENOMEM.
 */
int json_reader_parse(const struct json_reader *reader, json_t **ret);

/*
 * Reads each member of @value, in the order of the text, with the field of
 * its name. Returns 0, -EINVAL, or what a field's function returned first.
 */
int json_reader_object(const struct json_place *place, json_t *value,
		       const struct json_field *fields, void *target);

/*
 * Formats a refusal of what stands at @place: the file, the line, the JSON
 * pointer, then what is wrong and what is accepted. Returns -EINVAL, or
 * -ECANCELED if no more refusals are wanted.
 */
int json_reader_refuse(const struct json_place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Does the same for a lack of memory. Returns -ENOMEM. */
int json_reader_no_memory(const struct json_place *place);

/*
 * Returns whether reading ends after a part with the result @r. *@result is 0 at
 * first and becomes the result of the first part that was refused.
 */
bool json_reader_ends(const struct json_place *place, int r, int *result);

/* Room for a quoted value, its terminating zero included. */
#define JSON_QUOTE_MAX 64

/*
 * Writes @value as it would stand in a file, in ASCII and cut if it is long,
 * into @text and returns @text. Of an object or array it only says that it is one.
 */
char *json_reader_quote(const json_t *value, char text[static JSON_QUOTE_MAX]);

#endif
