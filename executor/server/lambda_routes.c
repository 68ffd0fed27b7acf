/*
 * lambda_routes.c - AWS Lambda's API on the public listeners: invocations, and
 * the read-only operations that its clients need. Its texts are in lambda.c.
 */
#include "executor/server/lambda_routes.h"

#include <errno.h>
#include <string.h>

#include "executor/protocol/http_response.h"
#include "executor/protocol/lambda.h"
#include "executor/protocol/lambda_error.h"
#include "executor/protocol/lambda_json.h"
#include "executor/protocol/lambda_log.h"
#include "executor/protocol/lambda_name.h"
#include "executor/protocol/lambda_request.h"
#include "executor/server/answer.h"
#include "executor/server/event.h"
#include "executor/server/http_connection.h"
#include "executor/server/respond.h"
#include "executor/server/route_common.h"
#include "executor/server/server_view.h"
#include "executor/server/worker.h"
#include "executor/typed/message.h"

#define JSON_TYPE "application/json"
#define BINARY_TYPE "application/octet-stream"

static void lambda_route_respond_error(struct exchange *exchange)
{
	const struct lambda_error *error = &exchange->lambda_error;

	buffer_clear(&exchange->text);
	lambda_write_error(error, &exchange->text);
	respond_begin(exchange, error->status, JSON_TYPE);
	http_response_header(&exchange->out, "x-amzn-RequestId", exchange->id);
	http_response_header(&exchange->out, "x-amzn-ErrorType", error->type);
	if (error->status == 405)
		http_response_header(&exchange->out, "Allow", "POST");
	if (error->status == 429 || error->status == 503)
		http_response_header(&exchange->out, "Retry-After", "1");
	respond_end(exchange, exchange->text.data, exchange->text.size);
}

static void lambda_route_send_error(struct exchange *exchange)
{
	lambda_route_respond_error(exchange);
	http_connection_send(exchange);
}

/* The error of an HTTP status; want of memory is not the client's fault. */
static int lambda_route_error_of(unsigned status)
{
	switch (status) {
	case 413:
		return -E2BIG;
	case 503:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* Refuses a request in the words of this API. */
void lambda_route_refuse(struct exchange *exchange)
{
	char text[256];

	if (!exchange->lambda_error.status) {
		route_reason(exchange, text, sizeof(text));
		lambda_from_errno(lambda_route_error_of(exchange->status),
				  exchange->name, text,
				  &exchange->lambda_error);
		exchange->lambda_error.status = exchange->status;
	}
	lambda_route_respond_error(exchange);
}

static void lambda_route_find(struct exchange *exchange)
{
	const struct generation *generation = exchange->worker->generation;
	const struct lambda_call *call = &exchange->call;

	_Static_assert(sizeof(exchange->name) >= sizeof(call->function),
		       "Lambda's names may be longer than a catalog's");
	strcpy(exchange->name, call->function);
	route_find(exchange);
	if (!exchange->deployment && generation->count == 1 &&
	    !strcmp(exchange->name, LAMBDA_ONLY_FUNCTION))
		exchange->deployment =
			deployment_hold(generation->deployments[0]);
	if (!exchange->deployment || !lambda_knows_qualifier(call->qualifier)) {
		lambda_no_function(call->function, call->qualifier,
				   &exchange->lambda_error);
		exchange->status = exchange->lambda_error.status;
	}
}

void lambda_route_head(struct exchange *exchange)
{
	struct http_request *request = &exchange->request;

	exchange->lambda_error.status = 0;
	if (!lambda_parse(request, &exchange->call, &exchange->lambda_error)) {
		exchange->kind = EXCHANGE_LAMBDA;
		exchange->status = exchange->lambda_error.status;
		return;
	}
	if (exchange->call.operation == LAMBDA_NONE)
		return;
	exchange->kind = EXCHANGE_LAMBDA;
	if (exchange->call.operation != LAMBDA_INVOKE)
		return;
	lambda_route_find(exchange);
	if (exchange->deployment)
		request->max_body = exchange->deployment->spec->max_request;
}

/* Adds the last 4 KiB of the log: START, the function's lines, END and REPORT. */
static void lambda_route_write_log(struct exchange *exchange,
				   struct buffer *out)
{
	struct invocation *invocation = &exchange->invocation;
	const struct deployment *deployment = exchange->deployment;
	struct buffer text = BUFFER_INIT(1024 * 1024);

	lambda_write_start(exchange->id, &text);
	buffer_append(&text, invocation->log.data, invocation->log.size);
	lambda_write_report(&invocation->reply, deployment->spec->memory,
			    deployment->spec->memory,
			    atomic_load_explicit(&deployment->restore_ns,
						 memory_order_relaxed),
			    &text);
	buffer_text(out, "X-Amz-Log-Result: ");
	lambda_write_tail(text.data, text.size, out);
	buffer_text(out, "\r\n");
	buffer_done(&text);
	/* not kept while the client takes its reply */
	buffer_done(&invocation->log);
}

static void lambda_route_begin_reply(struct exchange *exchange,
				     const char *type)
{
	const char *trace =
		http_request_header(&exchange->request, "x-amzn-trace-id");
	struct buffer *out = &exchange->out;

	respond_begin(exchange, 200, type);
	http_response_header(out, "x-amzn-RequestId", exchange->id);
	http_response_header(out, "X-Amz-Executed-Version",
			     *exchange->call.qualifier ?
				     exchange->call.qualifier :
				     "$LATEST");
	if (trace)
		http_response_header(out, "X-Amzn-Trace-Id", trace);
	answer_timing(exchange);
	if (exchange->invocation.wants_log)
		lambda_route_write_log(exchange, out);
}

static void lambda_route_on_replied(struct invocation *invocation)
{
	struct exchange *exchange = exchange_of_invocation(invocation);
	const struct thaw_reply *reply = &invocation->reply;

	if (!exchange->connection)
		return;
	if (invocation->result ||
	    (reply->result == THAW_OK && !respond_has_room(exchange))) {
		lambda_from_errno(invocation->result, exchange->name,
				  invocation->error.message,
				  &exchange->lambda_error);
		lambda_route_respond_error(exchange);
	} else if (reply->result == THAW_OK) {
		lambda_route_begin_reply(exchange, strcmp(reply->content_type,
							  BINARY_TYPE) ?
							   reply->content_type :
							   JSON_TYPE);
		respond_reply(exchange);
	} else {
		buffer_clear(&exchange->text);
		lambda_write_function_error(reply, &exchange->text);
		lambda_route_begin_reply(exchange, JSON_TYPE);
		http_response_header(&exchange->out, "X-Amz-Function-Error",
				     lambda_function_error(reply));
		respond_end(exchange, exchange->text.data, exchange->text.size);
	}
	http_connection_send(exchange);
}

/* Makes the invocation's request of the HTTP request. */
static void lambda_route_take_payload(struct exchange *exchange)
{
	const struct http_request *http = &exchange->request;
	struct thaw_invoke_request *request = &exchange->invocation.request;
	const char *type = http_request_header(http, "content-type");

	*request = (struct thaw_invoke_request){
		.data = http->body_size ? http->body : "{}",
		.size = http->body_size ? http->body_size : 2,
		.content_type = type && strcmp(type, BINARY_TYPE) != 0 ?
					type :
					JSON_TYPE,
		.attributes = exchange->attributes,
	};
	route_attribute(exchange, "client-context",
			exchange->call.client_context);
	route_common_attributes(exchange);
}

static void lambda_route_accept_event(struct exchange *exchange)
{
	struct thaw_invoke_request *request = &exchange->invocation.request;
	struct error err;
	int r;

	request->id = exchange->id;
	r = event_accept(exchange->worker, exchange->deployment, request, &err);

	if (r) {
		lambda_from_errno(r, exchange->name, err.message,
				  &exchange->lambda_error);
		if (r == -ENOMEM) /* there will be some later */
			exchange->lambda_error.status = 503;
		lambda_route_send_error(exchange);
		return;
	}
	respond_begin(exchange, 202, NULL);
	http_response_header(&exchange->out, "x-amzn-RequestId", exchange->id);
	respond_end(exchange, "", 0);
	http_connection_send(exchange);
}

static void lambda_route_check_payload(struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;

	exchange->lambda_error.status = 0;
	/* the function's typed calls are checked when they are made */
	if (message_has_type(http_request_header(request, "content-type")))
		return;
	(void)!lambda_check_payload(request->body, request->body_size,
				    &exchange->lambda_error);
}

static void lambda_route_invoke(struct exchange *exchange)
{
	if (exchange->lambda_error.status) {
		lambda_route_send_error(exchange);
		return;
	}
	lambda_route_take_payload(exchange);
	switch (exchange->call.invocation) {
	case LAMBDA_DRY_RUN:
		respond_begin(exchange, 204, NULL);
		http_response_header(&exchange->out, "x-amzn-RequestId",
				     exchange->id);
		respond_end(exchange, NULL, HTTP_NO_BODY);
		http_connection_send(exchange);
		return;
	case LAMBDA_EVENT:
		lambda_route_accept_event(exchange);
		return;
	case LAMBDA_REQUEST_RESPONSE:
		exchange->invocation.wants_log = exchange->call.wants_log;
		route_invoke(exchange, lambda_route_on_replied);
		return;
	}
}

static void lambda_route_read_only(struct exchange *exchange)
{
	struct server_view view;
	bool written;

	buffer_clear(&exchange->text);
	if (server_view(exchange->worker, &view)) {
		lambda_from_errno(-ENOMEM, exchange->name, "no memory",
				  &exchange->lambda_error);
		lambda_route_send_error(exchange);
		return;
	}
	written = lambda_write(&exchange->call, &view, &exchange->text,
			       &exchange->lambda_error);
	server_view_done(&view);
	if (!written) {
		lambda_route_send_error(exchange);
		return;
	}
	respond_begin(exchange, 200, JSON_TYPE);
	http_response_header(&exchange->out, "x-amzn-RequestId", exchange->id);
	respond_end(exchange, exchange->text.data, exchange->text.size);
	http_connection_send(exchange);
}

void lambda_route(struct exchange *exchange)
{
	exchange_make_id(exchange);
	if (exchange->call.operation == LAMBDA_INVOKE)
		exchange_inspect(exchange, lambda_route_check_payload,
				 lambda_route_invoke);
	else
		lambda_route_read_only(exchange);
}
