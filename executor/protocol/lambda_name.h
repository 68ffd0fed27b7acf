/* lambda_name.h - the names of functions and of their versions. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_NAME_H
#define EXECUTOR_PROTOCOL_LAMBDA_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/protocol/http_message.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"

/* Every ARN we make is this and a function's name. */
#define LAMBDA_ARN "arn:aws:lambda:us-east-1:000000000000:function:"

/* The versions of a function, which are one. */
#define LAMBDA_LATEST "$LATEST"
#define LAMBDA_VERSION "1"

/* Whether @qualifier names what we have: none, "$LATEST" or "1". */
bool lambda_knows_qualifier(const char *qualifier);

/* Emulators with one function call it so, whatever its name; so do we. */
#define LAMBDA_ONLY_FUNCTION "function"

/* 404: there is no @name, or it has no @qualifier ("" for none). */
void lambda_no_function(const char *name, const char *qualifier,
			struct lambda_error *ret_error);

/* A function as @size bytes of a path name it: into function and qualifier. */
bool lambda_read_name(const char *raw, size_t size, struct lambda_call *call,
		      struct lambda_error *ret_error);

/* The qualifier of the query. */
bool lambda_read_qualifier(const struct http_request *request,
			   struct lambda_call *call,
			   struct lambda_error *ret_error);

#endif
