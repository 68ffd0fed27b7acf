/*
 * log_line.h - one line of the log, as bytes. See log.h.
 *
 * Messages and values may hold anything. The result is one line of UTF-8, at most
 * LOG_LINE_MAX bytes, without characters that a terminal obeys or that turn the
 * direction of text; and valid JSON if it is JSON. Any thread.
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_LINE_H
#define EXECUTOR_SERVER_LOG_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_log.h"

/* Bytes of one line. */
#define LOG_LINE_MAX 4096

/* Bytes of a message or value as written, with the "..." of one that is cut. */
#define LOG_VALUE_MAX 2048

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* One key=value. Values are hostile: they are quoted and escaped if necessary. */
struct log_field {
	const char *key;
	const char *text; /* if NULL, @number; if "", the field is left out */
	uint64_t number;
};

#define LOG_FIELD(name, value) \
	((struct log_field){ .key = (name), .text = (value) })
#define LOG_NUMBER(name, value) \
	((struct log_field){ .key = (name), .number = (value) })

struct log_entry {
	uint64_t unix_us;
	enum thaw_level level;
	const char *message;
	const struct log_field *fields;
	size_t count;
};

/*
 * Writes @entry into @line, with a '\n' and without a zero, and returns its size. A
 * text that is too long is cut and ends with "..."; a field that has no room at all
 * is left out.
 */
size_t log_line_format(const struct log_entry *entry, enum log_format format,
		       char line[static LOG_LINE_MAX]);

/* Read "text", "json"; "error", "warn", "info", "debug". Return false for others. */
bool log_parse_format(const char *name, enum log_format *ret_format);
bool log_parse_level(const char *name, enum thaw_level *ret_level);

#endif
