/* lambda_call.h - what one request asks of Lambda's API. lambda.h fills it in. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_CALL_H
#define EXECUTOR_PROTOCOL_LAMBDA_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/limits.h"

enum lambda_operation {
	LAMBDA_NONE, /* not a path of this API */
	LAMBDA_INVOKE,
	LAMBDA_LIST_FUNCTIONS,
	LAMBDA_GET_FUNCTION,
	LAMBDA_GET_FUNCTION_CONFIGURATION,
	LAMBDA_LIST_VERSIONS,
	LAMBDA_LIST_ALIASES,
	LAMBDA_GET_CONCURRENCY,
	LAMBDA_GET_PROVISIONED_CONCURRENCY,
	LAMBDA_GET_ACCOUNT_SETTINGS,
	LAMBDA_LIST_TAGS,
	LAMBDA_UNSUPPORTED, /* an operation we never have: 501 */
};

/* Bytes of a function's name. */
#define LAMBDA_NAME_MAX LIMIT_NAME_MAX
#define LAMBDA_QUALIFIER_MAX 128

/* Items of a page, however many are asked for. */
#define LAMBDA_ITEMS_MAX 50

/* X-Amz-Invocation-Type. */
enum lambda_invocation {
	LAMBDA_REQUEST_RESPONSE,
	LAMBDA_EVENT,
	LAMBDA_DRY_RUN,
};

struct lambda_call {
	enum lambda_operation operation;
	char function[LAMBDA_NAME_MAX + 1]; /* "" if the operation has none */
	char qualifier[LAMBDA_QUALIFIER_MAX + 1]; /* of name, ARN or query */

	/* LAMBDA_INVOKE's headers. */
	enum lambda_invocation invocation;
	bool wants_log;		   /* LogType Tail */
	char client_context[3584]; /* decoded JSON; "" for none */
	size_t client_context_size;

	/* Lists. */
	char marker[80]; /* "NAME:VERSION" to go on behind; "" for none */
	unsigned max_items;
	bool all_versions;
};

#endif
