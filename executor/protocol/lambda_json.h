/* lambda_json.h - the JSON bodies of answers, appended to a buffer. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_JSON_H
#define EXECUTOR_PROTOCOL_LAMBDA_JSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "executor/libthaw.h"
#include "executor/protocol/lambda_call.h"
#include "executor/protocol/lambda_error.h"
#include "executor/protocol/view.h"

/* Writes an error: {"Type":"User","message":"...","Message":...}. */
void lambda_write_error(const struct lambda_error *error, struct buffer *out);

/* Writes a failed invocation: {"errorMessage":..,"errorType":..}. */
void lambda_write_function_error(const struct thaw_reply *reply,
				 struct buffer *out);

/* Answers a read-only operation. Returns false after *@ret_error. */
bool lambda_write(const struct lambda_call *call,
		  const struct server_view *view, struct buffer *out,
		  struct lambda_error *ret_error);

#endif
