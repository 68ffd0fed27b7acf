/* admin_fixture.c - see admin_fixture.h. */
#include "admin_fixture.h"

#include "base/clock.h"
#include "executor/server/metrics.h"

#define JANUARY_31_MS UINT64_C(1769860800999) /* 2026-01-31T12:00:00.999Z */

struct function_view fixture_functions[FIXTURE_FUNCTIONS];
struct metrics_function fixture_metrics;
struct server_view fixture_view;

static struct metrics_function no_metrics;
static struct metrics_server server_metrics;

static char *labels[] = { "team=a=b", "empty=", NULL };

static char *secrets[] = { "PASSWORD=rosebud", NULL };

/* As Prometheus names them, the last three would be one, or another's. */
static char *similar[] = { "a.b-c/d=1",		  "a_b.c_d=2",
			   "a_b_c_d=3",		  "a_b_c_d_conflict1=4",
			   "a.b.c.d_conflict1=5", NULL };

static char *allowed[] = { "print", NULL };
static struct catalog_config config[] = { { "key", "\"secret\"", "secret" } };

static const struct catalog_function hello = {
	.name = "hello",
	.image = "/lib/hello.elf",
	.entry = "greet",
	.description = "Says \"hello\"",
	.labels = labels,
	.memory = 16 << 20,
	.max_request = 1 << 20,
	.max_reply = 2 << 20,
	.stack = 256 << 10,
	.timeout_ns = 1500 * NS_PER_US,
	.init_timeout_ns = 30 * NS_PER_S,
	.inline_budget_ns = 500 * NS_PER_US,
	.log_level = THAW_LOG_WARN,
	.untrusted = true,
	.critical = true,
	.environment = secrets,
	.concurrency = { .max = 16,
			 .warm = 2,
			 .queue = 64,
			 .queue_timeout_ns = 500 * NS_PER_MS },
	.host = { .allow = allowed,
		  .allow_count = 1,
		  .config = config,
		  .config_count = 1,
		  .max_size = 64 << 10 },
	.dispatch = CATALOG_DISPATCH_AUTO,
};

static const struct catalog_function hostile = {
	.name = FIXTURE_HOSTILE_NAME,
	.image = "/lib/x",
	.entry = "",
	.description = "",
};

static const struct catalog_function slow = {
	.name = "slow",
	.image = "/lib/x",
	.entry = "",
	.description = "",
	.labels = similar,
};

static void count(void)
{
	struct metrics_function *m = &fixture_metrics;

	*m = (struct metrics_function){ .restores = 11 };
	for (enum metrics_outcome i = 0; i < METRICS_OUTCOMES; i++)
		m->outcomes[i] = 101 + (uint64_t)i;
	metrics_observe(&m->duration, 500);
	metrics_observe(&m->duration, 25 * NS_PER_US);
	metrics_observe(&m->duration, 20 * NS_PER_S);
	metrics_observe(&m->phases[METRICS_RUN], 10 * NS_PER_US);
	m->copied_bytes = 12345678901;
	m->restores_offloaded = 12;
	m->turns = 13;
	m->thread_waits = 14;
	m->starts[METRICS_WARM] = 900;
	m->starts[METRICS_SNAPSHOT] = 4;
	m->exits = 910;
	m->boots = 3;
	m->boot_failures = 4;
	m->inflight = 1;
	m->log_lines = 7;
	m->log_dropped = 8;
	m->events_pending = 20;
	m->events_accepted = 21;
	m->events_done = 22;
	m->events_retried = 23;
	m->events_dropped = 24;
}

static void make_functions(void)
{
	fixture_functions[0] = (struct function_view){
		.spec = &hello,
		.metrics = &fixture_metrics,
		.state = FUNCTION_ACTIVE,
		.reason = "",
		.deployed_unix_ms = JANUARY_31_MS + 1000,
		.boot_ns = 1500 * NS_PER_US + 1,
		.image_bytes = 4096,
		.image_sha256 = "ab12",
		.snapshot_bytes = 1000000,
		.is_loaded = true,
		.is_stored = true,
		.not_stored = "",
		.vms_idle = 3,
		.vms_busy = 1,
		.queued = 5,
		.stats = { .dispatch = "auto",
			   .isolation = "strict",
			   .gate = "call",
			   .no_gate = "",
			   .is_polled = true,
			   .polled = 31,
			   .exited = 32,
			   .no_core = 33 },
	};
	fixture_functions[1] = (struct function_view){
		.spec = &hostile,
		.metrics = &no_metrics,
		.state = FUNCTION_FAILED,
		.reason = "cut off: \xe2\x82\xac \xe2\x82",
		.failure = -8,
	};
	fixture_functions[2] = (struct function_view){
		.spec = &slow,
		.metrics = &no_metrics,
		.state = FUNCTION_PENDING,
		.reason = "",
	};
}

void admin_fixture_make(void)
{
	count();
	make_functions();
	server_metrics = (struct metrics_server){
		.connections = 1,
		.connections_total = 5,
		.connections_refused = 2,
		.requests_total = 9,
		.bad_requests_total = 3,
		.accept_errors_total = 10,
		.offloaded_total = 11,
		.stolen_total = 12,
		.reloads_total = 6,
		.reload_failures_total = 1,
		.last_reload_unix_s = 1769860800,
		.last_reload_ok = 1,
		.vms_trimmed = { 15, 16, 17 },
		.vms_shrunk_total = 18,
	};
	fixture_view = (struct server_view){
		.state = SERVER_SERVING,
		.catalog_path = "functions.json",
		.catalog_sha256 = "cd34",
		.generation = 7,
		.start_unix_ms = JANUARY_31_MS,
		.uptime_ms = 123456,
		.workers = 2,
		.offload_threads = 4,
		.offload_busy = 1,
		.io = "io_uring",
		.events_queued = 20,
		.events_max = 1000,
		.events_oldest_ms = 1250,
		.max_connections = 10000,
		.buffered = 65536,
		.max_buffered = 536870912,
		.memory = 33554432,
		.max_memory = 1073741824,
		.pressure = "/proc/pressure/memory",
		.last_reload_error = "",
		.log_dropped = 14,
		.metrics = &server_metrics,
		.functions = fixture_functions,
		.count = FIXTURE_FUNCTIONS,
	};
}
