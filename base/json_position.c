/*
 * json_position.c - finds the line of a JSON pointer; any thread.
 */
#include "base/json_position.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_walk.h"

/* Whether the key of @member means @name. */
static bool is_key(const struct json_member *member, const char *name)
{
	/* with its quotes */
	json_auto_t *string = json_loadb(member->key - 1, member->key_size + 2,
					 JSON_DECODE_ANY, NULL);

	return string && !strcmp(json_string_value(string), name);
}

/* From the object or array @place to its part called @step; false: none. */
static bool find_part(struct json_member *place, const char *step)
{
	size_t index = strtoul(step, NULL, 10), offset = 0;
	struct json_member part;

	while (json_walk_member(place->value, place->value_size, &offset,
				&part))
		if (is_key(&part, step)) {
			*place = part;
			return true;
		}
	while (json_walk_element(place->value, place->value_size, &offset,
				 &part))
		if (!index--) {
			*place = part;
			return true;
		}
	return false;
}

/* Undoes the escapes of one step of a pointer: "~1" is "/", "~0" is "~". */
static void unescape(char *step)
{
	char *to = step;

	for (const char *from = step; *from; from++) {
		if (*from == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static size_t line_at(const char *text, const char *place)
{
	size_t line = 1;

	for (; text < place; text++)
		line += *text == '\n';
	return line;
}

size_t json_position_line(const char *text, size_t size, const char *pointer)
{
	static const char blanks[] = { ' ', '\t', '\r', '\n' };
	struct json_member place = { .value = text, .value_size = size };
	cleanup_free char *steps = strdup(pointer);
	char *rest = steps, *step;

	while (place.value_size &&
	       memchr(blanks, *place.value, sizeof(blanks))) {
		place.value++;
		place.value_size--;
	}
	strsep(&rest, "/"); /* a pointer starts with the separator */
	while ((step = strsep(&rest, "/"))) {
		unescape(step);
		if (!find_part(&place, step))
			break;
	}
	return line_at(text, place.value);
}
