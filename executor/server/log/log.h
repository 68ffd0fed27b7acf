/*
 * log.h - the server's log: one line for each thing that happened, on standard
 * error, as text or as JSON.
 *
 *	log_start(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, &err);
 *	log_write(LOG_LEVEL_INFO, "listening", LOG_FIELD("address", address));
 *	log_write(LOG_LEVEL_ERROR, "function failed",
 *		  LOG_FIELD("function", name), LOG_FIELD("request_id", id),
 *		  LOG_FIELD("reason", text));
 *	log_stop();
 *
 * Text: 2026-01-31T12:00:00.123456Z info listening address=127.0.0.1:8080
 * JSON: {"ts":"...","level":"info","msg":"listening","address":"..."}
 * A field whose text is empty is left out.
 *
 * A line is put into a bounded ring and written by a thread of its own, so
 * nobody waits for whoever reads them; what does not fit is counted, and the
 * count is logged when there is room again. Any thread.
 *
 * A line that a guest or a client can cause has a limit, one for each cause:
 *
 *	static struct log_limit limit = LOG_LIMIT_OF("reloads");
 *
 *	if (log_may(&limit, LOG_LEVEL_ERROR))
 *		log_write(LOG_LEVEL_ERROR, "catalog not reloaded", ...);
 */
#ifndef EXECUTOR_SERVER_LOG_LOG_H
#define EXECUTOR_SERVER_LOG_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes of lines that wait to be written; of one line. */
#define LOG_RING_SIZE (256 * 1024)
#define LOG_LINE_MAX 4096

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

/* log_write(LOG_LEVEL_INFO, "text", LOG_FIELD(...), ...) */
#define log_write(level, message, ...)                                       \
	log_write_fields(level, message,                                     \
			 (const struct log_field[]){ __VA_ARGS__ },          \
			 sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
				 sizeof(struct log_field))

void log_write_fields(enum log_level level, const char *message,
		      const struct log_field *fields, size_t count);

/* Whether lines of @level are written: to leave out the work for them. */
bool log_wants(enum log_level level);

/*
 * Starts the thread; lines go to @fd, which is borrowed. Before that, and after
 * log_stop(), nothing is logged. log_stop() writes what is left, but waits for
 * the reader for LOG_STOP_NS at most; the thread may then be left behind, in a
 * write to @fd that does not end. -EBUSY: it is, or the log has been started.
 */
#define LOG_STOP_NS UINT64_C(1000000000)
int log_start(int fd, enum log_format format, enum log_level level,
	      struct error *err);
void log_stop(void);

/* Lines lost so far: beyond their limit, for want of room, or not written. */
uint64_t log_dropped(void);

/* The words: "text", "json"; "error", "warn", "info", "debug". */
bool log_parse_format(const char *name, enum log_format *ret_format);
bool log_parse_level(const char *name, enum log_level *ret_level);

/* Lines of one cause, if it is not a function's: in a second, and at once. */
#define LOG_LIMIT_PER_SECOND 10
#define LOG_LIMIT_BURST 100

/*
 * How many lines of one cause are written: @burst at once, then @per_second.
 * Those beyond are counted, and the log's thread tells their number a second
 * after the first of them. Any thread; takes no lock for most of the lines.
 */
struct log_limit {
	unsigned per_second, burst; /* 1 or more */
	const char *cause;	    /* in words; static */
	const char *function;	    /* whose, or NULL; borrowed */

	_Atomic uint64_t until_ns; /* when a whole burst may come again */
	_Atomic uint64_t lost;	   /* and not told */
	struct log_limit *next;	   /* the log's, of those with lost lines */
};

#define LOG_LIMIT_OF(what)                                                    \
	{                                                                     \
		.per_second = LOG_LIMIT_PER_SECOND, .burst = LOG_LIMIT_BURST, \
		.cause = (what)                                               \
	}

/* Whether a line of @level is to be written now: it is wanted, and may be. */
bool log_may(struct log_limit *limit, enum log_level level);

/* Before @limit, or what it points to, is freed: tells what is not told. */
void log_limit_done(struct log_limit *limit);

/* Of log_may(): takes one line of @limit, at @now_ns, if there is one left. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ns);

#endif
