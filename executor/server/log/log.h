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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/server/log/log_limit.h"
#include "executor/server/log/log_line.h"

/* Bytes of lines that wait to be written. */
#define LOG_RING_SIZE (256 * 1024)

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

/* Whether a line of @level is to be written now: it is wanted, and may be. */
bool log_may(struct log_limit *limit, enum log_level level);

/* Before @limit, or what it points to, is freed: tells what is not told. */
void log_limit_done(struct log_limit *limit);

#endif
