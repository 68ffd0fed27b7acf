/* engine.c - see engine.h; any thread. */
#include "executor/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"
#include "executor/catalog.h"
#include "executor/function.h"
#include "executor/function_store.h"
#include "executor/host/host_call.h"
#include "executor/image_cache.h"
#include "executor/invoke.h"
#include "executor/invoke_host.h"
#include "executor/invoke_init.h"
#include "executor/invoke_state.h"
#include "executor/thaw_error.h"
#include "snapshot/pool.h"
#include "vm/watchdog.h"

#define POLL_WAIT_NS_MAX (3600 * UINT64_C(1000000000))

struct slot {
	pthread_mutex_t lock; /* held while deploying */
	_Atomic(struct function *) function;
};

struct thaw {
	struct function_options options;
	struct catalog *catalog;
	struct slot *slots; /* one for each of the catalog's functions */
	struct host_functions host; /* that the program offers */
	struct offload_pool *host_threads;
	struct function_store *store; /* or NULL */
	struct error no_store;	      /* why */
};

/* Threads for one function of the catalog at a time: the rest is for others. */
#define HOST_THREADS_PER_FUNCTION (THAW_HOST_THREADS_MAX / 2)

static int parse_backend(const char *name, struct error *err,
			 enum dirty_backend *ret_backend)
{
	if (!name || !strcmp(name, "auto"))
		*ret_backend = DIRTY_AUTO;
	else if (!strcmp(name, "ring"))
		*ret_backend = DIRTY_RING;
	else if (!strcmp(name, "bitmap"))
		*ret_backend = DIRTY_BITMAP;
	else if (!strcmp(name, "tables"))
		*ret_backend = DIRTY_TABLES;
	else
		return error_set(err, -EINVAL,
				 "dirty tracking \"%s\": must be auto, ring, "
				 "bitmap or tables",
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

static int check_options(const struct engine_options *options,
			 struct error *err,
			 struct function_options *ret_options)
{
	int r;

	if (!options)
		return 0;
	ret_options->log = options->log;
	ret_options->log_cookie = options->log_cookie;
	ret_options->verify = options->verify;
	ret_options->poll_wait_ns = options->poll_wait_ns;
	ret_options->trace = options->trace;
	if (options->poll_wait_ns > POLL_WAIT_NS_MAX)
		return error_set(err, -EINVAL, "poll_wait_ns: an hour at most");
	r = parse_restore(options->restore, err, &ret_options->remap);
	return r ? r : parse_backend(options->dirty, err, &ret_options->dirty);
}

/* The slot of the function called @name, or NULL. */
static struct slot *find_slot(struct thaw *thaw, const char *name)
{
	const struct catalog_function *spec = catalog_find(thaw->catalog, name);

	return spec ? &thaw->slots[spec - thaw->catalog->functions] : NULL;
}

/* Invokes the function that @call names, on this thread, in a vm that is free. */
static void engine_run_invoke(struct host_call *call)
{
	const char *function = call->given.arguments[0].as.string.data;
	const struct thaw_bytes *data = &call->given.arguments[1].as.bytes;
	const struct thaw_invoke_request request = {
		.data = data->data,
		.size = data->size,
		.id = call->given.id,
		.reserved = { call->depth + 1, call->given.deadline_ns },
	};
	struct function *callee;
	struct thaw_reply reply;
	struct error err;
	struct thaw *thaw = call->facts->invoker.cookie;
	int r;

	if (!find_slot(thaw, function)) {
		host_call_fail(call, THAW_HOST_NOT_FOUND,
			       "the catalog has no function %s", function);
		return;
	}
	r = engine_deploy(thaw, function, &err, &callee);
	if (!r)
		r = invoke(callee, &request, &err, &reply);
	if (r) {
		invoke_host_refuse(call, r, err.message);
	} else {
		invoke_host_take(call, function, &reply);
		invoke_release(&reply);
	}
}

/*
 * A host_invoker's invoke(). The first of a chain goes to another thread, so that its
 * caller can be stopped. The others run there, too: if each took a thread of its own,
 * they could wait for each other.
 */
static void engine_invoke(void *cookie, struct host_call *call,
			  const char *function, const void *data, size_t size)
{
	(void)cookie;
	(void)function;
	(void)data;
	(void)size;
	if (!call->depth) {
		invoke_host_offload(call, engine_run_invoke);
		return;
	}
	engine_run_invoke(call);
	host_call_finish(call);
}

/* Whether anything may be called that takes long. */
static bool needs_threads(const struct thaw *thaw)
{
	const struct catalog *catalog = thaw->catalog;

	for (size_t i = 0; i < thaw->host.count; i++)
		if (thaw->host.list[i].run == HOST_RUN_OFFLOADED)
			return true;
	for (size_t i = 0; i < catalog->count; i++)
		if (catalog_host_allows(&catalog->functions[i].host,
					CATALOG_HOST_INVOKE))
			return true;
	return false;
}

/* What functions of the catalog may call. */
static int open_host(struct thaw *thaw, const struct engine_options *options,
		     struct error *err)
{
	struct offload_config threads = {
		.threads = THAW_HOST_THREADS_MAX,
		.per_share = HOST_THREADS_PER_FUNCTION,
		.name = "thaw-host",
	};
	int r = 0;

	watch_signals(&threads.blocked);
	if (options)
		r = host_functions_make(options->host_functions,
					options->host_function_count, err,
					&thaw->host);
	if (!r && needs_threads(thaw))
		r = offload_pool_create(&threads, err, &thaw->host_threads);
	thaw->options.host = &thaw->host;
	thaw->options.host_threads = thaw->host_threads;
	thaw->options.invoker = (struct host_invoker){ engine_invoke, thaw };
	return r;
}

/* Opens the state directory, if there is one. Without it, functions are booted. */
static void open_store(struct thaw *thaw, const struct engine_options *options)
{
	if (options && options->state_dir &&
	    function_store_open(options->state_dir, options->state_max,
				options->log, options->log_cookie,
				&thaw->no_store, &thaw->store))
		thaw->options.no_store = thaw->no_store.message;
	thaw->options.store = thaw->store;
}

static int open_catalog(struct catalog *catalog,
			const struct engine_options *options,
			struct thaw_error *error, struct thaw **ret_thaw)
{
	struct function_options checked = { .dirty = DIRTY_AUTO };
	int r = check_options(options, thaw_error_inner(error), &checked);
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
		return error_set(thaw_error_inner(error), -ENOMEM,
				 "no memory for a catalog");
	}
	thaw->catalog = catalog;
	thaw->options = checked;
	thaw->options.answer_init = invoke_init;
	for (size_t i = 0; i < catalog->count; i++)
		pthread_mutex_init(&thaw->slots[i].lock, NULL);
	open_store(thaw, options);
	r = open_host(thaw, options, thaw_error_inner(error));
	if (r)
		engine_close(thaw);
	else
		*ret_thaw = thaw;
	return r;
}

int engine_open(const char *path, const struct engine_options *options,
		struct thaw_error *error, struct thaw **ret_thaw)
{
	struct catalog *catalog;
	int r = catalog_load(path, thaw_error_inner(error), &catalog);

	return r ? r : open_catalog(catalog, options, error, ret_thaw);
}

int engine_open_text(const char *text, size_t size, const char *name,
		     const struct engine_options *options,
		     struct thaw_error *error, struct thaw **ret_thaw)
{
	struct catalog *catalog;
	int r = catalog_parse(text, size, name, thaw_error_inner(error),
			      &catalog);

	return r ? r : open_catalog(catalog, options, error, ret_thaw);
}

void engine_close(struct thaw *thaw)
{
	if (!thaw)
		return;
	/* those that nobody waits for any more refer to functions */
	offload_pool_free(thaw->host_threads);
	for (size_t i = 0; i < thaw->catalog->count; i++) {
		function_free(atomic_load(&thaw->slots[i].function));
		pthread_mutex_destroy(&thaw->slots[i].lock);
	}
	free(thaw->slots);
	/* they have told it what was learned */
	function_store_close(thaw->store, false);
	host_functions_done(&thaw->host);
	catalog_free(thaw->catalog);
	free(thaw);
	/* the process may go on without thaw, and has no use for them then */
	image_cache_clear();
}

static struct function *function_in(struct slot *slot)
{
	/* pairs with the release in deploy_slot() */
	return atomic_load_explicit(&slot->function, memory_order_acquire);
}

static int deploy_slot(struct thaw *thaw, struct slot *slot, struct error *err,
		       struct function **ret_function)
{
	struct function *function;
	int r = 0;

	pthread_mutex_lock(&slot->lock);
	function = atomic_load_explicit(&slot->function, memory_order_relaxed);
	if (!function) {
		r = function_deploy(&thaw->catalog
					     ->functions[slot - thaw->slots],
				    &thaw->options, err, &function);
		/* pairs with the acquire in function_in() */
		if (!r)
			atomic_store_explicit(&slot->function, function,
					      memory_order_release);
	}
	pthread_mutex_unlock(&slot->lock);
	if (!r)
		*ret_function = function;
	return r;
}

HOT int engine_deploy(struct thaw *thaw, const char *name, struct error *err,
		      struct function **ret_function)
{
	struct slot *slot = find_slot(thaw, name);
	struct function *function;

	if (!slot)
		return catalog_not_found(thaw->catalog, name, err);
	function = function_in(slot);
	if (!function)
		return deploy_slot(thaw, slot, err, ret_function);
	*ret_function = function;
	return 0;
}

const struct catalog_function *engine_spec(const struct thaw *thaw,
					   const char *name)
{
	return catalog_find(thaw->catalog, name);
}

struct function *engine_find(struct thaw *thaw, const char *name)
{
	struct slot *slot = find_slot(thaw, name);

	return slot ? function_in(slot) : NULL;
}

const char *engine_no_store(const struct thaw *thaw)
{
	return thaw->options.no_store;
}

size_t engine_trim(struct thaw *thaw, uint64_t idle_ns)
{
	const uint64_t now_ns = clock_now_ns();
	const uint64_t before_ns = now_ns > idle_ns ? now_ns - idle_ns : 0;
	size_t count = 0;

	for (size_t i = 0; i < thaw->catalog->count; i++) {
		struct function *function = function_in(&thaw->slots[i]);

		if (function)
			count += pool_trim(function->pool, false, before_ns);
	}
	return count;
}
