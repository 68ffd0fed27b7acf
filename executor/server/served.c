/* served.c - functions that are served, or are to be. See served.h. */
#include "executor/server/served.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "executor/server/boots.h"
#include "executor/server/invocation_log.h"
#include "executor/server/served_internal.h"
#include "vm/image/image.h"

/* File systems tell times as exactly as that; or those that have whole seconds. */
#define IMAGE_TICK_NS (100 * NS_PER_MS)
#define IMAGE_TICK_COARSE_NS (2 * NS_PER_S)

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

void served_catalog_release(struct kept_catalog *kept)
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
	served_catalog_release(served->catalog);
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

struct served *served_create(const struct generation *generation,
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
	served->generation = generation->number;
	served->catalog = generation->catalog;
	atomic_fetch_add(&served->catalog->references, 1);
	/* what changes from now on is another image */
	served_look_at(spec->image, &served->image);
	served->image_bytes = (uint64_t)served->image.status.st_size;
	return served;
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

void served_look_at(const char *path, struct served_image *ret_image)
{
	const uint64_t now_ns = clock_read_ns(CLOCK_REALTIME);
	struct stat *status = &ret_image->status;
	uint64_t tick_ns;

	if (stat(path, status))
		*status = (struct stat){ 0 };
	tick_ns = status->st_ctim.tv_nsec ? IMAGE_TICK_NS :
					    IMAGE_TICK_COARSE_NS;
	ret_image->is_fresh = now_ns < ns_of(&status->st_ctim) + tick_ns;
}

/* A reload's job keeps how images look, and the main thread compares. */
static pthread_mutex_t images = PTHREAD_MUTEX_INITIALIZER;

void served_get_image(const struct served *served,
		      struct served_image *ret_image)
{
	pthread_mutex_lock(&images);
	*ret_image = served->image;
	pthread_mutex_unlock(&images);
}

void served_set_image(struct served *served, const struct served_image *image)
{
	pthread_mutex_lock(&images);
	served->image = *image;
	pthread_mutex_unlock(&images);
}

bool served_is_touched(const struct served *served)
{
	const struct stat *then, *now;
	struct served_image old, image;

	served_get_image(served, &old);
	served_look_at(served->spec->image, &image);
	then = &old.status;
	now = &image.status;
	return now->st_dev != then->st_dev || now->st_ino != then->st_ino ||
	       now->st_size != then->st_size ||
	       ns_of(&now->st_mtim) != ns_of(&then->st_mtim) ||
	       ns_of(&now->st_ctim) != ns_of(&then->st_ctim);
}

void served_hash(const char *path, char hex[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES], bytes[64 * 1024];
	crypto_hash_sha256_state state;
	struct stat status;
	cleanup_close int fd = file_open_regular(path, &status);
	size_t size = 0;
	ssize_t got = 0;

	hex[0] = '\0';
	/* what is larger is no image, nor a catalog: not read for hours */
	if (fd < 0 || status.st_size > IMAGE_FILE_MAX)
		return;
	crypto_hash_sha256_init(&state);
	while (size <= IMAGE_FILE_MAX &&
	       (got = read(fd, bytes, sizeof(bytes))) > 0) {
		crypto_hash_sha256_update(&state, bytes, (size_t)got);
		size += (size_t)got;
	}
	crypto_hash_sha256_final(&state, hash);
	if (!got)
		sodium_bin2hex(hex, 65, hash, sizeof(hash));
}

/* Others may boot meanwhile; whether it is not needed any more. */
static bool pause_boot(void *cookie)
{
	const struct served *served = cookie;

	if (served->boots)
		boots_pause(served->boots);
	return atomic_load(&served->cancelled);
}

static int deploy(struct served *served, const struct function_options *options)
{
	struct function_options with_pause = *options;

	with_pause.pause = (struct snapshot_pause){ pause_boot, served };
	if (atomic_load(&served->cancelled))
		return error_set(&served->why, -ESHUTDOWN,
				 "function %s: it is not needed any more",
				 served->spec->name);
	metrics_add(&served->counted->metrics.boots, 1);
	return function_deploy(served->spec, &with_pause, &served->why,
			       &served->function);
}

void served_fail(struct served *served, int failure, const struct error *why)
{
	served->why = *why;
	served->failure = failure;
	/* publishes all of it */
	atomic_store_explicit(&served->state, FUNCTION_FAILED,
			      memory_order_release);
}

void served_deploy(struct served *served,
		   const struct function_options *options)
{
	struct counted *counted = served->counted;
	enum function_state state = FUNCTION_ACTIVE;

	/* before it is read, too: of two images, it is the older one's */
	served_hash(served->spec->image, served->image_sha256);
	served->failure = deploy(served, options);
	if (served->failure) {
		state = FUNCTION_FAILED;
	} else {
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
