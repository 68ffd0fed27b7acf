/* http_problem.c - error messages in replies. See http_problem.h. */
#include "executor/client/http_problem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The keys of a message, the one that says most first. */
static const char *const message_keys[] = {
	"detail", "errorMessage", "message", "Message", "title",
};

static const char *find_message(const json_t *body)
{
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(message_keys) / sizeof(*message_keys);
	     i++) {
		text = json_string_value(
			json_object_get(body, message_keys[i]));
		if (text && *text)
			return text;
	}
	return NULL;
}

/* Copies text that is to be printed, cut to @size - 1 bytes. */
static void copy_clean(const char *text, char *to, size_t size)
{
	size_t length = strnlen(text, size - 1);

	memcpy(to, text, length);
	to[length] = '\0';
	text_clean(to, length);
}

void http_problem_read(const struct http_reply *reply,
		       struct http_problem *ret_problem)
{
	json_auto_t *body = reply->body.size ?
				    json_loadb(reply->body.data,
					       reply->body.size, 0, NULL) :
				    NULL;
	const char *type =
		json_string_value(json_object_get(body, "errorType"));
	const char *message = find_message(body);

	copy_clean(type ? type : "", ret_problem->type,
		   sizeof(ret_problem->type));
	if (message)
		copy_clean(message, ret_problem->message,
			   sizeof(ret_problem->message));
	else
		snprintf(ret_problem->message, sizeof(ret_problem->message),
			 "HTTP status %u, without a message", reply->status);
}
