/*
 * cloudevents.h - CloudEvents 1.0.2 over HTTP: whether a request is an event, and
 * in which mode. cloudevents_json.h makes one text of it. No I/O; any thread.
 */
#ifndef EXECUTOR_PROTOCOL_CLOUDEVENTS_H
#define EXECUTOR_PROTOCOL_CLOUDEVENTS_H

#include "executor/protocol/http_message.h"

enum cloudevents_mode {
	CLOUDEVENTS_NONE, /* not an event: pass the body as it is */
	CLOUDEVENTS_BINARY,
	CLOUDEVENTS_STRUCTURED,
	/* Not supported, as batches are: answer 415 with *@ret_reason. */
	CLOUDEVENTS_BATCH,
	CLOUDEVENTS_BAD, /* answer 400 with *@ret_reason */
};

/* The type of what a function gets, in either mode. */
#define CLOUDEVENTS_TYPE "application/cloudevents+json"

/*
 * Returns which mode the head of @request is in. A binary event needs the headers
 * ce-id, ce-source, ce-type, and ce-specversion with 1.0. *@ret_reason is static.
 */
enum cloudevents_mode cloudevents_mode(const struct http_request *request,
				       const char **ret_reason);

#endif
