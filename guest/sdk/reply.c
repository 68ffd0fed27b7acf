/* reply.c - builds the reply in its window, and ends the invocation. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <thaw.h>

#include "sdk.h"

static size_t size;

/*
 * An append without room has come: the reply would have so many bytes, more than
 * fit. It takes no others, since it would have a hole, and is not sent.
 */
static size_t wanted;

static char *window(void)
{
	return (char *)thaw_info->reply_start;
}

static size_t room(void)
{
	return wanted ? 0 : thaw_info->reply_size - size;
}

static int refuse(size_t count)
{
	if (!wanted)
		wanted = size;
	wanted = count < SIZE_MAX - wanted ? wanted + count : SIZE_MAX;
	return -1;
}

int thaw_reply_commit(size_t count)
{
	if (wanted || count > room())
		return refuse(count);
	size += count;
	return 0;
}

int thaw_reply(const void *data, size_t count)
{
	if (count <= room())
		memcpy(window() + size, data, count);
	return thaw_reply_commit(count);
}

/* The free part of the window as a stream: no zero ends what is written. */
struct sink {
	FILE file;
	char *at;
	char *end;
};

static int put(char c, FILE *file)
{
	struct sink *sink = (struct sink *)file;

	if (sink->at < sink->end)
		*sink->at++ = c;
	return (unsigned char)c;
}

int thaw_reply_printf(const char *format, ...)
{
	struct sink sink = {
		.file = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE),
		.at = window() + size,
		.end = window() + size + room(),
	};
	va_list args;
	int length;

	va_start(args, format);
	length = vfprintf(&sink.file, format, args);
	va_end(args);
	/* more than an int can count is negative, and so too large for size_t */
	return thaw_reply_commit((size_t)length) ? -1 : length;
}

void *thaw_reply_buffer(size_t *ret_capacity)
{
	*ret_capacity = room();
	return window() + size;
}

bool thaw_reply_overflowed(void)
{
	return wanted != 0;
}

size_t thaw_reply_size(void)
{
	return size;
}

void thaw_reply_reset(void)
{
	size = wanted = 0;
	thaw_mailbox->content_type[0] = '\0';
	thaw_http_reset();
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
	/* too large a one is refused by the host, which says so */
	thaw_mailbox->reply_size = wanted ? wanted : size;
	/* memory that is frozen now begins with no reply, as after init */
	if (size || wanted)
		size = wanted = 0;
	thaw_end();
}

void thaw_fail(const char *type, const char *format, ...)
{
	char *message = (char *)thaw_mailbox->error_message;
	va_list args;
	int length;

	thaw_stdio_flush();
	strlcpy((char *)thaw_mailbox->error_type, type, THAW_ERROR_TYPE_MAX);
	va_start(args, format);
	length = vsnprintf(message, THAW_ERROR_MESSAGE_MAX, format, args);
	va_end(args);
	if (length >= THAW_ERROR_MESSAGE_MAX)
		message[thaw_cut(message, (size_t)length,
				 THAW_ERROR_MESSAGE_MAX - 1)] = '\0';
	thaw_mailbox->status = THAW_STATUS_ERROR;
	thaw_mailbox->reply_size = 0;
	thaw_end();
}

uint64_t thaw_generation(void)
{
	return thaw_info->generation;
}
