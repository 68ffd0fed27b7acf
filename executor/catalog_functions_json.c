/* catalog_functions_json.c - see catalog_functions_json.h. */
#include "executor/catalog_functions_json.h"

#include <jansson.h>

#include "base/json_output.h"
#include "vm/image/declarations.h"

static json_t *parameters_json(const struct declaration *declaration)
{
	char name[sizeof(declaration->parameters)];
	json_t *list = json_array();

	for (unsigned i = 0; i < declaration->count; i++) {
		struct json_output parameter = json_output_make();

		json_put_text(&parameter, "name",
			      declaration_parameter_name(declaration, i, name,
							 sizeof(name)));
		json_put_text(&parameter, "type",
			      type_name(declaration->types[i]));
		json_array_append_new(list, json_output_take(parameter));
	}
	return list;
}

static json_t *function_json(const struct declaration *declaration)
{
	char signature[DECLARATION_SIGNATURE_MAX];
	struct json_output object = json_output_make();

	json_put_text(&object, "name", declaration->name);
	json_put_text(&object, "signature",
		      declaration_signature(declaration, signature));
	json_put_text(&object, "returns", type_name(declaration->returns));
	json_put(&object, "parameters", parameters_json(declaration));
	return json_output_take(object);
}

static json_t *dispatch_json(void)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "name", "*");
	json_put_text(&object, "signature", "*(...)");
	return json_output_take(object);
}

json_t *catalog_functions_json(const struct declarations *functions)
{
	json_t *list = json_array();

	for (size_t i = 0; i < functions->count; i++)
		json_array_append_new(list, function_json(&functions->list[i]));
	if (functions->has_dispatch)
		json_array_append_new(list, dispatch_json());
	return list;
}

json_t *catalog_imports_json(const struct declarations *imports)
{
	json_t *list = json_array();

	for (size_t i = 0; i < imports->count; i++)
		json_array_append_new(list, function_json(&imports->list[i]));
	return list;
}
