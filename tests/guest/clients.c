/* clients.c - what clients of a server see: attributes, logs, and failures. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <thaw.h>

static long number(const struct thaw_request *request)
{
	char text[32] = "";

	if (request->size >= sizeof(text))
		thaw_fail("Test.Number", "not a number");
	memcpy(text, request->data, request->size);
	return strtol(text, NULL, 10);
}

/* Replies, line by line, what has come along with the request. */
THAW_HANDLER(show)
{
	static const char *const names[] = {
		"path",	      "query",		 "traceparent",
		"tracestate", "x-amzn-trace-id", "client-context",
	};

	thaw_reply_type("text/x-shown; charset=utf-8");
	thaw_reply_printf("id=%s\ntype=%s\nsize=%zu\nfunction=%s\n",
			  request->id, request->content_type, request->size,
			  request->function);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = thaw_attribute(names[i]);

		if (value)
			thaw_reply_printf("%s=%s\n", names[i], value);
	}
	return 0;
}

/* The number behind @name in the query, or 0. */
static int asked(const char *query, const char *name)
{
	const char *at = strstr(query, name);

	return at ? atoi(at + strlen(name)) : 0;
}

/* Sets the status "status=404" of the query, and "x-set-NAME: VALUE" headers. */
static int set_head(const struct thaw_request *request, const char *query)
{
	const int status = asked(query, "status=");
	struct thaw_header header = { NULL, NULL };
	int refused = status && thaw_reply_status(status);

	while (thaw_request_next_header(request, &header))
		if (!strncmp(header.name, "x-set-", 6))
			refused += thaw_reply_header(header.name + 6,
						     header.value) != 0;
	return refused;
}

/* Is busy for so many milliseconds. */
static void spin(int ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms * 1000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < end.tv_sec ||
	       (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

/*
 * Answers in HTTP as it is asked to, after "spin=3" milliseconds. The body, unless
 * "empty" is in the query, is the request, line by line, and how much of the head
 * could not be set.
 */
THAW_HANDLER(web)
{
	const char *query = thaw_request_query(request);
	const int refused = set_head(request, query);
	struct thaw_header header = { NULL, NULL };

	spin(asked(query, "spin="));
	if (strstr(query, "empty"))
		return 0;
	thaw_reply_printf("%s %s?%s\n", thaw_request_method(request),
			  thaw_request_path(request), query);
	while (thaw_request_next_header(request, &header))
		thaw_reply_printf("%s: %s\n", header.name, header.value);
	thaw_reply_printf("refused: %d\n\n", refused);
	return thaw_reply(request->data, request->size);
}

/* Logs its request's lines, then one more. */
THAW_HANDLER(say)
{
	thaw_log(THAW_LOG_INFO, "%.*s", (int)request->size,
		 (const char *)request->data);
	thaw_log(THAW_LOG_INFO, "that was all");
	thaw_reply_type("application/json");
	thaw_reply_printf("{\"said\":%zu}", request->size);
	return 0;
}

/* Logs more than the tail of a log has room for. */
THAW_HANDLER(chatter)
{
	(void)request;
	for (int i = 0; i < 200; i++)
		thaw_log(THAW_LOG_INFO, "line %d of many, all alike \u00e4", i);
	return 0;
}

THAW_HANDLER(fail)
{
	(void)request;
	thaw_fail("Test.Failed", "as it was \"told\" to");
}

THAW_HANDLER(number_only)
{
	(void)request;
	return 3;
}

THAW_HANDLER(crash)
{
	(void)request;
	__builtin_trap();
}

THAW_HANDLER(hang)
{
	(void)request;
	for (;;)
		__asm__ volatile("");
	return 0;
}

/* Sleeps for as many milliseconds as the request says. */
THAW_HANDLER(nap)
{
	const long ms = number(request);
	const struct timespec duration = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	nanosleep(&duration, NULL);
	thaw_reply_type("application/json");
	thaw_reply_printf("{\"slept\":%ld}", ms);
	return 0;
}
