/*
 * lambda.h - AWS Lambda's API (2015-03-31, rest-json): from a request's head to
 * the operation. The other lambda_*.h have names, errors, log lines and the
 * answers of the read-only operations. Text in, text out; no I/O; any thread.
 */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_H
#define EXECUTOR_PROTOCOL_LAMBDA_H

#include <stdbool.h>

#include "executor/protocol/http_message.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"

/*
 * Reads what the head of @request asks for. Returns false after *@ret_error: a
 * name, qualifier or header is not valid, an operation is not supported, or a
 * method is wrong. LAMBDA_NONE is not an error.
 */
bool lambda_parse(const struct http_request *request,
		  struct lambda_call *ret_call, struct lambda_error *ret_error);

#endif
