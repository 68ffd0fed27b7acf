/*
 * admin_routes.c - what requests on the admin listener mean. The texts are in
 * executor/server/admin/server_json.c and executor/server/admin/server_metrics.c; docs/protocol.md describes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/protocol/http_query.h"
#include "executor/protocol/http_response.h"
#include "executor/server/admin/function_json.h"
#include "executor/server/admin/server_json.h"
#include "executor/server/admin/server_metrics.h"
#include "executor/server/routes.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

#define JSON_TYPE "application/json"
#define FUNCTIONS "/v1/functions"
#define METRICS "/metrics"

/* What is in the workers' purses is not used. */
static uint64_t server_buffered(const struct server *server)
{
	uint64_t used = metrics_get(&server->buffers.used), spare = 0;

	for (unsigned i = 0; i < server->worker_count; i++)
		spare += metrics_get(&server->workers[i].purse.credit);
	return used > spare ? used - spare : 0;
}

int server_view(struct worker *worker, struct server_view *ret_view)
{
	struct server *server = worker->server;
	struct generation *generation = worker->generation;
	const uint64_t now_ns = clock_now_ns();
	struct function_view *functions =
		calloc(generation->count + 1, sizeof(*functions));
	uint64_t oldest_ns = UINT64_MAX;
	unsigned threads;

	if (!functions)
		return -ENOMEM;
	for (size_t i = 0; i < generation->count; i++)
		generation_view(generation, i, &functions[i]);
	for (unsigned i = 0; i < server->worker_count; i++) {
		uint64_t its_ns =
			atomic_load(&server->workers[i].oldest_event_ns);

		if (its_ns < oldest_ns)
			oldest_ns = its_ns;
	}
	*ret_view = (struct server_view){
		.state = (enum server_state)atomic_load(&server->state),
		.catalog_path = server->options.catalog,
		.catalog_sha256 = generation->sha256,
		.generation = generation->number,
		.start_unix_ms = server->start_unix_ms,
		.uptime_ms = (now_ns - server->start_ns) / NS_PER_MS,
		.workers = server->worker_count,
		.io = io_name(worker->io),
		.events_queued = (unsigned)atomic_load(&server->events),
		.events_max = (unsigned)server->options.events_max,
		.events_oldest_ms = oldest_ns < now_ns ?
					    (now_ns - oldest_ns) / NS_PER_MS :
					    0,
		.max_connections = server->options.max_connections,
		.buffered = server_buffered(server),
		.max_buffered = server->buffers.max,
		.log_dropped = log_dropped(),
		.memory = metrics_get(&server->memory.budget.used),
		.max_memory = server->memory.budget.max,
		.pressure = server->memory.is_watched ?
				    server->memory.source.path :
				    "",
		/* it is the main thread's */
		.last_reload_error = worker == &server->main ?
					     server->reload_error.message :
					     "",
		.metrics = &server->metrics,
		.functions = functions,
		.count = generation->count,
	};
	offload_count(server->offload, &threads, &ret_view->offload_busy);
	ret_view->offload_threads = threads;
	return 0;
}

void server_view_done(struct server_view *view)
{
	free((void *)view->functions);
	view->functions = NULL;
}

void admin_route_head(struct exchange *exchange)
{
	exchange->request.max_body = SERVER_BODY_MAX;
	exchange->name[0] = '\0';
}

static void send_text(struct exchange *exchange, unsigned status,
		      const char *type)
{
	const struct buffer *text = &exchange->text;

	if (text->failed)
		respond_problem(exchange, 500, "no memory");
	else
		respond(exchange, status, type, text->data, text->size);
	exchange_send(exchange);
}

static void not_found(struct exchange *exchange, const char *what)
{
	respond_problem(exchange, 404, what);
	exchange_send(exchange);
}

static void write_function(struct exchange *exchange,
			   const struct server_view *view, const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (!strcmp(view->functions[i].spec->name, name)) {
			admin_write_function(&view->functions[i],
					     &exchange->text);
			send_text(exchange, 200, JSON_TYPE);
			return;
		}
	not_found(exchange, "no such function in the catalog");
}

static void function(struct exchange *exchange, const struct server_view *view)
{
	const char *name = exchange->request.path + strlen(FUNCTIONS "/");
	char decoded[sizeof(exchange->name)];

	if (http_decode(name, strlen(name), decoded, sizeof(decoded)) < 0)
		not_found(exchange, "no such function in the catalog");
	else
		write_function(exchange, view, decoded);
}

static void get_metrics(struct exchange *exchange)
{
	struct server_view view;

	if (server_view(exchange->worker, &view)) {
		respond_problem(exchange, 500, "no memory");
		exchange_send(exchange);
		return;
	}
	buffer_clear(&exchange->text);
	admin_write_metrics(&view, &exchange->text);
	send_text(exchange, 200, ADMIN_METRICS_TYPE);
	server_view_done(&view);
}

/* GET; false: there is no such path. */
static bool get(struct exchange *exchange)
{
	const char *path = exchange->request.path;
	struct server_view view;
	bool found = true;

	if (!strcmp(path, METRICS)) {
		get_metrics(exchange);
		return true;
	}
	if (server_view(exchange->worker, &view)) {
		respond_problem(exchange, 500, "no memory");
		exchange_send(exchange);
		return true;
	}
	buffer_clear(&exchange->text);
	if (!strcmp(path, "/v1/status")) {
		admin_write_status(&view, &exchange->text);
		send_text(exchange, 200, JSON_TYPE);
	} else if (!strcmp(path, FUNCTIONS)) {
		admin_write_functions(&view, &exchange->text);
		send_text(exchange, 200, JSON_TYPE);
	} else if (!strncmp(path, FUNCTIONS "/", strlen(FUNCTIONS "/"))) {
		function(exchange, &view);
	} else {
		found = false;
	}
	server_view_done(&view);
	return found;
}

static bool is_action(const char *path)
{
	return !strcmp(path, "/v1/reload") || !strcmp(path, "/v1/drain");
}

static void act(struct exchange *exchange)
{
	static const char draining[] = "{\"state\":\"draining\"}\n";
	struct server *server = exchange->worker->server;

	if (!strcmp(exchange->request.path, "/v1/reload")) {
		server_reload(server, exchange);
		return;
	}
	respond(exchange, 202, JSON_TYPE, draining, sizeof(draining) - 1);
	exchange_send(exchange);
	server_drain(server);
}

static void wrong_method(struct exchange *exchange, const char *allowed)
{
	write_problem(exchange, 405, NULL, "this path has another method");
	respond_begin(exchange, 405, PROBLEM_TYPE);
	http_response_header(&exchange->out, "Allow", allowed);
	respond_end(exchange, exchange->text.data, exchange->text.size);
	exchange_send(exchange);
}

static bool is_page(const char *path)
{
	return !strcmp(path, "/v1/status") || !strcmp(path, METRICS) ||
	       !strncmp(path, FUNCTIONS, strlen(FUNCTIONS));
}

static bool is_get(const struct exchange *exchange)
{
	return exchange->request.method == HTTP_GET_METHOD ||
	       exchange->request.method == HTTP_HEAD_METHOD;
}

void admin_route(struct exchange *exchange)
{
	const char *path = exchange->request.path;
	enum http_method method = exchange->request.method;

	if (is_action(path)) {
		if (method == HTTP_POST_METHOD)
			act(exchange);
		else
			wrong_method(exchange, "POST");
	} else if (is_page(path) && !is_get(exchange)) {
		wrong_method(exchange, "GET, HEAD");
	} else if (!route_options(exchange, "GET, HEAD, POST, OPTIONS") &&
		   !route_health(exchange) &&
		   !(is_get(exchange) && get(exchange))) {
		not_found(exchange, "no such path: see docs/protocol.md");
	}
}

void metrics_route(struct exchange *exchange)
{
	if (route_options(exchange, "GET, HEAD, OPTIONS"))
		return;
	if (!is_get(exchange))
		wrong_method(exchange, "GET, HEAD");
	else if (!strcmp(exchange->request.path, METRICS))
		get_metrics(exchange);
	else if (!route_health(exchange))
		not_found(exchange,
			  "no such path: this listener has /metrics, /livez, "
			  "/healthz and /readyz; see --admin for the others");
}
