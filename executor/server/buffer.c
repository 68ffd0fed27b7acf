/* buffer.c - bytes that are appended to. See buffer.h. */
#include "executor/server/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 512

bool buffer_budget_take(struct buffer_budget *budget, uint64_t size)
{
	if (atomic_fetch_add_explicit(&budget->used, size,
				      memory_order_relaxed) +
		    size <=
	    budget->max)
		return true;
	buffer_budget_give(budget, size);
	return false;
}

void buffer_budget_give(struct buffer_budget *budget, uint64_t size)
{
	atomic_fetch_sub_explicit(&budget->used, size, memory_order_relaxed);
}

bool buffer_budget_is_used_up(const struct buffer_budget *budget)
{
	return atomic_load_explicit(&budget->used, memory_order_relaxed) >=
	       budget->max;
}

static size_t counted(size_t capacity)
{
	return capacity > BUFFER_UNCOUNTED ? capacity : 0;
}

/*
 * Counts @more bytes; false: there is not so much. Nothing is done for none, as
 * for nearly all requests: others use the budget, too.
 */
static bool count(const struct buffer *buffer, size_t more)
{
	struct buffer_budget *budget = buffer->budget;

	if (!budget || !more)
		return true;
	if (!buffer->may_exceed)
		return buffer_budget_take(budget, more);
	atomic_fetch_add_explicit(&budget->used, more, memory_order_relaxed);
	return true;
}

static void uncount(const struct buffer *buffer, size_t size)
{
	if (buffer->budget && size)
		buffer_budget_give(buffer->budget, size);
}

void buffer_done(struct buffer *buffer)
{
	uncount(buffer, counted(buffer->capacity));
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = buffer->capacity = 0;
	buffer->failed = false;
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

/* Makes the capacity @size at least. */
static bool grow(struct buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;
	size_t more;
	char *data;

	while (capacity < size)
		capacity *= 2;
	if (capacity > buffer->max)
		capacity = buffer->max;
	more = counted(capacity) - counted(buffer->capacity);
	if (!count(buffer, more))
		return false;
	data = realloc(buffer->data, capacity);
	if (!data) {
		uncount(buffer, more);
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
	if (buffer->failed)
		return NULL;
	if (size > buffer->max - buffer->size ||
	    (size > buffer->capacity - buffer->size &&
	     !grow(buffer, buffer->size + size))) {
		buffer->failed = true;
		return NULL;
	}
	return buffer->data + buffer->size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	char *to = size ? buffer_reserve(buffer, size) : NULL;

	if (!to)
		return;
	memcpy(to, data, size);
	buffer->size += size;
}

void buffer_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_number(struct buffer *buffer, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	buffer_append(buffer, digits + at, sizeof(digits) - at);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	char *to;
	int size;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	/* vsnprintf() needs room for a zero, which is not kept */
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
