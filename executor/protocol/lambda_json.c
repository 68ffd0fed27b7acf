/* lambda_json.c - Lambda's API: the bodies of answers. See lambda_json.h. */
#include "executor/protocol/lambda_json.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json_output.h"
#include "executor/limits.h"
#include "executor/protocol/lambda_function_json.h"
#include "executor/protocol/lambda_list_json.h"
#include "executor/protocol/lambda_name.h"
#include "vm/image/image.h"

void lambda_write_error(const struct lambda_error *error, struct buffer *out)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "Type",
		      error->status >= 500 ? "Service" : "User");
	/* some clients read one, some the other */
	json_put_text(&object, "message", error->message);
	json_put_text(&object, "Message", error->message);
	if (error->reason)
		json_put_text(&object, "Reason", error->reason);
	json_output_finish(object, out);
}

void lambda_write_function_error(const struct thaw_reply *reply,
				 struct buffer *out)
{
	struct json_output object = json_output_make();

	json_put_text(&object, "errorMessage", reply->error_message);
	json_put_text(&object, "errorType", reply->error_type);
	json_output_finish(object, out);
}

static struct json_output concurrency_json(const struct catalog_function *spec)
{
	struct json_output object = json_output_make();

	json_put_number(&object, "ReservedConcurrentExecutions",
			spec->concurrency.max);
	return object;
}

/* Makes a GetFunctionResponse, without the path of the image. */
static struct json_output function_json(const struct server_view *view,
					const struct lambda_item *item)
{
	struct json_output object = json_output_make();

	json_put_object(&object, "Configuration",
			lambda_configuration_json(view, item));
	json_put(&object, "Code", json_pack("{s:s}", "RepositoryType", "file"));
	json_put(&object, "Tags",
		 json_make_pairs(item->function->spec->labels));
	json_put_object(&object, "Concurrency",
			concurrency_json(item->function->spec));
	return object;
}

/* Provisioned concurrency is vms that are kept although they are idle. */
static struct json_output provisioned_json(const struct server_view *view,
					   const struct function_view *function)
{
	static const char *const statuses[] = {
		[FUNCTION_PENDING] = "IN_PROGRESS",
		[FUNCTION_ACTIVE] = "READY",
		[FUNCTION_FAILED] = "FAILED",
	};
	unsigned warm = function->spec->concurrency.warm;
	unsigned there = function->state == FUNCTION_ACTIVE ?
				 function->vms_idle + function->vms_busy :
				 0;
	struct json_output object = json_output_make();

	if (there > warm)
		there = warm;
	json_put_number(&object, "RequestedProvisionedConcurrentExecutions",
			warm);
	json_put_number(&object, "AvailableProvisionedConcurrentExecutions",
			there);
	json_put_number(&object, "AllocatedProvisionedConcurrentExecutions",
			there);
	json_put_text(&object, "Status", statuses[function->state]);
	if (function->state == FUNCTION_FAILED)
		json_put_text(&object, "StatusReason", LAMBDA_FAILED_REASON);
	lambda_put_modified(&object, view, function);
	return object;
}

/* The limits of an account are those of a catalog. */
static struct json_output account_json(const struct server_view *view)
{
	uint64_t code_bytes = 0, concurrency = 0;
	struct json_output limit = json_output_make();
	struct json_output usage = json_output_make();
	struct json_output object = json_output_make();

	for (size_t i = 0; i < view->count; i++) {
		const struct function_view *function = &view->functions[i];

		concurrency += function->spec->concurrency.max;
		if (function->state == FUNCTION_ACTIVE)
			code_bytes += function->image_bytes;
	}
	json_put_number(&limit, "TotalCodeSize",
			(uint64_t)CATALOG_FUNCTIONS_MAX * IMAGE_FILE_MAX);
	json_put_number(&limit, "CodeSizeUnzipped", IMAGE_FILE_MAX);
	json_put_number(&limit, "CodeSizeZipped", IMAGE_FILE_MAX);
	json_put_number(&limit, "ConcurrentExecutions", concurrency);
	/* every function has concurrency of its own, and no other */
	json_put_number(&limit, "UnreservedConcurrentExecutions", 0);
	json_put_number(&usage, "TotalCodeSize", code_bytes);
	json_put_number(&usage, "FunctionCount", view->count);
	json_put_object(&object, "AccountLimit", limit);
	json_put_object(&object, "AccountUsage", usage);
	return object;
}

static bool is_called(const struct server_view *view, size_t i,
		      const char *name)
{
	return !strcmp(view->functions[i].spec->name, name) ||
	       (view->count == 1 && !strcmp(name, LAMBDA_ONLY_FUNCTION));
}

static const struct function_view *
lambda_find_function(const struct server_view *view,
		     const struct lambda_call *call,
		     struct lambda_error *ret_error)
{
	if (lambda_knows_qualifier(call->qualifier))
		for (size_t i = 0; i < view->count; i++)
			if (is_called(view, i, call->function))
				return &view->functions[i];
	lambda_no_function(call->function, call->qualifier, ret_error);
	return NULL;
}

/* Makes the answer about @function, which was named with call->qualifier. */
static struct json_output lambda_answer(const struct lambda_call *call,
					const struct server_view *view,
					const struct function_view *function)
{
	const struct lambda_item item = {
		.function = function,
		.version = *call->qualifier ? call->qualifier : LAMBDA_LATEST,
		.is_qualified = *call->qualifier,
	};
	struct json_output object;

	switch (call->operation) {
	case LAMBDA_GET_FUNCTION:
		return function_json(view, &item);
	case LAMBDA_GET_FUNCTION_CONFIGURATION:
		return lambda_configuration_json(view, &item);
	case LAMBDA_LIST_VERSIONS:
		return lambda_versions_json(view, call, function);
	case LAMBDA_LIST_ALIASES:
		object = json_output_make();
		json_put(&object, "Aliases", json_array());
		return object;
	case LAMBDA_GET_CONCURRENCY:
		return concurrency_json(function->spec);
	case LAMBDA_GET_PROVISIONED_CONCURRENCY:
		return provisioned_json(view, function);
	default:
		assert(call->operation == LAMBDA_LIST_TAGS);
		object = json_output_make();
		json_put(&object, "Tags",
			 json_make_pairs(function->spec->labels));
		return object;
	}
}

bool lambda_write(const struct lambda_call *call,
		  const struct server_view *view, struct buffer *out,
		  struct lambda_error *ret_error)
{
	const struct function_view *function;

	if (call->operation == LAMBDA_LIST_FUNCTIONS) {
		json_output_finish(lambda_functions_json(view, call), out);
		return true;
	}
	if (call->operation == LAMBDA_GET_ACCOUNT_SETTINGS) {
		json_output_finish(account_json(view), out);
		return true;
	}
	function = lambda_find_function(view, call, ret_error);
	if (!function)
		return false;
	if (call->operation == LAMBDA_GET_PROVISIONED_CONCURRENCY &&
	    !function->spec->concurrency.warm)
		return lambda_refuse(
			ret_error, 404,
			"ProvisionedConcurrencyConfigNotFoundException",
			"No Provisioned Concurrency Config found for this "
			"function");
	json_output_finish(lambda_answer(call, view, function), out);
	return true;
}
