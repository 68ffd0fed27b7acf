/* lambda_log.h - the lines that Lambda writes around a function's own. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_LOG_H
#define EXECUTOR_PROTOCOL_LAMBDA_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "executor/libthaw.h"

/* Append a line START, and lines END and REPORT, to @out. */
void lambda_write_start(const char *id, struct buffer *out);
void lambda_write_report(const struct thaw_reply *reply, size_t memory_bytes,
			 size_t memory_used_bytes, uint64_t restore_ns,
			 struct buffer *out);

/*
 * Appends the last 4 KiB of a log in base64, for X-Amz-Log-Result, to @out. It
 * does not begin in the middle of a character.
 */
#define LAMBDA_TAIL_MAX 4096
void lambda_write_tail(const char *log, size_t size, struct buffer *out);

#endif
