/* deployment_load.c - see deployment_load.h. */
#include "executor/server/deployment_load.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "executor/limits.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"
#include "vm/image/image.h"

/* Of who waits for what, and of what is being loaded; it is held for short. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Enough for one line for each function, but not for many that take turns. */
static struct log_limit load_limit = {
	.per_second = SERVER_BOOT_LINES_PER_SECOND,
	.burst = CATALOG_FUNCTIONS_MAX,
	.cause = "functions loaded, or not",
};

bool deployment_await(struct deployment *deployment, struct load_waiter *waiter,
		      bool *ret_is_first)
{
	bool waits;

	*ret_is_first = false;
	pthread_mutex_lock(&lock);
	waits = deployment_is_active(deployment) &&
		!deployment_function(deployment);
	if (waits) {
		*ret_is_first = !deployment->is_loading;
		deployment->is_loading = true;
		waiter->is_waiting = true;
		waiter->next = deployment->waiters;
		deployment->waiters = waiter;
	}
	pthread_mutex_unlock(&lock);
	return waits;
}

bool deployment_leave(struct deployment *deployment, struct load_waiter *waiter)
{
	struct load_waiter **at;
	bool was_waiting;

	pthread_mutex_lock(&lock);
	was_waiting = waiter->is_waiting;
	if (was_waiting) {
		for (at = &deployment->waiters; *at != waiter;)
			at = &(*at)->next;
		*at = waiter->next;
		waiter->is_waiting = false;
	}
	pthread_mutex_unlock(&lock);
	return was_waiting;
}

/* In the order of their arrival. The lock is held. */
static struct load_waiter *take_waiters(struct deployment *deployment)
{
	struct load_waiter *first = NULL, *waiter;

	while ((waiter = deployment->waiters)) {
		deployment->waiters = waiter->next;
		waiter->is_waiting = false;
		waiter->next = first;
		first = waiter;
	}
	deployment->is_loading = false;
	return first;
}

/* Whether the same may go well later. */
static bool is_shortage(int result)
{
	return result == -ENOMEM || result == -EMFILE || result == -ENFILE ||
	       result == -EBUSY || result == -EAGAIN || result == -ESTALE;
}

static void log_load(const struct deployment *deployment,
		     const struct function *function, const struct error *why)
{
	const enum thaw_level level = function ? THAW_LOG_INFO : THAW_LOG_ERROR;
	const char *name = deployment->spec->name;

	if (!log_may(&load_limit, level))
		return;
	if (function)
		log_write(level, "function loaded", LOG_FIELD("function", name),
			  LOG_NUMBER("took_us",
				     function->deploy_ns / NS_PER_US),
			  LOG_FIELD("snapshot",
				    function->is_stored ? "stored" : "booted"),
			  LOG_FIELD("not_stored",
				    function->not_stored.message));
	else
		log_write(level, "function not loaded",
			  LOG_FIELD("function", name),
			  LOG_FIELD("reason", why->message));
}

/* Why it was not loaded, in words for callers; returns the -errno. */
static int explain(const struct deployment *deployment, int result,
		   struct error *err)
{
	if (result == -ESTALE)
		return error_set(err, -EBUSY,
				 "function %s cannot be loaded: its image has "
				 "changed since the catalog was read: reload",
				 deployment->spec->name);
	if (!is_shortage(result))
		return deployment_refusal(deployment, err);
	return error_set(err, -EBUSY,
			 "function %s cannot be loaded now: this machine is "
			 "short of memory, open files or mappings: the server's "
			 "log says more",
			 deployment->spec->name);
}

/*
 * Its place among those that are loaded; deployment_free() gives it back. Waits for
 * others that are being unloaded.
 */
static int take_place(struct deployment *deployment, struct error *err)
{
	struct deployment_host *host = deployment->host;
	const struct timespec look = { .tv_nsec = SERVER_LOADED_LOOK_NS };
	const uint64_t until_ns = clock_now_ns() + SERVER_LOADED_PATIENCE_NS;

	for (unsigned looks = 0; !deployment_take_place(deployment); looks++) {
		if (clock_now_ns() > until_ns ||
		    atomic_load(&deployment->cancelled))
			break;
		if (looks % SERVER_LOADED_LOOKS == 0)
			host->crowded(host);
		nanosleep(&look, NULL);
	}
	if (deployment->is_counted)
		return 0;
	return error_set(err, -EBUSY,
			 "%u functions are loaded, and in use: raise the limit "
			 "of open files, or vm.max_map_count",
			 host->loaded_max);
}

/*
 * A server goes on with what it has read until it reloads. If the image of @function, or, if
 * that is NULL, the file, is another one: frees @function, and returns -ESTALE; else @result.
 */
static int check_image(const struct deployment *deployment, int result,
		       struct function **function, struct error *err)
{
	char hash[65] = "";

	if (!result && (*function)->image)
		snprintf(hash, sizeof(hash), "%s",
			 image_sha256((*function)->image));
	else if (result)
		deployment_hash_image(deployment->spec, hash);
	if (!*hash || !*deployment->image_sha256 ||
	    !strcmp(hash, deployment->image_sha256))
		return result;
	function_free(*function);
	*function = NULL;
	return error_set(err, -ESTALE,
			 "function %s: its image has changed since the catalog "
			 "was read: reload",
			 deployment->spec->name);
}

void deployment_load(struct deployment *deployment,
		     const struct function_options *options)
{
	struct load_waiter *waiters, *next;
	struct deployment_host *host = deployment->host;
	struct function *function = NULL;
	struct error why, said;
	int r = take_place(deployment, &why);

	if (!r)
		r = deployment_make(deployment, options, &why, &function);
	if (!r || !is_shortage(r))
		r = check_image(deployment, r, &function, &why);
	/* idle functions that are loaded have memory, too */
	if (r == -ENOMEM)
		deployment_is_short(host);
	if (r)
		deployment_give_place(deployment);
	if (r != -ESHUTDOWN)
		log_load(deployment, function, &why);
	pthread_mutex_lock(&lock);
	if (!r)
		deployment_set_function(deployment, function);
	else if (r != -ESHUTDOWN && !is_shortage(r))
		deployment_fail(deployment, r, &why);
	waiters = take_waiters(deployment);
	pthread_mutex_unlock(&lock);
	if (r)
		r = explain(deployment, r, &said);
	else if (atomic_load(&host->loaded) >
		 SERVER_LOADED_CROWDED(host->loaded_max))
		host->crowded(host);
	for (; waiters; waiters = next) {
		next = waiters->next;
		waiters->loaded(waiters, r, &said);
	}
}
