/* cloudevents_json.h - an event as one JSON object. Any thread. */
#ifndef EXECUTOR_PROTOCOL_CLOUDEVENTS_JSON_H
#define EXECUTOR_PROTOCOL_CLOUDEVENTS_JSON_H

#include "base/buffer.h"
#include "executor/protocol/cloudevents.h"
#include "executor/protocol/http_message.h"

/*
 * Appends the event of a whole request as one JSON object (JSON event format). A
 * structured event is checked and appended as it is. A binary event's attributes
 * are the ce- headers, and datacontenttype is the content type. Its body becomes
 * "data" if it is JSON, a string in "data" if it is UTF-8 of a text type, and
 * "data_base64" otherwise. Returns 0, or -EINVAL with a static *@ret_reason; then
 * nothing is appended.
 */
int cloudevents_write(const struct http_request *request,
		      enum cloudevents_mode mode, struct buffer *out,
		      const char **ret_reason);

#endif
