/* calls.c - a function that calls what is built in, for tests of the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <thaw.h>

THAW_IMPORT(const char *, config, const char *)
THAW_IMPORT(struct thaw_bytes, invoke, const char *, struct thaw_bytes)
THAW_IMPORT(int, print, const char *)
THAW_IMPORT(unsigned long, time)

static char text[4096];

THAW_FUNCTION(const char *, setting, (const char *, name))
{
	const char *json;

	return host_config(name, &json) ? thaw_host_message() : json;
}

/* Passes @request on to @function after @ms of sleep; "3: why" if that fails. */
THAW_FUNCTION(const char *, pass, (const char *, function),
	      (const char *, request), (unsigned, ms))
{
	const struct thaw_bytes bytes = { request, strlen(request) };
	struct thaw_bytes reply;
	int status;

	usleep(ms * 1000);
	status = host_invoke(function, bytes, &reply);
	if (status)
		snprintf(text, sizeof(text), "%d: %s", status,
			 thaw_host_message());
	else
		snprintf(text, sizeof(text), "%.*s", (int)reply.size,
			 (const char *)reply.data);
	return text;
}

/* Invokes @function @count times; returns how often that succeeded. */
THAW_FUNCTION(unsigned, often, (const char *, function), (unsigned, count))
{
	unsigned good = 0;
	struct thaw_bytes reply;

	for (unsigned i = 0; i < count; i++)
		good += !host_invoke(function, (struct thaw_bytes){ "ping", 4 },
				     &reply) &&
			reply.size == 4 && !memcmp(reply.data, "ping", 4);
	return good;
}

THAW_FUNCTION(void, rest, (unsigned, ms))
{
	usleep(ms * 1000);
}

/* Prints, and does not end for a while. */
THAW_FUNCTION(unsigned long, print_and_time, (const char *, line))
{
	unsigned long now;
	int size;

	if (host_print(line, &size) || host_print("\n", &size) ||
	    host_time(&now))
		thaw_fail("Calls.Failed", "%s", thaw_host_message());
	return now;
}
