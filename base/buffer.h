/*
 * buffer.h - a growing run of bytes that text and data are appended to.
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
 * A failure sticks: appending to a buffer that has failed does nothing, so the
 * caller needs to look at it only once, at the end. One thread at a time.
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
	struct budget_account *account; /* pays for the memory; or NULL */
	bool may_exceed; /* grow even if the account has nothing left */
	bool failed;
};

#define BUFFER_INIT(most)     \
	{                     \
		.max = (most) \
	}

/* Frees the bytes. The buffer may be used again. */
void buffer_done(struct buffer *buffer);

/* Drops the bytes and any failure, and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Does the same, but frees the memory if it is more than @most bytes. */
void buffer_shrink(struct buffer *buffer, size_t most);

/*
 * Makes room for @size more bytes and returns where they go, uninitialised; NULL
 * on failure. The caller adds what it has written to buffer->size.
 */
char *buffer_reserve(struct buffer *buffer, size_t size);

/*
 * Makes room for some of @most more bytes, of which not all may ever come, while @waiting
 * of them have: a full buffer becomes twice as large, or as large as those make it. Sets
 * *@ret_to, and returns for how many there is room; 0: it can have no more, which is no
 * failure yet.
 */
size_t buffer_reserve_some(struct buffer *buffer, size_t waiting, size_t most,
			   char **ret_to);

/* The most digits of a number. */
#define BUFFER_NUMBER_MAX 20

/* Writes a number into room that there is for it, and returns its end. */
char *buffer_put_number(char *to, uint64_t number);

/* Each of these appends, or sets buffer->failed. */
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_number(struct buffer *buffer, uint64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
