/* cloudevents_json.h - an event as one JSON object. Any thread. */
#ifndef EXECUTOR_PROTOCOL_CLOUDEVENTS_JSON_H
#define EXECUTOR_PROTOCOL_CLOUDEVENTS_JSON_H

#include "base/buffer.h"
#include "executor/protocol/cloudevents.h"
#include "executor/protocol/http_message.h"

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
