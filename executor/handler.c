/* handler.c - chooses a handler. See handler.h. */
#include "executor/handler.h"

#include <errno.h>
#include <string.h>

#include "vm/image/declarations.h"
#include "vm/image/handlers.h"

/* The names of the handlers of an image or of a snapshot. */
struct names {
	const void *of;
	size_t count;
	const char *(*get)(const void *of, size_t index);
};

static const char *name_of_image(const void *of, size_t index)
{
	return image_handler_name(of, index);
}

/* The handlers, and then the typed functions, which an entry may name, too. */
struct any {
	const struct image *image;
	const struct declarations *functions;
};

static const char *name_of_any(const void *of, size_t index)
{
	const struct any *any = of;
	const size_t handlers = image_handler_count(any->image);

	return index < handlers ? image_handler_name(any->image, index) :
				  any->functions->list[index - handlers].name;
}

static const char *name_of_snapshot(const void *of, size_t index)
{
	return snapshot_handler_name(of, index);
}

static int find_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->get(names->of, i), name))
			return (int)i;
	return -1;
}

/* While the catalog is being read, an entry that was left out is NULL. */
static bool spec_has_entry(const struct catalog_function *spec)
{
	return spec->entry && *spec->entry;
}

static int no_handler(const struct catalog_function *spec,
		      const struct names *names, struct error *err)
{
	char text[512] = "";
	size_t used = 0;

	if (!names->count)
		return error_set(err, -ENOENT,
				 "%s has neither handlers nor typed functions: "
				 "is it built with the SDK, and not stripped "
				 "of its section headers?",
				 spec->image);
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->get(names->of, i);

		if (used + strlen(name) + 3 > sizeof(text))
			break;
		used = (size_t)(stpcpy(stpcpy(text + used, i ? ", " : ""),
				       name) -
				text);
	}
	return error_set(err, -ENOENT,
			 "%s has no handler \"%s\": set entry to one of: %s",
			 spec->image,
			 spec_has_entry(spec) ? spec->entry : spec->name, text);
}

static int choose_name(const struct catalog_function *spec,
		       const struct names *names, struct error *err)
{
	int index = 0;

	if (spec_has_entry(spec))
		index = find_name(names, spec->entry);
	else if (names->count != 1)
		index = find_name(names, spec->name);
	return index < 0 ? no_handler(spec, names, err) : index;
}

bool handler_is_typed(const struct catalog_function *spec,
		      const struct image *image,
		      const struct declarations *functions,
		      const struct declaration **ret_only)
{
	const struct names names = { image, image_handler_count(image),
				     name_of_image };

	*ret_only = NULL;
	if (!spec_has_entry(spec))
		return declarations_total(functions) > 0;
	if (find_name(&names, spec->entry) >= 0)
		return false;
	*ret_only = declarations_find(functions, spec->entry);
	return *ret_only != NULL;
}

int handler_of_image(const struct catalog_function *spec,
		     const struct image *image,
		     const struct declarations *functions, struct error *err)
{
	const struct any any = { image, functions };
	const struct names names = {
		&any,
		image_handler_count(image) + functions->count,
		name_of_any,
	};

	return choose_name(spec, &names, err);
}

int handler_of_snapshot(const struct catalog_function *spec,
			const struct snapshot *snapshot, struct error *err)
{
	const struct names names = { snapshot, snapshot_handler_count(snapshot),
				     name_of_snapshot };

	return choose_name(spec, &names, err);
}
