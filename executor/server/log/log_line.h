/*
 * log_line.h - one line of the log, as bytes. See log.h.
 *
 * Whatever a message or a value holds, the line is one line, of at most
 * LOG_LINE_MAX bytes, of UTF-8, and without what a terminal obeys or what turns
 * the direction of text; as JSON it is valid JSON. No state: any thread.
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_LINE_H
#define EXECUTOR_SERVER_LOG_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one line. */
#define LOG_LINE_MAX 4096

/* Bytes of a message or a value as it is written, the "..." of a cut included */
#define LOG_VALUE_MAX 2048

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* One key=value. Values are hostile: written quoted and escaped if need be. */
struct log_field {
	const char *key;
	const char *text; /* NULL: @number; "": the field is left out */
	uint64_t number;
};

#define LOG_FIELD(name, value) \
	((struct log_field){ .key = (name), .text = (value) })
#define LOG_NUMBER(name, value) \
	((struct log_field){ .key = (name), .number = (value) })

struct log_entry {
	uint64_t unix_us;
	enum log_level level;
	const char *message;
	const struct log_field *fields;
	size_t count;
};

/*
 * Writes @entry into @line, with the '\n' and without a zero, and returns its
 * size. What is too long is cut and ends with "..."; a field for which there is
 * no room at all is left out.
 */
size_t log_line_format(const struct log_entry *entry, enum log_format format,
		       char line[static LOG_LINE_MAX]);

/* The words: "text", "json"; "error", "warn", "info", "debug". */
bool log_parse_format(const char *name, enum log_format *ret_format);
bool log_parse_level(const char *name, enum log_level *ret_level);

#endif
