/*
 * log_line.h - one line of the log, as bytes. See log.h.
 *
 * Whatever a message or a value holds, the line is one line, of at most
 * LOG_LINE_MAX bytes, of UTF-8, and without what a terminal obeys or what turns
 * the direction of text; as JSON it is valid JSON. No state: any thread.
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_LINE_H
#define EXECUTOR_SERVER_LOG_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "executor/server/log/log.h"

/* Bytes of a message or a value as it is written, the "..." of a cut included */
#define LOG_VALUE_MAX 2048

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

#endif
