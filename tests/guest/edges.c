/* edges.c - requests, replies, texts and logs of exactly the size wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <thaw.h>
#include <thaw_arch.h>

#include "hostile_text.h"

#define mailbox ((volatile struct thaw_mailbox *)THAW_GPA_MAILBOX)

extern char **environ;

static size_t number(const struct thaw_request *request)
{
	char text[32] = "";

	if (request->size >= sizeof(text))
		thaw_fail("Test.Number", "not a number");
	memcpy(text, request->data, request->size);
	return strtoul(text, NULL, 10);
}

/* Replies the size of the request, and whether all of it is 'r'. */
THAW_HANDLER(measure)
{
	const char *data = request->data;
	size_t i;

	for (i = 0; i < request->size && data[i] == 'r'; i++)
		;
	thaw_reply_printf("%zu %zu", request->size, i);
	return 0;
}

/* Replies as many bytes as asked for. */
THAW_HANDLER(reply)
{
	size_t capacity, size = number(request);
	char *window = thaw_reply_buffer(&capacity);

	memset(window, 'r', size < capacity ? size : capacity);
	if (thaw_reply_commit(size))
		thaw_fail("Test.TooLarge", "%zu of %zu", size, capacity);
	return 0;
}

static int append_data(const char *part, size_t size)
{
	return thaw_reply(part, size);
}

static int append_in_place(const char *part, size_t size)
{
	size_t capacity;
	char *window = thaw_reply_buffer(&capacity);

	memcpy(window, part, size < capacity ? size : capacity);
	return thaw_reply_commit(size);
}

static int append_text(const char *part, size_t size)
{
	return thaw_reply_printf("%.*s", (int)size, part);
}

/*
 * "p 11 r": eleven parts of 500 bytes, and "end", by printf, looking at no result
 * but the last, which is returned. Or 'd' for data, 'b' for the buffer; '0' to
 * start again.
 */
THAW_HANDLER(reply_in_parts)
{
	char text[32] = "", call = 0, then = 0, part[500];
	int (*append)(const char *, size_t);
	int count = 0, r;

	memcpy(text, request->data, request->size < 31 ? request->size : 31);
	sscanf(text, "%c %d %c", &call, &count, &then);
	append = call == 'p' ? append_text :
		 call == 'd' ? append_data :
			       append_in_place;
	for (int i = 0; i < count; i++) {
		memset(part, 'a' + i, sizeof(part));
		append(part, sizeof(part));
	}
	r = append("end", 3);
	if (then == '0') {
		thaw_reply_reset();
		append("less", 4);
	}
	return then == 'r' ? r : 0;
}

/* Exactly as many bytes as asked for, by printf. */
THAW_HANDLER(reply_printf)
{
	thaw_reply_printf("%0*d", (int)number(request), 0);
	return 0;
}

/* The same without the SDK's checks. */
THAW_HANDLER(reply_unchecked)
{
	mailbox->reply_size = number(request);
	thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}

/* Content type and id, in length and text. */
THAW_HANDLER(texts)
{
	thaw_reply_printf("%zu %s %zu %s", strlen(request->content_type),
			  request->content_type, strlen(request->id),
			  request->id);
	return 0;
}

/* All of the strings without their zeros; status as asked for. */
THAW_HANDLER(unterminated)
{
	mailbox->status = (uint32_t)number(request);
	memset((char *)mailbox->content_type, 'c', THAW_CONTENT_TYPE_MAX);
	memset((char *)mailbox->error_type, 't', THAW_ERROR_TYPE_MAX);
	memset((char *)mailbox->error_message, 'm', THAW_ERROR_MESSAGE_MAX);
	thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}

THAW_HANDLER(controls)
{
	static const char text[] = "a\nb\x7f\x1b[0mc";

	mailbox->status = (uint32_t)number(request);
	memcpy((char *)mailbox->content_type, text, sizeof(text));
	memcpy((char *)mailbox->error_type, text, sizeof(text));
	memcpy((char *)mailbox->error_message, text, sizeof(text));
	thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}

/* Status as asked, and every text of the mailbox hostile. */
THAW_HANDLER(hostile_texts)
{
	thaw_log(THAW_LOG_ERROR, "%s", hostile_text);
	mailbox->status = (uint32_t)number(request);
	fill_hostile(mailbox->content_type, sizeof(mailbox->content_type));
	fill_hostile(mailbox->error_type, sizeof(mailbox->error_type));
	fill_hostile(mailbox->error_message, sizeof(mailbox->error_message));
	thaw_arch_ring(THAW_BELL_DONE);
	return 0;
}

THAW_HANDLER(fail_at_length)
{
	char text[2048] = "";

	memset(text, 'f', number(request));
	thaw_fail(text, "%s", text);
}

THAW_HANDLER(content_type_at_length)
{
	char text[2048] = "";

	memset(text, 'c', number(request));
	if (thaw_reply_type(text))
		thaw_fail("Test.TooLong", "content type");
	return 0;
}

THAW_HANDLER(log_at_length)
{
	char text[2048] = "";

	memset(text, 'l', number(request));
	thaw_log(THAW_LOG_INFO, "%s", text);
	return 0;
}

THAW_HANDLER(log_unchecked)
{
	struct thaw_log_line *line = (struct thaw_log_line *)THAW_GPA_LOG;

	line->level = THAW_LOG_WARN;
	line->size = (uint32_t)number(request);
	memset(line + 1, '\n', THAW_LOG_SIZE - sizeof(*line));
	mailbox->log_used = THAW_LOG_SIZE;
	thaw_arch_ring(THAW_BELL_LOG);
	return 0;
}

THAW_HANDLER(log_lines)
{
	size_t count = number(request);

	for (size_t i = 0; i < count; i++)
		thaw_log(THAW_LOG_INFO, "line %zu", i);
	return 0;
}

/*
 * "USED SIZE LEVEL END": the log's memory is full of heads of such lines, so much of it
 * is in use, and the function rings LOG or DONE ('L', 'D') or faults ('P').
 */
THAW_HANDLER(log_raw)
{
	struct thaw_log_line *line = (struct thaw_log_line *)THAW_GPA_LOG;
	char text[64] = "", end = 0;
	uint32_t used = 0, size = 0, level = 0;

	memcpy(text, request->data, request->size < 63 ? request->size : 63);
	sscanf(text, "%u %u %u %c", &used, &size, &level, &end);
	for (size_t i = 0; i < THAW_LOG_SIZE / sizeof(*line); i++)
		line[i] = (struct thaw_log_line){ size, level };
	mailbox->log_used = used;
	if (end == 'P')
		*(volatile int *)(uintptr_t)request->size = 1;
	thaw_arch_ring(end == 'L' ? THAW_BELL_LOG : THAW_BELL_DONE);
	return 0;
}

/* Says that it is done, as the gate would, and goes on to change its lines. */
THAW_HANDLER(log_lie)
{
	volatile struct thaw_control *control = (void *)THAW_GPA_CONTROL;
	volatile struct thaw_log_line *line = (void *)THAW_GPA_LOG;
	const size_t count = THAW_LOG_SIZE / sizeof(*line);

	(void)request;
	mailbox->log_used = THAW_LOG_SIZE;
	control->done = control->go;
	for (uint32_t i = 0;; i++) {
		line[i % count].size = i % 3 ? i % 2048 : i * 0x10001;
		mailbox->log_used = i % 5 ? THAW_LOG_SIZE : i * 0x10001;
	}
	return 0;
}

#define EURO "\xe2\x82\xac"

/* So many characters of three bytes behind @size letters. */
static const char *euros(size_t size, size_t count)
{
	static char text[1 << 13];
	char *at = text;

	memset(text, 'l', size);
	at += size;
	while (count--)
		at = stpcpy(at, EURO);
	*at = '\0';
	return text;
}

/*
 * Does what the letters of the request say, some with a number behind them: writes
 * to a stream, and ends in some way.
 */
THAW_HANDLER(write_lines)
{
	const struct timespec ages = { .tv_sec = 1000000 };
	char text[512] = "", *at = text;
	FILE *stream = stdout;

	memcpy(text, request->data, request->size < 511 ? request->size : 511);
	while (*at) {
		const char letter = *at++;
		const size_t number = strtoul(at, &at, 10);

		switch (letter) {
		case 'e': /* from now on: */
			stream = stderr;
			break;
		case 'l':
			fputs(euros(number, 0), stream);
			break;
		case 'u':
			fputs(euros(number, 1300), stream);
			break;
		case 'n':
			fputc('\n', stream);
			break;
		case 'f':
			fflush(stream);
			break;
		case 'F':
			fflush(NULL);
			break;
		case 'm':
			for (size_t i = 0; i < number; i++)
				thaw_log(THAW_LOG_DEBUG, "line %zu", i);
			break;
		case 'w':
			for (size_t i = 0; i < number; i++)
				thaw_log(THAW_LOG_WARN, "line 1");
			break;
		case 'L':
			thaw_log(THAW_LOG_ERROR, "%s", euros(number, 1300));
			break;
		case 'X':
			thaw_fail("Test.Ended", "%s", euros(number, 1300));
		case 'A':
			abort();
		case 'B':
			thaw_arch_ring(200);
			break;
		case 'P':
			*(volatile int *)(uintptr_t)number = 1;
			break;
		case 'S':
			for (;;)
				__asm__ volatile("");
		case 'Z':
			nanosleep(&ages, NULL);
			break;
		}
	}
	return 0;
}

/* Where the stack ends, and how many bytes of environment there are. */
THAW_HANDLER(where)
{
	const volatile struct thaw_info *info = (const void *)THAW_GPA_INFO;
	size_t variables = 0, bytes = 0;

	for (; environ[variables]; variables++)
		bytes += strlen(environ[variables]) + 1;
	thaw_reply_printf("%llu %zu %zu", (unsigned long long)info->stack_top,
			  variables, bytes);
	return 0;
}

/* The values of the attributes named in the request, one for each letter. */
THAW_HANDLER(attributes)
{
	for (size_t i = 0; i < request->size; i++) {
		const char name[2] = { ((const char *)request->data)[i] };
		const char *value = thaw_attribute(name);

		thaw_reply_printf("%s:%zu ", value ? "is" : "none",
				  value ? strlen(value) : 0);
	}
	return 0;
}

THAW_HANDLER(sleep_ms)
{
	const struct timespec duration = {
		.tv_sec = (time_t)number(request) / 1000,
		.tv_nsec = (long)number(request) % 1000 * 1000000,
	};

	return nanosleep(&duration, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* So long that its nanoseconds are 2^64 + 1. */
THAW_HANDLER(sleep_for_ages)
{
	const struct timespec duration = {
		.tv_sec = 18446744073,
		.tv_nsec = 709551617,
	};

	return nanosleep(&duration, NULL);
}

THAW_HANDLER(spin_ms)
{
	uint64_t end_ns = now_ns() + number(request) * 1000000;

	while (now_ns() < end_ns)
		;
	return 0;
}

/*
 * For so many milliseconds, atomic additions to a number in two cache lines: a bus
 * lock each, for which some kernels have the CPU wait. A fault on arm64.
 */
THAW_HANDLER(lock_buses_ms)
{
	static uint8_t lines[128] __attribute__((aligned(64)));
	const uint64_t end_ns = now_ns() + number(request) * 1000000;

	while (now_ns() < end_ns)
		__atomic_fetch_add((uint32_t *)(void *)(lines + 62), 1,
				   __ATOMIC_SEQ_CST);
	return 0;
}

THAW_HANDLER(sleep_unchecked)
{
	mailbox->sleep_ns = UINT64_MAX;
	thaw_arch_ring(THAW_BELL_SLEEP);
	return 0;
}

static int descend(volatile char *above)
{
	volatile char frame[512];

	frame[0] = *above;
	return (frame[0] ? descend(frame) : 0) + frame[0];
}

THAW_HANDLER(overflow)
{
	volatile char frame = 1;

	return descend(&frame);
}

THAW_HANDLER(a_name_of_fifty_five_characters_which_is_the_longest_ok)
{
	return thaw_reply(request->handler, strlen(request->handler));
}
