/* target.c - see target.h. */
#include "executor/typed/target.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/similar.h"
#include "vm/image/functions.h"

static int no_such_function(const struct image *image, const char *name,
			    struct error *err)
{
	struct similar similar = similar_to(name);

	for (size_t i = 0; i < image_function_count(image); i++) {
		const char *other = image_function(image, i)->name;

		similar_try(&similar, other, strlen(other));
	}
	if (similar.name)
		return error_set(err, -ENOSYS,
				 "no such function: \"%s\": did you mean %s?",
				 name, similar.name);
	return error_set(err, -ENOSYS,
			 "no such function: \"%s\": see `thaw functions "
			 "describe`",
			 name);
}

int typed_target_find(const struct typed_target *target, const char *name,
		      struct error *err,
		      const struct image_function **ret_function)
{
	const struct image_function *function = target->only;

	if (!function)
		function = image_find_function(target->image, name);
	else if (strcmp(function->name, name) != 0)
		return error_set(err, -ENOSYS,
				 "no such function: \"%s\": the catalog's "
				 "entry makes this %s",
				 name, function->name);
	if (!function && !image_has_dispatch(target->image))
		return no_such_function(target->image, name, err);
	*ret_function = function;
	return 0;
}

int typed_target_check_count(const struct image_function *function,
			     unsigned given, struct error *err)
{
	char signature[IMAGE_SIGNATURE_MAX];

	if (!function || given == function->count)
		return 0;
	return error_set(err, -EINVAL,
			 "%s: expected %u argument%s, given %u: %s",
			 function->name, function->count,
			 function->count == 1 ? "" : "s", given,
			 image_signature(function, signature));
}

int typed_target_refuse(const struct image_function *function, unsigned index,
			const char *expected, const char *given,
			struct error *err)
{
	char name[sizeof(function->parameters)];

	if (!function)
		return error_set(err, -EINVAL,
				 "argument %u: expected %s, given %s",
				 index + 1, expected, given);
	return error_set(err, -EINVAL,
			 "%s: argument %u (%s): expected %s, given %s",
			 function->name, index + 1,
			 image_parameter_name(function, index, name,
					      sizeof(name)),
			 expected, given);
}
