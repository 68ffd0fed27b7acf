/*
 * json_position.c - finds the line of a JSON pointer; any thread.
 *
 * The text has been parsed before, so its grammar is not checked again. Still
 * no step leaves the text, whatever it holds.
 */
#include "base/json_position.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct cursor {
	const char *at;
	const char *end;
};

static char peek(const struct cursor *cursor)
{
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

static void advance(struct cursor *cursor)
{
	if (cursor->at < cursor->end)
		cursor->at++;
}

static void skip_space(struct cursor *cursor)
{
	while (peek(cursor) && strchr(" \t\r\n", peek(cursor)))
		advance(cursor);
}

/* Moves over the space around and the character that must be there. */
static void skip_mark(struct cursor *cursor)
{
	skip_space(cursor);
	advance(cursor);
	skip_space(cursor);
}

static void skip_string(struct cursor *cursor)
{
	advance(cursor);
	while (peek(cursor) && peek(cursor) != '"') {
		if (peek(cursor) == '\\')
			advance(cursor);
		advance(cursor);
	}
	advance(cursor);
}

/* Moves from the start of a value to behind it. */
static void skip_value(struct cursor *cursor)
{
	size_t depth = 0;

	do {
		char c = peek(cursor);

		if (c == '"') {
			skip_string(cursor);
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		advance(cursor);
	} while (peek(cursor) &&
		 (depth || !strchr(",]} \t\r\n", peek(cursor))));
}

/* Tells whether the key at the cursor, a JSON string, means @name. */
static bool key_is(struct cursor key, const char *name)
{
	const char *start = key.at;
	json_auto_t *string = NULL;

	skip_string(&key);
	string = json_loadb(start, key.at - start, JSON_DECODE_ANY, NULL);
	return string && !strcmp(json_string_value(string), name);
}

/* From an object's brace to the value of @key; false if it has none. */
static bool enter_object(struct cursor *cursor, const char *key)
{
	skip_mark(cursor);
	while (peek(cursor) == '"') {
		bool found = key_is(*cursor, key);

		skip_string(cursor);
		skip_mark(cursor);
		if (found)
			return true;
		skip_value(cursor);
		skip_mark(cursor);
	}
	return false;
}

/* From an array's bracket to its element @number; false if it has none. */
static bool enter_array(struct cursor *cursor, const char *number)
{
	size_t index = strtoul(number, NULL, 10);

	skip_mark(cursor);
	for (size_t i = 0; i < index && peek(cursor); i++) {
		skip_value(cursor);
		skip_space(cursor);
		if (peek(cursor) != ',')
			return false;
		skip_mark(cursor);
	}
	return peek(cursor) != ']';
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

static size_t line_of(const char *text, const char *place)
{
	size_t line = 1;

	for (; text < place; text++)
		line += *text == '\n';
	return line;
}

size_t json_position_line(const char *text, size_t size, const char *pointer)
{
	struct cursor cursor = { .at = text, .end = text + size };
	cleanup_free char *steps = strdup(pointer);
	char *rest = steps;
	const char *found;
	char *step;

	skip_space(&cursor);
	found = cursor.at;
	strsep(&rest, "/"); /* a pointer starts with the separator */
	while ((step = strsep(&rest, "/"))) {
		bool there = false;

		unescape(step);
		if (peek(&cursor) == '{')
			there = enter_object(&cursor, step);
		else if (peek(&cursor) == '[')
			there = enter_array(&cursor, step);
		if (!there)
			break;
		found = cursor.at;
	}
	return line_of(text, found);
}
