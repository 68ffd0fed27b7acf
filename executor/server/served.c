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
	for (size_t i = 0; i < generation->count; i++)
		served_release(generation->served[i]);
	free(generation->served);
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
	return served;
}

/* The file is the one that was deployed, as far as one can see. */
static bool is_same_image(const struct served *served)
{
	struct stat now;

	return !stat(served->spec->image, &now) &&
	       now.st_dev == served->image.st_dev &&
	       now.st_ino == served->image.st_ino &&
	       now.st_size == served->image.st_size &&
	       now.st_mtim.tv_sec == served->image.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == served->image.st_mtim.tv_nsec;
}

static bool is_unchanged(const struct served *old,
			 const struct catalog_function *spec)
{
	return old && served_is_active(old) &&
	       catalog_function_equal(old->spec, spec) && is_same_image(old);
}

static int fill(struct generation *generation, struct generation *old,
		struct generation_changes *changes)
{
	const struct catalog *catalog = generation->catalog->catalog;
	size_t kept = 0;

	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_function *spec = &catalog->functions[i];
		struct served *before = old ? generation_find(old, spec->name) :
					      NULL;

		if (is_unchanged(before, spec)) {
			generation->served[i] = served_hold(before);
			changes->unchanged++;
		} else {
			generation->served[i] =
				served_create(generation->catalog, spec,
					      before);
			if (before)
				changes->changed++;
			else
				changes->added++;
		}
		if (!generation->served[i])
			return -ENOMEM;
		generation->count++;
		kept += before != NULL;
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

int generation_load(const char *path, struct generation *old, struct error *err,
		    struct generation **ret_generation,
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
	generation->served =
		calloc(kept->catalog->count + 1, sizeof(struct served *));
	r = generation->served ? fill(generation, old, &changes) : -ENOMEM;
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

void served_deploy(struct served *served,
		   const struct function_options *options)
{
	struct metrics_function *metrics = &served->counted->metrics;
	enum function_state state = FUNCTION_ACTIVE;

	if (atomic_load(&served->state) != FUNCTION_PENDING)
		return;
	metrics_add(&metrics->boots, 1);
	if (stat(served->spec->image, &served->image))
		memset(&served->image, 0, sizeof(served->image));
	served->failure = function_deploy(served->spec, options, &served->why,
					  &served->function);
	if (served->failure) {
		metrics_add(&metrics->boot_failures, 1);
		state = FUNCTION_FAILED;
	} else {
		hash_file(served->spec->image, served->image_sha256);
		served->deployed_unix_ms =
			clock_read_ns(CLOCK_REALTIME) / NS_PER_MS;
	}
	/* publishes all of it */
	atomic_store_explicit(&served->state, state, memory_order_release);
}

void served_view(struct served *served, struct function_view *ret_view)
{
	struct function *function;

	*ret_view = (struct function_view){
		.spec = served->spec,
		.metrics = &served->counted->metrics,
		.state = (enum function_state)
			atomic_load_explicit(&served->state,
					     memory_order_acquire),
		.reason = "",
		.image_sha256 = served->image_sha256,
	};
	if (ret_view->state == FUNCTION_FAILED) {
		ret_view->reason = served->why.message;
		ret_view->failure = served->failure;
	}
	if (ret_view->state != FUNCTION_ACTIVE)
		return;
	function = served->function;
	ret_view->deployed_unix_ms = served->deployed_unix_ms;
	ret_view->boot_ns = function->deploy_ns;
	ret_view->image_bytes = (uint64_t)served->image.st_size;
	ret_view->snapshot_bytes =
		snapshot_layout(function->snapshot)->memory_size;
	pool_count(function->pool, &ret_view->vms_idle, &ret_view->vms_busy,
		   &ret_view->queued);
	function_get_stats(function, &ret_view->stats);
}
