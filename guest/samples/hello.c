/*
 * hello.c - the smallest useful function: JSON in, JSON out.
 *
 *	hello		{"name":"Ada"}	->  {"message":"Hello, Ada!"}
 *	hello_time	{"name":"Ada"}	->  the same, with the time and request id
 *
 * Without a name, or with an empty request, it greets the world. Other keys
 * are ignored. An image may have several handlers; the catalog's `entry` says
 * which of them a function is.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <thaw.h>

#include "json.h"

#define NAME_MAX_BYTES 255
#define KEY_MAX_BYTES 255

static void read_name(const struct thaw_request *request, char *name,
		      size_t size)
{
	struct json json = json_open(request->data, request->size);
	char key[KEY_MAX_BYTES + 1];

	strcpy(name, "world");
	if (request->size == 0)
		return;
	json_object(&json);
	while (json_next_key(&json, key, sizeof(key))) {
		if (strcmp(key, "name") == 0)
			json_string(&json, name, size);
		else
			json_skip(&json);
	}
	if (!json_close(&json))
		thaw_fail("Hello.InvalidRequest", "byte %zu: %s",
			  json_offset(&json), json.error);
}

/* Leaves the object open for more keys. */
static int reply_greeting(const char *name)
{
	char message[NAME_MAX_BYTES + sizeof("Hello, !")];
	int size = snprintf(message, sizeof(message), "Hello, %s!", name);

	if (thaw_reply_type("application/json") < 0 ||
	    thaw_reply_printf("{\"message\":") < 0)
		return -1;
	return json_reply_string(message, (size_t)size);
}

THAW_HANDLER(hello)
{
	char name[NAME_MAX_BYTES + 1];

	read_name(request, name, sizeof(name));
	if (reply_greeting(name) < 0 || thaw_reply("}", 1) < 0)
		thaw_fail("Hello.ReplyTooLarge", "raise max_reply");
	return 0;
}

THAW_HANDLER(hello_time)
{
	char name[NAME_MAX_BYTES + 1], date[sizeof("9999-12-31T23:59:59")];
	struct timespec now;
	struct tm utc;

	read_name(request, name, sizeof(name));
	if (clock_gettime(CLOCK_REALTIME, &now) < 0 ||
	    !gmtime_r(&now.tv_sec, &utc) ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		thaw_fail("Hello.NoTime", "the clock cannot be read");
	if (reply_greeting(name) < 0 ||
	    thaw_reply_printf(",\"time\":\"%s.%03ldZ\",\"request_id\":", date,
			      now.tv_nsec / 1000000) < 0 ||
	    json_reply_string(request->id, strlen(request->id)) < 0 ||
	    thaw_reply("}", 1) < 0)
		thaw_fail("Hello.ReplyTooLarge", "raise max_reply");
	return 0;
}
