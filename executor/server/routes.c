/*
 * routes.c - what requests on the public listeners mean: plain invocations,
 * /function/NAME[/path] by any method, and health. AWS's API is in lambda_routes.c.
 */
#include "executor/server/routes.h"

#include <errno.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hot.h"
#include "executor/protocol/cloudevents_json.h"
#include "executor/protocol/http_query.h"
#include "executor/protocol/http_response.h"
#include "executor/server/admin/server_json.h"
#include "executor/server/answer.h"
#include "executor/server/host_check.h"
#include "executor/server/lambda_routes.h"
#include "executor/server/respond.h"
#include "executor/server/route_common.h"
#include "executor/server/server_limits.h"

#define FUNCTION_PREFIX "/function/"
#define ALLOWED "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

/* The NAME of /function/NAME/more, as it was sent; and what is behind it. */
static const char *routes_name(const struct exchange *exchange,
			       const char **ret_more)
{
	const char *name = exchange->request.path + strlen(FUNCTION_PREFIX);

	*ret_more = strchrnul(name, '/');
	return name;
}

static bool routes_is_function(const struct exchange *exchange)
{
	return !strncmp(exchange->request.path, FUNCTION_PREFIX,
			strlen(FUNCTION_PREFIX));
}

static void routes_refuse_head(struct exchange *exchange, unsigned status,
			       const char *reason)
{
	if (exchange->status)
		return;
	exchange->status = status;
	exchange->reason = reason;
}

static void routes_function_head(struct exchange *exchange)
{
	struct http_request *request = &exchange->request;
	const char *reason = NULL, *more;
	const char *name = routes_name(exchange, &more);

	if (http_decode(name, (size_t)(more - name), exchange->name,
			sizeof(exchange->name)) < 1)
		exchange->name[0] = '\0';
	route_find(exchange);
	if (!exchange->deployment) {
		routes_refuse_head(exchange, 404, "no such function");
		return;
	}
	request->max_body = exchange->deployment->spec->max_request;
	/* TRACE would send back the request, with its credentials */
	if (!strcmp(request->method_name, "TRACE"))
		routes_refuse_head(exchange, 405,
				   "functions are not invoked by TRACE");
	exchange->event = cloudevents_mode(request, &reason);
	if (exchange->event == CLOUDEVENTS_BATCH)
		routes_refuse_head(exchange, 415, reason);
	else if (exchange->event == CLOUDEVENTS_BAD)
		routes_refuse_head(exchange, 400, reason);
}

HOT static void routes_head(struct exchange *exchange)
{
	exchange->request.max_body = SERVER_BODY_MAX;
	exchange->name[0] = '\0';
	if (!host_check_passes(exchange))
		return;
	if (routes_is_function(exchange))
		routes_function_head(exchange);
	else
		lambda_route_head(exchange);
}

/* The status for an invocation that never ran; @result is its -errno. */
static unsigned routes_status_of(int result)
{
	switch (result) {
	case -EBUSY:
	case -EAGAIN:
		return 429;
	case -EINPROGRESS:
	case -ENOBUFS:
		return 503;
	case -ENOSYS:
		return 404;
	case -E2BIG:
		return 413;
	case -EINVAL:
		return 400;
	default:
		return 500;
	}
}

static void routes_respond_refused(struct exchange *exchange)
{
	const struct invocation *invocation = &exchange->invocation;
	unsigned status = routes_status_of(invocation->result);

	write_problem(exchange, status, NULL, invocation->error.message);
	respond_begin(exchange, status, PROBLEM_TYPE);
	route_retry_header(exchange, status);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}

static void routes_respond_failed(struct exchange *exchange)
{
	const struct thaw_reply *reply = &exchange->invocation.reply;
	unsigned status = reply->result == THAW_TIMEOUT ? 504 : 500;

	write_problem(exchange, status, reply->error_type,
		      reply->error_message);
	respond_begin(exchange, status, PROBLEM_TYPE);
	answer_timing(exchange);
	respond_end(exchange, exchange->text.data, exchange->text.size);
}

HOT static void routes_on_replied(struct invocation *invocation)
{
	struct exchange *exchange = exchange_of_invocation(invocation);
	const struct thaw_reply *reply = &invocation->reply;

	if (!exchange->connection)
		return;
	if (invocation->result ||
	    (reply->result == THAW_OK && !respond_has_room(exchange))) {
		routes_respond_refused(exchange);
	} else if (reply->result != THAW_OK) {
		routes_respond_failed(exchange);
	} else {
		answer_respond(exchange);
	}
	http_connection_send(exchange);
}

HOT static void routes_invoke(struct exchange *exchange)
{
	const char *more;

	routes_name(exchange, &more);
	exchange->invocation.request.attributes = exchange->attributes;
	answer_take_headers(exchange);
	route_attribute(exchange, "method", exchange->request.method_name);
	route_attribute(exchange, "path", more);
	route_attribute(exchange, "query", exchange->request.query);
	route_common_attributes(exchange);
	route_invoke(exchange, routes_on_replied);
}

static void routes_write_event(struct exchange *exchange)
{
	exchange->reason = NULL;
	buffer_clear(&exchange->text);
	(void)!cloudevents_write(&exchange->request, exchange->event,
				 &exchange->text, &exchange->reason);
}

static void routes_invoke_with_event(struct exchange *exchange)
{
	if (exchange->reason) {
		respond_problem(exchange, 400, exchange->reason);
		http_connection_send(exchange);
		return;
	}
	if (exchange->text.failed) {
		respond_problem(exchange, 413,
				"the event in its JSON format is larger than "
				"what there is memory for");
		http_connection_send(exchange);
		return;
	}
	exchange->invocation.request = (struct thaw_invoke_request){
		.data = exchange->text.data,
		.size = exchange->text.size,
		.content_type = CLOUDEVENTS_TYPE,
	};
	routes_invoke(exchange);
}

static void routes_function(struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;

	if (exchange->event != CLOUDEVENTS_NONE) {
		exchange_inspect(exchange, routes_write_event,
				 routes_invoke_with_event);
		return;
	}
	exchange->invocation.request = (struct thaw_invoke_request){
		.data = request->body,
		.size = request->body_size,
		.content_type = http_request_header(request, "content-type"),
	};
	routes_invoke(exchange);
}

HOT static void routes_request(struct exchange *exchange)
{
	if (routes_is_function(exchange)) {
		routes_function(exchange);
	} else if (exchange->kind == EXCHANGE_LAMBDA) {
		lambda_route(exchange);
	} else if (!route_options(exchange, ALLOWED) &&
		   !route_health(exchange)) {
		respond_problem(exchange, 404,
				"no such path: functions are at "
				"/function/NAME, and AWS Lambda's API at "
				"/2015-03-31/functions/");
		http_connection_send(exchange);
	}
}

static void routes_refuse(struct exchange *exchange)
{
	if (exchange->kind == EXCHANGE_LAMBDA)
		lambda_route_refuse(exchange);
	else
		route_refuse(exchange, ALLOWED);
}

const struct http_handler routes_handler = {
	.head = routes_head,
	.request = routes_request,
	.refuse = routes_refuse,
};
