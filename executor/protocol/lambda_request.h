/* lambda_request.h - what queries, headers and payloads say. Any thread. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_REQUEST_H
#define EXECUTOR_PROTOCOL_LAMBDA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/protocol/http_message.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"

/*
 * Reads the parameters and headers of call->operation. Returns false after
 * *@ret_error.
 */
bool lambda_read_operation(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

/*
 * Reads a parameter of the query into @value. Returns 1; 0 if there is none; -1 if
 * it does not fit or is not well-formed.
 */
int lambda_get_parameter(const char *query, const char *name, char *value,
			 size_t size);

/*
 * Returns whether a payload of @size bytes is JSON text, as this API requires, or
 * empty. If not, *@ret_error says what is wrong. It also names an option of AWS CLI
 * v2, --cli-binary-format raw-in-base64-out: without it the CLI decodes a payload
 * as base64 before it sends it.
 */
bool lambda_check_payload(const char *body, size_t size,
			  struct lambda_error *ret_error);

#endif
