/*
 * hostile_text.h - text that does harm to who shows it as it is: it moves the
 * cursor, forges a line of the log, ends a JSON string and a header, and is not
 * UTF-8. It begins with HOSTILE_MARK.
 */
#ifndef HOSTILE_TEXT_H
#define HOSTILE_TEXT_H

#include <stddef.h>
#include <string.h>

#define HOSTILE_MARK "so-it-says"

static const char hostile_text[] = HOSTILE_MARK
	"\x1b[2J\x1b]0;title\x07"
	"\r\n2026-01-31T12:00:00.123456Z error forged\n"
	"\"},{\"forged\":\"\\"
	"\x7f\xc2\x9b"
	"31m\xc2\x85\x9b"
	"31m"				    /* C1, as UTF-8 and not */
	"\xff\xc0\xaf\xed\xa0\x80\xe2\x82"; /* no characters */

/* Fills @to, up to a character that is cut at its end; no zero. */
static inline void fill_hostile(volatile char *to, size_t size)
{
	char *text = (char *)to;

	memset(text, 'x', size);
	memcpy(text, hostile_text,
	       size < sizeof(hostile_text) ? size : sizeof(hostile_text) - 1);
	memcpy(text + size - 3, "\xf0\x9f\x98", 3);
}

#endif
