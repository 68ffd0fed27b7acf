/*
 * lambda.h - AWS Lambda's API (2015-03-31, rest-json): paths, names, errors,
 * log lines, and the read-only operations. Text in, text out; no I/O.
 */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_H
#define EXECUTOR_PROTOCOL_LAMBDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "executor/libthaw.h"
#include "executor/limits.h"
#include "executor/protocol/http_request.h"
#include "executor/protocol/view.h"

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

/* An error of the API: x-amzn-ErrorType, the status, and the message. */
struct lambda_error {
	unsigned status;
	const char *type;   /* such as "ResourceNotFoundException"; static */
	const char *reason; /* TooManyRequestsException's Reason, or NULL */
	char message[512];
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

/*
 * Reads what @request (its head) asks for. Returns false after filling in
 * *@ret_error: a name, qualifier or header that is no good, an unsupported
 * operation, a wrong method. LAMBDA_NONE is not an error.
 */
bool lambda_parse(const struct http_request *request,
		  struct lambda_call *ret_call, struct lambda_error *ret_error);

/* Whether @qualifier names what we have: none, "$LATEST" or "1". */
bool lambda_knows_qualifier(const char *qualifier);

/* Emulators with one function call it so, whatever its name; so do we. */
#define LAMBDA_ONLY_FUNCTION "function"

/* 404: there is no @name, or it has no @qualifier ("" for none). */
void lambda_no_function(const char *name, const char *qualifier,
			struct lambda_error *ret_error);

/*
 * What an -errno of deploying or invoking @name means in this API, @message
 * being what thaw says (or NULL): -EBUSY and -EAGAIN: throttled, -E2BIG: too
 * large, -ENOENT: no function or image, -ENOEXEC: an image that is no good,
 * -ECANCELED and -EPROTO: it did not boot, -ETIMEDOUT: not in time, -EINVAL: a
 * header too long, -EINPROGRESS: it is being booted, -ESHUTDOWN: draining; all
 * others are our own fault: 500.
 */
void lambda_from_errno(int error, const char *name, const char *message,
		       struct lambda_error *ret_error);

/*
 * Checks that @size bytes are JSON text, as this API requires of payloads; an
 * empty one is fine. False: *@ret_error names what is wrong with it, and AWS
 * CLI v2's option --cli-binary-format raw-in-base64-out: without it the CLI
 * takes a payload for base64 and sends what that decodes to.
 */
bool lambda_check_payload(const char *body, size_t size,
			  struct lambda_error *ret_error);

/* The JSON body of an error: {"Type":"User","message":"...","Message":...}. */
void lambda_write_error(const struct lambda_error *error, struct buffer *out);

/* The JSON body of a failed invocation: {"errorMessage":..,"errorType":..}. */
void lambda_write_function_error(const struct thaw_reply *reply,
				 struct buffer *out);

/* "Handled" (the function reported it) or "Unhandled"; of a failed one. */
const char *lambda_function_error(const struct thaw_reply *reply);

/*
 * Answers a read-only operation with JSON; false after *@ret_error.
 */
bool lambda_write(const struct lambda_call *call,
		  const struct server_view *view, struct buffer *out,
		  struct lambda_error *ret_error);

/* The lines of a log: START; END and REPORT, with restore duration. */
void lambda_write_start(const char *id, struct buffer *out);
void lambda_write_report(const struct thaw_reply *reply, size_t memory_bytes,
			 size_t memory_used_bytes, uint64_t restore_ns,
			 struct buffer *out);

/*
 * The last 4 KiB of a log, base64, as X-Amz-Log-Result has it; appended to
 * @out. A character is not cut in the middle.
 */
#define LAMBDA_TAIL_MAX 4096
void lambda_write_tail(const char *log, size_t size, struct buffer *out);

#endif
