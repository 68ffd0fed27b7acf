/* invoke_local.c - see invoke_local.h. */
#include "executor/cli/invoke_local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/catalog_function.h"
#include "executor/cli/reply.h"
#include "executor/cli/request_data.h"
#include "executor/cli/source_lines.h"
#include "executor/function.h"
#include "executor/invoke_linux.h"
#include "guest/abi/thaw_abi.h"

/* The functions' log, and the source lines for the backtrace of one that faults. */
struct local_log {
	const struct thaw *thaw;
	bool is_program;	  /* its lines are printed as they are */
	bool has_ended, is_fault; /* the program, before it read its input */
	int exit_status;
	void *output; /* owned: what it had written then */
	size_t output_size;
	bool is_tried; /* the source lines; NULL: there are none */
	struct source_lines *lines;
};
static struct local_log local_log;

/*
 * A function whose catalog says that it is not trusted gets no source lines: see
 * source_lines.h.
 */
static void open_source_lines(struct local_log *log, const char *function)
{
	const struct catalog_function *spec = engine_spec(log->thaw, function);

	log->is_tried = true;
	if (spec && !spec->untrusted)
		source_lines_open(spec->image, NULL, &log->lines);
}

/* Prints a backtrace with a line for each call. */
static void print_backtrace(const struct local_log *log, const char *function,
			    const char *text)
{
	char line[THAW_LOG_MAX + SOURCE_LINE_MAX];

	while (*text) {
		text += source_lines_put(log->lines, text, line, sizeof(line));
		cli_print_log(NULL, function, THAW_LOG_ERROR, line,
			      strlen(line));
		text += strspn(text, " ");
	}
}

static void print_local_log(void *cookie, const char *function,
			    enum thaw_level level, const char *text,
			    size_t size)
{
	struct local_log *log = cookie;

	if (log->is_program) {
		fprintf(stderr, "%s\n", text);
		return;
	}
	if (level != THAW_LOG_ERROR || *text != '#') {
		cli_print_log(NULL, function, level, text, size);
		return;
	}
	if (!log->is_tried)
		open_source_lines(log, function);
	print_backtrace(log, function, text);
}

/* On standard error, which is not buffered. */
static void print_system_call(void *cookie, const char *line, size_t size)
{
	(void)cookie;
	(void)size;
	fprintf(stderr, "%s\n", line);
}

/* Keeps what a program has written that ends before it reads its input. */
static void take_early_end(void *cookie, int status, bool is_fault,
			   const void *output, size_t size)
{
	struct local_log *log = cookie;

	if (!log->is_program)
		return;
	log->has_ended = true;
	log->exit_status = status;
	log->is_fault = is_fault;
	log->output = malloc(size + 1);
	if (!log->output)
		return;
	if (size)
		memcpy(log->output, output, size);
	log->output_size = size;
}

/* Prints what it has written, as other replies are. */
static int show_early_end(const struct invocation_options *options)
{
	const struct answer answer = {
		.result = THAW_OK,
		.data = local_log.output,
		.size = local_log.output_size,
	};
	int code = reply_write(&answer, options->output, false);

	return code ? code : INVOCATION_ENDED + local_log.exit_status;
}

struct engine_options
invoke_local_options(const struct invocation_options *options)
{
	return (struct engine_options){
		.log = print_local_log,
		.log_cookie = &local_log,
		.dirty = options->dirty,
		.restore = options->restore,
		.verify = options->verify,
		.state_dir = options->state.directory,
		.state_max = options->state.max,
		.trace = {
			.line = options->strace ? print_system_call : NULL,
			.ended = take_early_end,
			.cookie = &local_log,
		},
	};
}

/*
 * Prints how a function was dispatched whose catalog asks for more than exits.
 */
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

/* An open library, and the reply in use. */
struct local {
	struct thaw *thaw;
	bool trace;
	struct thaw_reply reply;
};

/* Has the answer tell how a program has ended, and what it has written. */
static void invoke_local_take_end(const struct thaw_reply *reply,
				  struct answer *answer)
{
	answer->has_exit_status =
		invoke_linux_ended(reply, &answer->exit_status, &answer->data,
				   &answer->size);
}

static int invoke_local_once(void *cookie, const char *function,
			     const struct thaw_invoke_request *request,
			     struct answer *ret_answer)
{
	struct local *local = cookie;
	struct thaw_reply *reply = &local->reply;
	struct thaw_error error;
	int r = thaw_invoke(local->thaw, function, request, &error, reply);

	if (r) {
		cli_error("%s", error.message);
		return cli_invoke_code(r);
	}
	*ret_answer = (struct answer){
		.result = reply->result,
		.data = reply->data,
		.size = reply->size,
		.content_type = reply->content_type,
		.status = reply->status,
		.headers = reply->headers,
		.headers_size = reply->headers_size,
		.id = reply->id,
		.error_type = reply->error_type,
		.error_message = reply->error_message,
		.queue_ns = reply->queue_ns,
		.run_ns = reply->run_ns,
		.exits = reply->exits,
		.has_exits = true,
		.took_ns = reply->run_ns,
	};
	invoke_local_take_end(reply, ret_answer);
	return CLI_OK;
}

static void invoke_local_end(void *cookie, bool last)
{
	struct local *local = cookie;

	thaw_reply_release(&local->reply);
	if (local->trace && last)
		print_trace(&local->reply);
}

static int invoke_local_deploy(struct thaw *thaw, const char *function,
			       const struct invocation_options *options)
{
	uint64_t start_ns = clock_now_ns();
	const struct function *deployed;
	struct thaw_stats stats;
	struct thaw_error error;
	int r = thaw_deploy(thaw, function, &error);

	if (r && (!local_log.has_ended || local_log.is_fault))
		cli_error("%s", error.message);
	if (r)
		return local_log.has_ended ? show_early_end(options) :
					     cli_deploy_code(r);
	if (!thaw_get_stats(thaw, function, NULL, &stats) && *stats.no_gate)
		cli_error("%s: dispatched by exits, not %s: %s", function,
			  stats.dispatch, stats.no_gate);
	deployed = engine_find(thaw, function);
	if (*deployed->not_stored.message)
		cli_error("%s: booted, not taken from the store: %s", function,
			  deployed->not_stored.message);
	if (options->verbose)
		cli_error("%s: deployed in %.3f ms%s", function,
			  (double)(clock_now_ns() - start_ns) / NS_PER_MS,
			  deployed->is_stored ? ", from the store" : "");
	return CLI_OK;
}

int invoke_local(struct thaw *thaw, const char *function,
		 const struct invocation_options *options)
{
	struct local local = { .thaw = thaw, .trace = options->trace };
	const struct invoker invoker = {
		.invoke = invoke_local_once,
		.end = invoke_local_end,
		.cookie = &local,
	};
	struct request_data data;
	struct thaw_stats stats;
	int code = request_data_read(options->data, &data);

	local_log = (struct local_log){ .thaw = thaw,
					.is_program = options->is_program };
	if (code == CLI_GO_ON)
		code = cli_require_kvm();
	if (code == CLI_GO_ON)
		code = invoke_local_deploy(thaw, function, options);
	if (code == CLI_OK) {
		code = invocation_perform(&invoker, function, &data, options);
		if ((options->verbose || options->repeat) &&
		    !thaw_get_stats(thaw, function, NULL, &stats))
			print_dispatch(function, &stats);
	}
	request_data_done(&data);
	source_lines_close(local_log.lines);
	free(local_log.output);
	local_log = (struct local_log){ .thaw = NULL };
	return code;
}
