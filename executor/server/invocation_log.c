/* invocation_log.c - log lines of invocations. See invocation_log.h. */
#include "executor/server/invocation_log.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/server/function_stats.h"
#include "executor/server/invocation.h"
#include "executor/server/log/log.h"

/* Keeps a line for the caller, who has asked for them; the last ones count. */
static void invocation_log_keep(struct invocation *invocation, const char *text,
				size_t size)
{
	struct buffer *log = &invocation->log;
	size_t half;

	if (log->size + size + 1 > INVOCATION_LOG_KEPT && log->size) {
		half = log->size < INVOCATION_LOG_KEPT / 2 ?
			       log->size :
			       INVOCATION_LOG_KEPT / 2;
		memmove(log->data, log->data + log->size - half, half);
		log->size = half;
	}
	buffer_append(log, text, size);
	buffer_append(log, "\n", 1);
}

void invocation_log_line(void *cookie, const char *function,
			 enum thaw_level level, const char *text, size_t size)
{
	struct invocation *invocation = cookie;

	if (invocation->wants_log)
		invocation_log_keep(invocation, text, size);
	if (function_stats_may_log(invocation->deployment->stats,
				   FUNCTION_LOG_LINES, (enum thaw_level)level))
		log_write((enum thaw_level)level, text,
			  LOG_FIELD("function", function),
			  LOG_FIELD("request_id", invocation->reply.id));
}

/* Clients that have gone, or have sent what is wrong, are no failure of anything here. */
static bool is_of_client(const struct invocation *invocation)
{
	return invocation->result == -ECANCELED || invocation->is_wrong;
}

/* It never ran. */
static void log_refusal(const struct invocation *invocation)
{
	log_write(is_of_client(invocation) ? THAW_LOG_DEBUG : THAW_LOG_WARN,
		  "invocation refused",
		  LOG_FIELD("function", invocation->deployment->spec->name),
		  LOG_FIELD("request_id", invocation->request.id ?
						  invocation->request.id :
						  ""),
		  LOG_FIELD("reason", invocation->error.message));
}

HOT void invocation_log_end(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;
	const bool good = invocation->result ? is_of_client(invocation) :
					       reply->result == THAW_OK;

	if (!function_stats_may_log(invocation->deployment->stats,
				    FUNCTION_LOG_ENDS,
				    good ? THAW_LOG_DEBUG : THAW_LOG_WARN))
		return;
	if (invocation->result)
		log_refusal(invocation);
	else
		log_write(good ? THAW_LOG_DEBUG : THAW_LOG_WARN,
			  good ? "invocation" : "invocation failed",
			  LOG_FIELD("function",
				    invocation->deployment->spec->name),
			  LOG_FIELD("request_id", reply->id),
			  LOG_NUMBER("queue_us", reply->queue_ns / NS_PER_US),
			  LOG_NUMBER("run_us", reply->run_ns / NS_PER_US),
			  LOG_FIELD("error_type", reply->error_type),
			  LOG_FIELD("error", reply->error_message));
}

void invocation_log_init_line(void *cookie, const char *function,
			      enum thaw_level level, const char *text,
			      size_t size)
{
	static struct log_limit limit = {
		.per_second = FUNCTION_LOG_PER_SECOND,
		.burst = INVOCATION_LOG_INIT_BURST,
		.cause = "lines at init",
	};

	(void)cookie;
	(void)size;
	if (log_may(&limit, level))
		log_write(level, text, LOG_FIELD("function", function),
			  LOG_FIELD("phase", "init"));
}
