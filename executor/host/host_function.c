/* host_function.c - see host_function.h. */
#include "executor/host/host_function.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* The first whose name is not before @name; @functions->count if there is none. */
static size_t position(const struct host_functions *functions, const char *name)
{
	size_t low = 0, high = functions->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(functions->list[middle].signature.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct host_function *
host_functions_find(const struct host_functions *functions, const char *name)
{
	const size_t at = position(functions, name);

	if (at < functions->count &&
	    !strcmp(functions->list[at].signature.name, name))
		return &functions->list[at];
	return NULL;
}

int host_functions_add(struct host_functions *functions,
		       const struct host_function *function)
{
	const char *name = function->signature.name;
	const size_t at = position(functions, name);
	struct host_function *list;

	if (host_functions_find(functions, name))
		return 0;
	list = reallocarray(functions->list, functions->count + 1,
			    sizeof(*list));
	if (!list)
		return -ENOMEM;
	memmove(list + at + 1, list + at,
		(functions->count - at) * sizeof(*list));
	list[at] = *function;
	functions->list = list;
	functions->count++;
	return 0;
}

void host_functions_done(struct host_functions *functions)
{
	free(functions->list);
	*functions = (struct host_functions){ .list = NULL };
}

static int check_given(const struct thaw_host_function *given,
		       struct error *err)
{
	struct declaration *none = NULL;

	if (!given->name || !declaration_is_name(given->name) ||
	    strlen(given->name) >= sizeof(none->name))
		return error_set(err, -EINVAL,
				 "host function \"%s\": a name is an identifier "
				 "of C with %zu characters at most",
				 given->name ? given->name : "",
				 sizeof(none->name) - 1);
	/* whom it may invoke is the catalog's to say */
	if (!strcmp(given->name, "invoke"))
		return error_set(err, -EINVAL,
				 "host function invoke: the name is thaw's own");
	if (!given->call || given->flags & ~(unsigned)THAW_HOST_INLINE)
		return error_set(err, -EINVAL,
				 "host function %s: it has no call(), or flags "
				 "that do not exist",
				 given->name);
	if (given->returns <= THAW_TYPE_NONE || given->returns > THAW_TYPE_VOID)
		return error_set(err, -EINVAL,
				 "host function %s: it returns type %d, which "
				 "does not exist",
				 given->name, (int)given->returns);
	if (given->count > THAW_PARAMETERS_MAX)
		return error_set(err, -EINVAL,
				 "host function %s: it has %zu parameters; %d "
				 "are allowed",
				 given->name, given->count,
				 THAW_PARAMETERS_MAX);
	for (size_t i = 0; i < given->count; i++)
		if (given->types[i] <= THAW_TYPE_NONE ||
		    given->types[i] >= THAW_TYPE_VOID)
			return error_set(err, -EINVAL,
					 "host function %s: parameter %zu has "
					 "type %d, which does not exist",
					 given->name, i + 1,
					 (int)given->types[i]);
	return 0;
}

static int take_given(struct host_functions *functions,
		      const struct thaw_host_function *given, struct error *err)
{
	struct host_function function = {
		.call = given->call,
		.cookie = given->cookie,
		.run = given->flags & THAW_HOST_INLINE ? HOST_RUN_INLINE :
							 HOST_RUN_OFFLOADED,
	};
	int r = check_given(given, err);

	if (r)
		return r;
	if (host_functions_find(functions, given->name))
		return error_set(err, -EINVAL,
				 "two host functions are called %s",
				 given->name);
	strcpy(function.signature.name, given->name);
	function.signature.returns = (uint8_t)given->returns;
	function.signature.count = (uint8_t)given->count;
	for (size_t i = 0; i < given->count; i++)
		function.signature.types[i] = (uint8_t)given->types[i];
	r = host_functions_add(functions, &function);
	return r ? error_set(err, r, "no memory for host functions") : 0;
}

int host_functions_make(const struct thaw_host_function *given, size_t count,
			struct error *err, struct host_functions *ret)
{
	int r = 0;

	*ret = (struct host_functions){ .list = NULL };
	if (count > THAW_HOST_FUNCTIONS_MAX)
		return error_set(err, -EINVAL,
				 "%zu host functions; a program may offer %d",
				 count, THAW_HOST_FUNCTIONS_MAX);
	for (size_t i = 0; !r && i < count; i++)
		r = take_given(ret, &given[i], err);
	if (r)
		host_functions_done(ret);
	return r;
}

static int bind_import(const struct host_functions *allowed,
		       const struct declaration *import, struct error *err)
{
	const struct host_function *function =
		host_functions_find(allowed, import->name);
	char wanted[DECLARATION_SIGNATURE_MAX];
	char offered[DECLARATION_SIGNATURE_MAX];

	declaration_signature(import, wanted);
	if (!function)
		return error_set(err, -ENOENT,
				 "the image imports %s, which the catalog's "
				 "host.allow does not list: add \"%s\" to it",
				 wanted, import->name);
	if (declaration_is_like(import, &function->signature))
		return 0;
	return error_set(err, -EINVAL,
			 "the image imports %s, and the host function is %s",
			 wanted,
			 declaration_signature(&function->signature, offered));
}

int host_functions_bind(const struct host_functions *allowed,
			const struct declarations *imports, struct error *err)
{
	for (size_t i = 0; i < imports->count; i++) {
		int r = bind_import(allowed, &imports->list[i], err);

		if (r)
			return r;
	}
	return 0;
}
