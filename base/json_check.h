/*
 * json_check.h - whether a text is JSON (RFC 8259), in one pass over it.
 *
 * Strict: exactly one value of any type, blanks around it, and all of it
 * UTF-8. Nothing is kept of the text, so nothing is allocated, and nesting does
 * not use the stack. Escapes of half a surrogate pair, numbers of any size and
 * keys given twice are JSON, and accepted. No state: any thread.
 */
#ifndef BASE_JSON_CHECK_H
#define BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Objects and arrays that may be open at a time. */
#define JSON_CHECK_DEPTH_MAX 512

/*
 * Returns 0; -EINVAL if the @size bytes at @text (no terminating zero needed)
 * are not JSON, -EILSEQ if a string in them is not UTF-8, -E2BIG if they are
 * nested too deep. Then *@ret_offset (unless NULL) is the offset of the first
 * byte that is wrong; @size if something is missing at the end.
 */
int json_check(const char *text, size_t size, size_t *ret_offset);

/* A member of an object, as the text has it: escapes are not undone. */
struct json_member {
	const char *key; /* without its quotes */
	size_t key_size;
	const char *value; /* a string has its quotes */
	size_t value_size;
};

/*
 * Takes the next member of the object that is the whole of @text, which
 * json_check() must have accepted; *@offset is where to go on, 0 at first.
 * Returns false at the end, or if the text is no object.
 */
bool json_check_member(const char *text, size_t size, size_t *offset,
		       struct json_member *ret_member);

#endif
