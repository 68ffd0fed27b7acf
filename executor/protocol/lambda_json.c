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

/* Writes and releases @value; NULL: there was no memory for it. */
static void write_json(json_t *value, struct buffer *out)
{
	json_output_finish((struct json_output){ .json = value }, out);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	set(object, key, json_integer((json_int_t)number));
}

void lambda_write_error(const struct lambda_error *error, struct buffer *out)
{
	json_t *object = json_object();

	set(object, "Type",
	    json_string(error->status >= 500 ? "Service" : "User"));
	/* clients read the one or the other */
	set(object, "message", json_make_text(error->message));
	set(object, "Message", json_make_text(error->message));
	if (error->reason)
		set(object, "Reason", json_string(error->reason));
	write_json(object, out);
}

void lambda_write_function_error(const struct thaw_reply *reply,
				 struct buffer *out)
{
	json_t *object = json_object();

	set(object, "errorMessage", json_make_text(reply->error_message));
	set(object, "errorType", json_make_text(reply->error_type));
	write_json(object, out);
}

static json_t *concurrency_json(const struct catalog_function *spec)
{
	json_t *object = json_object();

	set_number(object, "ReservedConcurrentExecutions",
		   spec->concurrency.max);
	return object;
}

/* A GetFunctionResponse; where the image lies is not for clients to know. */
static json_t *function_json(const struct server_view *view,
			     const struct lambda_item *item)
{
	json_t *object = json_object();

	set(object, "Configuration", lambda_configuration_json(view, item));
	set(object, "Code", json_pack("{s:s}", "RepositoryType", "file"));
	set(object, "Tags", json_make_pairs(item->function->spec->labels));
	set(object, "Concurrency", concurrency_json(item->function->spec));
	return object;
}

/* Vms kept although idle, which are what provisioned concurrency is. */
static json_t *provisioned_json(const struct server_view *view,
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
	json_t *object = json_object();

	if (there > warm)
		there = warm;
	set_number(object, "RequestedProvisionedConcurrentExecutions", warm);
	set_number(object, "AvailableProvisionedConcurrentExecutions", there);
	set_number(object, "AllocatedProvisionedConcurrentExecutions", there);
	set(object, "Status", json_string(statuses[function->state]));
	if (function->state == FUNCTION_FAILED)
		set(object, "StatusReason", json_string(LAMBDA_FAILED_REASON));
	set(object, "LastModified", lambda_modified_json(view, function));
	return object;
}

/* What the account may have is what a catalog may have. */
static json_t *account_json(const struct server_view *view)
{
	uint64_t code_bytes = 0, concurrency = 0;
	json_t *limit = json_object(), *usage = json_object();

	for (size_t i = 0; i < view->count; i++) {
		const struct function_view *function = &view->functions[i];

		concurrency += function->spec->concurrency.max;
		if (function->state == FUNCTION_ACTIVE)
			code_bytes += function->image_bytes;
	}
	set_number(limit, "TotalCodeSize",
		   (uint64_t)CATALOG_FUNCTIONS_MAX * IMAGE_FILE_MAX);
	set_number(limit, "CodeSizeUnzipped", IMAGE_FILE_MAX);
	set_number(limit, "CodeSizeZipped", IMAGE_FILE_MAX);
	set_number(limit, "ConcurrentExecutions", concurrency);
	/* every function has its own, and no more */
	set_number(limit, "UnreservedConcurrentExecutions", 0);
	set_number(usage, "TotalCodeSize", code_bytes);
	set_number(usage, "FunctionCount", view->count);
	return json_pack("{s:o, s:o}", "AccountLimit", limit, "AccountUsage",
			 usage);
}

static bool is_called(const struct server_view *view, size_t i,
		      const char *name)
{
	return !strcmp(view->functions[i].spec->name, name) ||
	       (view->count == 1 && !strcmp(name, LAMBDA_ONLY_FUNCTION));
}

static const struct function_view *find(const struct server_view *view,
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

/* What is asked of @function, which is asked for with call->qualifier. */
static json_t *answer(const struct lambda_call *call,
		      const struct server_view *view,
		      const struct function_view *function)
{
	const struct lambda_item item = {
		.function = function,
		.version = *call->qualifier ? call->qualifier : LAMBDA_LATEST,
		.is_qualified = *call->qualifier,
	};

	switch (call->operation) {
	case LAMBDA_GET_FUNCTION:
		return function_json(view, &item);
	case LAMBDA_GET_FUNCTION_CONFIGURATION:
		return lambda_configuration_json(view, &item);
	case LAMBDA_LIST_VERSIONS:
		return lambda_versions_json(view, call, function);
	case LAMBDA_LIST_ALIASES:
		return json_pack("{s:[]}", "Aliases");
	case LAMBDA_GET_CONCURRENCY:
		return concurrency_json(function->spec);
	case LAMBDA_GET_PROVISIONED_CONCURRENCY:
		return provisioned_json(view, function);
	default:
		assert(call->operation == LAMBDA_LIST_TAGS);
		return json_pack("{s:o}", "Tags",
				 json_make_pairs(function->spec->labels));
	}
}

bool lambda_write(const struct lambda_call *call,
		  const struct server_view *view, struct buffer *out,
		  struct lambda_error *ret_error)
{
	const struct function_view *function;

	if (call->operation == LAMBDA_LIST_FUNCTIONS) {
		write_json(lambda_functions_json(view, call), out);
		return true;
	}
	if (call->operation == LAMBDA_GET_ACCOUNT_SETTINGS) {
		write_json(account_json(view), out);
		return true;
	}
	function = find(view, call, ret_error);
	if (!function)
		return false;
	if (call->operation == LAMBDA_GET_PROVISIONED_CONCURRENCY &&
	    !function->spec->concurrency.warm)
		return lambda_refuse(
			ret_error, 404,
			"ProvisionedConcurrencyConfigNotFoundException",
			"No Provisioned Concurrency Config found for this "
			"function");
	write_json(answer(call, view, function), out);
	return true;
}
