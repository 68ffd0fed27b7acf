/* lambda_function_json.h - a function, as Lambda's API describes it. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_FUNCTION_JSON_H
#define EXECUTOR_PROTOCOL_LAMBDA_FUNCTION_JSON_H

#include <stdbool.h>

#include "base/json_output.h"
#include "executor/protocol/view.h"

/* One version of a function: an entry of a list. */
struct lambda_item {
	const struct function_view *function;
	const char *version;
	bool is_qualified; /* the version is part of the ARN */
};

/* Clients see this one: the real reason has paths of this machine in it. */
#define LAMBDA_FAILED_REASON \
	"The function could not be deployed: the server's log says why."

/* Puts LastModified: when it was deployed, or, before that, when the server started. */
void lambda_put_modified(struct json_output *object,
			 const struct server_view *view,
			 const struct function_view *function);

/* Makes a FunctionConfiguration. */
struct json_output lambda_configuration_json(const struct server_view *view,
					     const struct lambda_item *item);

#endif
