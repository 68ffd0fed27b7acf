/*
 * deployment_load.h - loads a function from the store when its first invocation comes.
 *
 * A deployment whose snapshot is in the store is active without its function: it has
 * neither mappings nor descriptors nor vms. The first invocation has it loaded by a
 * thread of the boots, and waits for that, as do all that come meanwhile. If the file
 * turns out to be no good, the function is booted then.
 */
#ifndef EXECUTOR_SERVER_DEPLOYMENT_LOAD_H
#define EXECUTOR_SERVER_DEPLOYMENT_LOAD_H

#include <stdbool.h>

#include "base/error.h"
#include "executor/server/deployment.h"

/* A place among those that wait for a deployment to be loaded; embedded. */
struct load_waiter {
	/*
	 * It is loaded; or @result is why not, and @why says it in words for callers:
	 * -EBUSY: not now, for lack of memory, descriptors or mappings; or as
	 * deployment_refusal(). It waits no longer, and may be gone when this returns.
	 * Any thread.
	 */
	void (*loaded)(struct load_waiter *waiter, int result,
		       const struct error *why);
	struct load_waiter *next;
	bool is_waiting;
};

/*
 * Has @waiter wait until @deployment, which is active or was, is loaded. False: it is
 * already, or it has failed. If *@ret_is_first, nobody loads it yet: the caller calls
 * boots_load(). Any thread.
 */
bool deployment_await(struct deployment *deployment, struct load_waiter *waiter,
		      bool *ret_is_first);

/* @waiter waits no longer. False: too late, its time has come. */
bool deployment_leave(struct deployment *deployment,
		      struct load_waiter *waiter);

/*
 * Loads @deployment on this thread, for those that wait; @options as for
 * function_deploy(). It has failed afterwards if its image or its init is no good; not
 * if only this machine was short of something.
 */
void deployment_load(struct deployment *deployment,
		     const struct function_options *options);

#endif
