/*
 * text.h - UTF-8, and making text from outside fit to be shown. Any thread.
 *
 * Hostile text is cleaned once, where it comes in; error_set() cleans messages.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length in bytes of the UTF-8 character (RFC 3629) at the beginning
 * of the @size bytes at @text, and its code point; 0 if there is none.
 */
size_t text_decode(const char *text, size_t size, uint32_t *ret_point);

/* Returns whether the @size bytes at @text are UTF-8. */
bool text_is_utf8(const char *text, size_t size);

/* Returns whether @point is a control character (C0, DEL, C1) but not the tab. */
bool text_is_control(uint32_t point);

/*
 * Replaces each byte of the @size bytes at @text that is not printable by '?':
 * those of control characters (see text_is_control()), and those that are not
 * UTF-8, such as a character that is cut off at the end.
 */
void text_clean(char *text, size_t size);

/* Replaces each byte that is not printable ASCII, tabs as well. */
void text_clean_ascii(char *text, size_t size);

#endif
