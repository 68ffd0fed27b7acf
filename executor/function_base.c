/* function_base.c - see function_base.h. On threads that deploy functions. */
#include "executor/function_base.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "executor/catalog_function.h"
#include "executor/function_store.h"
#include "executor/snapshot_key.h"
#include "snapshot/boot.h"
#include "snapshot/memory_budget.h"
#include "snapshot/snapshot.h"
#include "snapshot/store/store.h"

struct function_base {
	struct function_base *next;
	unsigned holders;
	/* what another function must have as well to share it */
	uint8_t key[STORE_KEY_SIZE];
	struct function_store *store;
	const struct memory_budget *memory;
	enum dirty_backend dirty;
	bool remap;
	bool is_listed;
	bool is_made; /* the rest is there, and does not change */
	int result;   /* 0, or why there is no snapshot */
	struct error why;
	struct snapshot *snapshot;
	bool is_stored; /* the snapshot is from the store */
	struct memory_kept *kept;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct function_base *first;
} bases = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };

/* The lock is held. */
static struct function_base *base_find(const struct function_base *wanted)
{
	struct function_base *base = bases.first;

	while (base &&
	       (memcmp(base->key, wanted->key, STORE_KEY_SIZE) != 0 ||
		base->store != wanted->store ||
		base->memory != wanted->memory ||
		base->dirty != wanted->dirty || base->remap != wanted->remap))
		base = base->next;
	return base;
}

/* The lock is held. NULL: there is no memory. */
static struct function_base *base_add(const struct function_base *wanted)
{
	struct function_base *base = malloc(sizeof(*base));

	if (!base)
		return NULL;
	*base = *wanted;
	base->is_listed = true;
	base->next = bases.first;
	bases.first = base;
	return base;
}

/* Whoever wants such a base from now on makes another one. The lock is held. */
static void base_unlist(struct function_base *base)
{
	struct function_base **at = &bases.first;

	if (!base->is_listed)
		return;
	while (*at != base)
		at = &(*at)->next;
	*at = base->next;
	base->is_listed = false;
}

static void base_free(struct function_base *base)
{
	snapshot_free(base->snapshot);
	memory_kept_release(base->kept);
	free(base);
}

void function_base_release(struct function_base *base)
{
	bool is_last;

	if (!base)
		return;
	pthread_mutex_lock(&bases.lock);
	is_last = !--base->holders;
	if (is_last)
		base_unlist(base);
	pthread_mutex_unlock(&bases.lock);
	if (is_last)
		base_free(base);
}

/*
 * Waits for a moment. The lock is held, but not while @options->pause is called: a boot
 * may wait there until another one goes on, which may be that of the base.
 */
static int wait_for_change(const struct snapshot_options *options,
			   struct error *err)
{
	const struct snapshot_pause *pause = &options->pause;
	const uint64_t until_ns = clock_now_ns() + SNAPSHOT_PAUSE_NS;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};
	bool is_stopped;

	pthread_cond_clockwait(&bases.changed, &bases.lock, CLOCK_MONOTONIC,
			       &until);
	pthread_mutex_unlock(&bases.lock);
	is_stopped = pause->call && pause->call(pause->cookie);
	pthread_mutex_lock(&bases.lock);
	return is_stopped ? error_set(err, -ESHUTDOWN,
				      "its boot was stopped: it is not needed "
				      "any more") :
			    0;
}

/*
 * Holds a base like @wanted. If there is none, adds @wanted, which the caller is to make,
 * and sets *@ret_is_new.
 */
static int base_hold(const struct function_base *wanted, struct error *err,
		     bool *ret_is_new, struct function_base **ret_base)
{
	struct function_base *base;

	pthread_mutex_lock(&bases.lock);
	base = base_find(wanted);
	*ret_is_new = !base;
	if (!base)
		base = base_add(wanted);
	if (base)
		base->holders++;
	pthread_mutex_unlock(&bases.lock);
	*ret_base = base;
	return base ? 0 : error_set(err, -ENOMEM, "no memory for a base");
}

/*
 * Waits until @base, which another thread makes, is made. Returns what came of that: if it
 * has failed, it has failed for all that wait.
 */
static int base_wait(const struct function_base *base,
		     const struct snapshot_options *options, struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&bases.lock);
	while (!base->is_made && !r)
		r = wait_for_change(options, err);
	if (!r && base->result) {
		r = base->result;
		*err = base->why;
	}
	pthread_mutex_unlock(&bases.lock);
	return r;
}

/*
 * Boots it, or takes it from the store. What was booted is written at once, and taken from
 * there, since a layer names the file whose bytes it is over. If it cannot be written, it
 * stays as it is.
 */
static int base_snapshot(const struct function_base_of *of,
			 const struct snapshot_options *options,
			 struct error *err, struct function_base *base)
{
	const struct function_store_of name = { of->spec->base,
						of->spec->image };
	struct function_writing *writing = NULL;
	struct error why;
	int r;

	if (!of->store)
		return snapshot_create(of->image, options, err,
				       &base->snapshot);
	r = function_store_snapshot(of->store, &name, of->image, options, err,
				    &why, &base->is_stored, &writing,
				    &base->snapshot);
	if (r || base->is_stored ||
	    function_store_write_now(writing, &options->pause))
		return r;
	snapshot_free(base->snapshot);
	base->snapshot = NULL;
	r = function_store_snapshot(of->store, &name, of->image, options, err,
				    &why, &base->is_stored, &writing,
				    &base->snapshot);
	if (!r)
		function_store_forget(writing);
	return r;
}

static int base_make(const struct function_base_of *of,
		     const struct snapshot_options *options, struct error *err,
		     struct function_base *base)
{
	struct memory_budget *budget = of->memory;
	const size_t size = of->spec->memory;
	int r;

	base->kept = memory_kept_create(budget);
	if (!base->kept)
		return error_set(err, -ENOMEM, "no memory for a base");
	r = memory_budget_boot(budget, size, &options->pause, err);
	if (r)
		return r;
	r = base_snapshot(of, options, err, base);
	memory_kept_booted(base->kept, size,
			   r ? 0 : snapshot_bytes(base->snapshot));
	return r;
}

/* What a base must be for @of and @options. */
static int find_wanted(const struct function_base_of *of,
		       const struct snapshot_options *options,
		       struct error *err, struct function_base *ret_wanted)
{
	struct json_t *key = NULL;
	int r = snapshot_key_json(of->image, options, err, &key);

	*ret_wanted = (struct function_base){
		.store = of->store,
		.memory = of->memory,
		.dirty = options->dirty,
		.remap = options->remap,
	};
	if (!r && snapshot_key_hash(key, ret_wanted->key))
		r = error_set(err, -ENOMEM, "no memory for a snapshot's key");
	snapshot_key_free(key);
	return r;
}

/* Makes @base, which others may wait for. */
static int make_for_all(const struct function_base_of *of,
			const struct snapshot_options *options,
			struct error *err, struct function_base *base)
{
	struct snapshot_options own = *options;
	struct error why = { "" };
	int r;

	own.init_timeout_ns = of->spec->base_init_timeout_ns;
	r = base_make(of, &own, &why, base);
	pthread_mutex_lock(&bases.lock);
	base->result = r;
	base->why = why;
	base->is_made = true;
	if (r)
		base_unlist(base);
	pthread_cond_broadcast(&bases.changed);
	pthread_mutex_unlock(&bases.lock);
	if (r)
		*err = why;
	return r;
}

/* Finds or makes it, once. */
static int base_open(const struct function_base_of *of,
		     const struct snapshot_options *options,
		     const struct function_base *wanted, struct error *err,
		     bool *ret_is_new, struct function_base **ret_base)
{
	struct function_base *base;
	int r = base_hold(wanted, err, ret_is_new, &base);

	if (r)
		return r;
	r = *ret_is_new ? make_for_all(of, options, err, base) :
			  base_wait(base, options, err);
	if (r)
		function_base_release(base);
	else
		*ret_base = base;
	return r;
}

int function_base_open(const struct function_base_of *of,
		       const struct snapshot_options *options,
		       struct error *err, struct function_base **ret_base)
{
	const struct snapshot_pause *pause = &options->pause;
	struct function_base wanted;
	bool is_new;
	int r = find_wanted(of, options, err, &wanted);

	if (r)
		return r;
	/* one that was stopped was not needed any more by the function that has made it */
	do {
		r = base_open(of, options, &wanted, err, &is_new, ret_base);
	} while (r == -ESHUTDOWN && !is_new &&
		 !(pause->call && pause->call(pause->cookie)));
	return r ? error_prefix(err, r, "its base %s", of->spec->base) : 0;
}

struct snapshot *function_base_snapshot(const struct function_base *base)
{
	return base->snapshot;
}

bool function_base_is_stored(const struct function_base *base)
{
	return base->is_stored;
}

void function_base_use(const struct function_base *base)
{
	store_use(function_store_files(base->store), base->key);
}
