/*
 * invoke_http.c - invokes by /function/NAME, or by the Lambda API for what only
 * that has. See invoke_http.h.
 */
#include "executor/cli/invoke_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "executor/cli/reply.h"
#include "executor/cli/request_data.h"
#include "executor/client/http_client.h"
#include "executor/client/http_problem.h"
#include "executor/http_headers.h"
#include "executor/limits.h"
#include "guest/abi/thaw_http.h"

#define NAME_MAX_BYTES 256
#define PATH_MAX_BYTES (512 + 2 * THAW_ATTRIBUTES_SIZE_MAX)
/* Headers of the options, with ": " and "\r\n" for their zeros, and our own. */
#define HEADERS_MAX (512 + 2 * THAW_HEADERS_SIZE_MAX)
#define TIMING_MAX 256

/* No function may wait for a vm and run for longer than this. */
#define WAIT_NS (LIMIT_QUEUE_TIMEOUT_MAX + LIMIT_TIMEOUT_MAX + UNITS_M)

/* Room for a log's end, which the Lambda API limits to 4 KiB. */
#define LOG_MAX (16 * 1024)

struct by_http {
	struct http_client client;
	const struct invoke_http_options *options;
	const char *method;
	char path[PATH_MAX_BYTES];
	char headers[HEADERS_MAX];

	/* From the last answer. */
	char content_type[128], id[64 + 1], timing[TIMING_MAX];
	char own[HTTP_REPLY_HEAD_MAX]; /* headers that the function has set */
	struct http_problem problem;
};

static bool is_lambda(const struct by_http *http)
{
	return http->options->async || http->options->tail;
}

/* Escapes text for a path; a name of the catalog needs no escapes. */
static bool invoke_http_escape(const char *text, char *to, size_t size)
{
	size_t used = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("-_.~", c);

		if (used + 4 > size)
			return false;
		used += (size_t)snprintf(to + used, size - used,
					 plain ? "%c" : "%%%02X", c);
	}
	to[used] = '\0';
	return true;
}

static int write_path(struct by_http *http, const char *function,
		      const struct request_http *request)
{
	char name[NAME_MAX_BYTES];

	if (!invoke_http_escape(function, name, sizeof(name))) {
		cli_error("no function has a name that long");
		return CLI_NOT_FOUND;
	}
	if (is_lambda(http))
		snprintf(http->path, sizeof(http->path),
			 "/2015-03-31/functions/%s/invocations", name);
	else
		snprintf(http->path, sizeof(http->path), "/function/%s%s%s%s",
			 name, request->path ? request->path : "",
			 *request->query ? "?" : "", request->query);
	return CLI_GO_ON;
}

static int write_headers(struct by_http *http, const char *type,
			 const struct request_http *request)
{
	const struct invoke_http_options *options = http->options;
	size_t used;

	for (const char *c = type; c && *c; c++)
		if (*c < ' ' || *c > '~' || c - type >= 127) {
			cli_error("a content type has up to 127 printable "
				  "characters");
			return CLI_USAGE;
		}
	used = (size_t)snprintf(http->headers, sizeof(http->headers),
				"%s%s%s%s%s", type ? "Content-Type: " : "",
				type ? type : "", type ? "\r\n" : "",
				options->async ?
					"X-Amz-Invocation-Type: Event\r\n" :
					"",
				options->tail ? "X-Amz-Log-Type: Tail\r\n" :
						"");
	for (size_t i = 0; i < request->header_count; i++)
		used += (size_t)snprintf(http->headers + used,
					 sizeof(http->headers) - used,
					 "%s: %s\r\n", request->headers[i].name,
					 request->headers[i].value);
	return CLI_GO_ON;
}

/* Copies a header's value, or "" if it is missing. */
static const char *invoke_http_take_header(const struct http_reply *reply,
					   const char *name, char *to,
					   size_t size)
{
	const char *value = http_reply_header(reply, name);

	return cli_clean(value ? value : "", to, size);
}

/* Reads "queue;dur=0.010, run;dur=0.061": milliseconds to nanoseconds. */
static uint64_t duration_ns(const char *timing, const char *name)
{
	size_t size = strlen(name);

	while (timing) {
		double ms;

		timing += strspn(timing, ", ");
		if (!strncmp(timing, name, size) &&
		    sscanf(timing + size, ";dur=%lf", &ms) == 1 && ms > 0 &&
		    ms < 1e9)
			return (uint64_t)(ms * NS_PER_MS);
		timing = strchr(timing, ',');
	}
	return 0;
}

/* Returns the exit code of a request that was refused. */
static int refused_code(unsigned status)
{
	switch (status) {
	case 404:
		return CLI_NOT_FOUND;
	case 429:
		return CLI_THROTTLED;
	case 409: /* of the Lambda API: not deployed yet */
	case 503:
		return CLI_CONNECT;
	default:
		return status >= 400 && status < 500 ? CLI_USAGE : CLI_INTERNAL;
	}
}

static enum thaw_result result_of(const char *type)
{
	if (!strcmp(type, "Sandbox.Timedout"))
		return THAW_TIMEOUT;
	if (!strcmp(type, "Runtime.Fault") ||
	    !strcmp(type, "Runtime.OutOfMemory"))
		return THAW_FAULT;
	return THAW_ERROR;
}

/* Whether the server wrote the header, or it is shown elsewhere. */
static bool is_known(const char *name)
{
	static const char *const names[] = { "content-type", "date",
					     "server-timing", "x-call-id",
					     "x-function-status" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return thaw_http_is_framing(name);
}

/* Takes the headers that the function has set. */
static void invoke_http_take_headers(struct by_http *http,
				     struct answer *answer)
{
	const struct buffer *head = &http->client.reply.head;
	const char *name, *value;
	char *to = http->own;

	for (size_t at = 0;
	     http_headers_next(head->data, head->size, &at, &name, &value);)
		if (!is_known(name))
			to = stpcpy(stpcpy(to, name) + 1, value) + 1;
	answer->headers = http->own;
	answer->headers_size = (size_t)(to - http->own);
}

/* Returns the status that the function has set; 0: the server has. */
static unsigned own_status(const struct by_http *http)
{
	const struct http_reply *reply = &http->client.reply;

	return !is_lambda(http) &&
			       http_reply_header(reply, "x-function-status") ?
		       reply->status :
		       0;
}

/* Handles the function's error, or the server's refusal. */
static int take_failure(struct by_http *http, struct answer *answer)
{
	const struct http_reply *reply = &http->client.reply;
	bool ran = is_lambda(http) ? reply->status == 200 :
				     reply->status >= 500;

	http_problem_read(reply, &http->problem);
	if (!ran || !*http->problem.type) {
		cli_error("%s", http->problem.message);
		return refused_code(reply->status);
	}
	answer->result = result_of(http->problem.type);
	answer->data = "";
	answer->size = 0;
	return CLI_OK;
}

static int take_answer(struct by_http *http, struct answer *answer)
{
	const struct http_reply *reply = &http->client.reply;

	*answer = (struct answer){
		.result = THAW_OK,
		.data = reply->body.size ? reply->body.data : "",
		.size = reply->body.size,
		.content_type =
			invoke_http_take_header(reply, "content-type",
						http->content_type,
						sizeof(http->content_type)),
		.id = invoke_http_take_header(reply,
					      is_lambda(http) ?
						      "x-amzn-requestid" :
						      "x-call-id",
					      http->id, sizeof(http->id) - 1),
		.server_timing = invoke_http_take_header(reply, "server-timing",
							 http->timing,
							 sizeof(http->timing)),
		.error_type = http->problem.type,
		.error_message = http->problem.message,
		.queue_ns = duration_ns(http->timing, "queue"),
		.run_ns = duration_ns(http->timing, "run"),
	};
	answer->status = own_status(http);
	if (!answer->status &&
	    (reply->status < 200 || reply->status > 299 ||
	     (is_lambda(http) &&
	      http_reply_header(reply, "x-amz-function-error"))))
		return take_failure(http, answer);
	if (!is_lambda(http))
		invoke_http_take_headers(http, answer);
	if (http->options->async) {
		answer->size = strlen(strcat(http->id, "\n"));
		answer->data = http->id;
	}
	return CLI_OK;
}

/* The path names the function. */
static int invoke_http_once(void *cookie, const char *function,
			    const struct thaw_invoke_request *request,
			    struct answer *ret_answer)
{
	struct by_http *http = cookie;
	const struct http_call call = {
		.method = http->method,
		.path = http->path,
		.headers = http->headers,
		.body = request->data,
		.size = request->size,
		.timeout_ns = request->timeout_ns ? request->timeout_ns :
						    WAIT_NS,
	};
	uint64_t start_ns = clock_now_ns(), took_ns;
	struct error error;
	int code, r = http_client_call(&http->client, &call, &error);

	if (r) {
		cli_error("%s", error.message);
		return r == -ETIMEDOUT			  ? CLI_TIMEOUT :
		       r == -ENOTCONN || r == -ECONNRESET ? CLI_CONNECT :
							    CLI_INTERNAL;
	}
	(void)function;
	took_ns = clock_now_ns() - start_ns;
	code = take_answer(http, ret_answer);
	ret_answer->took_ns = took_ns;
	return code;
}

/* Prints the log's end, line by line. */
static void invoke_http_end(void *cookie, bool last)
{
	struct by_http *http = cookie;
	const char *text =
		http_reply_header(&http->client.reply, "x-amz-log-result");
	char log[LOG_MAX + 1], line[LOG_MAX + 1];
	char *at = log, *next;
	int size;

	if (!last || !http->options->tail || !text)
		return;
	size = base64_decode(text, strlen(text), log, LOG_MAX);
	if (size < 0) {
		cli_error("the server's log is not base64");
		return;
	}
	log[size] = '\0';
	while ((next = strsep(&at, "\n")))
		if (at || *next)
			fprintf(stderr, "%s\n",
				cli_clean(next, line, sizeof(line)));
}

static int perform(struct by_http *http, const char *function,
		   const struct invocation_options *options)
{
	const struct invoker invoker = {
		.invoke = invoke_http_once,
		.end = invoke_http_end,
		.cookie = http,
		.remote = true,
	};
	struct request_data data;
	int code = request_data_read(options->data, &data);

	if (code == CLI_GO_ON)
		code = invocation_perform(&invoker, function, &data, options);
	request_data_done(&data);
	return code;
}

int invoke_http(const char *url, const char *function,
		const struct invocation_options *options,
		const struct invoke_http_options *http_options)
{
	struct by_http http = {
		.options = http_options,
		.method = request_method(&options->http),
	};
	struct http_address address;
	struct error error;
	int code;

	if (http_address_parse(url, &error, &address)) {
		cli_error("%s", error.message);
		return CLI_USAGE;
	}
	code = write_path(&http, function, &options->http);
	if (code == CLI_GO_ON)
		code = write_headers(&http, options->content_type,
				     &options->http);
	if (code != CLI_GO_ON)
		return code;
	http_client_init(&http.client, &address, "--url", LIMIT_REPLY_MAX);
	code = perform(&http, function, options);
	http_client_done(&http.client);
	return code;
}
