/*
 * stdio.c - the log, and stdout and stderr as part of it: each line is one log
 * line, at level info for stdout and warn for stderr.
 */
#include <stdio.h>
#include <string.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "sdk.h"

/* The texts apart: every invocation looks at the sizes, few at those. */
static char out_text[THAW_LOG_MAX], error_text[THAW_LOG_MAX];
static struct thaw_line lines[THAW_LINES] = {
	{ .level = THAW_LOG_INFO, .text = (uintptr_t)out_text },
	{ .level = THAW_LOG_WARN, .text = (uintptr_t)error_text },
};

/* What goes on in them. */
static enum {
	LINE_NEW,
	LINE_BEGUN, /* fflush() has sent a part of it */
	LINE_CUT,   /* it is too long: the rest is dropped */
} states[THAW_LINES];

static void send(enum thaw_level level, const char *text, size_t size)
{
	if (text != (const char *)thaw_mailbox->log_text)
		memcpy((char *)thaw_mailbox->log_text, text, size);
	thaw_mailbox->log_level = level;
	thaw_mailbox->log_size = (uint32_t)size;
	thaw_arch_ring(THAW_BELL_LOG);
}

/* How long a character of UTF-8 is that begins with @first. */
static size_t length_of(uint8_t first)
{
	return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t thaw_cut(const char *text, size_t size, size_t max)
{
	size_t first = max;

	if (size <= max)
		return size;
	while (first > 0 && max - first < 4) {
		uint8_t byte = (uint8_t)text[--first];

		if ((byte & 0xc0) != 0x80)
			return length_of(byte) > max - first ? first : max;
	}
	return max;
}

void thaw_log(enum thaw_level level, const char *format, ...)
{
	char *text = (char *)thaw_mailbox->log_text;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, THAW_LOG_MAX, format, args);
	va_end(args);
	if (length >= 0)
		send(level, text,
		     thaw_cut(text, (size_t)length, THAW_LOG_MAX - 1));
}

static void send_line(struct thaw_line *line)
{
	const uint32_t size = line->size;
	const char *text = (const char *)thaw_mailbox->log_text;

	memcpy((char *)thaw_mailbox->log_text, (const char *)line->text, size);
	/* the mailbox has it, if the deadline strikes at the bell */
	line->size = 0;
	send(line->level, text, size);
}

static int flush_line(size_t i)
{
	if (lines[i].size) {
		send_line(&lines[i]);
		states[i] = LINE_BEGUN;
	}
	return 0;
}

/* The end of a line whose text has been sent already is no line of its own. */
static void end_line(size_t i)
{
	if (lines[i].size || states[i] != LINE_BEGUN)
		send_line(&lines[i]);
	states[i] = LINE_NEW;
}

static int put(size_t i, char c)
{
	struct thaw_line *line = &lines[i];
	char *text = (char *)line->text;

	if (c == '\n') {
		end_line(i);
	} else if (states[i] != LINE_CUT && line->size == THAW_LOG_MAX - 1) {
		line->size = (uint32_t)thaw_cut(text, THAW_LOG_MAX,
						THAW_LOG_MAX - 1);
		states[i] = LINE_CUT;
	} else if (states[i] != LINE_CUT) {
		text[line->size++] = c;
	}
	return (unsigned char)c;
}

static int put_out(char c, FILE *file)
{
	(void)file;
	return put(0, c);
}

static int put_error(char c, FILE *file)
{
	(void)file;
	return put(1, c);
}

static int flush_out(FILE *file)
{
	(void)file;
	return flush_line(0);
}

static int flush_error(FILE *file)
{
	(void)file;
	return flush_line(1);
}

static int get_nothing(FILE *file)
{
	(void)file;
	return EOF;
}

static FILE in_file =
	FDEV_SETUP_STREAM(NULL, get_nothing, NULL, _FDEV_SETUP_READ);
static FILE out_file =
	FDEV_SETUP_STREAM(put_out, NULL, flush_out, _FDEV_SETUP_WRITE);
static FILE error_file =
	FDEV_SETUP_STREAM(put_error, NULL, flush_error, _FDEV_SETUP_WRITE);

FILE *const stdin = &in_file;
FILE *const stdout = &out_file;
FILE *const stderr = &error_file;

void thaw_stdio_init(void)
{
	thaw_mailbox->lines = (uintptr_t)lines;
}

void thaw_stdio_flush(void)
{
	for (size_t i = 0; i < THAW_LINES; i++)
		flush_line(i);
}

/* The C library's does not know that NULL means all streams. */
int fflush(FILE *stream)
{
	if (stream)
		return stream->flush ? stream->flush(stream) : 0;
	thaw_stdio_flush();
	return 0;
}
