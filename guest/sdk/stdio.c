/*
 * stdio.c - the log, and stdout and stderr as part of it: each line is one log
 * line, at level info for stdout and warn for stderr. Complete lines wait in memory
 * until the host takes them: at the end of the invocation, when it sleeps or calls the
 * host, when the memory is full, and at fflush(). stdin is descriptor 0.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Has the host take all lines, so that they are in the log now. */
static void ring(void)
{
	if (thaw_mailbox->log_used)
		thaw_arch_ring(THAW_BELL_LOG);
}

/*
 * Room for a line of THAW_LOG_MAX bytes. The host takes the lines when the invocation
 * ends; only when there is no room left must it do so before.
 */
static struct thaw_log_line *next_line(void)
{
	if (thaw_mailbox->log_used >
	    THAW_LOG_SIZE - sizeof(struct thaw_log_line) - THAW_LOG_MAX)
		ring();
	return (struct thaw_log_line *)(uintptr_t)(THAW_GPA_LOG +
						   thaw_mailbox->log_used);
}

/* The line, whose text is there already, is complete. */
static void append(struct thaw_log_line *line, enum thaw_level level,
		   size_t size)
{
	line->size = (uint32_t)size;
	line->level = level;
	/* what is counted is there, whenever the host stops this vm */
	__asm__ volatile("" ::: "memory");
	thaw_mailbox->log_used +=
		(uint32_t)((sizeof(*line) + size + 7) & ~(size_t)7);
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
	struct thaw_log_line *line = next_line();
	char *text = (char *)(line + 1);
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, THAW_LOG_MAX, format, args);
	va_end(args);
	if (length >= 0)
		append(line, level,
		       thaw_cut(text, (size_t)length, THAW_LOG_MAX - 1));
}

static void send_line(struct thaw_line *begun)
{
	struct thaw_log_line *line = next_line();
	const uint32_t size = begun->size;

	memcpy(line + 1, (const char *)begun->text, size);
	append(line, begun->level, size);
	/* a deadline that strikes here logs it twice, but does not lose it */
	begun->size = 0;
}

static void flush_line(size_t i)
{
	if (lines[i].size) {
		send_line(&lines[i]);
		states[i] = LINE_BEGUN;
	}
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
	flush_line(0);
	ring();
	return 0;
}

static int flush_error(FILE *file)
{
	(void)file;
	flush_line(1);
	ring();
	return 0;
}

/* Without a buffer, so that read() goes on where stdin has stopped. */
static int get_in(FILE *file)
{
	unsigned char c;

	(void)file;
	return read(STDIN_FILENO, &c, 1) == 1 ? c : _FDEV_EOF;
}

static FILE in_file = FDEV_SETUP_STREAM(NULL, get_in, NULL, _FDEV_SETUP_READ);
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

static void flush_lines(void)
{
	for (size_t i = 0; i < THAW_LINES; i++)
		flush_line(i);
}

void thaw_stdio_flush(void)
{
	flush_lines();
	/* what comes after this is another invocation's */
	for (size_t i = 0; i < THAW_LINES; i++)
		if (states[i] != LINE_NEW)
			states[i] = LINE_NEW;
	thaw_input_reset();
	/* init may have read to the end; an invocation has more */
	if (in_file.flags & (__SEOF | __SERR) || in_file.unget) {
		in_file.unget = 0;
		clearerr(&in_file);
	}
}

void thaw_stdio_write(size_t line, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put(line, text[i]);
}

/* The C library's does not know that NULL means all streams. */
int fflush(FILE *stream)
{
	if (stream)
		return stream->flush ? stream->flush(stream) : 0;
	flush_lines();
	ring();
	return 0;
}
