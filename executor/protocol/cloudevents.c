/* cloudevents.c - which mode a request is in. See cloudevents.h. */
#include "executor/protocol/cloudevents.h"

#include <string.h>
#include <strings.h>

#include "base/hot.h"
#include "executor/protocol/http_request.h"

#define TYPE_PREFIX "application/cloudevents"

static bool begins_with(const char *text, const char *prefix)
{
	return !strncasecmp(text, prefix, strlen(prefix));
}

/* A content type that is an event's, or many events'. */
static enum cloudevents_mode typed_mode(const char *type,
					const char **ret_reason)
{
	const char *rest = type + strlen(CLOUDEVENTS_TYPE);

	if (begins_with(type, CLOUDEVENTS_TYPE) &&
	    (!*rest || strchr("; \t", *rest)))
		return CLOUDEVENTS_STRUCTURED;
	*ret_reason = begins_with(type, TYPE_PREFIX "-batch") ?
			      "events are taken one by one, not in batches" :
			      "events are taken as " CLOUDEVENTS_TYPE
			      ", or in the binary mode";
	return CLOUDEVENTS_BATCH;
}

HOT enum cloudevents_mode cloudevents_mode(const struct http_request *request,
					   const char **ret_reason)
{
	/* clang-format off */
	static const struct {
		const char *name, *missing;
	} required[] = {
		{ "ce-id", "the event has no ce-id" },
		{ "ce-source", "the event has no ce-source" },
		{ "ce-type", "the event has no ce-type" },
		{ "ce-specversion", "the event has no ce-specversion" },
	};
	/* clang-format on */
	const size_t needed = sizeof(required) / sizeof(*required);
	const char *type = http_request_header(request, "content-type");
	const char *version = http_request_header(request, "ce-specversion");
	const char *missing = NULL;
	size_t there = 0;

	if (type && begins_with(type, TYPE_PREFIX))
		return typed_mode(type, ret_reason);
	for (size_t i = 0; i < needed; i++) {
		const char *value =
			http_request_header(request, required[i].name);

		there += value != NULL;
		if ((!value || !*value) && !missing)
			missing = required[i].missing;
	}
	if (!there)
		return CLOUDEVENTS_NONE;
	if (!missing && strcmp(version, "1.0") != 0)
		missing = "the event's ce-specversion is not 1.0";
	if (!missing)
		return CLOUDEVENTS_BINARY;
	*ret_reason = missing;
	return CLOUDEVENTS_BAD;
}
