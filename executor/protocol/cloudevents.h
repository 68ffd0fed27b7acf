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

#endif
