/* function_layer.c - see function_layer.h. On threads that deploy functions. */
#include "executor/function_layer.h"

#include <errno.h>

#include "executor/catalog_function.h"
#include "executor/function_base.h"
#include "executor/function_store.h"
#include "executor/snapshot_key.h"

/* Prepares what was made to be written, if it can be. */
static void prepare(const struct function_base_of *of,
		    const struct function_store_layer *stored, bool has_file,
		    struct function_layer *layer)
{
	const struct function_store_of name = { of->spec->name,
						of->spec->image };

	if (has_file)
		layer->writing = function_store_add_layer(of->store, &name,
							  of->image, stored,
							  layer->snapshot);
	else
		error_set(&layer->not_stored, 0, "its base is not stored");
}

static int make(const struct function_base_of *of,
		const struct function_base *base,
		const struct snapshot_options *options,
		const struct function_answerer *answerer,
		const struct function_store_layer *stored, struct error *err,
		struct function_layer *layer)
{
	const struct function_store_of name = { of->spec->name,
						of->spec->image };
	const bool has_file = of->store && function_base_is_stored(base);
	int r = -ENOENT;

	if (has_file)
		r = function_store_find_layer(of->store, &name, of->image,
					      options, stored,
					      &layer->not_stored,
					      &layer->snapshot);
	if (r == -ESHUTDOWN)
		return error_set(err, r, "%s", layer->not_stored.message);
	layer->is_stored = !r;
	if (has_file)
		function_base_use(base);
	if (!r) {
		layer->not_stored.message[0] = '\0';
		return 0;
	}
	r = answerer->call(answerer->cookie, function_base_snapshot(base), err,
			   &layer->snapshot);
	if (!r && of->store)
		prepare(of, stored, has_file, layer);
	return r;
}

int function_layer_make(const struct function_base_of *of,
			const struct function_base *base,
			const struct snapshot_options *options,
			const struct function_answerer *answerer,
			struct error *err, struct function_layer *ret_layer)
{
	struct function_store_layer stored = {
		.base = function_base_snapshot(base),
	};
	struct json_t *key = NULL;
	int r = snapshot_key_function(of->spec, of->image, options, err, &key);

	*ret_layer = (struct function_layer){ .snapshot = NULL };
	stored.key = key;
	if (!r)
		r = make(of, base, options, answerer, &stored, err, ret_layer);
	snapshot_key_free(key);
	return r;
}
