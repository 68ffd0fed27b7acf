/* target.c - see target.h. */
#include "executor/typed/target.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/similar.h"
#include "vm/image/declarations.h"

static int no_such_function(const struct declarations *functions,
			    const char *name, struct error *err)
{
	struct similar similar = similar_to(name);

	for (size_t i = 0; i < functions->count; i++) {
		const char *other = functions->list[i].name;

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
		      const struct declaration **ret_function)
{
	const struct declaration *function = target->only;

	if (!function)
		function = declarations_find(target->functions, name);
	else if (strcmp(function->name, name) != 0)
		return error_set(err, -ENOSYS,
				 "no such function: \"%s\": the catalog's "
				 "entry makes this %s",
				 name, function->name);
	if (!function && !target->functions->has_dispatch)
		return no_such_function(target->functions, name, err);
	*ret_function = function;
	return 0;
}

int typed_target_check_count(const struct declaration *function, unsigned given,
			     struct error *err)
{
	char signature[DECLARATION_SIGNATURE_MAX];

	if (!function || given == function->count)
		return 0;
	return error_set(err, -EINVAL,
			 "%s: expected %u argument%s, given %u: %s",
			 function->name, function->count,
			 function->count == 1 ? "" : "s", given,
			 declaration_signature(function, signature));
}

int typed_target_refuse(const struct declaration *function, unsigned index,
			const char *expected, const char *given,
			struct error *err)
{
	char name[sizeof(function->parameters)];
	bool has_name;

	if (!function)
		return error_set(err, -EINVAL,
				 "argument %u: expected %s, given %s",
				 index + 1, expected, given);
	declaration_parameter_name(function, index, name, sizeof(name));
	has_name = *name;
	return error_set(err, -EINVAL,
			 "%s: argument %u%s%s%s: expected %s, given %s",
			 function->name, index + 1, has_name ? " (" : "", name,
			 has_name ? ")" : "", expected, given);
}
