/*
 * device_line.h - the lines of JSON that a program reads from /dev/thaw and writes to
 * it. Both are hostile: a request is its caller's, and a reply the program's. Any
 * thread.
 */
#ifndef EXECUTOR_LINUX_DEVICE_LINE_H
#define EXECUTOR_LINUX_DEVICE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "guest/abi/thaw_abi.h"

/* What a caller sends. All of it is borrowed. */
struct device_call {
	const char *name; /* of the function, from outside; NULL or "": none */
	const char *body; /* JSON */
	size_t size;
};

/*
 * 0 if device_line_write() can make a line of @call. -EINVAL: the body is not JSON, or
 * is a call of another function than @call->name.
 */
int device_line_check(const struct device_call *call, struct error *err);

/*
 * Appends the line: the body, or {"function":NAME,"args":BODY} if there is a name.
 * device_line_check() must have passed @call.
 */
void device_line_write(const struct device_call *call, struct buffer *out);

/* What a program has replied. */
struct device_reply {
	bool is_error;
	/* of an error; zero-terminated, and cleaned for display */
	char type[THAW_ERROR_TYPE_MAX];
	char message[THAW_ERROR_MESSAGE_MAX];
};

/*
 * Reads the @size bytes of the reply at @text: {"result":VALUE}, or
 * {"error":{"type":TEXT,"message":TEXT}}, whose message may be missing. What is too
 * long for *@ret_reply is cut. 0; -EINVAL: it is neither.
 */
int device_reply_read(const char *text, size_t size, struct error *err,
		      struct device_reply *ret_reply);

#endif
