/*
 * json_walk.h - JSON text (RFC 8259) where it stands: whether it is JSON, and
 * where its parts are. Nothing is copied or allocated, and nesting does not use
 * the stack. Any thread.
 */
#ifndef BASE_JSON_WALK_H
#define BASE_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

/* Objects and arrays that may be open at a time. */
#define JSON_CHECK_DEPTH_MAX 512

/*
 * Strict: the text is exactly one value of any type, with blanks around it, and
 * all of it is UTF-8. Escapes of half a surrogate pair, numbers of any size and
 * keys given twice are JSON, and accepted.
 *
 * Returns 0; -EINVAL if the @size bytes at @text (no terminating zero needed)
 * are not JSON; -EILSEQ if a string in them is not UTF-8; -E2BIG if they are
 * nested too deep. On failure *@ret_offset (unless NULL) is the offset of the
 * first wrong byte, which is @size if something is missing at the end.
 */
int json_check(const char *text, size_t size, size_t *ret_offset);

/* A member of an object, as the text has it: escapes are not undone. */
struct json_member {
	const char *key; /* without its quotes; NULL for an element of an array */
	size_t key_size;
	const char *value; /* a string has its quotes */
	size_t value_size;
};

/*
 * Each takes the next member of the object, or the next element of the array,
 * that is the whole of @text, which must be JSON. *@offset is where to go on, 0
 * at first. Returns false at the end, or if the text is something else.
 */
bool json_walk_member(const char *text, size_t size, size_t *offset,
		      struct json_member *ret_member);
bool json_walk_element(const char *text, size_t size, size_t *offset,
		       struct json_member *ret_element);

#endif
