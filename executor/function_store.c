/* function_store.c - see function_store.h. */
#include "executor/function_store.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/container_of.h"
#include "base/offload.h"
#include "executor/snapshot_key.h"
#include "snapshot/boot.h"
#include "snapshot/learned.h"
#include "snapshot/memory_budget.h"
#include "snapshot/store/scrub.h"
#include "snapshot/store/store.h"
#include "snapshot/stored.h"
#include "vm/watchdog.h"

#define WRITER_NICE 10

struct function_store {
	struct store *store;
	struct scrub *scrub; /* or NULL */
	thaw_log_fn log;
	void *log_cookie;
	_Atomic bool is_closing;
	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t written;
	struct offload_pool
		*writer;    /* one thread; NULL: nothing was written yet */
	unsigned writes;    /* that have not ended */
	unsigned unwritten; /* snapshots, as it is closing */
};

/* A snapshot that is to be written. */
struct function_writing {
	struct offload_work work;
	struct function_store *store;
	struct memory_kept *kept; /* or NULL */
	struct stored_copy *copy; /* NULL: there is none, no_copy says why */
	struct error no_copy;
	char *name; /* the function's; or NULL */
};

int function_store_open(const char *path, uint64_t size_max, thaw_log_fn log,
			void *log_cookie, struct error *err,
			struct function_store **ret_store)
{
	struct function_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return error_set(err, -ENOMEM, "no memory for a store");
	store->log = log;
	store->log_cookie = log_cookie;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->written, NULL);
	r = store_open(path, size_max ? size_max : STORE_SIZE_DEFAULT, err,
		       &store->store);
	if (r) {
		function_store_close(store, true);
		return r;
	}
	*ret_store = store;
	return 0;
}

unsigned function_store_close(struct function_store *store, bool at_once)
{
	unsigned unwritten;

	if (!store)
		return 0;
	scrub_stop(store->scrub);
	atomic_store(&store->is_closing, at_once);
	offload_pool_free(store->writer);
	unwritten = store->unwritten;
	store_close(store->store);
	pthread_cond_destroy(&store->written);
	pthread_mutex_destroy(&store->lock);
	free(store);
	return unwritten;
}

void function_store_flush(struct function_store *store)
{
	pthread_mutex_lock(&store->lock);
	while (store->writes)
		pthread_cond_wait(&store->written, &store->lock);
	pthread_mutex_unlock(&store->lock);
}

static void on_damage(void *cookie, const struct error *why)
{
	const struct function_store *store = cookie;

	if (store->log)
		store->log(store->log_cookie, "", THAW_LOG_WARN, why->message,
			   strlen(why->message));
}

int function_store_scrub(struct function_store *store, uint64_t interval_ns,
			 struct error *err)
{
	return scrub_start(store->store, interval_ns, on_damage, store, err,
			   &store->scrub);
}

void function_store_forget(struct function_writing *writing)
{
	if (!writing)
		return;
	stored_free(writing->copy);
	memory_kept_release(writing->kept);
	free(writing->name);
	free(writing);
}

static void warn_of(const struct function_writing *writing, struct error *why)
{
	const struct function_store *store = writing->store;

	if (!store->log)
		return;
	error_prefix(why, 0, "its snapshot is not in the store");
	store->log(store->log_cookie, writing->name ? writing->name : "",
		   THAW_LOG_WARN, why->message, strlen(why->message));
}

/* Starts the thread, with the first write: most starts from a store write nothing. */
static int start_writer(struct function_store *store, struct error *err)
{
	struct offload_config config = {
		.threads = 1,
		.per_share = 1,
		.name = "thaw-store",
		.nice = WRITER_NICE,
	};

	watch_signals(&config.blocked);
	return store->writer ?
		       0 :
		       offload_pool_create(&config, err, &store->writer);
}

/* 0; -EBUSY: too many have begun and not ended; or there is no thread. */
static int begin_write(struct function_store *store, struct error *err)
{
	int r;

	pthread_mutex_lock(&store->lock);
	r = store->writes < FUNCTION_STORE_WRITES_MAX ?
		    start_writer(store, err) :
		    error_set(err, -EBUSY, "%d others wait to be written",
			      FUNCTION_STORE_WRITES_MAX);
	store->writes += !r;
	pthread_mutex_unlock(&store->lock);
	return r;
}

static void end_write(struct function_store *store, bool was_stopped)
{
	pthread_mutex_lock(&store->lock);
	store->writes--;
	store->unwritten += was_stopped;
	pthread_cond_broadcast(&store->written);
	pthread_mutex_unlock(&store->lock);
}

/* A snapshot_pause. */
static bool is_closing(void *cookie)
{
	struct function_store *store = cookie;

	return atomic_load(&store->is_closing);
}

static void write_snapshot(struct offload_work *work)
{
	struct function_writing *writing =
		container_of(work, struct function_writing, work);
	struct function_store *store = writing->store;
	const struct snapshot_pause pause = { is_closing, store };
	struct error err;
	int r = -ESHUTDOWN;

	if (!is_closing(store))
		r = stored_write(store->store, writing->copy, &pause, &err);
	if (r && r != -ESHUTDOWN)
		warn_of(writing, &err);
	function_store_forget(writing);
	end_write(store, r == -ESHUTDOWN);
}

int function_store_write_now(struct function_writing *writing,
			     const struct snapshot_pause *pause)
{
	struct error err;
	int r = -ENOMEM;

	if (!writing)
		return r;
	if (writing->copy)
		r = stored_write(writing->store->store, writing->copy, pause,
				 &err);
	else
		err = writing->no_copy;
	if (r && r != -ESHUTDOWN)
		warn_of(writing, &err);
	function_store_forget(writing);
	return r;
}

void function_store_write(struct function_writing *writing,
			  struct memory_kept *kept)
{
	struct error err;

	if (!writing)
		return;
	if (!writing->copy)
		err = writing->no_copy;
	else if (!begin_write(writing->store, &err)) {
		writing->kept = memory_kept_hold(kept);
		offload_push(writing->store->writer, NULL, &writing->work);
		return;
	}
	warn_of(writing, &err);
	function_store_forget(writing);
}

/* A snapshot's learner: whose snapshot it is, and where it is kept. */
struct function_learner {
	struct snapshot_learner learner;
	struct function_store *store;
	uint8_t key[STORE_KEY_SIZE];
};

/* What was learned, and is to be written. */
struct function_learned {
	struct offload_work work;
	struct function_store *store;
	uint8_t key[STORE_KEY_SIZE];
	struct store_advice *advice;
};

/*
 * It was pushed after the snapshot, so that is written by now, or is not there. If it cannot be
 * written, the next start takes longer, and that is all.
 */
static void write_learned(struct offload_work *work)
{
	struct function_learned *learned =
		container_of(work, struct function_learned, work);
	struct function_store *store = learned->store;

	(void)stored_write_learned(store->store, learned->key, learned->advice);
	free(learned->advice);
	free(learned);
	end_write(store, false);
}

/* A snapshot_learner's. */
static void push_learned(struct snapshot_learner *learner,
			 struct store_advice *advice)
{
	const struct function_learner *own =
		container_of(learner, struct function_learner, learner);
	struct function_learned *learned = calloc(1, sizeof(*learned));

	if (!learned || begin_write(own->store, NULL)) {
		free(learned);
		free(advice);
		return;
	}
	learned->work.run = write_learned;
	learned->store = own->store;
	memcpy(learned->key, own->key, sizeof(learned->key));
	learned->advice = advice;
	offload_push(own->store->writer, NULL, &learned->work);
}

/* Without memory, nothing is learned. */
static void have_learned(struct function_store *store,
			 const uint8_t key[STORE_KEY_SIZE],
			 struct snapshot *snapshot)
{
	struct function_learner *own = calloc(1, sizeof(*own));

	if (!own)
		return;
	own->learner.learned = push_learned;
	own->store = store;
	memcpy(own->key, key, sizeof(own->key));
	snapshot_set_learner(snapshot, &own->learner);
}

struct store *function_store_files(const struct function_store *store)
{
	return store->store;
}

struct function_writing *function_store_prepare(struct function_store *store,
						const char *name,
						struct stored_copy *copy,
						const struct error *no_copy)
{
	struct function_writing *writing = calloc(1, sizeof(*writing));

	if (!writing) {
		stored_free(copy);
		return NULL;
	}
	writing->work.run = write_snapshot;
	writing->store = store;
	writing->name = strdup(name);
	writing->copy = copy;
	if (!copy)
		writing->no_copy = *no_copy;
	return writing;
}

/* NULL: there is no memory. */
static struct function_writing *writing_make(struct function_store *store,
					     const struct function_store_of *of,
					     const struct image *image,
					     const json_t *key,
					     const uint8_t hash[STORE_KEY_SIZE],
					     const struct snapshot *snapshot)
{
	cleanup_free char *manifest =
		snapshot_manifest(of->name, of->path, key, image, snapshot);
	struct stored_copy *copy = NULL;
	struct error err;

	if (!manifest)
		error_set(&err, -ENOMEM, "no memory for a copy");
	else if (stored_copy(snapshot, hash, thaw_version(), manifest, &err,
			     &copy))
		copy = NULL;
	return function_store_prepare(store, of->name, copy, &err);
}

/* Of a snapshot that has been loaded; @remark says what is ignored, or is empty. */
static void take_loaded(struct function_store *store,
			const struct function_store_of *of,
			const uint8_t hash[STORE_KEY_SIZE],
			const struct error *remark, struct snapshot *snapshot)
{
	if (remark->message[0] && store->log)
		store->log(store->log_cookie, of->name, THAW_LOG_WARN,
			   remark->message, strlen(remark->message));
	have_learned(store, hash, snapshot);
}

int function_store_find_layer(struct function_store *store,
			      const struct function_store_of *of,
			      const struct image *image,
			      const struct snapshot_options *options,
			      const struct function_store_layer *layer,
			      struct error *err, struct snapshot **ret_snapshot)
{
	uint8_t hash[STORE_KEY_SIZE];
	int r;

	if (snapshot_key_hash(layer->key, hash))
		return error_set(err, -ENOMEM,
				 "no memory for a snapshot's key");
	r = snapshot_load_layer(image, layer->base, options, store->store, hash,
				err, ret_snapshot);
	if (!r)
		take_loaded(store, of, hash, err, *ret_snapshot);
	else if (r == -ENOENT)
		err->message[0] = '\0';
	return r;
}

struct function_writing *function_store_add_layer(
	struct function_store *store, const struct function_store_of *of,
	const struct image *image, const struct function_store_layer *layer,
	struct snapshot *snapshot)
{
	uint8_t hash[STORE_KEY_SIZE];

	if (snapshot_key_hash(layer->key, hash))
		return NULL;
	have_learned(store, hash, snapshot);
	return writing_make(store, of, image, layer->key, hash, snapshot);
}

int function_store_snapshot(
	struct function_store *store, const struct function_store_of *of,
	const struct image *image, const struct snapshot_options *options,
	struct error *err, struct error *why, bool *ret_is_stored,
	struct function_writing **ret_writing, struct snapshot **ret_snapshot)
{
	uint8_t hash[STORE_KEY_SIZE];
	json_auto_t *key = NULL;
	int r = snapshot_key_json(image, options, err, &key);

	if (!r && snapshot_key_hash(key, hash))
		r = error_set(err, -ENOMEM, "no memory for a snapshot's key");
	if (r)
		return r;
	r = snapshot_load(image, options, store->store, hash, why,
			  ret_snapshot);
	*ret_writing = NULL;
	*ret_is_stored = !r;
	if (!r) {
		take_loaded(store, of, hash, why, *ret_snapshot);
		return 0;
	}
	if (r == -ESHUTDOWN)
		return error_set(err, r, "%s", why->message);
	if (r == -ENOENT)
		why->message[0] = '\0';
	r = snapshot_create(image, options, err, ret_snapshot);
	if (r)
		return r;
	have_learned(store, hash, *ret_snapshot);
	*ret_writing = writing_make(store, of, image, key, hash, *ret_snapshot);
	return 0;
}

bool function_store_has(struct function_store *store, const json_t *key,
			uint64_t *ret_bytes)
{
	uint8_t hash[STORE_KEY_SIZE];
	struct store_machine machine;
	struct error err;

	if (stored_machine(&err, &machine) || snapshot_key_hash(key, hash))
		return false;
	return store_has(store->store, &machine, hash, ret_bytes);
}
