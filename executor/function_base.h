/*
 * function_base.h - the guests that functions with a base go on from. Functions with the same
 * base share one, for as long as any of them is there.
 */
#ifndef EXECUTOR_FUNCTION_BASE_H
#define EXECUTOR_FUNCTION_BASE_H

#include <stdbool.h>

#include "base/error.h"

struct catalog_function;
struct function_base;
struct function_store;
struct image;
struct memory_budget;
struct snapshot;
struct snapshot_options;

/* Whose base it is to be. Those with other stores or budgets have one of their own. */
struct function_base_of {
	const struct catalog_function *spec; /* with a base */
	const struct image *image;
	struct function_store *store; /* or NULL */
	struct memory_budget *memory; /* or NULL */
};

/*
 * Finds the guest that @options make of the image among those that are there, or has one made,
 * as a function's: it is booted, or is from the store. One thread makes it, and others wait. The
 * caller releases *@ret_base once nothing needs the snapshot any more. Errors as
 * snapshot_create().
 */
int function_base_open(const struct function_base_of *of,
		       const struct snapshot_options *options,
		       struct error *err, struct function_base **ret_base);

/* NULL is fine. */
void function_base_release(struct function_base *base);

/* It lives as long as the base. */
struct snapshot *function_base_snapshot(const struct function_base *base);

/* Whether the snapshot is from the store. */
bool function_base_is_stored(const struct function_base *base);

/* Of one that is: its file counts as used, since a layer over it is. */
void function_base_use(const struct function_base *base);

#endif
