/*
 * redirect.c - rewrites the path of a request, as functions at the edge of a network do:
 *
 *	redirect	{"uri": "/index.html"}	->  {"uri":"/redirected.html"}
 *
 * A path that is not in the list comes back as it was. Other keys are ignored. Request
 * and reply are those of Hyperlight's public benchmark; docs/comparison.md has the
 * command and the figures.
 */
#include <string.h>

#include <thaw.h>

#include "json.h"

#define URI_MAX_BYTES 2047
#define KEY_MAX_BYTES 255

static const struct {
	const char *from, *to;
} redirects[] = {
	{ "/index.html", "/redirected.html" },
};

static void read_uri(const struct thaw_request *request, char *uri, size_t size)
{
	struct json json = json_open(request->data, request->size);
	char key[KEY_MAX_BYTES + 1];
	bool found = false;

	json_object(&json);
	while (json_next_key(&json, key, sizeof(key))) {
		if (strcmp(key, "uri") == 0)
			found = json_string(&json, uri, size);
		else
			json_skip(&json);
	}
	if (!json_close(&json))
		thaw_fail("Redirect.InvalidRequest", "byte %zu: %s",
			  json_offset(&json), json.error);
	if (!found)
		thaw_fail(
			"Redirect.InvalidRequest",
			"there is no \"uri\": send {\"uri\": \"/index.html\"}");
}

static const char *target_of(const char *uri)
{
	for (size_t i = 0; i < sizeof(redirects) / sizeof(*redirects); i++)
		if (strcmp(uri, redirects[i].from) == 0)
			return redirects[i].to;
	return uri;
}

THAW_HANDLER(redirect)
{
	char uri[URI_MAX_BYTES + 1];
	const char *target;

	read_uri(request, uri, sizeof(uri));
	target = target_of(uri);
	if (thaw_reply_type("application/json") < 0 ||
	    thaw_reply("{\"uri\":", 7) < 0 ||
	    json_reply_string(target, strlen(target)) < 0 ||
	    thaw_reply("}", 1) < 0)
		thaw_fail("Redirect.ReplyTooLarge", "raise max_reply");
	return 0;
}
