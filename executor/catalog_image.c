/* catalog_image.c - looks into images. See catalog_image.h. */
#include "executor/catalog_image.h"

#include <errno.h>

#include "executor/function_linux.h"
#include "executor/handler.h"
#include "vm/image/handlers.h"
#include "vm/image/image.h"
#include "vm/image/image_declarations.h"
#include "vm/image/open.h"
#include "vm/layout.h"

static int check_image_fits(const struct json_place *place,
			    const struct catalog_function *function,
			    const struct image *image)
{
	const struct json_place memory = json_place_member(place, "memory");
	const struct layout_config config = {
		.memory_size = function->memory,
		.stack_size = function->stack,
		.request_size = function->max_request,
		.reply_size = function->max_reply,
		.result_size = catalog_host_result_size(&function->host),
	};
	struct layout layout;
	struct error err;

	if (!layout_plan(image, &config, &err, &layout))
		return 0;
	return json_reader_refuse(&memory, "%s", err.message);
}

static int check_image_entry(const struct json_place *place,
			     const struct catalog_function *function,
			     const struct image *image)
{
	const struct json_place entry = json_place_member(place, "entry");
	const struct declarations *functions = image_functions(image);
	const struct declaration *only;
	struct error err;

	/* booting it will tell */
	if (functions->is_open ||
	    !(image_handler_count(image) + declarations_total(functions)))
		return 0;
	if (handler_is_typed(function, image, functions, &only) ||
	    handler_of_image(function, image, functions, &err) >= 0)
		return 0;
	return json_reader_refuse(&entry, "%s", err.message);
}

/* The entry that answers the init request, if it is another one. */
static int check_init_entry(const struct json_place *place,
			    const struct catalog_function *function,
			    const struct image *image)
{
	const struct json_place init = json_place_member(place, "init");
	struct catalog_function answerer = *function;

	if (!function->init.entry)
		return 0;
	answerer.entry = function->init.entry;
	return check_image_entry(&init, &answerer, image);
}

static int check_image_imports(const struct json_place *place,
			       const struct catalog_function *function,
			       const struct image *image)
{
	const struct json_place host = json_place_member(place, "host");
	const struct json_place allow = json_place_member(&host, "allow");
	const struct declarations *imports = image_imports(image);
	char signature[DECLARATION_SIGNATURE_MAX];
	int result = 0;

	for (size_t i = 0; i < imports->count; i++) {
		const struct declaration *import = &imports->list[i];
		int r = 0;

		if (!catalog_host_allows(&function->host, import->name))
			r = json_reader_refuse(
				&allow,
				"imports %s, which host.allow does not list: "
				"add \"%s\" to it",
				declaration_signature(import, signature),
				import->name);
		if (json_reader_ends(place, r, &result))
			return r;
	}
	return result;
}

int catalog_check_image(const struct json_place *place,
			const struct catalog_function *function, bool has_entry,
			bool is_whole)
{
	const struct json_place here = json_place_member(place, "image");
	struct image *image;
	struct error err;
	int result = 0, r = image_open(function->image, &err, &image);

	if (r == -ENOMEM)
		return json_reader_no_memory(&here);
	if (r)
		return json_reader_refuse(&here, "%s", err.message);
	if (is_whole)
		r = check_image_fits(place, function, image);
	if (!json_reader_ends(place, r, &result) && has_entry)
		r = check_image_entry(place, function, image);
	if (!json_reader_ends(place, r, &result) && has_entry)
		r = check_init_entry(place, function, image);
	if (!json_reader_ends(place, r, &result) && is_whole)
		r = check_image_imports(place, function, image);
	image_close(image);
	return json_reader_ends(place, r, &result) ? r : result;
}

int catalog_check_program(const struct json_place *place,
			  const struct catalog_function *function)
{
	struct error err;
	int r = function_linux_check(function, &err);

	if (r == -ENOMEM)
		return json_reader_no_memory(place);
	return r ? json_reader_refuse(place, "%s", err.message) : 0;
}
