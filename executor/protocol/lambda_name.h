/* lambda_name.h - names of functions and of their versions. Any thread. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_NAME_H
#define EXECUTOR_PROTOCOL_LAMBDA_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/protocol/http_message.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"

/* An ARN that thaw makes is this and a function's name. */
#define LAMBDA_ARN "arn:aws:lambda:us-east-1:000000000000:function:"

/* The two names of the one version that a function has. */
#define LAMBDA_LATEST "$LATEST"
#define LAMBDA_VERSION "1"

/* Returns whether @qualifier is "", "$LATEST" or "1", which all functions have. */
bool lambda_knows_qualifier(const char *qualifier);

/* As in emulators, a catalog's only function is also reached by this name. */
#define LAMBDA_ONLY_FUNCTION "function"

/* Sets 404: there is no @name, or it has no @qualifier ("" for none). */
void lambda_no_function(const char *name, const char *qualifier,
			struct lambda_error *ret_error);

/*
 * Reads the @size bytes of a path that name a function into call->function and
 * call->qualifier. Returns false after *@ret_error.
 */
bool lambda_read_name(const char *raw, size_t size, struct lambda_call *call,
		      struct lambda_error *ret_error);

/* Reads the query's qualifier. Returns false after *@ret_error. */
bool lambda_read_qualifier(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

#endif
