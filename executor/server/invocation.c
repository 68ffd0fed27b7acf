/* invocation.c - what all files of an invocation need. See invocation.h. */
#include "executor/server/invocation.h"

#include <errno.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hot.h"
#include "executor/server/invocation_internal.h"
#include "executor/server/worker.h"

/* `small` is written before it is read, and it is large. */
void invocation_init(struct invocation *invocation)
{
	memset(invocation, 0, offsetof(struct invocation, small));
	invocation->log = (struct buffer)BUFFER_INIT(2 * INVOCATION_LOG_KEPT);
}

HOT void invocation_queue(struct invocation *invocation)
{
	struct worker *runner = invocation->runner;

	run_queue_push(&runner->queue,
		       &invocation->deployment->lines[runner->index],
		       &invocation->entry);
}

void invocation_queue_first(struct invocation *invocation)
{
	struct worker *runner = invocation->runner;

	run_queue_push_first(&runner->queue,
			     &invocation->deployment->lines[runner->index],
			     &invocation->entry);
}

void invocation_push(struct offload_pool *pool, struct deployment *deployment,
		     struct offload_share *share, struct offload_work *work)
{
	deployment_hold(deployment); /* it may be over once it is pushed */
	if (!offload_push(pool, share, work))
		metrics_add(&deployment->stats->metrics.thread_waits, 1);
	deployment_release(deployment);
}

void invocation_offload(struct invocation *invocation,
			void (*run)(struct offload_work *work))
{
	struct shared *shared = invocation->worker->shared;

	invocation->work.run = run;
	metrics_add(&shared->metrics.offloaded_total, 1);
	invocation_push(shared->offload, invocation->deployment,
			invocation->deployment->runs, &invocation->work);
}

HOT char *invocation_take_copy(struct invocation *invocation)
{
	char *copy = invocation->copy;

	invocation->copy = NULL;
	return copy;
}

bool invocation_is_put_off(const struct invocation *invocation)
{
	return invocation->result == -EBUSY || invocation->result == -EAGAIN ||
	       invocation->result == -EINPROGRESS;
}
