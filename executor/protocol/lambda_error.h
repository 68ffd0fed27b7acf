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

/* Fills in *@ret_error. Always returns false, for the caller to return. */
bool lambda_refuse(struct lambda_error *ret_error, unsigned status,
		   const char *type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Does the same for 400 InvalidParameterValueException. */
#define lambda_invalid(ret_error, ...)                                  \
	lambda_refuse(ret_error, 400, "InvalidParameterValueException", \
		      __VA_ARGS__)

/*
 * Fills in *@ret_error for the -errno @error of deploying or invoking @name, with
 * thaw's own @message unless that is NULL:
 *
 *	-EBUSY, -EAGAIN		throttled
 *	-E2BIG			the payload is too large
 *	-ENOENT			there is no function, or no image
 *	-ENOEXEC		the image is not valid
 *	-ECANCELED, -EPROTO	the function did not boot
 *	-ETIMEDOUT		it did not boot in time
 *	-EINVAL			a header is too long
 *	-EINPROGRESS		it is being booted
 *	-ENOBUFS		there is no memory for the reply
 *	-ESHUTDOWN		the server is draining
 *	any other		the server has failed: 500
 */
void lambda_from_errno(int error, const char *name, const char *message,
		       struct lambda_error *ret_error);

/*
 * Returns, for an invocation that failed, "Handled" if the function reported the
 * error, else "Unhandled".
 */
const char *lambda_function_error(const struct thaw_reply *reply);

#endif
