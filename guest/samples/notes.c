/*
 * notes.c - a function with URLs of its own: a few notes, to be read.
 *
 *	GET /		all of them: [{"id":1,"title":"..."},...]
 *	GET /2		one of them; as text, if "Accept" has text/plain
 *
 * What is not there is answered with 404, another method with 405, and who has
 * the note already, by its ETag, with 304. None of that is a failure of the
 * function, which is what thaw_fail() is for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "json.h"

#define PATH_MAX_SHOWN 200

static struct note {
	const char *title, *text;
	char etag[sizeof("\"0123456789abcdef\"")];
} notes[] = {
	{ "Snapshot", "What init has done is done for all invocations.", "" },
	{ "Ice", "Frozen once, thawed often.", "" },
	{ "Clean", "Whatever one invocation wrote is gone in the next.", "" },
};

#define NOTES (sizeof(notes) / sizeof(*notes))

/* A hash of each text (FNV-1a): it changes when the text does. */
THAW_INIT(make_etags)
{
	for (size_t i = 0; i < NOTES; i++) {
		uint64_t hash = 0xcbf29ce484222325;

		for (const char *c = notes[i].text; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
		snprintf(notes[i].etag, sizeof(notes[i].etag), "\"%016llx\"",
			 (unsigned long long)hash);
	}
	return 0;
}

static int reply_member(const char *name, const char *value)
{
	if (thaw_reply_printf("\"%s\":", name) < 0)
		return -1;
	return json_reply_string(value, strlen(value));
}

static int reply_error(int status, const char *what, const char *which)
{
	char error[PATH_MAX_SHOWN + 64];

	snprintf(error, sizeof(error), "%s: %.*s", what, PATH_MAX_SHOWN, which);
	if (thaw_reply_status(status) < 0 ||
	    thaw_reply_type("application/json") < 0 ||
	    thaw_reply_printf("{") < 0 || reply_member("error", error) < 0)
		return -1;
	return thaw_reply_printf("}\n");
}

static int reply_list(void)
{
	if (thaw_reply_type("application/json") < 0)
		return -1;
	for (size_t i = 0; i < NOTES; i++)
		if (thaw_reply_printf("%s{\"id\":%zu,", i ? "," : "[", i + 1) <
			    0 ||
		    reply_member("title", notes[i].title) < 0 ||
		    thaw_reply_printf("}") < 0)
			return -1;
	return thaw_reply_printf("]\n");
}

/* Whether the request's header @name has @value among what it lists. */
static bool lists(const struct thaw_request *request, const char *name,
		  const char *value)
{
	const char *list = thaw_request_header(request, name);

	return list && strstr(list, value);
}

static int reply_note(const struct thaw_request *request,
		      const struct note *note)
{
	if (thaw_reply_header("ETag", note->etag) < 0 ||
	    thaw_reply_header("Vary", "Accept") < 0)
		return -1;
	if (lists(request, "If-None-Match", note->etag))
		return thaw_reply_status(304);
	if (lists(request, "Accept", "text/plain")) {
		if (thaw_reply_type("text/plain") < 0)
			return -1;
		return thaw_reply_printf("%s\n", note->text);
	}
	if (thaw_reply_type("application/json") < 0 ||
	    thaw_reply_printf("{") < 0 ||
	    reply_member("title", note->title) < 0 ||
	    thaw_reply_printf(",") < 0 || reply_member("text", note->text) < 0)
		return -1;
	return thaw_reply_printf("}\n");
}

/* The note that is at @path, "/1" or so, or NULL. */
static const struct note *find(const char *path)
{
	char *end = NULL;
	unsigned long id = strtoul(path + 1, &end, 10);

	if (path[1] < '1' || path[1] > '9' || *end || id > NOTES)
		return NULL;
	return &notes[id - 1];
}

static int answer(const struct thaw_request *request)
{
	const char *method = thaw_request_method(request);
	const char *path = thaw_request_path(request);
	const struct note *note = find(path);

	/* of what HEAD is answered the server sends the head alone */
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		if (thaw_reply_header("Allow", "GET, HEAD") < 0)
			return -1;
		return reply_error(405, "notes are only read, not by", method);
	}
	if (strcmp(path, "/") == 0)
		return reply_list();
	return note ? reply_note(request, note) :
		      reply_error(404, "no such note", path);
}

THAW_HANDLER(notes)
{
	if (answer(request) < 0)
		thaw_fail("Notes.ReplyTooLarge", "raise max_reply");
	return 0;
}
