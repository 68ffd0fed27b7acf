/*
 * text.h - UTF-8, and making text from a guest fit to be seen.
 *
 * Text of a guest, an image or a client is cleaned once, where it comes in:
 * error_set() cleans all messages, executor/invoke.c what a mailbox holds after
 * a run, snapshot/guest_log.c log lines, executor/protocol/frame.c frames.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length in bytes of the UTF-8 character (RFC 3629) that the @size
 * bytes at @text begin with, and its code point; 0 if they begin with none.
 */
size_t text_decode(const char *text, size_t size, uint32_t *ret_point);

/* Whether the @size bytes at @text are UTF-8. */
bool text_is_utf8(const char *text, size_t size);

/* A control character, C0, DEL or C1, but the tab. */
bool text_is_control(uint32_t point);

/*
 * Replaces by '?' what is not printable in the @size bytes at @text: control
 * characters but the tab (C0, DEL, and C1: U+0080 to U+009F), and bytes that
 * are not UTF-8 (RFC 3629). A character cut off at the end counts as such.
 */
void text_clean(char *text, size_t size);

/* The same for text that must be ASCII, such as a header's value; no tab. */
void text_clean_ascii(char *text, size_t size);

#endif
