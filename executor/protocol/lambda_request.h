/* lambda_request.h - what queries, headers and payloads say. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_REQUEST_H
#define EXECUTOR_PROTOCOL_LAMBDA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/protocol/http_message.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"

/* What else the call's operation has in the query or in headers. */
bool lambda_read_operation(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

/* A parameter of the query: 1, 0 if there is none, -1 if it is no good. */
int lambda_get_parameter(const char *query, const char *name, char *value,
			 size_t size);

/*
 * Checks that @size bytes are JSON text, as this API requires of payloads; an
 * empty one is fine. False: *@ret_error names what is wrong with it, and AWS
 * CLI v2's option --cli-binary-format raw-in-base64-out: without it the CLI
 * takes a payload for base64 and sends what that decodes to.
 */
bool lambda_check_payload(const char *body, size_t size,
			  struct lambda_error *ret_error);

#endif
