/* generation.c - catalogs and their functions. See generation.h. */
#include "executor/server/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"
#include "snapshot/pool.h"
#include "vm/image/image_declarations.h"

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
		deployment_release(generation->deployments[i]);
		deployment_release(generation->next[i]);
	}
	free(generation->deployments);
	free(generation->next);
	deployment_release(generation->echo);
	deployment_catalog_release(generation->catalog);
	free(generation);
}

struct deployment *generation_newest(const struct generation *generation,
				     size_t index)
{
	return generation->next[index] ? generation->next[index] :
					 generation->deployments[index];
}

static struct deployment *hold_if(struct deployment *deployment)
{
	return deployment ? deployment_hold(deployment) : NULL;
}

/*
 * Whether the file is the one that was deployed. Its times tell, as nobody can set
 * the time of the last change; if it was only touched, or if its times may not
 * tell, its bytes do. Of a Linux program, whether its boot would read the same files:
 * if it is under way, what it has not read yet it will find as it is now.
 */
static bool is_same_image(struct deployment *deployment)
{
	struct deployment_image then, now;
	char sha256[sizeof(deployment->image_sha256)];

	if (deployment->seen)
		return !deployment_is_touched(deployment);
	deployment_get_image(deployment, &then);
	if (!then.is_fresh && !deployment_is_touched(deployment))
		return true;
	if (!deployment_is_active(deployment))
		return false;
	deployment_look_at(deployment->spec, &now);
	if (now.status.st_size != then.status.st_size)
		return false;
	deployment_hash_image(deployment->spec, sha256);
	if (!*sha256 || strcmp(sha256, deployment_sha256(deployment)) != 0)
		return false;
	deployment_set_image(deployment, &now);
	return true;
}

/* A deployment of @spec that is new in @generation. NULL: no memory. */
static struct deployment *generation_deploy(const struct generation *generation,
					    const struct catalog_function *spec,
					    const struct deployment *old)
{
	return deployment_create(generation->host, generation->catalog, spec,
				 generation->number, old);
}

/* A function that has failed is tried again. */
static bool is_unchanged(struct deployment *old,
			 const struct catalog_function *spec)
{
	return atomic_load(&old->state) != FUNCTION_FAILED &&
	       catalog_function_equal(old->spec, spec) && is_same_image(old);
}

/*
 * Fills in the function at @index: the one of @old at @before if it has not changed;
 * otherwise a new one, which waits behind the old version if that is active.
 */
static int generation_fill_one(struct generation *generation, size_t index,
			       const struct generation *old, size_t before,
			       struct generation_changes *changes)
{
	const struct catalog_function *spec =
		&generation->catalog->catalog->functions[index];
	struct deployment *was = old->deployments[before], *fresh;

	if (is_unchanged(generation_newest(old, before), spec)) {
		generation->deployments[index] = deployment_hold(was);
		generation->next[index] = hold_if(old->next[before]);
		changes->unchanged++;
		return 0;
	}
	changes->changed++;
	if (deployment_is_active(was) && is_unchanged(was, spec)) {
		/* back to the version that still answers */
		generation->deployments[index] = deployment_hold(was);
		return 0;
	}
	fresh = generation_deploy(generation, spec, was);
	/* what takes the place of a function in use is as ready as that */
	if (fresh && deployment_is_active(was) && deployment_function(was))
		fresh->loads_at_once = true;
	if (deployment_is_active(was)) {
		generation->deployments[index] = deployment_hold(was);
		generation->next[index] = fresh;
	} else {
		generation->deployments[index] = fresh;
	}
	return fresh ? 0 : -ENOMEM;
}

static int generation_fill(struct generation *generation,
			   const struct generation *old,
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
			r = generation_fill_one(generation, i, old,
						before - old->catalog->catalog
								 ->functions,
						changes);
			kept++;
		} else {
			generation->deployments[i] =
				generation_deploy(generation, spec, NULL);
			changes->added++;
			r = generation->deployments[i] ? 0 : -ENOMEM;
		}
		if (r)
			return r;
	}
	changes->removed = old ? old->count - kept : 0;
	if (old && old->echo)
		generation->echo = deployment_hold(old->echo);
	return 0;
}

static int generation_allocate(struct generation *generation, size_t count)
{
	generation->deployments =
		calloc(count + 1, sizeof(struct deployment *));
	generation->next = calloc(count + 1, sizeof(struct deployment *));
	return generation->deployments && generation->next ? 0 : -ENOMEM;
}

int generation_load(struct deployment_host *host, const char *path,
		    const struct generation *old, struct error *err,
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
	generation->host = host;
	generation->catalog = kept;
	generation->number = old ? old->number + 1 : 1;
	deployment_hash(path, generation->sha256);
	r = generation_allocate(generation, kept->catalog->count);
	if (!r)
		r = generation_fill(generation, old, &changes);
	if (r) {
		generation_release(generation);
		return error_set(err, r, "no memory for a catalog");
	}
	*ret_generation = generation;
	*ret_changes = changes;
	return 0;
}

int generation_add_echo(struct generation *generation, const char *name,
			void (*answer)(struct invocation *invocation),
			struct error *err)
{
	static struct catalog_function spec = {
		.max_request = 1024 * 1024,
		.concurrency = { .max = 4096, .queue = 65536 },
		.image = (char *)"",
	};

	spec.name = (char *)name;
	generation->echo = generation_deploy(generation, &spec, NULL);
	if (!generation->echo)
		return error_set(err, -ENOMEM, "no memory for a function");
	generation->echo->answer = answer;
	return 0;
}

HOT struct deployment *generation_find(const struct generation *generation,
				       const char *name)
{
	const struct catalog *catalog = generation->catalog->catalog;
	const struct catalog_function *spec = catalog_find(catalog, name);

	if (spec)
		return generation->deployments[spec - catalog->functions];
	if (generation->echo && !strcmp(generation->echo->spec->name, name))
		return generation->echo;
	return NULL;
}

struct deployment *generation_find_newest(const struct generation *generation,
					  const char *name)
{
	const struct catalog *catalog = generation->catalog->catalog;
	const struct catalog_function *spec = catalog_find(catalog, name);

	return spec ? generation_newest(generation, spec - catalog->functions) :
		      NULL;
}

void generation_keep_active(struct generation *generation,
			    const struct generation *old)
{
	for (size_t i = 0; i < generation->count; i++) {
		struct deployment *fresh = generation->deployments[i];
		struct deployment *was =
			generation_find(old, fresh->spec->name);

		if (!was || was == fresh || generation->next[i] ||
		    deployment_is_active(fresh) || !deployment_is_active(was))
			continue;
		generation->next[i] = fresh;
		generation->deployments[i] = deployment_hold(was);
	}
}

static bool has_updates(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (generation->next[i] &&
		    deployment_is_active(generation->next[i]))
			return true;
	return false;
}

/* Makes a generation like @old, without deployments; NULL: no memory. */
static struct generation *generation_like(const struct generation *old)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (!generation)
		return NULL;
	atomic_store(&generation->references, 1);
	generation->host = old->host;
	generation->catalog = old->catalog;
	atomic_fetch_add(&old->catalog->references, 1);
	memcpy(generation->sha256, old->sha256, sizeof(old->sha256));
	generation->number = old->number;
	generation->echo = hold_if(old->echo);
	if (generation_allocate(generation, old->count)) {
		generation_release(generation);
		return NULL;
	}
	generation->count = old->count;
	return generation;
}

int generation_settle(const struct generation *old,
		      struct generation **ret_generation)
{
	struct generation *generation;

	*ret_generation = NULL;
	if (!has_updates(old))
		return 0;
	generation = generation_like(old);
	if (!generation)
		return -ENOMEM;
	for (size_t i = 0; i < old->count; i++) {
		struct deployment *next = old->next[i];
		bool is_there = next && deployment_is_active(next);

		generation->deployments[i] =
			deployment_hold(is_there ? next : old->deployments[i]);
		generation->next[i] = is_there ? NULL : hold_if(next);
	}
	*ret_generation = generation;
	return 0;
}

/* A function that may be unloaded. */
struct unused {
	size_t index;
	uint64_t used_ns;
};

static int compare_unused(const void *a, const void *b)
{
	const struct unused *one = a, *other = b;

	return one->used_ns < other->used_ns ? -1 :
					       one->used_ns > other->used_ns;
}

/* Finds those without invocations, the one used least recently first. */
static size_t find_unused(const struct generation *generation,
			  uint64_t before_ns, struct unused *unused,
			  size_t *ret_loaded)
{
	size_t count = 0;

	*ret_loaded = 0;
	for (size_t i = 0; i < generation->count; i++) {
		const struct deployment *deployment =
			generation->deployments[i];
		const struct function *function =
			deployment_function(deployment);

		if (!deployment_is_active(deployment) || !function ||
		    !deployment->is_counted)
			continue;
		++*ret_loaded;
		/* one that is not stored would have to be booted again */
		if (function->is_stored &&
		    !atomic_load(&deployment->admitted) &&
		    atomic_load(&deployment->used_ns) < before_ns)
			unused[count++] = (struct unused){
				i, atomic_load(&deployment->used_ns)
			};
	}
	if (count)
		qsort(unused, count, sizeof(*unused), compare_unused);
	return count;
}

/* Makes the generation in which the first @count of @unused are not loaded. */
static int unload(const struct generation *old, const struct unused *unused,
		  size_t count, struct generation **ret_generation)
{
	struct generation *generation = generation_like(old);

	if (!generation)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const size_t index = unused[i].index;

		generation->deployments[index] =
			deployment_unloaded(old->deployments[index]);
	}
	/* also where there was no memory for another one */
	for (size_t i = 0; i < old->count; i++) {
		if (!generation->deployments[i])
			generation->deployments[i] =
				deployment_hold(old->deployments[i]);
		generation->next[i] = hold_if(old->next[i]);
	}
	*ret_generation = generation;
	return 0;
}

int generation_unload(const struct generation *old, size_t keep,
		      uint64_t before_ns, struct generation **ret_generation)
{
	struct unused *unused = calloc(old->count + 1, sizeof(*unused));
	size_t count, loaded;
	int r = 0;

	*ret_generation = NULL;
	if (!unused)
		return -ENOMEM;
	count = find_unused(old, before_ns, unused, &loaded);
	if (count > loaded - keep && loaded > keep)
		count = loaded - keep;
	if (count && loaded > keep)
		r = unload(old, unused, count, ret_generation);
	free(unused);
	return r;
}

void generation_cancel(const struct generation *generation,
		       const struct generation *other)
{
	for (size_t i = 0; i < generation->count; i++) {
		struct deployment *deployment =
			generation_newest(generation, i);

		/* it may still answer, and have to be loaded for that */
		if (other && deployment_is_active(deployment))
			continue;
		if (!other ||
		    generation_find_newest(other, deployment->spec->name) !=
			    deployment)
			atomic_store(&deployment->cancelled, true);
	}
}

void generation_cancel_pending(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		struct deployment *deployment =
			generation_newest(generation, i);

		if (deployment_is_pending(deployment))
			atomic_store(&deployment->cancelled, true);
	}
}

/* One that its first invocation loads. */
static void view_stored(const struct deployment *deployment,
			struct function_view *view)
{
	const struct function_stored *stored = &deployment->stored;
	const struct catalog_function *spec = deployment->spec;

	view->functions = &stored->functions;
	view->imports = &stored->imports;
	view->snapshot_bytes = stored->bytes;
	view->is_stored = true;
	view->not_stored = "";
	view->stats = (struct thaw_stats){
		.dispatch = catalog_dispatch_name(spec->dispatch),
		.isolation = catalog_isolation_name(spec->isolation),
		.gate = gate_name(VM_GATE_NONE),
		.no_gate = "",
	};
}

static void view_active(struct deployment *deployment,
			struct function_view *view)
{
	struct function *function = deployment_function(deployment);

	view->deployed_unix_ms = deployment->deployed_unix_ms;
	view->image_bytes = deployment->image_bytes;
	view->image_sha256 = deployment_sha256(deployment);
	view->is_loaded = function != NULL;
	if (!function) {
		view_stored(deployment, view);
		return;
	}
	view->boot_ns = function->deploy_ns;
	view->functions = &function->functions;
	view->imports = function->image ? image_imports(function->image) : NULL;
	view->snapshot_bytes = snapshot_bytes(function->snapshot);
	view->is_stored = function->is_stored;
	view->not_stored = function->not_stored.message;
	pool_count(function->pool, &view->vms_idle, &view->vms_busy,
		   &view->queued);
	function_get_stats(function, &view->stats);
}

static enum function_state state_of(const struct deployment *deployment)
{
	return (enum function_state)atomic_load_explicit(&deployment->state,
							 memory_order_acquire);
}

/* An update that is active, but not in its place yet, counts as pending. */
static enum function_update update_of(const struct deployment *next)
{
	if (!next)
		return UPDATE_NONE;
	return state_of(next) == FUNCTION_FAILED ? UPDATE_FAILED :
						   UPDATE_PENDING;
}

void generation_view_state(const struct generation *generation, size_t index,
			   struct function_view *ret_view)
{
	const struct deployment *deployment = generation->deployments[index];
	const struct deployment *next = generation->next[index];
	const struct deployment *failed = NULL;

	*ret_view = (struct function_view){
		.spec = deployment->spec,
		.metrics = &deployment->stats->metrics,
		.state = state_of(deployment),
		.update = update_of(next),
		.reason = "",
		.image_sha256 = "",
	};
	if (ret_view->state == FUNCTION_FAILED)
		failed = deployment;
	else if (ret_view->update == UPDATE_FAILED)
		failed = next;
	if (failed) {
		ret_view->reason = failed->why.message;
		ret_view->failure = failed->failure;
	}
}

void generation_view(const struct generation *generation, size_t index,
		     struct function_view *ret_view)
{
	struct deployment *deployment = generation->deployments[index];

	generation_view_state(generation, index, ret_view);
	if (ret_view->state == FUNCTION_ACTIVE)
		view_active(deployment, ret_view);
}
