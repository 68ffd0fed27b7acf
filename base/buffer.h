/*
 * buffer.h - bytes that are appended to: heads, bodies, log lines, metrics.
 *
 *	struct buffer text = BUFFER_INIT(64 * 1024);
 *
 *	buffer_text(&text, "size ");
 *	buffer_number(&text, 12);
 *	if (text.failed)
 *		...			no memory, or more than @max
 *	use(text.data, text.size);
 *	buffer_done(&text);
 *
 * A failure sticks: what is appended afterwards is ignored, so it is enough to
 * look once, at the end. Belongs to one thread at a time.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"

struct buffer {
	char *data; /* not zero-terminated */
	size_t size, capacity;
	size_t max;			/* bytes it may grow to */
	struct budget_account *account; /* pays for its memory; or NULL */
	bool may_exceed; /* and grows though there is nothing left to pay */
	bool failed;
};

#define BUFFER_INIT(most)     \
	{                     \
		.max = (most) \
	}

/* Frees the bytes; the buffer may be used again. */
void buffer_done(struct buffer *buffer);

/* Forgets the bytes and a failure, and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* The same, but memory of more than @most bytes is freed. */
void buffer_shrink(struct buffer *buffer, size_t most);

/* Room for @size bytes more at the end, uninitialised; NULL: failed. */
char *buffer_reserve(struct buffer *buffer, size_t size);

/* Appends. buffer_reserve() grows; what is left of its room stays free. */
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_number(struct buffer *buffer, uint64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
