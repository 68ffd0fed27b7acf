/*
 * deployment.h - the functions a server serves, and how a catalog is reloaded.
 *
 * A generation is one catalog and, for each of its functions, a struct deployment.
 * A reload makes a new generation, which takes over the functions that have not
 * changed. Where a function has, its old version goes on in the new generation,
 * too, until the next one is active. Each worker has its own reference and passes
 * to the new one when it is told to, so looking up a function takes no lock; an
 * invocation holds a reference to its function, so what is no longer in the
 * catalog goes when its last invocation has ended.
 */
#ifndef EXECUTOR_SERVER_DEPLOYMENT_H
#define EXECUTOR_SERVER_DEPLOYMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/budget.h"
#include "base/error.h"
#include "base/offload.h"
#include "executor/catalog.h"
#include "executor/function.h"
#include "executor/limits.h"
#include "executor/protocol/view.h"
#include "executor/server/event_line.h"
#include "executor/server/log/log.h"
#include "executor/server/metrics.h"
#include "executor/server/run_queue.h"

/* What is logged of a function, each with a limit of its own. */
enum deployment_log {
	DEPLOYMENT_LOG_LINES,  /* the function's own */
	DEPLOYMENT_LOG_ENDS,   /* invocations that failed, or were refused */
	DEPLOYMENT_LOG_EVENTS, /* Event invocations that were given up */
	DEPLOYMENT_LOGS,
};

/*
 * What passes from one generation to the next by name: counts, who waits, and
 * limits, so that no reload renews them.
 */
struct stats {
	_Atomic unsigned references;
	char name[LIMIT_NAME_MAX + 1];
	struct log_limit log_limits[DEPLOYMENT_LOGS];
	_Atomic bool boot_failed; /* the last one */
	struct metrics_function metrics;
	struct event_line events;
};

/* A catalog, as long as a function's spec is in it. */
struct kept_catalog {
	_Atomic unsigned references;
	struct catalog *catalog;
};

/* How the file of an image looks. */
struct deployment_image {
	struct stat status; /* zero: it is not there */
	bool is_fresh;	    /* the next change may leave it with these times */
};

struct deployment {
	_Atomic unsigned references;
	struct offload_work work; /* to free it */
	struct offload_share *runs,
		*makes; /* of the threads for runs, for vms */
	struct offload_work boot;
	struct boots *boots;	      /* where it is booted, and how: */
	struct deployment *next_boot; /* in the queue */
	bool is_suspect;
	_Atomic bool cancelled; /* nobody needs it any more */
	struct kept_catalog *catalog;
	const struct catalog_function *spec;
	struct stats *stats;
	uint64_t generation; /* the number of the first that has it */

	/* Before it was deployed; the times: or when it was last compared. */
	struct deployment_image image;
	uint64_t image_bytes;

	/* Set by deployment_deploy(), before the state. */
	struct function *function;
	struct error why; /* it failed */
	int failure;	  /* -errno */
	uint64_t deployed_unix_ms;
	char image_sha256[65]; /* of what was deployed, or of what was before it */
	_Atomic int state;     /* enum function_state */

	bool is_echo; /* answers with the request; no vm: for measurements */

	_Atomic uint32_t admitted; /* invocations, waiting and running */
	struct budget_share share; /* of what clients make the server keep */
	/*
	 * Of the last runs, how many were over the inline budget, roughly: then
	 * the next ones do not begin on a worker at all.
	 */
	_Atomic int32_t slowness;

	_Atomic uint64_t restore_ns; /* what the last restore of a vm took */

	struct run_line lines[]; /* one in each worker's queue */
};

struct generation {
	_Atomic unsigned references;
	struct kept_catalog *catalog;
	char sha256[65]; /* of the file */
	uint64_t number;
	struct deployment *
		*deployments; /* in the catalog's order: what answers */
	/* What is to take its place, pending or failed; or NULL. */
	struct deployment **next;
	size_t count;
	struct deployment *echo; /* or NULL */
};

/* What a reload changes; counts. */
struct generation_changes {
	size_t added, changed, removed, unchanged;
};

/*
 * Loads the catalog at @path; functions that are the same in @old (which may be
 * NULL) are taken over from it. Errors as catalog_load().
 */
int generation_load(const char *path, const struct generation *old,
		    struct error *err, struct generation **ret_generation,
		    struct generation_changes *ret_changes);

/* Adds the function @name that echoes. */
int generation_add_echo(struct generation *generation, const char *name,
			struct error *err);

/* The function @name, or NULL; belongs to the generation. */
struct deployment *generation_find(const struct generation *generation,
				   const char *name);

/* The function at @index as the catalog has it, if need be not active yet. */
struct deployment *generation_newest(const struct generation *generation,
				     size_t index);

/* The function @name of the catalog; or NULL. */
struct deployment *generation_find_newest(const struct generation *generation,
					  const char *name);

/*
 * The same with the updates that are active by now in their places; NULL if there
 * is none. 0 or -ENOMEM.
 */
int generation_settle(const struct generation *old,
		      struct generation **ret_generation);

/*
 * Before @generation, which was loaded with @old before it, is put to use: functions
 * that have become active meanwhile go on until their new versions are.
 */
void generation_keep_active(struct generation *generation,
			    const struct generation *old);

/* Cancels the boots of @generation that @other, which may be NULL, has not. */
void generation_cancel(const struct generation *generation,
		       const struct generation *other);

/* Describes the function at @index. */
void generation_view(const struct generation *generation, size_t index,
		     struct function_view *ret_view);

/* One more reference. */
struct generation *generation_hold(struct generation *generation);

/* Gives back a reference; with the last one everything goes. NULL is fine. */
void generation_release(struct generation *generation);

/*
 * Deploys @deployment, which is pending, on this thread; @options as for
 * function_deploy(). It is active or failed afterwards.
 */
void deployment_deploy(struct deployment *deployment,
		       const struct function_options *options);

/* One more reference; gives it back, NULL is fine. */
struct stats *function_stats_hold(struct stats *stats);
void function_stats_release(struct stats *stats);

struct deployment *deployment_hold(struct deployment *deployment);

/* NULL is fine. The last one has the function's vms freed, by a job. */
void deployment_release(struct deployment *deployment);

/* Whose jobs; NULL: at once, by whoever gives back the last reference. */
void deployment_set_reaper(struct offload_pool *offload);

/* How many workers there are: before the first generation is loaded. */
void deployment_set_workers(unsigned count);

static inline bool deployment_is_active(const struct deployment *deployment)
{
	/* pairs with the release in deployment_deploy() */
	return atomic_load_explicit(&deployment->state, memory_order_acquire) ==
	       FUNCTION_ACTIVE;
}

/*
 * Why @deployment, which is not active, takes no invocations: for its callers, whom
 * it does not tell the paths of this machine. -EINPROGRESS: it is being booted;
 * -ENOENT, -ENOEXEC, -ETIMEDOUT, -ECANCELED, -EPROTO: its image or its init; -EIO.
 */
int deployment_refusal(const struct deployment *deployment, struct error *err);

/* The image's file is another one than it was when looked at, or its times are. */
bool deployment_is_touched(const struct deployment *deployment);

static inline bool deployment_is_pending(const struct deployment *deployment)
{
	return atomic_load(&deployment->state) == FUNCTION_PENDING;
}

/* Fails @deployment, which is pending and nobody else's to deploy. */
void deployment_fail(struct deployment *deployment, int failure,
		     const struct error *why);

#endif
