/* deployment.c - deploys functions, and frees them. See deployment.h. */
#include "executor/server/deployment.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/file.h"
#include "base/hot.h"
#include "executor/linux/root.h"
#include "executor/linux/seen.h"
#include "executor/server/server_limits.h"
#include "vm/image/image.h"

/* How exactly file systems tell times, and those that have whole seconds only. */
#define IMAGE_TICK_NS (100 * NS_PER_MS)
#define IMAGE_TICK_COARSE_NS (2 * NS_PER_S)

void deployment_catalog_release(struct kept_catalog *kept)
{
	if (!kept || atomic_fetch_sub(&kept->references, 1) != 1)
		return;
	catalog_free(kept->catalog);
	free(kept);
}

HOT struct deployment *deployment_hold(struct deployment *deployment)
{
	atomic_fetch_add_explicit(&deployment->references, 1,
				  memory_order_relaxed);
	return deployment;
}

static void deployment_free(struct offload_work *work)
{
	struct deployment *deployment =
		container_of(work, struct deployment, work);

	function_free(deployment->function);
	if (deployment->is_counted)
		atomic_fetch_sub(&deployment->host->loaded, 1);
	function_stored_done(&deployment->stored);
	offload_share_release(deployment->runs);
	offload_share_release(deployment->builds);
	function_stats_release(deployment->stats);
	linux_seen_free(deployment->seen);
	deployment_catalog_release(deployment->catalog);
	free(deployment);
}

HOT void deployment_release(struct deployment *deployment)
{
	struct offload_pool *reaper;

	if (!deployment || atomic_fetch_sub(&deployment->references, 1) != 1)
		return;
	deployment->work.run = deployment_free;
	reaper = atomic_load(&deployment->host->reaper);
	if (reaper)
		offload_push(reaper, NULL, &deployment->work);
	else
		deployment_free(&deployment->work);
}

struct deployment *deployment_create(struct deployment_host *host,
				     struct kept_catalog *catalog,
				     const struct catalog_function *spec,
				     uint64_t number,
				     const struct deployment *old)
{
	struct deployment *deployment =
		calloc(1, sizeof(*deployment) +
				  host->workers * sizeof(deployment->lines[0]));
	struct function_stats *stats = old ? function_stats_hold(old->stats) :
					     function_stats_create(spec->name);

	const bool is_linux = spec->kind == CATALOG_KIND_LINUX;

	if (deployment) {
		deployment->runs = offload_share_create();
		deployment->builds = offload_share_create();
		deployment->seen = is_linux ? linux_seen_create() : NULL;
	}
	if (!deployment || !stats || !deployment->runs || !deployment->builds ||
	    is_linux != (deployment->seen != NULL)) {
		offload_share_release(deployment ? deployment->runs : NULL);
		offload_share_release(deployment ? deployment->builds : NULL);
		linux_seen_free(deployment ? deployment->seen : NULL);
		free(deployment);
		function_stats_release(stats);
		return NULL;
	}
	atomic_store(&deployment->references, 1);
	deployment->host = host;
	deployment->spec = spec;
	deployment->stats = stats;
	deployment->generation = number;
	deployment->catalog = catalog;
	atomic_fetch_add(&catalog->references, 1);
	/* a file that changes from now on is another image */
	deployment_look_at(spec, &deployment->image);
	deployment->image_bytes = (uint64_t)deployment->image.status.st_size;
	return deployment;
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

/* Opens the image, by which nothing can be read (O_PATH), as its program finds it. */
static int open_image(const struct catalog_function *spec)
{
	return spec->root ? root_resolve(spec->root,
					 spec->image + strlen(spec->root)) :
			    open(spec->image, O_PATH | O_CLOEXEC);
}

void deployment_look_at(const struct catalog_function *spec,
			struct deployment_image *ret_image)
{
	const uint64_t now_ns = clock_read_ns(CLOCK_REALTIME);
	cleanup_close int fd = open_image(spec);
	struct stat *status = &ret_image->status;
	uint64_t tick_ns;

	if (fd < 0 || fstat(fd, status))
		*status = (struct stat){ 0 };
	tick_ns = status->st_ctim.tv_nsec ? IMAGE_TICK_NS :
					    IMAGE_TICK_COARSE_NS;
	ret_image->is_fresh = now_ns < ns_of(&status->st_ctim) + tick_ns;
}

/* A reload stores how images look on a thread of its own; the main thread compares. */
static pthread_mutex_t images = PTHREAD_MUTEX_INITIALIZER;

void deployment_get_image(const struct deployment *deployment,
			  struct deployment_image *ret_image)
{
	pthread_mutex_lock(&images);
	*ret_image = deployment->image;
	pthread_mutex_unlock(&images);
}

void deployment_set_image(struct deployment *deployment,
			  const struct deployment_image *image)
{
	pthread_mutex_lock(&images);
	deployment->image = *image;
	pthread_mutex_unlock(&images);
}

bool deployment_is_touched(const struct deployment *deployment)
{
	const struct stat *then, *now;
	struct deployment_image old, image;

	if (deployment->seen)
		return !function_linux_is_same(deployment->spec,
					       deployment->seen);
	deployment_get_image(deployment, &old);
	deployment_look_at(deployment->spec, &image);
	then = &old.status;
	now = &image.status;
	return now->st_dev != then->st_dev || now->st_ino != then->st_ino ||
	       now->st_size != then->st_size ||
	       ns_of(&now->st_mtim) != ns_of(&then->st_mtim) ||
	       ns_of(&now->st_ctim) != ns_of(&then->st_ctim);
}

void deployment_hash(const char *path, char hex[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES], bytes[64 * 1024];
	crypto_hash_sha256_state state;
	struct stat status;
	cleanup_close int fd = file_open_regular(path, &status);
	size_t size = 0;
	ssize_t got = 0;

	hex[0] = '\0';
	/* a larger file is no image and no catalog, and would be read for hours */
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

void deployment_hash_image(const struct catalog_function *spec, char hex[65])
{
	cleanup_close int fd = open_image(spec);
	char path[64];

	hex[0] = '\0';
	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	deployment_hash(path, hex);
}

const char *deployment_sha256(const struct deployment *deployment)
{
	const struct function *function = deployment_function(deployment);

	return function && function->image ? image_sha256(function->image) :
					     deployment->image_sha256;
}

static int check_needed(const struct deployment *deployment, struct error *err)
{
	if (!atomic_load(&deployment->cancelled))
		return 0;
	return error_set(err, -ESHUTDOWN,
			 "function %s: it is not needed any more",
			 deployment->spec->name);
}

int deployment_make(struct deployment *deployment,
		    const struct function_options *given, struct error *err,
		    struct function **ret_function)
{
	struct function_options options = *given;
	struct function_stats *stats = deployment->stats;
	int r = check_needed(deployment, err);

	if (!r) {
		metrics_add(&stats->metrics.boots, 1);
		options.seen = deployment->seen;
		r = function_deploy(deployment->spec, &options, err,
				    ret_function);
	}
	if (r && r != -ESHUTDOWN)
		metrics_add(&stats->metrics.boot_failures, 1);
	if (r != -ESHUTDOWN)
		atomic_store(&stats->boot_failed, r != 0);
	return r;
}

/*
 * Whether it can be loaded when its first invocation comes, because its snapshot is
 * stored. Warm vms are wanted at once, and so is the time of a gate's trial.
 */
static bool deployment_find_stored(struct deployment *deployment,
				   const struct function_options *options)
{
	const struct catalog_function *spec = deployment->spec;

	if (deployment->loads_at_once || spec->concurrency.warm ||
	    spec->dispatch != CATALOG_DISPATCH_EXIT ||
	    !function_find_stored(spec, options, &deployment->stored))
		return false;
	memcpy(deployment->image_sha256, deployment->stored.image_sha256,
	       sizeof(deployment->image_sha256));
	atomic_store(&deployment->stats->boot_failed, false);
	return true;
}

void deployment_is_short(struct deployment_host *host)
{
	const uint64_t now_ns = clock_now_ns();
	uint64_t before_ns = atomic_load(&host->short_ns);

	/* at most once in that time, however many lack memory */
	if (!atomic_load(&host->loaded) ||
	    now_ns < before_ns + SERVER_UNUSED_NS ||
	    !atomic_compare_exchange_strong(&host->short_ns, &before_ns,
					    now_ns))
		return;
	atomic_store(&host->is_short, true);
	host->crowded(host);
}

void deployment_give_place(struct deployment *deployment)
{
	if (deployment->is_counted)
		atomic_fetch_sub(&deployment->host->loaded, 1);
	deployment->is_counted = false;
}

bool deployment_take_place(struct deployment *deployment)
{
	struct deployment_host *host = deployment->host;

	deployment->is_counted = atomic_fetch_add(&host->loaded, 1) <
				 host->loaded_max;
	if (!deployment->is_counted)
		atomic_fetch_sub(&host->loaded, 1);
	return deployment->is_counted;
}

static int deployment_boot(struct deployment *deployment,
			   const struct function_options *options)
{
	int r = check_needed(deployment, &deployment->why);

	/* it counts as the one before it did; without a place, its invocation loads it */
	if (!r && deployment->loads_at_once &&
	    !deployment_take_place(deployment))
		deployment->loads_at_once = false;
	if (r || deployment_find_stored(deployment, options))
		return r;
	/* before it is read: if it is replaced meanwhile, this is the older one */
	if (deployment->seen)
		deployment_hash_image(deployment->spec,
				      deployment->image_sha256);
	r = deployment_make(deployment, options, &deployment->why,
			    &deployment->function);
	if (r)
		deployment_give_place(deployment);
	return r;
}

void deployment_fail(struct deployment *deployment, int failure,
		     const struct error *why)
{
	deployment->why = *why;
	deployment->failure = failure;
	/* publishes all of it */
	atomic_store_explicit(&deployment->state, FUNCTION_FAILED,
			      memory_order_release);
}

void deployment_deploy(struct deployment *deployment,
		       const struct function_options *options)
{
	const uint64_t start_ns = clock_now_ns();
	enum function_state state = FUNCTION_ACTIVE;

	deployment->failure = deployment_boot(deployment, options);
	if (deployment->failure) {
		state = FUNCTION_FAILED;
	} else {
		deployment->deployed_unix_ms =
			clock_read_ns(CLOCK_REALTIME) / NS_PER_MS;
	}
	deployment->deploy_ns = clock_now_ns() - start_ns;
	/* publishes all of it */
	atomic_store_explicit(&deployment->state, state, memory_order_release);
}

struct deployment *deployment_unloaded(const struct deployment *old)
{
	struct deployment *deployment =
		deployment_create(old->host, old->catalog, old->spec,
				  old->generation, old);
	struct function_stored *stored;
	struct error err;

	if (!deployment)
		return NULL;
	stored = &deployment->stored;
	stored->bytes = old->stored.bytes;
	if (declarations_copy(&old->stored.functions, &err,
			      &stored->functions) ||
	    declarations_copy(&old->stored.imports, &err, &stored->imports)) {
		deployment_release(deployment);
		return NULL;
	}
	deployment_get_image(old, &deployment->image);
	memcpy(deployment->image_sha256, deployment_sha256(old),
	       sizeof(deployment->image_sha256));
	deployment->image_bytes = old->image_bytes;
	deployment->boots = old->boots;
	deployment->deployed_unix_ms = old->deployed_unix_ms;
	deployment->deploy_ns = old->deploy_ns;
	atomic_store_explicit(&deployment->state, FUNCTION_ACTIVE,
			      memory_order_release);
	return deployment;
}

int deployment_refusal(const struct deployment *deployment, struct error *err)
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
	const char *name = deployment->spec->name;
	int failure = -EINPROGRESS;

	if (atomic_load_explicit(&deployment->state, memory_order_acquire) ==
	    FUNCTION_FAILED)
		failure = deployment->failure;
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
