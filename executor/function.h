/*
 * function.h - a deployed function: booted, snapshotted, with its pool of vms.
 */
#ifndef EXECUTOR_FUNCTION_H
#define EXECUTOR_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/catalog.h"
#include "executor/libthaw.h"
#include "snapshot/guest_log.h"
#include "snapshot/pool.h"
#include "snapshot/snapshot.h"
#include "vm/dirty.h"
#include "vm/error.h"
#include "vm/image.h"

/* struct thaw_options, checked. */
struct function_options {
	thaw_log_fn log;
	void *log_cookie;
	enum dirty_backend dirty;
	bool remap; /* see snapshot.h */
	bool verify;
};

struct function {
	const struct catalog_function *spec; /* borrowed from the catalog */
	struct function_options options;
	struct guest_log log;
	struct image *image;
	struct snapshot *snapshot;
	struct pool *pool;
	uint32_t handler; /* index */
	const char *handler_name;
	uint64_t deploy_ns; /* image read, booted, frozen */
};

/*
 * Deploys the function described by @spec, which is borrowed, as the catalog's
 * it must outlive the function. The caller frees it by function_free(). Errors
 * as thaw_deploy().
 */
int function_deploy(const struct catalog_function *spec,
		    const struct function_options *options, struct error *err,
		    struct function **ret_function);

/* Frees @function, no invocation of which may be under way. NULL is fine. */
void function_free(struct function *function);

#endif
