/*
 * cloudevents.h - CloudEvents 1.0.2 over HTTP, in the binary and the
 * structured mode. Text in, text out; no I/O.
 */
#ifndef EXECUTOR_PROTOCOL_CLOUDEVENTS_H
#define EXECUTOR_PROTOCOL_CLOUDEVENTS_H

#include <stddef.h>

#include "base/buffer.h"
#include "executor/protocol/http_request.h"

enum cloudevents_mode {
	CLOUDEVENTS_NONE, /* not an event: pass the body as it is */
	CLOUDEVENTS_BINARY,
	CLOUDEVENTS_STRUCTURED,
	/* Events we do not take, batches above all: 415, with *@ret_reason. */
	CLOUDEVENTS_BATCH,
	CLOUDEVENTS_BAD, /* answer 400 with *@ret_reason */
};

/* What a function is sent, in either mode, and how it may answer. */
#define CLOUDEVENTS_TYPE "application/cloudevents+json"

/*
 * Which mode the head of @request is in. A binary event needs the headers
 * ce-id, ce-source, ce-type and ce-specversion 1.0.
 */
enum cloudevents_mode cloudevents_mode(const struct http_request *request,
				       const char **ret_reason);

/*
 * Appends the event as one JSON object (JSON event format), of a request in
 * the binary or structured mode that is whole: a structured one is checked and
 * appended as it is; of a binary one the attributes are the ce- headers,
 * datacontenttype the content type, and the body is "data" if it is JSON, text
 * in "data" if it is UTF-8 of a text type, else "data_base64". Returns 0, or
 * -EINVAL with *@ret_reason, static.
 */
int cloudevents_write(const struct http_request *request,
		      enum cloudevents_mode mode, struct buffer *out,
		      const char **ret_reason);

#endif
