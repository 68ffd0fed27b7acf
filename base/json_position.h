/*
 * json_position.h - on which line of a JSON text a value stands. Any thread.
 *
 * The parser keeps values, not positions. When a value turns out to be wrong,
 * its line is found by walking the text once more.
 */
#ifndef BASE_JSON_POSITION_H
#define BASE_JSON_POSITION_H

#include <stddef.h>

/*
 * Returns the line, counted from 1, on which the value of @pointer starts. A JSON
 * pointer (RFC 6901) reads "/list/3/name". One that leads beyond what is there
 * gives the line of the last value on the way: the place of a missing key is its
 * object.
 *
 * @text (@size bytes, not zero-terminated) must be valid JSON.
 */
size_t json_position_line(const char *text, size_t size, const char *pointer);

#endif
