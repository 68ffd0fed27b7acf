/*
 * function_layer.h - snapshots of functions with a base: from their files, or by their init
 * request (snapshot/layered.h).
 */
#ifndef EXECUTOR_FUNCTION_LAYER_H
#define EXECUTOR_FUNCTION_LAYER_H

#include <stdbool.h>

#include "base/error.h"

struct function_base;
struct function_base_of;
struct function_writing;
struct snapshot;
struct snapshot_options;

/* Who has a guest of the base answer the request, and freezes it. Returns 0 or -errno. */
struct function_answerer {
	int (*call)(void *cookie, struct snapshot *base, struct error *err,
		    struct snapshot **ret_snapshot);
	void *cookie;
};

/* What is made: as function_store_snapshot() has it. */
struct function_layer {
	struct snapshot *snapshot;
	bool is_stored;
	struct error not_stored; /* why not, if there is a store; or "" */
	struct function_writing *writing; /* or NULL */
};

/*
 * Makes the snapshot of the function @of, over @base, which outlives it. Errors as
 * snapshot_load_layer() and @answerer.
 */
int function_layer_make(const struct function_base_of *of,
			const struct function_base *base,
			const struct snapshot_options *options,
			const struct function_answerer *answerer,
			struct error *err, struct function_layer *ret_layer);

#endif
