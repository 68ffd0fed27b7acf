/*
 * generation.h - one catalog and the deployments of its functions, and how a
 * reload makes the next one of it.
 *
 * A reload loads a new generation, which takes over the deployments of functions
 * that have not changed. Where a function has changed, its old deployment goes on
 * answering in the new generation until the new one is active. Each worker has a
 * reference of its own and passes to the new generation when it is told to, so
 * looking up a function takes no lock.
 *
 * A generation does not change once workers have it. Any thread may hold and
 * release it.
 */
#ifndef EXECUTOR_SERVER_GENERATION_H
#define EXECUTOR_SERVER_GENERATION_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/protocol/view.h"
#include "executor/server/deployment.h"

struct generation {
	_Atomic unsigned references;
	struct deployment_host *host;
	struct kept_catalog *catalog;
	char sha256[65]; /* of the catalog's file */
	uint64_t number;
	/* In the catalog's order: those that answer. */
	struct deployment **deployments;
	/* Those that are to take their places, pending or failed; or NULL. */
	struct deployment **next;
	size_t count;
	struct deployment *echo; /* or NULL */
};

/* How many functions a reload changes. */
struct generation_changes {
	size_t added, changed, removed, unchanged;
};

/*
 * Loads the catalog at @path for @host; functions that are the same in @old, which
 * may be NULL, are taken over from it. Errors as catalog_load(). The caller has
 * one reference.
 */
int generation_load(struct deployment_host *host, const char *path,
		    const struct generation *old, struct error *err,
		    struct generation **ret_generation,
		    struct generation_changes *ret_changes);

/* Adds the function @name, whose invocations @answer answers without a vm. */
int generation_add_echo(struct generation *generation, const char *name,
			void (*answer)(struct invocation *invocation),
			struct error *err);

/* The function @name that answers, or NULL; it is the generation's. */
struct deployment *generation_find(const struct generation *generation,
				   const char *name);

/* The function at @index as the catalog has it, active or not. */
struct deployment *generation_newest(const struct generation *generation,
				     size_t index);

/* The function @name as the catalog has it, or NULL. */
struct deployment *generation_find_newest(const struct generation *generation,
					  const char *name);

/*
 * Makes a generation like @old in which the updates that are active by now have
 * taken their places. *@ret_generation is NULL if there are none. 0 or -ENOMEM.
 */
int generation_settle(const struct generation *old,
		      struct generation **ret_generation);

/*
 * Makes a generation like @old in which only @keep of the functions that invocations have
 * loaded are, besides those that have invocations, or had one at @before_ns or later; those
 * used least recently are not. *@ret_generation is NULL if there are none of those. 0 or -ENOMEM.
 */
int generation_unload(const struct generation *old, size_t keep,
		      uint64_t before_ns, struct generation **ret_generation);

/*
 * Before @generation, which was loaded with @old before it, is put to use: functions
 * that have become active meanwhile go on until their new versions are active.
 */
void generation_keep_active(struct generation *generation,
			    const struct generation *old);

/* Cancels the boots of @generation that @other, which may be NULL, has not. */
void generation_cancel(const struct generation *generation,
		       const struct generation *other);

/* Cancels the boots of @generation, but not of what answers already. */
void generation_cancel_pending(const struct generation *generation);

/* Describes the function at @index; borrows its texts. */
void generation_view(const struct generation *generation, size_t index,
		     struct function_view *ret_view);

/* The same, but only its spec, its states, and why it has failed. */
void generation_view_state(const struct generation *generation, size_t index,
			   struct function_view *ret_view);

/* Takes one more reference, and returns @generation. */
struct generation *generation_hold(struct generation *generation);

/* Gives a reference back; with the last one everything goes. NULL is fine. */
void generation_release(struct generation *generation);

#endif
