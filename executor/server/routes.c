/*
 * routes.c - what requests on the public listeners mean: plain invocations,
 * /function/NAME[/path] by any method, and health. AWS's API is in lambda_routes.c.
 */
#include "executor/server/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/protocol/cloudevents_json.h"
#include "executor/protocol/http_query.h"
#include "executor/protocol/http_response.h"
#include "executor/server/admin/server_json.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

#define FUNCTION_PREFIX "/function/"
#define ALLOWED "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

struct exchange *exchange_of(struct invocation *invocation)
{
	return container_of(invocation, struct exchange, invocation);
}

void route_find(struct exchange *exchange)
{
	struct deployment *deployment =
		generation_find(exchange->worker->generation, exchange->name);

	exchange->deployment = deployment ? deployment_hold(deployment) : NULL;
}

void route_attribute(struct exchange *exchange, const char *name,
		     const char *value)
{
	struct thaw_invoke_request *request = &exchange->invocation.request;

	if (!value || !*value ||
	    request->attribute_count == EXCHANGE_ATTRIBUTES_MAX)
		return;
	exchange->attributes[request->attribute_count++] =
		(struct thaw_attribute){ name, value };
}

void route_common_attributes(struct exchange *exchange)
{
	static const char *const names[] = { "traceparent", "tracestate",
					     "x-amzn-trace-id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		route_attribute(exchange, names[i],
				http_request_header(&exchange->request,
						    names[i]));
}

void write_ms(struct buffer *out, uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;
	const char digits[4] = { '.', (char)('0' + us / 100 % 10),
				 (char)('0' + us / 10 % 10),
				 (char)('0' + us % 10) };

	buffer_number(out, us / 1000);
	buffer_append(out, digits, sizeof(digits));
}

void respond_timing(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;
	struct buffer *out = &exchange->out;

	buffer_text(out, "Server-Timing: queue;dur=");
	write_ms(out, reply->queue_ns);
	buffer_text(out, ", run;dur=");
	write_ms(out, reply->run_ns);
	buffer_text(out, ", restore;dur=");
	write_ms(out, atomic_load_explicit(&exchange->deployment->restore_ns,
					   memory_order_relaxed));
	buffer_text(out, "\r\n");
}

static void on_ended(struct invocation *invocation)
{
	exchange_release(exchange_of(invocation));
}

void route_invoke(struct exchange *exchange,
		  void (*replied)(struct invocation *invocation))
{
	struct invocation *invocation = &exchange->invocation;

	exchange_make_id(exchange);
	exchange_hold(exchange);
	invocation->worker = exchange->worker;
	invocation->deployment = exchange->deployment;
	invocation->replied = replied;
	invocation->ended = on_ended;
	invocation->request.id = exchange->id;
	invocation_start(invocation);
}

/* Splits /function/NAME/more; the name decoded, more as it was sent. */
static const char *split_path(struct exchange *exchange)
{
	const char *name = exchange->request.path + strlen(FUNCTION_PREFIX);
	size_t size = strcspn(name, "/");

	if (http_decode(name, size, exchange->name, sizeof(exchange->name)) < 1)
		exchange->name[0] = '\0';
	return name + size;
}

static bool is_function(const struct exchange *exchange)
{
	return !strncmp(exchange->request.path, FUNCTION_PREFIX,
			strlen(FUNCTION_PREFIX));
}

static void refuse(struct exchange *exchange, unsigned status,
		   const char *reason)
{
	if (exchange->status)
		return;
	exchange->status = status;
	exchange->reason = reason;
}

static void function_head(struct exchange *exchange)
{
	struct http_request *request = &exchange->request;
	const char *reason = NULL;

	split_path(exchange);
	route_find(exchange);
	if (!exchange->deployment) {
		refuse(exchange, 404, "no such function");
		return;
	}
	request->max_body = exchange->deployment->spec->max_request;
	/* it would have to send back what was sent, credentials too */
	if (!strcmp(request->method_name, "TRACE"))
		refuse(exchange, 405, "functions are not invoked by TRACE");
	exchange->event = cloudevents_mode(request, &reason);
	if (exchange->event == CLOUDEVENTS_BATCH)
		refuse(exchange, 415, reason);
	else if (exchange->event == CLOUDEVENTS_BAD)
		refuse(exchange, 400, reason);
}

void route_head(struct exchange *exchange)
{
	exchange->request.max_body = SERVER_BODY_MAX;
	exchange->name[0] = '\0';
	if (is_function(exchange))
		function_head(exchange);
	else
		lambda_route_head(exchange);
}

/* Which status a refusal by thaw has; -errno of invocation.h. */
static unsigned status_of(int result)
{
	switch (result) {
	case -EBUSY:
	case -EAGAIN:
		return 429;
	case -EINPROGRESS:
	case -ENOBUFS:
		return 503;
	case -E2BIG:
		return 413;
	case -EINVAL:
		return 400;
	default:
		return 500;
	}
}

/* For the statuses that say "not now". */
static void respond_retry(struct exchange *exchange, unsigned status)
{
	if (status == 429 || status == 503)
		http_response_header(&exchange->out, "Retry-After", "1");
}

static void refused(struct exchange *exchange)
{
	const struct invocation *invocation = &exchange->invocation;
	unsigned status = status_of(invocation->result);

	write_problem(exchange, status, NULL, invocation->error.message);
	respond_begin(exchange, status, PROBLEM_TYPE);
	respond_retry(exchange, status);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}

static void failed(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;
	unsigned status = reply->result == THAW_TIMEOUT ? 504 : 500;

	write_problem(exchange, status, reply->error_type,
		      reply->error_message);
	respond_begin(exchange, status, PROBLEM_TYPE);
	respond_timing(exchange);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}

static void on_replied(struct invocation *invocation)
{
	struct exchange *exchange = exchange_of(invocation);
	const struct thaw_reply *reply = &invocation->reply;

	if (!exchange->connection)
		return;
	if (invocation->result ||
	    (reply->result == THAW_OK && !respond_has_room(exchange))) {
		refused(exchange);
	} else if (reply->result != THAW_OK) {
		failed(exchange);
	} else {
		answer_respond(exchange);
	}
	exchange_send(exchange);
}

static void invoke(struct exchange *exchange)
{
	const char *more = split_path(exchange);

	exchange->invocation.request.attributes = exchange->attributes;
	answer_take_headers(exchange);
	route_attribute(exchange, "method", exchange->request.method_name);
	route_attribute(exchange, "path", more);
	route_attribute(exchange, "query", exchange->request.query);
	route_common_attributes(exchange);
	route_invoke(exchange, on_replied);
}

static void write_event(struct exchange *exchange)
{
	exchange->reason = NULL;
	buffer_clear(&exchange->text);
	(void)!cloudevents_write(&exchange->request, exchange->event,
				 &exchange->text, &exchange->reason);
}

static void invoke_with_event(struct exchange *exchange)
{
	if (exchange->reason) {
		respond_problem(exchange, 400, exchange->reason);
		exchange_send(exchange);
		return;
	}
	if (exchange->text.failed) {
		respond_problem(exchange, 413,
				"the event in its JSON format is larger than "
				"what there is memory for");
		exchange_send(exchange);
		return;
	}
	exchange->invocation.request = (struct thaw_invoke_request){
		.data = exchange->text.data,
		.size = exchange->text.size,
		.content_type = CLOUDEVENTS_TYPE,
	};
	invoke(exchange);
}

static void function(struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;

	if (exchange->event != CLOUDEVENTS_NONE) {
		exchange_inspect(exchange, write_event, invoke_with_event);
		return;
	}
	exchange->invocation.request = (struct thaw_invoke_request){
		.data = request->body,
		.size = request->body_size,
		.content_type = http_request_header(request, "content-type"),
	};
	invoke(exchange);
}

static bool is_get(const struct exchange *exchange)
{
	return exchange->request.method == HTTP_GET_METHOD ||
	       exchange->request.method == HTTP_HEAD_METHOD;
}

/* Of the server as a whole (RFC 9110, 9.3.7). */
bool route_options(struct exchange *exchange, const char *allowed)
{
	if (strcmp(exchange->request.path, "*") != 0)
		return false;
	respond_begin(exchange, 204, NULL);
	http_response_header(&exchange->out, "Allow", allowed);
	respond_end(exchange, NULL, HTTP_NO_BODY);
	exchange_send(exchange);
	return true;
}

/* Health, for those who can reach only this listener; on both. */
bool route_health(struct exchange *exchange)
{
	struct server *server = exchange->worker->server;
	const char *path = exchange->request.path;
	struct readiness readiness;
	bool ready;

	if (!is_get(exchange))
		return false;
	if (!strcmp(path, "/livez") || !strcmp(path, "/healthz")) {
		respond(exchange, 200, "text/plain", "ok\n", 3);
		exchange_send(exchange);
		return true;
	}
	if (strcmp(path, "/readyz") != 0)
		return false;
	pthread_mutex_lock(&server->readiness_lock);
	readiness = server->readiness;
	pthread_mutex_unlock(&server->readiness_lock);
	buffer_clear(&exchange->text);
	ready = admin_write_ready(&readiness,
				  atomic_load(&server->state) !=
					  SERVER_DRAINING,
				  &exchange->text);
	if (exchange->text.failed)
		respond_problem(exchange, 500, "no memory");
	else
		respond(exchange, ready ? 200 : 503, "application/json",
			exchange->text.data, exchange->text.size);
	exchange_send(exchange);
	return true;
}

void route(struct exchange *exchange)
{
	if (is_function(exchange)) {
		function(exchange);
	} else if (exchange->kind == EXCHANGE_LAMBDA) {
		lambda_route(exchange);
	} else if (!route_options(exchange, ALLOWED) &&
		   !route_health(exchange)) {
		respond_problem(exchange, 404,
				"no such path: functions are at "
				"/function/NAME, and AWS Lambda's API at "
				"/2015-03-31/functions/");
		exchange_send(exchange);
	}
}

void route_reason(const struct exchange *exchange, char *text, size_t size)
{
	const char *name = exchange->name;
	int used = snprintf(text, size, "%s%s%s", exchange->reason,
			    *name ? ": " : "", name);

	/* who has to change something wants to know to what */
	if (exchange->status == 413 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used,
			 "%s%zu bytes at most", *name ? " takes " : ": ",
			 exchange->request.max_body);
}

void route_refuse(struct exchange *exchange)
{
	char text[256];

	if (!exchange->status) {
		exchange->status = exchange->request.bad_status;
		exchange->reason = exchange->request.bad_reason;
	}
	if (exchange->kind == EXCHANGE_LAMBDA) {
		lambda_route_refuse(exchange);
		return;
	}
	route_reason(exchange, text, sizeof(text));
	write_problem(exchange, exchange->status, NULL, text);
	respond_begin(exchange, exchange->status, PROBLEM_TYPE);
	if (exchange->status == 405)
		http_response_header(&exchange->out, "Allow", ALLOWED);
	respond_retry(exchange, exchange->status);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}
