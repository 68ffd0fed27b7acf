/* invocation_log.c - log lines of invocations. See invocation_log.h. */
#include "executor/server/invocation_log.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "executor/server/invocation.h"
#include "executor/server/log/log.h"

/* For the caller who has asked for them: the last ones are what counts. */
static void keep(struct invocation *invocation, const char *text, size_t size)
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

void invocation_log_limit(const char *function, enum deployment_log log,
			  struct log_limit *ret_limit)
{
	static const char *const causes[DEPLOYMENT_LOGS] = {
		[DEPLOYMENT_LOG_LINES] = "lines of the function",
		[DEPLOYMENT_LOG_ENDS] = "invocations",
		[DEPLOYMENT_LOG_EVENTS] = "events dropped",
	};

	*ret_limit = (struct log_limit){
		.per_second = INVOCATION_LOG_PER_SECOND,
		.burst = INVOCATION_LOG_BURST,
		.cause = causes[log],
		.function = function,
	};
}

bool invocation_log_may(struct deployment *deployment, enum deployment_log log,
			enum thaw_level level)
{
	static struct log_limit all = {
		.per_second = INVOCATION_LOG_ALL_PER_SECOND,
		.burst = INVOCATION_LOG_ALL_BURST,
		.cause = "lines of all functions",
	};
	struct metrics_function *metrics = &deployment->stats->metrics;
	bool may;

	if (!log_wants(level))
		return false;
	may = log_may(&deployment->stats->log_limits[log], level) &&
	      log_may(&all, level);
	metrics_add(may ? &metrics->log_lines : &metrics->log_dropped, 1);
	return may;
}

void invocation_log_line(void *cookie, const char *function,
			 enum thaw_level level, const char *text, size_t size)
{
	struct invocation *invocation = cookie;

	if (invocation->wants_log)
		keep(invocation, text, size);
	if (invocation_log_may(invocation->deployment, DEPLOYMENT_LOG_LINES,
			       level))
		log_write(level, text, LOG_FIELD("function", function),
			  LOG_FIELD("request_id", invocation->reply.id));
}

/* It never ran. */
static void log_refusal(const struct invocation *invocation)
{
	log_write(invocation->result == -ECANCELED ? THAW_LOG_DEBUG :
						     THAW_LOG_WARN,
		  "invocation refused",
		  LOG_FIELD("function", invocation->deployment->spec->name),
		  LOG_FIELD("request_id", invocation->request.id ?
						  invocation->request.id :
						  ""),
		  LOG_FIELD("reason", invocation->error.message));
}

void invocation_log_end(const struct invocation *invocation)
{
	const struct thaw_reply *reply = &invocation->reply;
	/* a client that has gone is nobody's failure */
	bool good = invocation->result ? invocation->result == -ECANCELED :
					 reply->result == THAW_OK;

	if (!invocation_log_may(invocation->deployment, DEPLOYMENT_LOG_ENDS,
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
		.per_second = INVOCATION_LOG_PER_SECOND,
		.burst = INVOCATION_LOG_INIT_BURST,
		.cause = "lines at init",
	};

	(void)cookie;
	(void)size;
	if (log_may(&limit, level))
		log_write(level, text, LOG_FIELD("function", function),
			  LOG_FIELD("phase", "init"));
}
