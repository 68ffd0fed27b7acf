/*
 * served.h - the functions a server serves, and how a catalog is reloaded.
 *
 * A generation is one catalog and, for each of its functions, a struct served.
 * A reload makes a new generation, which takes over the functions that have not
 * changed. Where a function has, its old version goes on in the new generation,
 * too, until the next one is active. Each worker has its own reference and passes
 * to the new one when it is told to, so looking up a function takes no lock; an
 * invocation holds a reference to its function, so what is no longer in the
 * catalog goes when its last invocation has ended.
 */
#ifndef EXECUTOR_SERVER_SERVED_H
#define EXECUTOR_SERVER_SERVED_H

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
enum served_log {
	SERVED_LOG_LINES,  /* the function's own */
	SERVED_LOG_ENDS,   /* invocations that failed, or were refused */
	SERVED_LOG_EVENTS, /* Event invocations that were given up */
	SERVED_LOGS,
};

/*
 * What passes from one generation to the next by name: counts, who waits, and
 * limits, so that no reload renews them.
 */
struct counted {
	_Atomic unsigned references;
	char name[LIMIT_NAME_MAX + 1];
	struct log_limit log_limits[SERVED_LOGS];
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
struct served_image {
	struct stat status; /* zero: it is not there */
	bool is_fresh;	    /* the next change may leave it with these times */
};

struct served {
	_Atomic unsigned references;
	struct job job;			/* to free it */
	struct job_share *runs, *makes; /* of the threads for runs, for vms */
	struct job boot;
	struct boots *boots;	  /* where it is booted, and how: */
	struct served *next_boot; /* in the queue */
	bool is_suspect;
	_Atomic bool cancelled; /* nobody needs it any more */
	struct kept_catalog *catalog;
	const struct catalog_function *spec;
	struct counted *counted;
	uint64_t generation; /* the number of the first that has it */

	/* Before it was deployed; the times: or when it was last compared. */
	struct served_image image;
	uint64_t image_bytes;

	/* Set by served_deploy(), before the state. */
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
	struct served **served; /* in the catalog's order: what answers */
	/* What is to take its place, pending or failed; or NULL. */
	struct served **next;
	size_t count;
	struct served *echo; /* or NULL */
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
struct served *generation_find(const struct generation *generation,
			       const char *name);

/* The function at @index as the catalog has it, if need be not active yet. */
struct served *generation_newest(const struct generation *generation,
				 size_t index);

/* The function @name of the catalog; or NULL. */
struct served *generation_find_newest(const struct generation *generation,
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
 * Deploys @served, which is pending, on this thread; @options as for
 * function_deploy(). It is active or failed afterwards.
 */
void served_deploy(struct served *served,
		   const struct function_options *options);

/* One more reference; gives it back, NULL is fine. */
struct counted *counted_hold(struct counted *counted);
void counted_release(struct counted *counted);

struct served *served_hold(struct served *served);

/* NULL is fine. The last one has the function's vms freed, by a job. */
void served_release(struct served *served);

/* Whose jobs; NULL: at once, by whoever gives back the last reference. */
void served_set_reaper(struct jobs *jobs);

/* How many workers there are: before the first generation is loaded. */
void served_set_workers(unsigned count);

static inline bool served_is_active(const struct served *served)
{
	/* pairs with the release in served_deploy() */
	return atomic_load_explicit(&served->state, memory_order_acquire) ==
	       FUNCTION_ACTIVE;
}

/*
 * Why @served, which is not active, takes no invocations: for its callers, whom
 * it does not tell the paths of this machine. -EINPROGRESS: it is being booted;
 * -ENOENT, -ENOEXEC, -ETIMEDOUT, -ECANCELED, -EPROTO: its image or its init; -EIO.
 */
int served_refusal(const struct served *served, struct error *err);

/* The image's file is another one than it was when looked at, or its times are. */
bool served_is_touched(const struct served *served);

static inline bool served_is_pending(const struct served *served)
{
	return atomic_load(&served->state) == FUNCTION_PENDING;
}

/* Fails @served, which is pending and nobody else's to deploy. */
void served_fail(struct served *served, int failure, const struct error *why);

#endif
