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
struct line {
	enum thaw_level level;
	size_t size;
	char *text; /* THAW_LOG_MAX */
};

static char out_text[THAW_LOG_MAX], error_text[THAW_LOG_MAX];
static struct line lines[] = {
	{ .level = THAW_LOG_INFO, .text = out_text },
	{ .level = THAW_LOG_WARN, .text = error_text },
};

static void send(enum thaw_level level, const char *text, size_t size)
{
	if (text != (const char *)thaw_mailbox->log_text)
		memcpy((char *)thaw_mailbox->log_text, text, size);
	thaw_mailbox->log_level = level;
	thaw_mailbox->log_size = (uint32_t)size;
	thaw_arch_ring(THAW_BELL_LOG);
}

void thaw_log(enum thaw_level level, const char *format, ...)
{
	char *text = (char *)thaw_mailbox->log_text;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, THAW_LOG_MAX, format, args);
	va_end(args);
	if (length < 0)
		return;
	send(level, text,
	     length < THAW_LOG_MAX ? (size_t)length : THAW_LOG_MAX - 1);
}

static void flush_line(struct line *line)
{
	if (!line->size)
		return;
	send(line->level, line->text, line->size);
	line->size = 0;
}

static int put(struct line *line, char c)
{
	if (c == '\n' && !line->size)
		send(line->level, "", 0);
	else if (c != '\n')
		line->text[line->size++] = c;
	if (c == '\n' || line->size == THAW_LOG_MAX - 1)
		flush_line(line);
	return (unsigned char)c;
}

static int put_out(char c, FILE *file)
{
	(void)file;
	return put(&lines[0], c);
}

static int put_error(char c, FILE *file)
{
	(void)file;
	return put(&lines[1], c);
}

static int get_nothing(FILE *file)
{
	(void)file;
	return EOF;
}

static FILE in_file =
	FDEV_SETUP_STREAM(NULL, get_nothing, NULL, _FDEV_SETUP_READ);
static FILE out_file =
	FDEV_SETUP_STREAM(put_out, NULL, NULL, _FDEV_SETUP_WRITE);
static FILE error_file =
	FDEV_SETUP_STREAM(put_error, NULL, NULL, _FDEV_SETUP_WRITE);

FILE *const stdin = &in_file;
FILE *const stdout = &out_file;
FILE *const stderr = &error_file;

void thaw_stdio_flush(void)
{
	flush_line(&lines[0]);
	flush_line(&lines[1]);
}
