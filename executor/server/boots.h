/*
 * boots.h - boots functions on threads of their own, so that only the callers of a
 * function wait for an init that takes long.
 *
 * A bounded number of boots run at once. The others, begun or not, wait for their
 * turn. Of those that have not begun, critical functions come first, and functions
 * whose last boot failed come last.
 */
#ifndef EXECUTOR_SERVER_BOOTS_H
#define EXECUTOR_SERVER_BOOTS_H

#include "base/error.h"
#include "executor/server/deployment.h"

struct boots;

struct boots_config {
	const struct function_options *options; /* borrowed */
	/* Some function is active, or has failed; on a thread of the boots. */
	void (*ended)(void *cookie);
	void *cookie;
};

int boots_create(const struct boots_config *config, struct error *err,
		 struct boots **ret_boots);

/*
 * Boots @deployment, which is pending and was not pushed before. Any thread.
 * generation_cancel() has it fail soon.
 */
void boots_push(struct boots *boots, struct deployment *deployment);

/*
 * Loads @deployment, which is active and for which deployment_await() has said so: before
 * all that is to be booted. Any thread.
 */
void boots_load(struct boots *boots, struct deployment *deployment);

/* Waits for everything that was pushed. NULL is fine. */
void boots_free(struct boots *boots);

#endif
