/* served.c - generations of functions. See served.h. */
#include "executor/server/served.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/server/invocation_log.h"
#include "snapshot/pool.h"
#include "vm/cleanup.h"
#include "vm/clock.h"
#include "vm/file.h"

struct counted *counted_hold(struct counted *counted)
{
	atomic_fetch_add_explicit(&counted->references, 1,
				  memory_order_relaxed);
	return counted;
}

static struct counted *counted_create(const char *name)
{
	struct counted *counted = calloc(1, sizeof(*counted));

	if (!counted)
		return NULL;
	atomic_store(&counted->references, 1);
	snprintf(counted->name, sizeof(counted->name), "%s", name);
	for (int i = 0; i < SERVED_LOGS; i++)
		invocation_log_limit(counted->name, (enum served_log)i,
				     &counted->log_limits[i]);
	event_line_init(&counted->events);
	return counted;
}

void counted_release(struct counted *counted)
{
	if (!counted || atomic_fetch_sub(&counted->references, 1) != 1)
		return;
	for (int i = 0; i < SERVED_LOGS; i++)
		log_limit_done(&counted->log_limits[i]);
	event_line_done(&counted->events);
	free(counted);
}

static void catalog_release(struct kept_catalog *kept)
{
	if (!kept || atomic_fetch_sub(&kept->references, 1) != 1)
		return;
	catalog_free(kept->catalog);
	free(kept);
}

struct served *served_hold(struct served *served)
{
	atomic_fetch_add_explicit(&served->references, 1, memory_order_relaxed);
	return served;
}

static struct jobs *_Atomic reaper;

void served_set_reaper(struct jobs *jobs)
{
	atomic_store(&reaper, jobs);
}

static unsigned workers;

void served_set_workers(unsigned count)
{
	workers = count;
}

static void free_served(struct job *job)
{
	struct served *served =
		(void *)((char *)job - offsetof(struct served, job));

	function_free(served->function);
	job_share_release(served->runs);
	job_share_release(served->makes);
	counted_release(served->counted);
	catalog_release(served->catalog);
	free(served);
}

void served_release(struct served *served)
{
	struct jobs *jobs = atomic_load(&reaper);

	if (!served || atomic_fetch_sub(&served->references, 1) != 1)
		return;
	served->job.run = free_served;
	if (jobs)
		jobs_push(jobs, NULL, &served->job);
	else
		free_served(&served->job);
}

struct generation *generation_hold(struct generation *generation)
{
	atomic_fetch_add_explicit(&generation->references, 1,
				  memory_order_relaxed);
	return generation;
}

void generation_release(struct generation *generation)
{
	if (!generation || atomic_fetch_sub(&generation->references, 1) != 1)
		return;
	for (size_t i = 0; i < generation->count; i++) {
		served_release(generation->served[i]);
		served_release(generation->next[i]);
	}
	free(generation->served);
	free(generation->next);
	served_release(generation->echo);
	catalog_release(generation->catalog);
	free(generation);
}

/* A function of @spec that counts with @old's, which may be NULL. */
static struct served *served_create(struct kept_catalog *catalog,
				    const struct catalog_function *spec,
				    const struct served *old)
{
	struct served *served =
		calloc(1, sizeof(*served) + workers * sizeof(served->lines[0]));
	struct counted *counted = old ? counted_hold(old->counted) :
					counted_create(spec->name);

	if (served) {
		served->runs = job_share_create();
		served->makes = job_share_create();
	}
	if (!served || !counted || !served->runs || !served->makes) {
		job_share_release(served ? served->runs : NULL);
		job_share_release(served ? served->makes : NULL);
		free(served);
		counted_release(counted);
		return NULL;
	}
	atomic_store(&served->references, 1);
	served->spec = spec;
	served->counted = counted;
	served->catalog = catalog;
	if (catalog)
		atomic_fetch_add(&catalog->references, 1);
	/* before it is read: what changes meanwhile is another image */
	(void)!stat(spec->image, &served->image);
	return served;
}

/*
 * The file is the one that was deployed, as far as one can see. Who unpacks an
 * archive may restore all but the time of the change.
 */
static bool is_same_image(const struct served *served)
{
	const struct stat *then = &served->image;
	struct stat now;

	return !stat(served->spec->image, &now) && now.st_dev == then->st_dev &&
	       now.st_ino == then->st_ino && now.st_size == then->st_size &&
	       now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == then->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == then->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == then->st_ctim.tv_nsec;
}

/* One that has failed is tried again. */
static bool is_unchanged(const struct served *old,
			 const struct catalog_function *spec)
{
	return atomic_load(&old->state) != FUNCTION_FAILED &&
	       catalog_function_equal(old->spec, spec) && is_same_image(old);
}

struct served *generation_newest(const struct generation *generation,
				 size_t index)
{
	return generation->next[index] ? generation->next[index] :
					 generation->served[index];
}

static struct served *hold_if(struct served *served)
{
	return served ? served_hold(served) : NULL;
}

/*
 * The function at @index: taken over from @old, where it is at @before; or new,
 * behind the old version if that is active.
 */
static int fill_one(struct generation *generation, size_t index,
		    const struct generation *old, size_t before,
		    struct generation_changes *changes)
{
	const struct catalog_function *spec =
		&generation->catalog->catalog->functions[index];
	struct served *was = old->served[before], *fresh;

	if (is_unchanged(generation_newest(old, before), spec)) {
		generation->served[index] = served_hold(was);
		generation->next[index] = hold_if(old->next[before]);
		changes->unchanged++;
		return 0;
	}
	changes->changed++;
	if (served_is_active(was) && is_unchanged(was, spec)) {
		/* back to what goes on serving */
		generation->served[index] = served_hold(was);
		return 0;
	}
	fresh = served_create(generation->catalog, spec, was);
	if (served_is_active(was)) {
		generation->served[index] = served_hold(was);
		generation->next[index] = fresh;
	} else {
		generation->served[index] = fresh;
	}
	return fresh ? 0 : -ENOMEM;
}

static int fill(struct generation *generation, const struct generation *old,
		struct generation_changes *changes)
{
	const struct catalog *catalog = generation->catalog->catalog;
	size_t kept = 0;

	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_function *spec = &catalog->functions[i];
		const struct catalog_function *before =
			old ? catalog_find(old->catalog->catalog, spec->name) :
			      NULL;
		int r = 0;

		generation->count++;
		if (before) {
			r = fill_one(generation, i, old,
				     before - old->catalog->catalog->functions,
				     changes);
			kept++;
		} else {
			generation->served[i] =
				served_create(generation->catalog, spec, NULL);
			changes->added++;
			r = generation->served[i] ? 0 : -ENOMEM;
		}
		if (r)
			return r;
	}
	changes->removed = old ? old->count - kept : 0;
	if (old && old->echo)
		generation->echo = served_hold(old->echo);
	return 0;
}

static void hash_file(const char *path, char hex[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES], bytes[64 * 1024];
	crypto_hash_sha256_state state;
	struct stat status;
	cleanup_close int fd = file_open_regular(path, &status);
	ssize_t got;

	hex[0] = '\0';
	if (fd < 0)
		return;
	crypto_hash_sha256_init(&state);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		crypto_hash_sha256_update(&state, bytes, (size_t)got);
	crypto_hash_sha256_final(&state, hash);
	if (!got)
		sodium_bin2hex(hex, 65, hash, sizeof(hash));
}

static int allocate(struct generation *generation, size_t count)
{
	generation->served = calloc(count + 1, sizeof(struct served *));
	generation->next = calloc(count + 1, sizeof(struct served *));
	return generation->served && generation->next ? 0 : -ENOMEM;
}

int generation_load(const char *path, const struct generation *old,
		    struct error *err, struct generation **ret_generation,
		    struct generation_changes *ret_changes)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	struct kept_catalog *kept = calloc(1, sizeof(*kept));
	struct generation_changes changes = { 0 };
	int r = generation && kept ? 0 : -ENOMEM;

	if (!r)
		r = catalog_load(path, err, &kept->catalog);
	else
		error_set(err, r, "no memory for a catalog");
	if (r) {
		free(kept);
		free(generation);
		return r;
	}
	atomic_store(&kept->references, 1);
	atomic_store(&generation->references, 1);
	generation->catalog = kept;
	generation->number = old ? old->number + 1 : 1;
	hash_file(path, generation->sha256);
	r = allocate(generation, kept->catalog->count);
	if (!r)
		r = fill(generation, old, &changes);
	if (r) {
		generation_release(generation);
		return error_set(err, r, "no memory for a catalog");
	}
	*ret_generation = generation;
	*ret_changes = changes;
	return 0;
}

int generation_add_echo(struct generation *generation, const char *name,
			struct error *err)
{
	static struct catalog_function spec = {
		.max_request = 1024 * 1024,
		.concurrency = { .max = 4096, .queue = 65536 },
		.image = (char *)"",
	};

	spec.name = (char *)name;
	generation->echo = served_create(NULL, &spec, NULL);
	if (!generation->echo)
		return error_set(err, -ENOMEM, "no memory for a function");
	generation->echo->is_echo = true;
	atomic_store(&generation->echo->state, FUNCTION_ACTIVE);
	return 0;
}

struct served *generation_find(const struct generation *generation,
			       const char *name)
{
	const struct catalog *catalog = generation->catalog->catalog;
	const struct catalog_function *spec = catalog_find(catalog, name);

	if (spec)
		return generation->served[spec - catalog->functions];
	if (generation->echo && !strcmp(generation->echo->spec->name, name))
		return generation->echo;
	return NULL;
}

struct served *generation_find_newest(const struct generation *generation,
				      const char *name)
{
	const struct catalog *catalog = generation->catalog->catalog;
	const struct catalog_function *spec = catalog_find(catalog, name);

	return spec ? generation_newest(generation, spec - catalog->functions) :
		      NULL;
}

static bool has_updates(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->next[i] &&
		    served_is_active(generation->next[i]))
			return true;
	return false;
}

int generation_settle(const struct generation *old,
		      struct generation **ret_generation)
{
	struct generation *generation;

	*ret_generation = NULL;
	if (!has_updates(old))
		return 0;
	generation = calloc(1, sizeof(*generation));
	if (!generation)
		return -ENOMEM;
	atomic_store(&generation->references, 1);
	generation->catalog = old->catalog;
	atomic_fetch_add(&old->catalog->references, 1);
	memcpy(generation->sha256, old->sha256, sizeof(old->sha256));
	generation->number = old->number;
	generation->echo = hold_if(old->echo);
	if (allocate(generation, old->count)) {
		generation_release(generation);
		return -ENOMEM;
	}
	generation->count = old->count;
	for (size_t i = 0; i < old->count; i++) {
		struct served *next = old->next[i];
		bool is_there = next && served_is_active(next);

		generation->served[i] =
			served_hold(is_there ? next : old->served[i]);
		generation->next[i] = is_there ? NULL : hold_if(next);
	}
	*ret_generation = generation;
	return 0;
}

void generation_cancel(const struct generation *generation,
		       const struct generation *other)
{
	for (size_t i = 0; i < generation->count; i++) {
		struct served *served = generation_newest(generation, i);

		if (!other ||
		    generation_find_newest(other, served->spec->name) != served)
			atomic_store(&served->cancelled, true);
	}
}

static int deploy(struct served *served, const struct function_options *options)
{
	struct function_options with_cancel = *options;

	with_cancel.cancel = &served->cancelled;
	if (atomic_load(&served->cancelled))
		return error_set(&served->why, -ESHUTDOWN,
				 "function %s: it is not needed any more",
				 served->spec->name);
	metrics_add(&served->counted->metrics.boots, 1);
	return function_deploy(served->spec, &with_cancel, &served->why,
			       &served->function);
}

void served_deploy(struct served *served,
		   const struct function_options *options)
{
	struct counted *counted = served->counted;
	enum function_state state = FUNCTION_ACTIVE;

	served->failure = deploy(served, options);
	if (served->failure) {
		state = FUNCTION_FAILED;
	} else {
		hash_file(served->spec->image, served->image_sha256);
		served->deployed_unix_ms =
			clock_read_ns(CLOCK_REALTIME) / NS_PER_MS;
	}
	if (served->failure && served->failure != -ESHUTDOWN)
		metrics_add(&counted->metrics.boot_failures, 1);
	if (served->failure != -ESHUTDOWN)
		atomic_store(&counted->boot_failed, served->failure != 0);
	/* publishes all of it */
	atomic_store_explicit(&served->state, state, memory_order_release);
}

int served_refusal(const struct served *served, struct error *err)
{
	static const struct {
		int failure;
		const char *text;
	} classes[] = {
		{ -ENOENT, "its image, or its handler, is not there" },
		{ -ENOEXEC, "its image is no good" },
		{ -ETIMEDOUT, "its init took too long" },
		{ -ECANCELED, "its init failed" },
		{ -EPROTO, "its image breaks the contract with thaw" },
	};
	const char *name = served->spec->name;
	int failure = -EINPROGRESS;

	if (atomic_load_explicit(&served->state, memory_order_acquire) ==
	    FUNCTION_FAILED)
		failure = served->failure;
	/* one that was cancelled is replaced, or the server ends */
	if (failure == -EINPROGRESS || failure == -ESHUTDOWN)
		return error_set(err, -EINPROGRESS,
				 "function %s is being deployed: try again",
				 name);
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (classes[i].failure == failure)
			return error_set(err, failure,
					 "function %s could not be deployed: "
					 "%s: the server's log says more",
					 name, classes[i].text);
	return error_set(err, -EIO,
			 "function %s could not be deployed: this machine "
			 "failed: the server's log says how",
			 name);
}

static void view_active(struct served *served, struct function_view *view)
{
	struct function *function = served->function;

	view->deployed_unix_ms = served->deployed_unix_ms;
	view->boot_ns = function->deploy_ns;
	view->image_bytes = (uint64_t)served->image.st_size;
	view->snapshot_bytes = snapshot_layout(function->snapshot)->memory_size;
	pool_count(function->pool, &view->vms_idle, &view->vms_busy,
		   &view->queued);
	function_get_stats(function, &view->stats);
}

static enum function_state state_of(const struct served *served)
{
	return (enum function_state)atomic_load_explicit(&served->state,
							 memory_order_acquire);
}

/* An update that is active, and has not its place yet, is pending. */
static enum function_update update_of(const struct served *next)
{
	if (!next)
		return UPDATE_NONE;
	return state_of(next) == FUNCTION_FAILED ? UPDATE_FAILED :
						   UPDATE_PENDING;
}

void generation_view(const struct generation *generation, size_t index,
		     struct function_view *ret_view)
{
	struct served *served = generation->served[index];
	const struct served *next = generation->next[index];
	const struct served *failed = NULL;

	*ret_view = (struct function_view){
		.spec = served->spec,
		.metrics = &served->counted->metrics,
		.state = state_of(served),
		.update = update_of(next),
		.reason = "",
		.image_sha256 = served->image_sha256,
	};
	if (ret_view->state == FUNCTION_FAILED)
		failed = served;
	else if (ret_view->update == UPDATE_FAILED)
		failed = next;
	if (failed) {
		ret_view->reason = failed->why.message;
		ret_view->failure = failed->failure;
	}
	if (ret_view->state == FUNCTION_ACTIVE)
		view_active(served, ret_view);
}
