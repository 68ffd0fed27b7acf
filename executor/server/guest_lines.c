/* guest_lines.c - log lines of functions. See guest_lines.h. */
#include "executor/server/guest_lines.h"

#include <string.h>

#include "executor/server/invocation.h"
#include "executor/server/log.h"
#include "vm/clock.h"

/* For the caller who has asked for them: the last ones are what counts. */
static void keep(struct invocation *invocation, const char *text, size_t size)
{
	struct buffer *log = &invocation->log;
	size_t half;

	if (log->size + size + 1 > GUEST_LINES_KEPT && log->size) {
		half = log->size < GUEST_LINES_KEPT / 2 ? log->size :
							  GUEST_LINES_KEPT / 2;
		memmove(log->data, log->data + log->size - half, half);
		log->size = half;
	}
	buffer_append(log, text, size);
	buffer_append(log, "\n", 1);
}

void guest_lines_take(void *cookie, const char *function,
		      enum thaw_log_level level, const char *text, size_t size)
{
	struct invocation *invocation = cookie;
	struct served *served = invocation->served;
	struct metrics_function *metrics = &served->counted->metrics;
	uint64_t lost;
	bool may;

	if (invocation->wants_log)
		keep(invocation, text, size);
	if (!log_wants((enum log_level)level))
		return;
	pthread_mutex_lock(&served->log_lock);
	may = log_limit_take(&served->log_limit, clock_now_ns(),
			     GUEST_LINES_PER_SECOND, GUEST_LINES_BURST, &lost);
	pthread_mutex_unlock(&served->log_lock);
	metrics_add(may ? &metrics->log_lines : &metrics->log_dropped, 1);
	if (!may)
		return;
	if (lost)
		log_write(LOG_LEVEL_WARN, "log lines dropped",
			  LOG_FIELD("function", function),
			  LOG_NUMBER("lines", lost));
	log_write((enum log_level)level, text, LOG_FIELD("function", function),
		  LOG_FIELD("request_id", invocation->reply.id));
}

void guest_lines_take_init(void *cookie, const char *function,
			   enum thaw_log_level level, const char *text,
			   size_t size)
{
	(void)cookie;
	(void)size;
	log_write((enum log_level)level, text, LOG_FIELD("function", function),
		  LOG_FIELD("phase", "init"));
}
