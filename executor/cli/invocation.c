/*
 * invocation.c - request, deployment, the invocations, and what becomes of
 * their ends. Replies are printed by reply.c, repeats judged by repeat.c.
 */
#include "executor/cli/invocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/repeat.h"
#include "executor/cli/reply.h"
#include "executor/cli/request_data.h"
#include "vm/clock.h"

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

/* Prints what there is of an invocation that has ended. */
static int show(const char *function, const struct thaw_reply *reply,
		const struct invocation_options *options)
{
	int code;

	if (options->verbose)
		reply_print_metadata(reply, stderr);
	code = reply_write(reply, options->output, options->include);
	if (reply->result == THAW_OK)
		return code;
	cli_error("%s: %s: %s", function, reply->error_type,
		  reply->error_message);
	return code ? code : result_code(reply->result);
}

struct thaw_options
invocation_library_options(const struct invocation_options *options)
{
	return (struct thaw_options){
		.log = cli_print_log,
		.dirty = options->dirty,
		.restore = options->restore,
		.verify = options->verify,
	};
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

/* How a function was dispatched whose catalog asks for more than exits. */
static void print_dispatch(const char *function, const struct thaw_stats *stats)
{
	if (!strcmp(stats->dispatch, "exit"))
		return;
	fprintf(stderr,
		"dispatch of %s: %s, %s, gate %s: %llu polled, %llu by exit, "
		"%llu of them for want of a core; %llu times to polled, %llu "
		"times to exit\n",
		function, stats->dispatch, stats->isolation, stats->gate,
		(unsigned long long)stats->polled,
		(unsigned long long)stats->exited,
		(unsigned long long)stats->no_core,
		(unsigned long long)stats->to_polled,
		(unsigned long long)stats->to_exit);
}

static double us(uint64_t ns)
{
	return (double)ns / NS_PER_US;
}

static void print_trace(const struct thaw_reply *reply)
{
	fprintf(stderr,
		"trace: queue %.1f us, run %.1f us, reply %.1f us, restore %.1f "
		"us; exits %u, dirty pages %u, hot pages %u, copied %llu "
		"bytes\n",
		us(reply->queue_ns), us(reply->run_ns), us(reply->reply_ns),
		us(reply->restore_ns), reply->exits, reply->dirty_pages,
		reply->hot_pages, (unsigned long long)reply->copied_bytes);
}

/* One invocation; of those of @repeat, shows the last, and one that fails. */
static int invoke(struct thaw *thaw, const char *function,
		  const struct thaw_request *request,
		  const struct invocation_options *options,
		  struct repeat *repeat)
{
	struct thaw_error error;
	struct thaw_reply reply;
	bool last = true;
	int r = thaw_invoke(thaw, function, request, &error, &reply);

	if (r) {
		cli_error("%s", error.message);
		return cli_invoke_code(r);
	}
	if (repeat && reply.result == THAW_OK) {
		r = repeat_note(repeat, &reply);
		last = repeat->done == repeat->count;
	}
	if (!r && last)
		r = show(function, &reply, options);
	thaw_reply_done(&reply);
	if (options->trace && last)
		print_trace(&reply);
	return r;
}

static int invoke_repeatedly(struct thaw *thaw, const char *function,
			     const struct thaw_request *request,
			     const struct invocation_options *options)
{
	struct repeat repeat;
	int code = repeat_init(&repeat, function, options->repeat);

	while (!code && repeat.done < repeat.count)
		code = invoke(thaw, function, request, options, &repeat);
	if (!code)
		repeat_summarize(&repeat);
	else if (repeat.done < repeat.count)
		cli_error("%s: stopped by invocation %zu of %zu", function,
			  repeat.done + 1, repeat.count);
	repeat_done(&repeat);
	return code;
}

static int deploy(struct thaw *thaw, const char *function, bool verbose)
{
	uint64_t start_ns = clock_now_ns();
	struct thaw_stats stats;
	struct thaw_error error;
	int r = thaw_deploy(thaw, function, &error);

	if (r) {
		cli_error("%s", error.message);
		return cli_deploy_code(r);
	}
	if (!thaw_get_stats(thaw, function, NULL, &stats) && *stats.no_gate)
		cli_error("%s: dispatched by exits, not %s: %s", function,
			  stats.dispatch, stats.no_gate);
	if (verbose)
		cli_error("%s: deployed in %.3f ms", function,
			  (double)(clock_now_ns() - start_ns) / NS_PER_MS);
	return CLI_OK;
}

int invocation_run(struct thaw *thaw, const char *function,
		   const struct invocation_options *options)
{
	struct request_data data;
	struct thaw_stats stats;
	int code = request_data_read(options->data, &data);

	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	if (code == CLI_GO_ON)
		code = deploy(thaw, function, options->verbose);
	if (code == CLI_OK) {
		const struct thaw_request request = {
			.data = data.data,
			.size = data.size,
			.content_type = options->content_type,
			.timeout_ns = options->timeout_ns,
		};

		code = options->repeat ?
			       invoke_repeatedly(thaw, function, &request,
						 options) :
			       invoke(thaw, function, &request, options, NULL);
		if ((options->verbose || options->repeat) &&
		    !thaw_get_stats(thaw, function, NULL, &stats))
			print_dispatch(function, &stats);
	}
	request_data_done(&data);
	return code;
}
