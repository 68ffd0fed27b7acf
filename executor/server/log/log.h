/*
 * log.h - the server's log: one line for each event, on standard error, as text or
 * as JSON.
 *
 *	log_start(STDERR_FILENO, LOG_FORMAT_TEXT, THAW_LOG_INFO, &err);
 *	log_write(THAW_LOG_INFO, "listening", LOG_FIELD("address", address));
 *	log_write(THAW_LOG_ERROR, "function failed",
 *		  LOG_FIELD("function", name), LOG_FIELD("request_id", id),
 *		  LOG_FIELD("reason", text));
 *	log_stop();
 *
 * Text: 2026-01-31T12:00:00.123456Z info listening address=127.0.0.1:8080
 * JSON: {"ts":"...","level":"info","msg":"listening","address":"..."}
 * A field with an empty text is left out.
 *
 * Lines go into a bounded ring, and a thread of the log's own writes them, so no
 * other thread waits for the reader. Lines that do not fit are counted, and their
 * count is logged when there is room again. Any thread.
 *
 * Each cause of lines that a guest or a client has in its hands needs a limit:
 *
 *	static struct log_limit limit = LOG_LIMIT_OF("reloads");
 *
 *	if (log_may(&limit, THAW_LOG_ERROR))
 *		log_write(THAW_LOG_ERROR, "catalog not reloaded", ...);
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

/* log_write(THAW_LOG_INFO, "text", LOG_FIELD(...), ...) */
#define log_write(level, message, ...)                                       \
	log_write_fields(level, message,                                     \
			 (const struct log_field[]){ __VA_ARGS__ },          \
			 sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
				 sizeof(struct log_field))

void log_write_fields(enum thaw_level level, const char *message,
		      const struct log_field *fields, size_t count);

/* Returns whether lines of @level are written, to save the work for others. */
bool log_wants(enum thaw_level level);

/*
 * Starts the thread, which writes lines to @fd, borrowed. Before that, and after
 * log_stop(), nothing is logged. Returns 0 or -errno; -EBUSY if the log is started,
 * or if a stopped thread is still in a write.
 *
 * log_stop() writes the lines that are left, but waits for the reader for
 * LOG_STOP_NS at most. Then it leaves the thread behind, in a write to @fd that does
 * not end.
 */
#define LOG_STOP_NS UINT64_C(1000000000)
int log_start(int fd, enum log_format format, enum thaw_level level,
	      struct error *err);
void log_stop(void);

/* Returns how many lines are lost: by a limit, for lack of room, or unwritten. */
uint64_t log_dropped(void);

/* Returns whether to write a line of @level now, of which it takes one of @limit. */
bool log_may(struct log_limit *limit, enum thaw_level level);

/* Logs the lost lines of @limit. Call it before what @limit points to is freed. */
void log_limit_done(struct log_limit *limit);

#endif
