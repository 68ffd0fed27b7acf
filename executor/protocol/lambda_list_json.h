/* lambda_list_json.h - lists of functions and versions, page by page. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_LIST_JSON_H
#define EXECUTOR_PROTOCOL_LAMBDA_LIST_JSON_H

#include "base/json_output.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/view.h"

/* Make the answers of ListFunctions, and of ListVersionsByFunction for @function. */
struct json_output lambda_functions_json(const struct server_view *view,
					 const struct lambda_call *call);
struct json_output lambda_versions_json(const struct server_view *view,
					const struct lambda_call *call,
					const struct function_view *function);

#endif
