/*
 * boots.h - boots functions on threads of their own, so that an init that takes
 * long keeps nobody waiting but the callers of its function.
 *
 * So many run at once, and others wait for their turn: those that have not begun,
 * and those that have. Of those that have not, critical functions come first, and
 * those whose last boot failed last.
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
 * deployment_cancel() has it fail soon.
 */
void boots_push(struct boots *boots, struct deployment *deployment);

/* On a thread that boots: lets others that wait have their turn. */
void boots_pause(struct boots *boots);

/* Waits for everything that was pushed. NULL is fine. */
void boots_free(struct boots *boots);

#endif
