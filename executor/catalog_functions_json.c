/* catalog_functions_json.c - see catalog_functions_json.h. */
#include "executor/catalog_functions_json.h"

#include <jansson.h>

#include "base/json_output.h"
#include "vm/image/functions.h"

static json_t *parameters_json(const struct image_function *function)
{
	char name[sizeof(function->parameters)];
	json_t *list = json_array();

	for (unsigned i = 0; i < function->count; i++) {
		struct json_output parameter = json_output_make();

		json_put_text(&parameter, "name",
			      image_parameter_name(function, i, name,
						   sizeof(name)));
		json_put_text(&parameter, "type",
			      image_type_name(function->types[i]));
		json_array_append_new(list, json_output_take(parameter));
	}
	return list;
}

static json_t *function_json(const struct image_function *function)
{
	char signature[IMAGE_SIGNATURE_MAX];
	struct json_output object = json_output_make();

	json_put_text(&object, "name", function->name);
	json_put_text(&object, "signature",
		      image_signature(function, signature));
	json_put_text(&object, "returns", image_type_name(function->returns));
	json_put(&object, "parameters", parameters_json(function));
	return json_output_take(object);
}

static json_t *dispatch_json(void)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "name", "*");
	json_put_text(&object, "signature", "*(...)");
	return json_output_take(object);
}

json_t *catalog_functions_json(const struct image *image)
{
	json_t *list = json_array();

	for (size_t i = 0; i < image_function_count(image); i++)
		json_array_append_new(list,
				      function_json(image_function(image, i)));
	if (image_has_dispatch(image))
		json_array_append_new(list, dispatch_json());
	return list;
}
