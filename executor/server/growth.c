/* growth.c - see growth.h. On the threads of the builders. */
#include "executor/server/growth.h"

#include <errno.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/offload.h"
#include "executor/function.h"
#include "executor/server/deployment.h"
#include "snapshot/pool.h"

struct growth {
	struct offload_work work;
	struct deployment *deployment;
};

static void growth_run(struct offload_work *work)
{
	struct growth *growth = container_of(work, struct growth, work);

	pool_grow(growth->deployment->function->pool);
	deployment_release(growth->deployment);
	free(growth);
}

int growth_push(struct offload_pool *builders, struct deployment *deployment)
{
	struct growth *growth = malloc(sizeof(*growth));

	if (!growth)
		return -ENOMEM;
	growth->work.run = growth_run;
	growth->deployment = deployment_hold(deployment);
	if (!offload_push(builders, deployment->builds, &growth->work))
		metrics_add(&deployment->stats->metrics.thread_waits, 1);
	return 0;
}
