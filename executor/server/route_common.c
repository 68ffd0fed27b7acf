/* route_common.c - what several handlers need. See route_common.h. */
#include "executor/server/route_common.h"

#include <stdio.h>
#include <string.h>

#include "base/hot.h"
#include "executor/protocol/http_response.h"
#include "executor/server/admin/server_json.h"
#include "executor/server/http_connection.h"
#include "executor/server/invocation_start.h"
#include "executor/server/respond.h"
#include "executor/server/worker.h"

HOT void route_find(struct exchange *exchange)
{
	struct deployment *deployment =
		generation_find(exchange->worker->generation, exchange->name);

	exchange->deployment = deployment ? deployment_hold(deployment) : NULL;
}

HOT void route_attribute(struct exchange *exchange, const char *name,
			 const char *value)
{
	struct thaw_invoke_request *request = &exchange->invocation.request;

	if (!value || !*value ||
	    request->attribute_count == INVOCATION_ATTRIBUTES_MAX)
		return;
	exchange->attributes[request->attribute_count++] =
		(struct thaw_attribute){ name, value };
}

HOT void route_common_attributes(struct exchange *exchange)
{
	static const char *const names[] = { "traceparent", "tracestate",
					     "x-amzn-trace-id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		route_attribute(exchange, names[i],
				http_request_header(&exchange->request,
						    names[i]));
}

HOT static void route_on_ended(struct invocation *invocation)
{
	exchange_release(exchange_of_invocation(invocation));
}

HOT void route_invoke(struct exchange *exchange,
		      void (*replied)(struct invocation *invocation))
{
	struct invocation *invocation = &exchange->invocation;

	exchange_make_id(exchange);
	exchange_hold(exchange);
	invocation->worker = exchange->worker;
	invocation->account = &exchange->account;
	invocation->deployment = exchange->deployment;
	invocation->replied = replied;
	invocation->ended = route_on_ended;
	invocation->request.id = exchange->id;
	invocation_start(invocation);
}

bool route_is_get(const struct exchange *exchange)
{
	return exchange->request.method == HTTP_GET_METHOD ||
	       exchange->request.method == HTTP_HEAD_METHOD;
}

/* "*" is the server as a whole (RFC 9110, 9.3.7). */
bool route_options(struct exchange *exchange, const char *allowed)
{
	if (strcmp(exchange->request.path, "*") != 0)
		return false;
	respond_begin(exchange, 204, NULL);
	http_response_header(&exchange->out, "Allow", allowed);
	respond_end(exchange, NULL, HTTP_NO_BODY);
	http_connection_send(exchange);
	return true;
}

bool route_health(struct exchange *exchange)
{
	struct shared *shared = exchange->worker->shared;
	const char *path = exchange->request.path;
	struct readiness readiness;
	bool ready;

	if (!route_is_get(exchange))
		return false;
	if (!strcmp(path, "/livez") || !strcmp(path, "/healthz")) {
		respond(exchange, 200, "text/plain", "ok\n", 3);
		http_connection_send(exchange);
		return true;
	}
	if (strcmp(path, "/readyz") != 0)
		return false;
	pthread_mutex_lock(&shared->readiness_lock);
	readiness = shared->readiness;
	pthread_mutex_unlock(&shared->readiness_lock);
	buffer_clear(&exchange->text);
	ready = admin_write_ready(&readiness,
				  atomic_load(&shared->state) !=
					  SERVER_DRAINING,
				  &exchange->text);
	if (exchange->text.failed)
		respond_problem(exchange, 500, "no memory");
	else
		respond(exchange, ready ? 200 : 503, "application/json",
			exchange->text.data, exchange->text.size);
	http_connection_send(exchange);
	return true;
}

void route_reason(const struct exchange *exchange, char *text, size_t size)
{
	const char *name = exchange->name;
	int used = snprintf(text, size, "%s%s%s", exchange->reason,
			    *name ? ": " : "", name);

	/* a client that has to send less wants to know how much */
	if (exchange->status == 413 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used,
			 "%s%zu bytes at most", *name ? " takes " : ": ",
			 exchange->request.max_body);
}

void route_retry_header(struct exchange *exchange, unsigned status)
{
	if (status == 429 || status == 503)
		http_response_header(&exchange->out, "Retry-After", "1");
}

void route_refuse(struct exchange *exchange, const char *allowed)
{
	char text[256];

	route_reason(exchange, text, sizeof(text));
	write_problem(exchange, exchange->status, NULL, text);
	respond_begin(exchange, exchange->status, PROBLEM_TYPE);
	if (exchange->status == 405)
		http_response_header(&exchange->out, "Allow", allowed);
	route_retry_header(exchange, exchange->status);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}
