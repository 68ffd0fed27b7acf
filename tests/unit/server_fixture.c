/* server_fixture.c - a server whose io and vms a test plays. See server_fixture.h. */
#include "tests/unit/server_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "executor/io/io.h"
#include "executor/server/admin_routes.h"
#include "executor/server/frame_connection.h"
#include "executor/server/invocation_start.h"
#include "executor/server/routes.h"
#include "executor/server/server_limits.h"
#include "executor/server/workers.h"
#include "tests/unit/require.h"

#define ROUNDS_MAX 10000

struct fixture fixture;

static const struct catalog_function *by_name[FIXTURE_FUNCTIONS];
static struct catalog_function specs[FIXTURE_FUNCTIONS];
static struct function_stats stats[FIXTURE_FUNCTIONS];
static struct function functions[FIXTURE_FUNCTIONS];

/* In the order of their names. */
static char names[FIXTURE_FUNCTIONS][16] = { "function", "other" };

static struct deployment *make_function(unsigned index, unsigned workers)
{
	/* a line in each worker's queue */
	struct deployment *deployment =
		calloc(1, sizeof(*deployment) +
				  workers * sizeof(deployment->lines[0]));

	REQUIRE(deployment);
	specs[index] = (struct catalog_function){
		.name = names[index],
		.max_request = 2 * SERVER_INLINE_BYTES,
		.inline_budget_ns = 1,
		.concurrency = { .max = 1,
				 .queue = 100,
				 .queue_timeout_ns = 20 * NS_PER_S },
	};
	by_name[index] = &specs[index];
	memset(&stats[index], 0, sizeof(stats[index]));
	function_stats_init(&stats[index], names[index]);
	memset(&functions[index], 0, sizeof(functions[index]));
	functions[index].gate.gate = VM_GATE_NONE;
	functions[index].pool = fake_pool_create(1, 0);
	deployment->references = 1;
	deployment->host = &fixture.server->shared.host;
	deployment->spec = &specs[index];
	deployment->stats = &stats[index];
	deployment->function = &functions[index];
	deployment->state = FUNCTION_ACTIVE;
	return deployment;
}

static void free_function(unsigned index)
{
	struct deployment *deployment = fixture.deployments[index];

	REQUIRE(deployment->references == 1);
	fake_pool_free(functions[index].pool);
	function_stats_done(&stats[index]);
	free(deployment);
}

struct catalog_function *fixture_spec(unsigned index)
{
	return &specs[index];
}

void fixture_set_vms(unsigned index, unsigned idle, unsigned unmade)
{
	fake_pool_free(functions[index].pool);
	functions[index].pool = fake_pool_create(idle, unmade);
}

static void set_options(struct server_options *options)
{
	options->max_connections = 100;
	options->head_timeout_ns = 10 * NS_PER_S;
	options->body_timeout_ns = 10 * NS_PER_S;
	options->idle_timeout_ns = 10 * NS_PER_S;
	options->send_timeout_ns = 10 * NS_PER_S;
	options->drain_timeout_ns = 10 * NS_PER_S;
	options->events_max = 10;
	options->event_max_age_ns = 5 * NS_PER_S;
}

static void make_worker(struct shared *shared, unsigned index,
			struct generation *generation)
{
	struct worker *worker = &shared->workers[index];

	worker->shared = shared;
	worker->calls = &workers_calls;
	worker->index = index;
	worker->purse.budget = &shared->buffers;
	worker->generation = generation;
	worker->last_event = &worker->events;
	atomic_store(&worker->oldest_event_ns, UINT64_MAX);
	worker->io = fake_io_create();
}

void fixture_begin(unsigned workers)
{
	static struct catalog catalog;
	static struct kept_catalog kept = { .catalog = &catalog };
	static struct generation generation;
	struct server *server = calloc(1, sizeof(*server));
	struct shared *shared = &server->shared;

	REQUIRE(server);
	memset(&fixture, 0, sizeof(fixture));
	fixture.server = server;
	fake_engine_reset();
	for (unsigned i = 0; i < FIXTURE_FUNCTIONS; i++)
		fixture.deployments[i] = make_function(i, workers);
	catalog = (struct catalog){ .functions = specs,
				    .by_name = by_name,
				    .count = FIXTURE_FUNCTIONS };
	generation = (struct generation){
		.references = workers + 1,
		.catalog = &kept,
		.deployments = fixture.deployments,
		.count = FIXTURE_FUNCTIONS,
	};
	set_options(&shared->options);
	shared->state = SERVER_SERVING;
	shared->offload = &fake_engine.offload;
	shared->builders = &fake_engine.builders;
	clients_init(&shared->clients);
	budget_init(&shared->buffers, 16 * 1024 * 1024, workers);
	shared->workers = calloc(workers, sizeof(*shared->workers));
	REQUIRE(shared->workers);
	shared->worker_count = workers;
	sem_init(&server->leave, 0, 0);
	server->metrics_limit.max = SERVER_METRICS_CONNECTIONS;
	for (unsigned i = 0; i < workers; i++)
		make_worker(shared, i, &generation);
	fixture.worker = shared->workers;
	fixture.deployment = fixture.deployments[0];
}

struct io_stream *fixture_open(enum listener_kind kind)
{
	static struct listener listeners[LISTENER_KINDS] = {
		[LISTENER_HTTP] = { .handler = &routes_handler,
				    .open = http_connection_open },
		[LISTENER_ADMIN] = { .handler = &admin_routes_handler,
				     .open = http_connection_open },
		[LISTENER_METRICS] = { .handler = &metrics_routes_handler,
				       .open = http_connection_open },
		[LISTENER_SOCKET] = { .open = frame_connection_open },
	};
	struct listener *listener = &listeners[kind];

	listener->worker = fixture.worker;
	if (kind == LISTENER_METRICS)
		listener->limit = &fixture.server->metrics_limit;
	listener->open(listener, fake_io_socket());
	REQUIRE(fixture.worker->connections);
	return &fixture.worker->connections->stream;
}

static bool is_open(const struct io_stream *stream)
{
	struct connection *connection = fixture.worker->connections;

	while (connection && &connection->stream != stream)
		connection = connection->next;
	return connection && !stream->internal.closing;
}

bool fixture_receive(struct io_stream *stream, const char *bytes, size_t size)
{
	return is_open(stream) && fake_io_receive(stream, bytes, size);
}

size_t fixture_fill(struct io_stream *stream, const char *bytes, size_t size)
{
	return is_open(stream) ? fake_io_fill(stream, bytes, size) : 0;
}

bool fixture_sent(struct io_stream *stream, int error)
{
	return is_open(stream) && fake_io_sent(stream, error);
}

void fixture_end(struct io_stream *stream, int error)
{
	if (is_open(stream))
		fake_io_end(stream, error);
}

void fixture_close(struct io_stream *stream)
{
	if (is_open(stream))
		connection_close((struct connection *)stream);
}

bool fixture_turn(unsigned index)
{
	struct worker *worker = &fixture.server->shared.workers[index];
	const char place = fake_engine.place;
	bool busy;

	fake_engine.place = (char)('0' + index);
	worker_turn(worker, 0);
	busy = invocations_run(worker);
	fake_engine.place = place;
	return busy;
}

bool fixture_run_work(void)
{
	return fake_offload_run(&fake_engine.builders) ||
	       fake_offload_run(&fake_engine.offload);
}

void fixture_turns(unsigned index)
{
	const struct worker *worker = &fixture.server->shared.workers[index];

	do
		fixture_turn(index);
	while (worker->queue.count || fake_io_has_work(worker->io));
}

static bool has_work(const struct worker *worker)
{
	return worker->queue.count || worker->polled ||
	       fake_io_has_work(worker->io);
}

void fixture_settle(int send_error)
{
	bool more = true;

	fake_engine.polls_end = true;
	for (unsigned i = 0; more && i < ROUNDS_MAX; i++) {
		struct connection *next, *c = fixture.worker->connections;

		more = false;
		for (; c; c = next) {
			next = c->next;
			more |= fixture_sent(&c->stream, send_error);
		}
		while (fixture_run_work())
			more = true;
		for (unsigned w = 0; w < fixture.server->shared.worker_count;
		     w++) {
			more |= has_work(&fixture.server->shared.workers[w]);
			fixture_turn(w);
		}
	}
	REQUIRE(!more);
}

void fixture_fire_timers(void)
{
	const uint64_t then_ns = clock_now_ns() + 15 * NS_PER_S;

	for (unsigned i = 0; i < fixture.server->shared.worker_count; i++) {
		fake_engine.place = (char)('0' + i);
		timers_fire(&fixture.server->shared.workers[i].timers, then_ns);
	}
	fake_engine.place = '0';
}

void fixture_end_all(void)
{
	for (unsigned i = 0; i < 20 && (fixture.worker->connection_count ||
					fixture.worker->event_count);
	     i++) {
		fixture_fire_timers();
		fixture_settle(i % 2 ? -EPIPE : 0);
	}
	while (fixture.worker->connections) {
		connection_close(fixture.worker->connections);
		fixture_turn(0);
	}
	fixture_settle(0);
}

static void check_worker(const struct worker *worker)
{
	REQUIRE(worker->connection_count == 0);
	REQUIRE(!worker->connections);
	REQUIRE(!fake_io_has_streams(worker->io));
	REQUIRE(worker->invocation_count == 0);
	REQUIRE(worker->event_count == 0);
	REQUIRE(!worker->timers.root);
}

static void check_function(const struct deployment *deployment)
{
	REQUIRE(deployment->admitted == 0);
	REQUIRE(deployment->references == 1);
	REQUIRE(metrics_get(&deployment->stats->metrics.inflight) == 0);
	REQUIRE(deployment->share.used == 0);
	REQUIRE(fake_pool_is_quiet(deployment->function->pool));
}

void fixture_check(void)
{
	const struct shared *shared = &fixture.server->shared;
	size_t credit = 0;

	for (unsigned i = 0; i < shared->worker_count; i++) {
		check_worker(&shared->workers[i]);
		credit += shared->workers[i].purse.credit;
	}
	for (unsigned i = 0; i < FIXTURE_FUNCTIONS; i++)
		check_function(fixture.deployments[i]);
	REQUIRE(fixture.server->metrics_limit.count == 0);
	REQUIRE(metrics_get(&shared->metrics.connections) == 0);
	REQUIRE(shared->events == 0);
	REQUIRE(fake_engine.running == 0);
	REQUIRE(fake_engine.calls == 0);
	REQUIRE(shared->others.used == 0);
	REQUIRE(shared->buffers.used == credit);
}

void fixture_done(void)
{
	struct server *server = fixture.server;
	struct shared *shared = &server->shared;

	for (unsigned i = 0; i < shared->worker_count; i++)
		worker_done(&shared->workers[i]);
	REQUIRE(shared->buffers.used == 0);
	for (unsigned i = 0; i < FIXTURE_FUNCTIONS; i++)
		free_function(i);
	clients_done(&shared->clients);
	sem_destroy(&server->leave);
	free(shared->workers);
	free(server);
}
