/* leave_fixture.c - a worker whose io and vms a test plays. See leave_fixture.h. */
#include "leave_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/invoke.h"
#include "executor/io/io_internal.h"
#include "executor/server/admin_routes.h"
#include "executor/server/frame_connection.h"
#include "executor/server/invocation_start.h"
#include "executor/server/routes.h"
#include "executor/server/server_limits.h"
#include "executor/server/workers.h"

#define ROUNDS_MAX 10000

/* Not check's: a fuzzer uses it, too. */
#define REQUIRE(condition)                                                 \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

struct leave fixture;

/* ---- io: bytes come when the test says so, and go when it says so ---- */

static void fake_receive(struct io_stream *stream)
{
	stream->internal.receiving = true;
}

static void fake_pause(struct io_stream *stream)
{
	stream->internal.receiving = false;
}

static void fake_send(struct io_stream *stream)
{
	stream->internal.pending++;
	fixture.sends++;
}

/* What is under way is cancelled. */
static void fake_close(struct io_stream *stream)
{
	stream->internal.receiving = false;
	stream->internal.pending = 0;
}

static void fake_wake(struct io *io, struct io *from)
{
	(void)io;
	(void)from;
}

static void fake_nothing(struct io *io)
{
	(void)io;
}

static int fake_enter(struct io *io, uint64_t until_ns)
{
	(void)io;
	(void)until_ns;
	return 0;
}

static const struct io_operations operations = {
	.name = "fake",
	.receive = fake_receive,
	.pause = fake_pause,
	.send = fake_send,
	.close = fake_close,
	.wake = fake_wake,
	.flush = fake_nothing,
	.enter = fake_enter,
	.handle = fake_nothing,
	.free = fake_nothing,
};

/* ---- offloaded work: it runs when the test says so ---- */

bool offload_push(struct offload_pool *offload, struct offload_share *share,
		  struct offload_work *work)
{
	(void)offload;
	(void)share;
	work->next = fixture.offload;
	fixture.offload = work;
	return true;
}

bool offload_is_waiting(struct offload_pool *offload,
			const struct offload_share *share)
{
	(void)offload;
	(void)share;
	return false;
}

struct offload_share *offload_share_create(void)
{
	return NULL;
}

void offload_share_release(struct offload_share *share)
{
	(void)share;
}

int offload_pool_create(const struct offload_config *config, struct error *err,
			struct offload_pool **ret_pool)
{
	(void)config;
	(void)err;
	(void)ret_pool;
	return -ENOSYS;
}

void offload_count(struct offload_pool *offload, unsigned *ret_threads,
		   unsigned *ret_busy)
{
	(void)offload;
	*ret_threads = *ret_busy = 0;
}

void offload_pool_free(struct offload_pool *offload)
{
	(void)offload;
}

/* ---- the pool: one vm, and a line ---- */

static struct vm *the_vm(void)
{
	return (struct vm *)&fixture;
}

int pool_try(struct pool *pool, struct pool_waiter *waiter, struct error *err,
	     struct vm **ret_vm)
{
	(void)pool;
	(void)err;
	if (!fixture.vm_is_out) {
		fixture.vm_is_out = true;
		*ret_vm = the_vm();
		return 0;
	}
	waiter->next = fixture.line;
	waiter->is_served = false;
	fixture.line = waiter;
	return -EAGAIN;
}

bool pool_leave(struct pool *pool, struct pool_waiter *waiter)
{
	struct pool_waiter **at = &fixture.line;

	(void)pool;
	while (*at && *at != waiter)
		at = &(*at)->next;
	/* who leaves the line was in it */
	REQUIRE(*at || waiter == fixture.first);
	if (!*at)
		return false;
	*at = waiter->next;
	return true;
}

/* The vm is free: for the first in line, if there is one. */
static void vm_is_back(void)
{
	struct pool_waiter *waiter = fixture.line;

	REQUIRE(fixture.vm_is_out);
	fixture.vm_is_out = waiter != NULL;
	if (!waiter)
		return;
	fixture.line = waiter->next;
	fixture.first = waiter;
	waiter->is_served = true;
	waiter->vm = the_vm();
	waiter->served(waiter);
}

void pool_give_back(struct pool *pool, struct vm *vm)
{
	(void)pool;
	REQUIRE(vm == the_vm());
	vm_is_back();
}

int pool_take(struct pool *pool, struct vm *vm, struct error *err,
	      struct vm **ret_vm)
{
	(void)pool;
	(void)vm;
	(void)err;
	(void)ret_vm;
	return -ENOSYS;
}

void pool_count(struct pool *pool, unsigned *ret_idle, unsigned *ret_busy,
		unsigned *ret_waiting)
{
	(void)pool;
	*ret_idle = *ret_busy = *ret_waiting = 0;
}

int pool_create(struct snapshot *snapshot, const struct pool_config *config,
		struct error *err, struct pool **ret_pool)
{
	(void)snapshot;
	(void)config;
	(void)err;
	(void)ret_pool;
	return -ENOSYS;
}

void pool_free(struct pool *pool)
{
	(void)pool;
}

int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm)
{
	(void)pool;
	(void)err;
	(void)ret_vm;
	return -ENOSYS;
}

void pool_release(struct pool *pool, struct vm *vm, bool clean, uint64_t now_ns,
		  struct restore_stats *ret_stats)
{
	(void)pool;
	(void)vm;
	(void)clean;
	(void)now_ns;
	(void)ret_stats;
}

uint64_t pool_idle_since(struct pool *pool)
{
	(void)pool;
	return UINT64_MAX;
}

bool pool_free_oldest(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	(void)pool;
	(void)warm_too;
	(void)before_ns;
	return false;
}

size_t pool_trim(struct pool *pool, bool warm_too, uint64_t before_ns)
{
	(void)pool;
	(void)warm_too;
	(void)before_ns;
	return 0;
}

/* ---- invocations: they end on another thread, or when they are polled ---- */

int invoke_check(const struct function *function,
		 const struct thaw_invoke_request *request, struct error *err)
{
	(void)function;
	(void)request;
	(void)err;
	return 0;
}

/* The request is read, to its last byte. */
static void read_request(const struct thaw_invoke_request *request)
{
	const char *data = request->data;
	size_t sum = request->id ? strlen(request->id) : 0;

	for (size_t i = 0; i < request->size; i++)
		sum += (unsigned char)data[i];
	fixture.sum += sum;
}

int invoke_on(struct function *function, struct vm *vm,
	      const struct thaw_invoke_request *request, uint64_t queued_ns,
	      uint64_t slice_ns, struct error *err,
	      struct thaw_reply *ret_reply)
{
	(void)function;
	(void)queued_ns;
	(void)slice_ns;
	(void)err;
	REQUIRE(fixture.vm_is_out);
	fixture.first = NULL;
	memset(ret_reply, 0, sizeof(*ret_reply));
	ret_reply->internal.vm = vm;
	ret_reply->internal.request = request;
	ret_reply->internal.is_polled = fixture.is_polled;
	ret_reply->internal.start_ns = clock_now_ns();
	fixture.running++;
	read_request(request);
	return 0;
}

static int end_run(struct thaw_reply *reply)
{
	static const char data[SERVER_INLINE_BYTES + 1];
	const size_t small = 3 * INVOCATION_SMALL;

	read_request(reply->internal.request);
	reply->result = THAW_OK;
	reply->data = data;
	reply->size = fixture.reply_size ? fixture.reply_size : small;
	strcpy(reply->content_type, "text/plain");
	fixture.running--;
	return 1;
}

int invoke_more(struct thaw_reply *reply, uint64_t slice_ns, struct error *err)
{
	(void)err;
	return slice_ns == SERVER_OFFLOAD_SLICE_NS ? end_run(reply) : 0;
}

uint64_t invoke_wake_ns(const struct thaw_reply *reply)
{
	(void)reply;
	return 0;
}

size_t invoke_restore_bytes(const struct thaw_reply *reply)
{
	(void)reply;
	return 0;
}

int invoke_poll(struct thaw_reply *reply, struct error *err)
{
	(void)err;
	return fixture.polls_end ? end_run(reply) : 0;
}

int invoke_wait(struct thaw_reply *reply, struct error *err)
{
	(void)err;
	return end_run(reply);
}

void invoke_release(struct thaw_reply *reply)
{
	REQUIRE(reply->internal.vm == the_vm());
	vm_is_back();
}

int invoke(struct function *function, const struct thaw_invoke_request *request,
	   struct error *err, struct thaw_reply *ret_reply)
{
	(void)function;
	(void)request;
	(void)err;
	(void)ret_reply;
	return -ENOSYS;
}

int invoke_start(struct function *function,
		 const struct thaw_invoke_request *request, struct error *err,
		 struct thaw_reply *ret_reply)
{
	(void)function;
	(void)request;
	(void)err;
	(void)ret_reply;
	return -ENOSYS;
}

/* ---- the worker ---- */

static void make_function(void)
{
	static char name[] = "function";
	static struct function function;
	static struct function_stats stats;
	static struct catalog_function spec = {
		.name = name,
		.max_request = 2 * SERVER_INLINE_BYTES,
		.inline_budget_ns = 1,
		.concurrency = { .max = 1,
				 .queue = 100,
				 .queue_timeout_ns = 20 * NS_PER_S },
	};
	/* and one line, in the queue of the only worker */
	struct deployment *deployment =
		calloc(1, sizeof(*deployment) + sizeof(deployment->lines[0]));

	REQUIRE(deployment);
	memset(&stats, 0, sizeof(stats));
	function_stats_init(&stats, name);
	function.gate.gate = VM_GATE_NONE;
	deployment->references = 1;
	deployment->host = &fixture.server->shared.host;
	deployment->spec = &spec;
	deployment->stats = &stats;
	deployment->function = &function;
	deployment->state = FUNCTION_ACTIVE;
	fixture.deployment = deployment;
}

void leave_begin(void)
{
	static const struct catalog_function *by_name[1];
	static struct catalog catalog = { .by_name = by_name, .count = 1 };
	static struct kept_catalog kept = { .catalog = &catalog };
	static struct generation generation;
	struct server *server = calloc(1, sizeof(*server));
	struct shared *shared = &server->shared;

	REQUIRE(server);
	memset(&fixture, 0, sizeof(fixture));
	fixture.server = server;
	make_function();
	generation = (struct generation){
		.references = 2,
		.catalog = &kept,
		.deployments = &fixture.deployment,
		.count = 1,
	};
	catalog.functions = (struct catalog_function *)fixture.deployment->spec;
	by_name[0] = fixture.deployment->spec;
	shared->options.max_connections = 100;
	shared->options.head_timeout_ns = 10 * NS_PER_S;
	shared->options.body_timeout_ns = 10 * NS_PER_S;
	shared->options.idle_timeout_ns = 10 * NS_PER_S;
	shared->options.send_timeout_ns = 10 * NS_PER_S;
	shared->options.drain_timeout_ns = 10 * NS_PER_S;
	shared->options.events_max = 10;
	shared->options.event_max_age_ns = 5 * NS_PER_S;
	shared->state = SERVER_SERVING;
	clients_init(&shared->clients);
	budget_init(&shared->buffers, 16 * 1024 * 1024, 1);
	shared->workers = calloc(1, sizeof(*shared->workers));
	shared->worker_count = 1;
	sem_init(&server->leave, 0, 0);
	fixture.worker = shared->workers;
	fixture.worker->shared = shared;
	fixture.worker->calls = &workers_calls;
	fixture.worker->purse.budget = &shared->buffers;
	fixture.worker->generation = &generation;
	fixture.worker->last_event = &fixture.worker->events;
	atomic_store(&fixture.worker->oldest_event_ns, UINT64_MAX);
	server->metrics_limit.max = SERVER_METRICS_CONNECTIONS;
	fixture.worker->io = io_allocate(&operations, sizeof(struct io));
	REQUIRE(fixture.worker->io);
}

struct io_stream *leave_open(enum listener_kind kind)
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
	int fds[2];

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	close(fds[1]);
	listener->worker = fixture.worker;
	if (kind == LISTENER_METRICS)
		listener->limit = &fixture.server->metrics_limit;
	listener->open(listener, fds[0]);
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

bool leave_send(struct io_stream *stream, const char *bytes, size_t size)
{
	char *copy;

	if (!is_open(stream) || !stream->internal.receiving)
		return false;
	copy = malloc(size);
	REQUIRE(copy);
	memcpy(copy, bytes, size);
	io_stream_received(stream, copy, size);
	free(copy);
	return true;
}

bool leave_sent(struct io_stream *stream, int error)
{
	if (!is_open(stream) || !stream->internal.sending)
		return false;
	stream->internal.pending--;
	io_stream_sent(stream, error);
	return true;
}

void leave_end(struct io_stream *stream, int error)
{
	if (is_open(stream))
		io_stream_ended(stream, error);
}

void leave_turn(void)
{
	worker_turn(fixture.worker, 0);
	invocations_run(fixture.worker);
}

bool leave_run_work(void)
{
	struct offload_work *work = fixture.offload;

	if (!work)
		return false;
	fixture.offload = work->next;
	work->run(work);
	return true;
}

void leave_close(struct io_stream *stream)
{
	if (is_open(stream))
		connection_close((struct connection *)stream);
}

/* Until nothing happens any more; what is sent goes, or fails. */
void leave_settle(int send_error)
{
	bool more = true;

	fixture.polls_end = true;
	for (unsigned i = 0; more && i < ROUNDS_MAX; i++) {
		struct connection *next, *c = fixture.worker->connections;

		more = false;
		for (; c; c = next) {
			next = c->next;
			more |= leave_sent(&c->stream, send_error);
		}
		while (leave_run_work())
			more = true;
		more |= fixture.worker->queue.count || fixture.worker->polled ||
			fixture.worker->io->inbox || fixture.worker->io->ready;
		leave_turn();
	}
	REQUIRE(!more);
}

void leave_fire_timers(void)
{
	timers_fire(&fixture.worker->timers, clock_now_ns() + 15 * NS_PER_S);
}

/* Those that are still there have all their times run out, or are closed. */
void leave_end_all(void)
{
	for (unsigned i = 0; i < 20 && (fixture.worker->connection_count ||
					fixture.worker->event_count);
	     i++) {
		leave_fire_timers();
		leave_settle(i % 2 ? -EPIPE : 0);
	}
	while (fixture.worker->connections) {
		connection_close(fixture.worker->connections);
		leave_turn();
	}
	leave_settle(0);
}

/* Whatever has come has gone, and is counted no more. */
void leave_check(void)
{
	const struct shared *shared = &fixture.server->shared;
	const struct deployment *deployment = fixture.deployment;

	REQUIRE(fixture.worker->connection_count == 0);
	REQUIRE(!fixture.worker->connections);
	REQUIRE(!fixture.worker->io->streams);
	REQUIRE(fixture.server->metrics_limit.count == 0);
	REQUIRE(metrics_get(&shared->metrics.connections) == 0);
	REQUIRE(fixture.worker->invocation_count == 0);
	REQUIRE(fixture.worker->event_count == 0);
	REQUIRE(shared->events == 0);
	REQUIRE(deployment->admitted == 0);
	REQUIRE(deployment->references == 1);
	REQUIRE(metrics_get(&deployment->stats->metrics.inflight) == 0);
	REQUIRE(fixture.running == 0);
	REQUIRE(!fixture.vm_is_out);
	REQUIRE(!fixture.line);
	REQUIRE(!fixture.worker->timers.root);
	REQUIRE(deployment->share.used == 0);
	REQUIRE(shared->others.used == 0);
	REQUIRE(shared->buffers.used == fixture.worker->purse.credit);
}

void leave_done(void)
{
	struct server *server = fixture.server;
	struct shared *shared = &server->shared;

	worker_done(fixture.worker);
	REQUIRE(shared->buffers.used == 0);
	REQUIRE(fixture.deployment->references == 1);
	function_stats_done(fixture.deployment->stats);
	free(fixture.deployment);
	clients_done(&shared->clients);
	sem_destroy(&server->leave);
	free(shared->workers);
	free(server);
}
