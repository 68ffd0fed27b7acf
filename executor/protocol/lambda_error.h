/* lambda_error.h - what goes wrong, in the words of Lambda's API. Any thread. */
#ifndef EXECUTOR_PROTOCOL_LAMBDA_ERROR_H
#define EXECUTOR_PROTOCOL_LAMBDA_ERROR_H

#include <stdbool.h>

#include "executor/libthaw.h"

/* An error of the API: x-amzn-ErrorType, the status, and the message. */
struct lambda_error {
	unsigned status;
	const char *type;   /* such as "ResourceNotFoundException"; static */
	const char *reason; /* TooManyRequestsException's Reason, or NULL */
	char message[512];
};

/* Fills in *@ret_error. Returns false, as its callers do then. */
bool lambda_refuse(struct lambda_error *ret_error, unsigned status,
		   const char *type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for 400 InvalidParameterValueException. */
#define lambda_invalid(ret_error, ...)                                  \
	lambda_refuse(ret_error, 400, "InvalidParameterValueException", \
		      __VA_ARGS__)

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

/* "Handled" (the function reported it) or "Unhandled"; of a failed one. */
const char *lambda_function_error(const struct thaw_reply *reply);

#endif
