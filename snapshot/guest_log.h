/*
 * guest_log.h - log lines of guests, on their way to whoever wants them.
 */
#ifndef SNAPSHOT_GUEST_LOG_H
#define SNAPSHOT_GUEST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi/thaw_abi.h"
#include "vm/vm.h"

/* One invocation, or one init, may log this many lines; more are dropped. */
#define GUEST_LOG_LINES_MAX 1000

/*
 * Takes a line: @size bytes, with a zero behind them, cleaned by
 * text_clean(). Valid during the call.
 */
typedef void (*guest_log_fn)(void *cookie, enum thaw_level level,
			     const char *text, size_t size);

struct guest_log {
	guest_log_fn line; /* NULL: nobody listens */
	void *cookie;
	enum thaw_level level; /* less severe lines are dropped */
};

/* What has been taken of the lines of one invocation; all zero at its start. */
struct guest_log_progress {
	unsigned lines;
	uint32_t taken; /* bytes of thaw_mailbox.log_used */
};

/* Whether @vm has lines in memory that guest_log_take() would hand over. */
bool guest_log_has_lines(const struct vm *vm);

/*
 * Hands the lines that @vm has in memory to @log. If @is_bell, the guest has rung the
 * doorbell, or is done, and is told that they have been taken; else it has been stopped
 * anywhere.
 */
void guest_log_take(const struct guest_log *log, struct vm *vm, bool is_bell,
		    struct guest_log_progress *progress);

/*
 * Hands over one line: @size bytes at @text, which is hostile and may change meanwhile,
 * as may @level.
 */
void guest_log_hand_over(const struct guest_log *log, uint32_t level,
			 const char *text, size_t size,
			 struct guest_log_progress *progress);

/* Bytes of a guest's table of lines that have begun. */
#define GUEST_LOG_BEGUN_BYTES (THAW_LINES * sizeof(struct thaw_line))

/*
 * The same for the lines of the table at @begun, for a guest that has ended before
 * them. 0, and a table or texts that are not in memory, are no lines.
 */
void guest_log_take_begun(const struct guest_log *log, const struct vm *vm,
			  uint64_t begun, struct guest_log_progress *progress);

#endif
