/* libthaw.c - the library's calls; any thread. See libthaw.h. */
#include "executor/libthaw.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "executor/catalog.h"
#include "executor/function.h"
#include "executor/invoke.h"
#include "snapshot/pool.h"
#include "vm/poll_cores.h"

_Static_assert(THAW_POLLING_CORES_DEFAULT == POLL_CORES_DEFAULT, "one default");

_Static_assert(sizeof(struct thaw_error) == sizeof(struct error),
	       "one kind of message");

#define POLL_WAIT_NS_MAX (3600 * UINT64_C(1000000000))

struct slot {
	pthread_mutex_t lock; /* held while deploying */
	_Atomic(struct function *) function;
};

struct thaw {
	struct function_options options;
	struct catalog *catalog;
	struct slot *slots; /* one for each of the catalog's functions */
};

static struct error *inner(struct thaw_error *error)
{
	return (struct error *)(void *)error;
}

static int parse_backend(const char *name, struct error *err,
			 enum dirty_backend *ret_backend)
{
	if (!name || !strcmp(name, "auto"))
		*ret_backend = DIRTY_AUTO;
	else if (!strcmp(name, "ring"))
		*ret_backend = DIRTY_RING;
	else if (!strcmp(name, "bitmap"))
		*ret_backend = DIRTY_BITMAP;
	else
		return error_set(err, -EINVAL,
				 "dirty tracking \"%s\": must be auto, ring or "
				 "bitmap",
				 name);
	return 0;
}

static int parse_restore(const char *name, struct error *err, bool *ret_remap)
{
	*ret_remap = name && strcmp(name, "remap") == 0;
	if (name && !*ret_remap && strcmp(name, "copy") != 0)
		return error_set(err, -EINVAL,
				 "restoring by \"%s\": must be copy or remap",
				 name);
	return 0;
}

static int check_options(const struct thaw_options *options, struct error *err,
			 struct function_options *ret_options)
{
	int r;

	if (!options)
		return 0;
	ret_options->log = options->log;
	ret_options->log_cookie = options->log_cookie;
	ret_options->verify = options->verify;
	ret_options->poll_wait_ns = options->poll_wait_ns;
	if (options->poll_wait_ns > POLL_WAIT_NS_MAX)
		return error_set(err, -EINVAL, "poll_wait_ns: an hour at most");
	r = parse_restore(options->restore, err, &ret_options->remap);
	return r ? r : parse_backend(options->dirty, err, &ret_options->dirty);
}

static int open_catalog(struct catalog *catalog,
			const struct thaw_options *options,
			struct thaw_error *error, struct thaw **ret_thaw)
{
	struct function_options checked = { .dirty = DIRTY_AUTO };
	int r = check_options(options, inner(error), &checked);
	struct thaw *thaw;

	if (r) {
		catalog_free(catalog);
		return r;
	}
	thaw = calloc(1, sizeof(*thaw));
	if (thaw)
		thaw->slots = calloc(catalog->count + 1, sizeof(*thaw->slots));
	if (!thaw || !thaw->slots) {
		free(thaw);
		catalog_free(catalog);
		return error_set(inner(error), -ENOMEM,
				 "no memory for a catalog");
	}
	thaw->catalog = catalog;
	thaw->options = checked;
	for (size_t i = 0; i < catalog->count; i++)
		pthread_mutex_init(&thaw->slots[i].lock, NULL);
	*ret_thaw = thaw;
	return 0;
}

int thaw_open(const char *path, const struct thaw_options *options,
	      struct thaw_error *error, struct thaw **ret_thaw)
{
	struct catalog *catalog;
	int r = catalog_load(path, inner(error), &catalog);

	return r ? r : open_catalog(catalog, options, error, ret_thaw);
}

int thaw_open_text(const char *text, size_t size, const char *name,
		   const struct thaw_options *options, struct thaw_error *error,
		   struct thaw **ret_thaw)
{
	struct catalog *catalog;
	int r = catalog_parse(text, size, name, inner(error), &catalog);

	return r ? r : open_catalog(catalog, options, error, ret_thaw);
}

void thaw_close(struct thaw *thaw)
{
	if (!thaw)
		return;
	for (size_t i = 0; i < thaw->catalog->count; i++) {
		function_free(atomic_load(&thaw->slots[i].function));
		pthread_mutex_destroy(&thaw->slots[i].lock);
	}
	free(thaw->slots);
	catalog_free(thaw->catalog);
	free(thaw);
}

static int deploy_slot(struct thaw *thaw, struct slot *slot,
		       const struct catalog_function *spec, struct error *err,
		       struct function **ret_function)
{
	struct function *function;
	int r = 0;

	pthread_mutex_lock(&slot->lock);
	function = atomic_load_explicit(&slot->function, memory_order_relaxed);
	if (!function) {
		r = function_deploy(spec, &thaw->options, err, &function);
		/* pairs with the acquire in find_function() */
		if (!r)
			atomic_store_explicit(&slot->function, function,
					      memory_order_release);
	}
	pthread_mutex_unlock(&slot->lock);
	if (!r)
		*ret_function = function;
	return r;
}

static int find_function(struct thaw *thaw, const char *name, struct error *err,
			 struct function **ret_function)
{
	const struct catalog_function *spec = catalog_find(thaw->catalog, name);
	struct function *function;
	struct slot *slot;

	if (!spec)
		return catalog_not_found(thaw->catalog, name, err);
	slot = &thaw->slots[spec - thaw->catalog->functions];
	function = atomic_load_explicit(&slot->function, memory_order_acquire);
	if (!function)
		return deploy_slot(thaw, slot, spec, err, ret_function);
	*ret_function = function;
	return 0;
}

int thaw_deploy(struct thaw *thaw, const char *function,
		struct thaw_error *error)
{
	struct function *deployed;

	return find_function(thaw, function, inner(error), &deployed);
}

int thaw_invoke(struct thaw *thaw, const char *function,
		const struct thaw_invoke_request *request,
		struct thaw_error *error, struct thaw_reply *ret_reply)
{
	struct function *deployed;
	int r = find_function(thaw, function, inner(error), &deployed);

	return r ? r : invoke(deployed, request, inner(error), ret_reply);
}

int thaw_start(struct thaw *thaw, const char *function,
	       const struct thaw_invoke_request *request,
	       struct thaw_error *error, struct thaw_reply *ret_reply)
{
	struct function *deployed;
	int r = find_function(thaw, function, inner(error), &deployed);

	return r ? r : invoke_start(deployed, request, inner(error), ret_reply);
}

int thaw_poll(struct thaw_reply *reply, struct thaw_error *error)
{
	return invoke_poll(reply, inner(error));
}

int thaw_get_stats(struct thaw *thaw, const char *function,
		   struct thaw_error *error, struct thaw_stats *ret_stats)
{
	const struct catalog_function *spec =
		catalog_find(thaw->catalog, function);
	struct function *deployed =
		spec ? atomic_load_explicit(
			       &thaw->slots[spec - thaw->catalog->functions]
					.function,
			       memory_order_acquire) :
		       NULL;

	if (!deployed)
		return error_set(inner(error), -ENOENT,
				 "no function %s is deployed", function);
	function_get_stats(deployed, ret_stats);
	return 0;
}

void thaw_set_polling_cores(uint32_t count)
{
	poll_cores_set(count);
}

size_t thaw_trim(struct thaw *thaw, uint64_t idle_ns)
{
	const uint64_t now_ns = clock_now_ns();
	const uint64_t before_ns = now_ns > idle_ns ? now_ns - idle_ns : 0;
	size_t count = 0;

	for (size_t i = 0; i < thaw->catalog->count; i++) {
		struct function *function =
			atomic_load_explicit(&thaw->slots[i].function,
					     memory_order_acquire);

		if (function)
			count += pool_trim(function->pool, false, before_ns);
	}
	return count;
}

void thaw_reply_release(struct thaw_reply *reply)
{
	invoke_release(reply);
}

const char *thaw_version(void)
{
	return THAW_VERSION;
}
