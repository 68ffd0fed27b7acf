/*
 * text.h - makes text from a guest fit to be seen.
 */
#ifndef SNAPSHOT_TEXT_H
#define SNAPSHOT_TEXT_H

#include <stddef.h>

/*
 * Replaces by '?' what is not printable in the @size bytes at @text: control
 * characters but the tab (C0, DEL, and C1: U+0080 to U+009F), and bytes that
 * are not UTF-8 (RFC 3629). A character cut off at the end counts as such.
 */
void text_clean(char *text, size_t size);

/* The same for text that must be ASCII, such as a header's value; no tab. */
void text_clean_ascii(char *text, size_t size);

#endif
