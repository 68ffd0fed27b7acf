/*
 * invoke.c - an invocation of one of thaw's functions for each request, by libthaw.
 *
 *	invoke SECONDS CATALOG FUNCTION REQUEST
 *
 * The vm is restored before the next invocation; the time includes that.
 */
#include <stdio.h>
#include <string.h>

#include "bench/peers/samples.h"
#include "executor/libthaw.h"

static struct thaw *thaw;
static const char *function;
static struct thaw_invoke_request request;

static int invoke_open(char **arguments)
{
	struct thaw_error error;

	if (thaw_open(arguments[0], NULL, &error, &thaw)) {
		fprintf(stderr, "%s\n", error.message);
		return -1;
	}
	function = arguments[1];
	request.data = arguments[2];
	request.size = strlen(arguments[2]);
	return 0;
}

static int invoke_once(void)
{
	struct thaw_error error;
	struct thaw_reply reply;
	int r = thaw_invoke(thaw, function, &request, &error, &reply);

	if (r) {
		fprintf(stderr, "%s\n", error.message);
		return -1;
	}
	if (reply.result != THAW_OK) {
		fprintf(stderr, "%s: %s: %s\n", function, reply.error_type,
			reply.error_message);
		r = -1;
	}
	thaw_reply_release(&reply);
	return r;
}

static void invoke_close(void)
{
	thaw_close(thaw);
}

const struct samples_peer samples_peer = {
	.usage = "CATALOG FUNCTION REQUEST",
	.argument_count = 3,
	.open = invoke_open,
	.once = invoke_once,
	.close = invoke_close,
};
