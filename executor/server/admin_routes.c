/*
 * admin_routes.c - what requests on the admin and metrics listeners mean. See
 * admin_routes.h; docs/protocol.md describes the texts, which admin/ writes.
 */
#include "executor/server/admin_routes.h"

#include <string.h>

#include "executor/protocol/http_query.h"
#include "executor/protocol/http_response.h"
#include "executor/server/admin/function_json.h"
#include "executor/server/admin/server_json.h"
#include "executor/server/admin/server_metrics.h"
#include "executor/server/drain.h"
#include "executor/server/host_check.h"
#include "executor/server/reload.h"
#include "executor/server/respond.h"
#include "executor/server/route_common.h"
#include "executor/server/server_limits.h"
#include "executor/server/server_state.h"
#include "executor/server/server_view.h"

#define ALLOWED "GET, HEAD, POST, OPTIONS"
#define JSON_TYPE "application/json"
#define FUNCTIONS "/v1/functions"
#define METRICS "/metrics"

/* The view of the server, with what only the main thread knows. */
static int admin_view(struct exchange *exchange, struct server_view *ret_view)
{
	struct server *server = server_of_worker(exchange->worker);
	int r = server_view(exchange->worker, ret_view);

	if (!r)
		ret_view->last_reload_error = server->reload_error.message;
	return r;
}

static void admin_head(struct exchange *exchange)
{
	exchange->request.max_body = SERVER_BODY_MAX;
	exchange->name[0] = '\0';
	(void)!host_check_passes(exchange);
}

static void admin_refuse(struct exchange *exchange)
{
	route_refuse(exchange, ALLOWED);
}

static void admin_send_text(struct exchange *exchange, unsigned status,
			    const char *type)
{
	const struct buffer *text = &exchange->text;

	if (text->failed)
		respond_problem(exchange, 500, "no memory");
	else
		respond(exchange, status, type, text->data, text->size);
	http_connection_send(exchange);
}

static void admin_not_found(struct exchange *exchange, const char *what)
{
	respond_problem(exchange, 404, what);
	http_connection_send(exchange);
}

static void admin_send_function(struct exchange *exchange,
				const struct server_view *view,
				const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (!strcmp(view->functions[i].spec->name, name)) {
			admin_write_function(&view->functions[i],
					     &exchange->text);
			admin_send_text(exchange, 200, JSON_TYPE);
			return;
		}
	admin_not_found(exchange, "no such function in the catalog");
}

static void admin_get_function(struct exchange *exchange,
			       const struct server_view *view)
{
	const char *name = exchange->request.path + strlen(FUNCTIONS "/");
	char decoded[sizeof(exchange->name)];

	if (http_decode(name, strlen(name), decoded, sizeof(decoded)) < 0)
		admin_not_found(exchange, "no such function in the catalog");
	else
		admin_send_function(exchange, view, decoded);
}

static void admin_send_metrics(struct exchange *exchange)
{
	struct server_view view;

	if (admin_view(exchange, &view)) {
		respond_problem(exchange, 500, "no memory");
		http_connection_send(exchange);
		return;
	}
	buffer_clear(&exchange->text);
	admin_write_metrics(&view, &exchange->text);
	admin_send_text(exchange, 200, ADMIN_METRICS_TYPE);
	server_view_done(&view);
}

/* Answers GET. False: there is no such path. */
static bool admin_routes_get(struct exchange *exchange)
{
	const char *path = exchange->request.path;
	struct server_view view;
	bool found = true;

	if (!strcmp(path, METRICS)) {
		admin_send_metrics(exchange);
		return true;
	}
	if (admin_view(exchange, &view)) {
		respond_problem(exchange, 500, "no memory");
		http_connection_send(exchange);
		return true;
	}
	buffer_clear(&exchange->text);
	if (!strcmp(path, "/v1/status")) {
		admin_write_status(&view, &exchange->text);
		admin_send_text(exchange, 200, JSON_TYPE);
	} else if (!strcmp(path, FUNCTIONS)) {
		admin_write_functions(&view, &exchange->text);
		admin_send_text(exchange, 200, JSON_TYPE);
	} else if (!strncmp(path, FUNCTIONS "/", strlen(FUNCTIONS "/"))) {
		admin_get_function(exchange, &view);
	} else {
		found = false;
	}
	server_view_done(&view);
	return found;
}

static bool admin_is_action(const char *path)
{
	return !strcmp(path, "/v1/reload") || !strcmp(path, "/v1/drain");
}

static void admin_act(struct exchange *exchange)
{
	static const char draining[] = "{\"state\":\"draining\"}\n";
	struct server *server = server_of_worker(exchange->worker);

	if (!strcmp(exchange->request.path, "/v1/reload")) {
		reload_begin(server, exchange);
		return;
	}
	respond(exchange, 202, JSON_TYPE, draining, sizeof(draining) - 1);
	http_connection_send(exchange);
	drain_begin(server);
}

static void admin_wrong_method(struct exchange *exchange, const char *allowed)
{
	write_problem(exchange, 405, NULL, "this path has another method");
	respond_begin(exchange, 405, PROBLEM_TYPE);
	http_response_header(&exchange->out, "Allow", allowed);
	respond_end(exchange, exchange->text.data, exchange->text.size);
	http_connection_send(exchange);
}

static bool admin_is_page(const char *path)
{
	return !strcmp(path, "/v1/status") || !strcmp(path, METRICS) ||
	       !strncmp(path, FUNCTIONS, strlen(FUNCTIONS));
}

static void admin_request(struct exchange *exchange)
{
	const char *path = exchange->request.path;
	enum http_method method = exchange->request.method;

	if (admin_is_action(path)) {
		if (method == HTTP_POST_METHOD)
			admin_act(exchange);
		else
			admin_wrong_method(exchange, "POST");
	} else if (admin_is_page(path) && !route_is_get(exchange)) {
		admin_wrong_method(exchange, "GET, HEAD");
	} else if (!route_options(exchange, ALLOWED) &&
		   !route_health(exchange) &&
		   !(route_is_get(exchange) && admin_routes_get(exchange))) {
		admin_not_found(exchange, "no such path: see docs/protocol.md");
	}
}

static void metrics_request(struct exchange *exchange)
{
	if (route_options(exchange, "GET, HEAD, OPTIONS"))
		return;
	if (!route_is_get(exchange))
		admin_wrong_method(exchange, "GET, HEAD");
	else if (!strcmp(exchange->request.path, METRICS))
		admin_send_metrics(exchange);
	else if (!route_health(exchange))
		admin_not_found(
			exchange,
			"no such path: this listener has /metrics, /livez, "
			"/healthz and /readyz; see --admin for the others");
}

const struct http_handler admin_routes_handler = {
	.head = admin_head,
	.request = admin_request,
	.refuse = admin_refuse,
};

const struct http_handler metrics_routes_handler = {
	.head = admin_head,
	.request = metrics_request,
	.refuse = admin_refuse,
};
