/* reply.c - builds the reply in its window, and ends the invocation. */
#include <stdio.h>
#include <string.h>

#include <thaw.h>

#include "sdk.h"

static size_t size;

static char *window(void)
{
	return (char *)thaw_info->reply_start;
}

static size_t room(void)
{
	return thaw_info->reply_size - size;
}

int thaw_reply(const void *data, size_t count)
{
	if (count > room())
		return -1;
	memcpy(window() + size, data, count);
	size += count;
	return 0;
}

int thaw_reply_printf(const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(window() + size, room(), format, args);
	va_end(args);
	/* vsnprintf needs a byte for the zero that is not sent */
	if (length < 0 || (size_t)length >= room())
		return -1;
	size += (size_t)length;
	return length;
}

void *thaw_reply_buffer(size_t *ret_capacity)
{
	*ret_capacity = room();
	return window() + size;
}

int thaw_reply_commit(size_t count)
{
	if (count > room())
		return -1;
	size += count;
	return 0;
}

size_t thaw_reply_size(void)
{
	return size;
}

void thaw_reply_reset(void)
{
	size = 0;
	thaw_mailbox->content_type[0] = '\0';
}

int thaw_reply_type(const char *content_type)
{
	size_t length = strlen(content_type);

	if (length >= THAW_CONTENT_TYPE_MAX)
		return -1;
	memcpy((char *)thaw_mailbox->content_type, content_type, length + 1);
	return 0;
}

_Noreturn void thaw_end(void)
{
	void (*const done)(void) = (void (*)(void))thaw_info->done;

	__asm__ volatile("" ::: "memory");
	for (;;)
		done();
}

_Noreturn void thaw_done(void)
{
	thaw_stdio_flush();
	thaw_mailbox->status = THAW_STATUS_OK;
	thaw_mailbox->reply_size = size;
	thaw_end();
}

_Noreturn void thaw_fail(const char *type, const char *format, ...)
{
	va_list args;

	thaw_stdio_flush();
	strlcpy((char *)thaw_mailbox->error_type, type, THAW_ERROR_TYPE_MAX);
	va_start(args, format);
	vsnprintf((char *)thaw_mailbox->error_message, THAW_ERROR_MESSAGE_MAX,
		  format, args);
	va_end(args);
	thaw_mailbox->status = THAW_STATUS_ERROR;
	thaw_mailbox->reply_size = 0;
	thaw_end();
}

uint64_t thaw_generation(void)
{
	return thaw_info->generation;
}
