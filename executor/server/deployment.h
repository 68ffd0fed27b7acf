/*
 * deployment.h - one function of a catalog on its way to a snapshot and a pool of
 * vms, and what the server keeps for it.
 *
 * A deployment is pending until it has been booted; then it is active or failed,
 * for good. It is reference counted: each generation that has it (generation.h)
 * and each invocation of it hold a reference, so a function that has left the
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
#include "executor/protocol/view.h"
#include "executor/server/function_stats.h"
#include "executor/server/run_queue.h"

struct boots;
struct invocation;
struct load_waiter;
struct linux_seen;

/* What deployments need of the server they belong to; it outlives them. */
struct deployment_host {
	unsigned workers; /* each has a run queue; set once, before the first */
	/* Frees what is not needed any more; NULL: the last holder does. */
	struct offload_pool *_Atomic reaper;
	/*
	 * Functions that invocations have loaded, and how many may be. When more than
	 * SERVER_LOADED_CROWDED of them are, crowded() is called, on any thread: it
	 * has those unloaded that were used least recently.
	 */
	_Atomic unsigned loaded;
	_Atomic bool is_short; /* of memory: idle functions are to be unloaded */
	_Atomic uint64_t short_ns; /* when it was so last */
	unsigned loaded_max;	   /* set once, before the first deployment */
	void (*crowded)(struct deployment_host *host);
};

/* A catalog, which stays as long as a function's spec is in use. */
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
	struct deployment_host *host;
	struct offload_work work; /* frees it */
	/* Its shares of the threads that run invocations, and that build vms. */
	struct offload_share *runs, *builds;
	struct kept_catalog *catalog;
	const struct catalog_function *spec;
	struct function_stats *stats;
	uint64_t generation;	/* the number of the first that has it */
	_Atomic bool cancelled; /* nobody needs it any more */

	/* boots.c's, from boots_push() on. */
	struct boots *boots;
	struct offload_work boot;
	struct deployment *next_boot;
	struct offload_work load;
	_Atomic bool load_is_pushed;

	/* Of a Linux program, what its boot has read; or NULL. */
	struct linux_seen *seen;
	/* Before it was deployed; the times: or when it was last compared. */
	struct deployment_image image;
	uint64_t image_bytes;

	/*
	 * Its function is loaded by the first invocation (deployment_load.h), unless
	 * it is to be loaded at once.
	 */
	bool loads_at_once;
	struct function_stored stored; /* set before the state */
	struct load_waiter *waiters; /* deployment_load.c's, as the next two */
	bool is_loading, is_counted; /* as loaded */
	_Atomic uint64_t used_ns;    /* when the last invocation came */

	/*
	 * Set by deployment_deploy(), before the state; or later, if it is loaded
	 * later: use deployment_function().
	 */
	struct function *function;
	struct error why; /* it failed */
	int failure;	  /* -errno */
	uint64_t deployed_unix_ms;
	uint64_t deploy_ns;    /* how long that took */
	char image_sha256[65]; /* see deployment_sha256() */
	_Atomic int state;     /* enum function_state */

	/*
	 * Answers invocations of a deployment that never becomes active, instead
	 * of a vm (invocation_echo.h). NULL: nothing does.
	 */
	void (*answer)(struct invocation *invocation);

	_Atomic uint32_t admitted; /* invocations, waiting and running */
	struct budget_share share; /* of what clients make the server keep */
	/*
	 * How many of the last runs were over the inline budget, roughly: if
	 * there were many, the next ones do not begin on a worker at all.
	 */
	_Atomic int32_t slowness;

	_Atomic uint64_t run_ns; /* of the last invocation; 0: none has run */
	_Atomic uint64_t restore_ns; /* the time of the last restore of a vm */

	struct run_line lines[]; /* one in each worker's queue */
};

/*
 * Creates the deployment of @spec, which is in @catalog and holds it. @number is
 * that of the generation it is new in. Counts with the statistics of @old, the
 * deployment before it, which may be NULL. Returns it with one reference; NULL:
 * no memory.
 */
struct deployment *deployment_create(struct deployment_host *host,
				     struct kept_catalog *catalog,
				     const struct catalog_function *spec,
				     uint64_t number,
				     const struct deployment *old);

/*
 * Creates one that is like @old, whose invocations have loaded it, but is not loaded. It
 * is active. NULL: no memory.
 */
struct deployment *deployment_unloaded(const struct deployment *old);

/* Takes one more reference, and returns @deployment. Any thread. */
struct deployment *deployment_hold(struct deployment *deployment);

/*
 * Gives a reference back; the last one has the reaper free the deployment and its
 * vms. Any thread. NULL is fine.
 */
void deployment_release(struct deployment *deployment);

/* Gives a reference of a catalog back. NULL is fine. */
void deployment_catalog_release(struct kept_catalog *kept);

/*
 * Deploys @deployment, which is pending, on this thread; @options as for
 * function_deploy(). It is active or failed afterwards.
 */
void deployment_deploy(struct deployment *deployment,
		       const struct function_options *options);

/*
 * Makes the function of @deployment, and counts that. -ESHUTDOWN: it is not needed any
 * more; others as function_deploy().
 */
int deployment_make(struct deployment *deployment,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function);

/*
 * Has functions unloaded that nobody has invoked for SERVER_UNUSED_NS, half of those that
 * are loaded, since there is no memory. Any thread.
 */
void deployment_is_short(struct deployment_host *host);

/*
 * Takes its place among the functions that are loaded, if there is one, and gives it
 * back. On the thread that deploys or loads it.
 */
bool deployment_take_place(struct deployment *deployment);
void deployment_give_place(struct deployment *deployment);

/* The SHA-256 of its image, in hexadecimal: of what was deployed, or will be loaded. */
const char *deployment_sha256(const struct deployment *deployment);

/* Fails @deployment, which is pending and which nobody else deploys. */
void deployment_fail(struct deployment *deployment, int failure,
		     const struct error *why);

static inline bool deployment_is_active(const struct deployment *deployment)
{
	/* pairs with the release in deployment_deploy() */
	return atomic_load_explicit(&deployment->state, memory_order_acquire) ==
	       FUNCTION_ACTIVE;
}

/* Its function; NULL: it is not active, or not loaded. Any thread. */
static inline struct function *
deployment_function(const struct deployment *deployment)
{
	/* pairs with the release below */
	return __atomic_load_n(&deployment->function, __ATOMIC_ACQUIRE);
}

static inline void deployment_set_function(struct deployment *deployment,
					   struct function *function)
{
	__atomic_store_n(&deployment->function, function, __ATOMIC_RELEASE);
}

static inline bool deployment_is_pending(const struct deployment *deployment)
{
	return atomic_load(&deployment->state) == FUNCTION_PENDING;
}

/*
 * Why @deployment, which is not active, takes no invocations, in words for its
 * callers, who are told no paths of this machine. -EINPROGRESS: it is being booted;
 * -ENOENT, -ENOEXEC, -ETIMEDOUT, -ECANCELED, -EPROTO: its image or its init; -EIO.
 */
int deployment_refusal(const struct deployment *deployment, struct error *err);

/*
 * Whether the image's file is another one than when it was last compared, or has
 * other times; of a Linux program, whether any file is that its boot has read.
 */
bool deployment_is_touched(const struct deployment *deployment);

/* How the image of @spec looks; call it before the file is read. */
void deployment_look_at(const struct catalog_function *spec,
			struct deployment_image *ret_image);

/* How its image looked when it was last compared. Any thread. */
void deployment_get_image(const struct deployment *deployment,
			  struct deployment_image *ret_image);
void deployment_set_image(struct deployment *deployment,
			  const struct deployment_image *image);

/* The SHA-256 of a file, in hexadecimal; "" if it cannot be read. */
void deployment_hash(const char *path, char hex[65]);
/* That of the image of @spec. */
void deployment_hash_image(const struct catalog_function *spec, char hex[65]);

#endif
