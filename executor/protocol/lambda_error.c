/* lambda_error.c - what goes wrong, in Lambda's words. See lambda_error.h. */
#include "executor/protocol/lambda_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define THROTTLED "ReservedFunctionConcurrentInvocationLimitExceeded"

struct meaning {
	int error; /* -errno */
	unsigned status;
	const char *type, *reason;
};

/*
 * A client repeats a request that was answered with 429 or 5xx. That is right for
 * these: no code of the function has run, or its reply is lost (-ENOBUFS).
 */
static const struct meaning meanings[] = {
	{ -EBUSY, 429, "TooManyRequestsException", THROTTLED },
	{ -EAGAIN, 429, "TooManyRequestsException", THROTTLED },
	{ -E2BIG, 413, "RequestTooLargeException", NULL },
	{ -EINVAL, 400, "InvalidParameterValueException", NULL },
	{ -ENOENT, 404, "ResourceNotFoundException", NULL },
	{ -ENOSYS, 404, "ResourceNotFoundException", NULL },
	{ -ENOEXEC, 502, "InvalidRuntimeException", NULL },
	{ -EINPROGRESS, 409, "SnapStartNotReadyException", NULL },
	{ -ETIMEDOUT, 408, "SnapStartTimeoutException", NULL },
	{ -ECANCELED, 400, "SnapStartException", NULL },
	{ -EPROTO, 400, "SnapStartException", NULL },
	{ -ENOBUFS, 503, "ServiceException", NULL },
	{ -ESHUTDOWN, 503, "ServiceException", NULL },
};

static const struct meaning others = { 0, 500, "ServiceException", NULL };

bool lambda_refuse(struct lambda_error *ret_error, unsigned status,
		   const char *type, const char *format, ...)
{
	va_list arguments;

	ret_error->status = status;
	ret_error->type = type;
	ret_error->reason = NULL;
	va_start(arguments, format);
	vsnprintf(ret_error->message, sizeof(ret_error->message), format,
		  arguments);
	va_end(arguments);
	return false;
}

void lambda_from_errno(int error, const char *name, const char *message,
		       struct lambda_error *ret_error)
{
	const struct meaning *meaning = &others;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].error == error)
			meaning = &meanings[i];
	if (message && *message)
		lambda_refuse(ret_error, meaning->status, meaning->type, "%s",
			      message);
	else
		lambda_refuse(ret_error, meaning->status, meaning->type,
			      "function %s: %s", name, strerror(-error));
	ret_error->reason = meaning->reason;
}

/* Returns whether thaw gave this type to what a function did not report. */
static bool is_ours(const char *type)
{
	static const char *const prefixes[] = { "Runtime.", "Function.",
						"Sandbox." };

	/* a handler reports this one by returning a number */
	if (!strcmp(type, "Runtime.HandlerError"))
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(type, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

const char *lambda_function_error(const struct thaw_reply *reply)
{
	return reply->result == THAW_ERROR && !is_ours(reply->error_type) ?
		       "Handled" :
		       "Unhandled";
}
