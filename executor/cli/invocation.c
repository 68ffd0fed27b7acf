/*
 * invocation.c - runs invocations, wherever the function is, and prints the
 * end. reply.c prints replies, repeat.c compares repeated ones; invoke_local.c,
 * invoke_http.c and invoke_socket.c invoke.
 */
#include "executor/cli/invocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/repeat.h"
#include "executor/cli/reply.h"
#include "executor/cli/request_data.h"

/* More CPUs than any machine has. */
#define POLLING_CORES_MAX 65536

static int result_code(enum thaw_result result)
{
	switch (result) {
	case THAW_OK:
		return CLI_OK;
	case THAW_ERROR:
		return CLI_FUNCTION;
	case THAW_FAULT:
		return CLI_FAULT;
	case THAW_TIMEOUT:
		return CLI_TIMEOUT;
	}
	return CLI_INTERNAL;
}

/* Whether a program has ended, as it would without thaw. */
static bool has_ended(const struct answer *reply)
{
	return reply->has_exit_status &&
	       (reply->result == THAW_OK || reply->result == THAW_FAULT ||
		!strcmp(reply->error_type, "Runtime.ExitError"));
}

/*
 * Prints what a program has written, and nothing else, as it has told what it wants. But
 * it cannot tell of a fault, nor can the shell that has started thaw.
 */
static int show_program(const char *function, const struct answer *reply,
			const struct invocation_options *options)
{
	struct answer shown = *reply;
	int code;

	if (reply->result == THAW_FAULT)
		cli_error("%s: %s: %s", function, reply->error_type,
			  reply->error_message);
	shown.result = THAW_OK;
	code = reply_write(&shown, options->output, options->include);
	return code ? code : INVOCATION_ENDED + reply->exit_status;
}

/* Prints an invocation that has ended. */
static int invocation_show(const char *function, const struct answer *reply,
			   const struct invocation_options *options)
{
	int code;

	if (options->verbose)
		reply_print_metadata(reply, stderr);
	if (options->is_program && has_ended(reply))
		return show_program(function, reply, options);
	code = reply_write(reply, options->output, options->include);
	if (reply->result == THAW_OK)
		return code;
	cli_error("%s: %s: %s", function, reply->error_type,
		  reply->error_message);
	return code ? code : result_code(reply->result);
}

/*
 * Invokes once. Of repeated invocations only the last one is shown, or one that
 * fails.
 */
static int invocation_invoke(const struct invoker *invoker,
			     const char *function,
			     const struct thaw_invoke_request *request,
			     const struct invocation_options *options,
			     struct repeat *repeat)
{
	struct answer answer = { .data = "" };
	bool last = true;
	int code = invoker->invoke(invoker->cookie, function, request, &answer);

	if (code)
		return code;
	if (repeat && answer.result == THAW_OK) {
		code = repeat_note(repeat, &answer);
		last = repeat->done == repeat->count;
	}
	if (!code && last)
		code = invocation_show(function, &answer, options);
	if (invoker->end)
		invoker->end(invoker->cookie, last);
	return code;
}

static int invoke_repeatedly(const struct invoker *invoker,
			     const char *function,
			     const struct thaw_invoke_request *request,
			     const struct invocation_options *options)
{
	struct repeat repeat;
	int code = repeat_init(&repeat, function, options->repeat,
			       invoker->remote);

	while (!code && repeat.done < repeat.count)
		code = invocation_invoke(invoker, function, request, options,
					 &repeat);
	if (!code || code == INVOCATION_ENDED)
		repeat_summarize(&repeat);
	else if (repeat.done < repeat.count)
		cli_error("%s: stopped by invocation %zu of %zu", function,
			  repeat.done + 1, repeat.count);
	repeat_done(&repeat);
	return code;
}

int invocation_perform(const struct invoker *invoker, const char *function,
		       const struct request_data *data,
		       const struct invocation_options *options)
{
	struct thaw_attribute attributes[REQUEST_ATTRIBUTES];
	struct thaw_invoke_request request = {
		.data = data->data,
		.size = data->size,
		.content_type = options->content_type,
		.timeout_ns = options->timeout_ns,
	};

	request_add_http(&options->http, attributes, &request);
	return options->repeat ?
		       invoke_repeatedly(invoker, function, &request, options) :
		       invocation_invoke(invoker, function, &request, options,
					 NULL);
}

int invocation_set_cores(const struct cli_option *option, const char *value,
			 void *target)
{
	char *end;
	unsigned long cores = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || cores > POLLING_CORES_MAX) {
		cli_error("--%s: \"%s\" is not a number from 0 to %d",
			  option->name, value, POLLING_CORES_MAX);
		return CLI_USAGE;
	}
	thaw_set_polling_cores((uint32_t)cores);
	return cli_set_text(option, value, target);
}
