/* buffer.c - see buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"

#define CAPACITY_FIRST 512

/* Pays for @more bytes; false if the account may not have them. */
static bool buffer_pay(const struct buffer *buffer, size_t more)
{
	if (!buffer->account)
		return true;
	if (!buffer->may_exceed)
		return budget_take(buffer->account, more);
	budget_take_anyway(buffer->account, more);
	return true;
}

static void buffer_give_back(const struct buffer *buffer, size_t size)
{
	if (buffer->account)
		budget_give(buffer->account, size);
}

void buffer_done(struct buffer *buffer)
{
	buffer_give_back(buffer, buffer->capacity);
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = buffer->capacity = 0;
	buffer->failed = false;
}

HOT void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

HOT void buffer_shrink(struct buffer *buffer, size_t most)
{
	if (buffer->capacity > most)
		buffer_done(buffer);
	else
		buffer_clear(buffer);
}

/* Makes the capacity at least @size. */
static bool buffer_grow(struct buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;
	size_t more;
	char *data;

	while (capacity < size)
		capacity *= 2;
	if (capacity > buffer->max)
		capacity = buffer->max;
	more = capacity - buffer->capacity;
	if (!buffer_pay(buffer, more))
		return false;
	data = realloc(buffer->data, capacity);
	if (!data) {
		buffer_give_back(buffer, more);
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

HOT char *buffer_reserve(struct buffer *buffer, size_t size)
{
	if (buffer->failed)
		return NULL;
	if (size > buffer->max - buffer->size ||
	    (size > buffer->capacity - buffer->size &&
	     !buffer_grow(buffer, buffer->size + size))) {
		buffer->failed = true;
		return NULL;
	}
	return buffer->data + buffer->size;
}

size_t buffer_reserve_some(struct buffer *buffer, size_t waiting, size_t most,
			   char **ret_to)
{
	size_t room;

	if (buffer->failed)
		return 0;
	if (buffer->size == buffer->capacity &&
	    !buffer_reserve(buffer, waiting < most ? waiting : most)) {
		buffer->failed = false;
		return 0;
	}
	room = buffer->capacity - buffer->size;
	*ret_to = buffer->data + buffer->size;
	return room < most ? room : most;
}

HOT void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	char *to = size ? buffer_reserve(buffer, size) : NULL;

	if (!to)
		return;
	memcpy(to, data, size);
	buffer->size += size;
}

HOT void buffer_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

HOT char *buffer_put_number(char *to, uint64_t number)
{
	char digits[BUFFER_NUMBER_MAX];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	while (at < sizeof(digits))
		*to++ = digits[at++];
	return to;
}

HOT void buffer_number(struct buffer *buffer, uint64_t number)
{
	char digits[BUFFER_NUMBER_MAX];
	const char *end = buffer_put_number(digits, number);

	buffer_append(buffer, digits, (size_t)(end - digits));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	char *to;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	/* vsnprintf() writes a terminating zero, which is not kept */
	to = size < 0 ? NULL : buffer_reserve(buffer, (size_t)size + 1);
	if (!to) {
		buffer->failed = true;
		return;
	}
	va_start(arguments, format);
	vsnprintf(to, (size_t)size + 1, format, arguments);
	va_end(arguments);
	buffer->size += (size_t)size;
}
