/* neighbours.c - good functions beside hostile ones. See neighbours.h. */
#include "bench/neighbours.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/client.h"
#include "bench/files.h"
#include "bench/load.h"
#include "bench/server.h"
#include "bench/warn.h"
#include "executor/limits.h"

/* Time from one request to the good function to the next. */
#define INTERVAL_NS NS_PER_MS

/*
 * Time before each measurement that does not count: vms are made, the attack
 * begins.
 */
#define SETTLE_NS (200 * NS_PER_MS)

/* The attack outlasts the measurement by this time. */
#define REST_NS (100 * NS_PER_MS)

/*
 * The attacker's clients stand for other machines: they must not take the CPU
 * from the server and the good client.
 */
#define ATTACK_NICE 10

/* Longer than any hostile function may run, so each request gets its reply. */
#define ATTACK_DRAIN_NS (12 * NS_PER_S)

#define HOSTILE "hostile"

/* A catalog with the good function, and the hostile one with these members. */
#define CATALOG(entry, members)                                                \
	"{\"functions\":[" BENCH_SERVER_ENTRY(                                 \
		"4") ",{\"name\":\"" HOSTILE "\","                             \
		     "\"image\":\"" BENCH_SERVER_IMAGE "\",\"entry\":\"" entry \
		     "\"," members "}]}\n"
#define CATALOG_ALONE "{\"functions\":[" BENCH_SERVER_ENTRY("4") "]}\n"

/* The attacker's clients wait for a vm: they are part of the attack. */
#define VMS(count) \
	"\"concurrency\":{\"max\":" count ",\"queue_timeout\":\"1m\"}"
#define SHORT "\"timeout\":\"300ms\","
#define LONG "\"timeout\":\"10s\","
#define BIG "\"memory\":\"32MiB\","

struct bench_hostile {
	const char *name;
	const char *catalog;
	unsigned clients; /* 0: hostile in its init already, so nobody can invoke it */
	uint32_t order[2]; /* its request: see bench/guest/bench.c */
};

static const struct bench_hostile all_kinds[] = {
	{ "spin", CATALOG("spin", SHORT VMS("8")), 8, { 0 } },
	{ "sleep", CATALOG("nap", LONG VMS("64")), 64, { 900 } },
	{ "naps", CATALOG("nap", LONG VMS("8")), 8, { 1 } },
	{ "heavy", CATALOG("dirty", LONG BIG VMS("4")), 8, { 3072, 1 } },
	{ "heavy-once",
	  CATALOG("dirty_rarely", LONG BIG VMS("4")),
	  8,
	  { 3072, 1 } },
	{ "logs", CATALOG("log_lines", LONG VMS("4")), 8, { 900 } },
	{ "fault", CATALOG("crash", LONG VMS("8")), 8, { 0 } },
	{ "spoil", CATALOG("spoil", LONG VMS("8")), 8, { 0 } },
	{ "buslock", CATALOG("lock_buses", SHORT VMS("8")), 8, { 0 } },
	{ "reply",
	  CATALOG("reply", LONG BIG "\"max_reply\":\"4MiB\"," VMS("4")),
	  8,
	  { 4 << 20 } },
	{ "init",
	  CATALOG("empty", "\"init_timeout\":\"15m\","
			   "\"environment\":{\"HANG\":\"1\"}"),
	  0,
	  { 0 } },
};

#define KIND_COUNT (sizeof(all_kinds) / sizeof(*all_kinds))

_Static_assert(KIND_COUNT <= BENCH_NEIGHBOURS_MAX, "all can be chosen");

/* The client of the good function. */
struct meter {
	struct bench_client client;
	struct histogram *histogram;
	uint64_t failed;
};

struct attack {
	struct load_target target;
	struct load_request request;
	struct load_options options;
	pthread_t thread;
	struct load_result *result;
	int r;
	struct error error;
};

static int no_kind(const char *only, struct error *err)
{
	char names[16 * BENCH_NEIGHBOURS_MAX] = "";

	for (size_t i = 0; i < KIND_COUNT; i++) {
		strcat(names, i ? ", " : "");
		strcat(names, all_kinds[i].name);
	}
	return error_set(err, -ENOENT,
			 "no kind of hostile function \"%s\": there are %s",
			 only, names);
}

static bool neighbours_is_in(const char *name, const char *const *list,
			     size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

int bench_neighbours_choose(const char *const *only, size_t only_count,
			    struct error *err,
			    struct bench_neighbours *ret_neighbours)
{
	struct bench_neighbours *all = ret_neighbours;
	const char *names[KIND_COUNT];

	for (size_t i = 0; i < KIND_COUNT; i++)
		names[i] = all_kinds[i].name;
	for (size_t i = 0; i < only_count; i++)
		if (!neighbours_is_in(only[i], names, KIND_COUNT))
			return no_kind(only[i], err);
	all->count = 0;
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!only_count || neighbours_is_in(names[i], only, only_count))
			all->kinds[all->count++] = (struct bench_neighbour){
				.hostile = &all_kinds[i],
				.kind = names[i],
			};
	return 0;
}

static void neighbours_sleep_until(uint64_t due_ns)
{
	const struct timespec due = {
		.tv_sec = (time_t)(due_ns / NS_PER_S),
		.tv_nsec = (long)(due_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ==
	       EINTR)
		;
}

/*
 * Counts a reply. A slow one also counts for the requests that would have been
 * sent meanwhile and would have waited for the rest of the time. Without that a
 * stall would be one sample, however long it is.
 */
static void count_reply(struct meter *meter, uint64_t ns)
{
	histogram_add(meter->histogram, ns);
	for (; ns > INTERVAL_NS; ns -= INTERVAL_NS)
		histogram_add(meter->histogram, ns - INTERVAL_NS);
}

/* Asks once. A bad reply is counted; it is no error. */
static int neighbours_ask(struct meter *meter, struct error *err)
{
	const uint64_t start_ns = clock_now_ns();
	struct error why;
	int r = bench_client_send(&meter->client, err);

	if (!r)
		r = bench_client_take(&meter->client, err);
	if (r)
		return r;
	if (bench_client_judge(&meter->client, &why))
		meter->failed++;
	else
		count_reply(meter, clock_now_ns() - start_ns);
	return 0;
}

static int measure_for(struct meter *meter, uint64_t duration_ns,
		       struct error *err)
{
	uint64_t now_ns = clock_now_ns(), due_ns = now_ns;
	const uint64_t end_ns = now_ns + duration_ns;
	int r = 0;

	memset(meter->histogram, 0, sizeof(*meter->histogram));
	meter->failed = 0;
	while (now_ns < end_ns && !r) {
		neighbours_sleep_until(due_ns);
		r = neighbours_ask(meter, err);
		now_ns = clock_now_ns();
		due_ns += INTERVAL_NS;
		if (due_ns < now_ns)
			due_ns = now_ns;
	}
	return r;
}

/* Measures after a time that does not count. */
static int measure_settled(struct meter *meter, uint64_t duration_ns,
			   struct error *err)
{
	int r = measure_for(meter, SETTLE_NS, err);

	return r ? r : measure_for(meter, duration_ns, err);
}

/* Sets its own priority, which the threads that it starts inherit. */
static void *run_attack(void *argument)
{
	struct attack *attack = argument;

	setpriority(PRIO_PROCESS, (id_t)gettid(), ATTACK_NICE);
	attack->r = load_run(&attack->options, &attack->error, &attack->result);
	return NULL;
}

static int make_attack(struct attack *attack,
		       const struct bench_hostile *hostile,
		       const struct bench_server *server, uint64_t duration_ns)
{
	char data[BENCH_REQUEST_SIZE] = "";
	int r = load_target_set_path(&attack->target, LOAD_HTTP,
				     bench_server_path(server, LOAD_HTTP));

	memcpy(data, hostile->order, sizeof(hostile->order));
	attack->options = (struct load_options){
		.target = &attack->target,
		.request = &attack->request,
		.connections = hostile->clients,
		.threads = 1,
		.duration_ns = duration_ns,
		.drain_ns = ATTACK_DRAIN_NS,
		.is_background = true,
	};
	return r ? r :
		   load_request_make(&attack->request, &attack->target, HOSTILE,
				     NULL, data, sizeof(data));
}

static void keep_attacks(const struct load_tally *tally,
			 struct bench_neighbour *neighbour)
{
	unsigned most = 0;

	for (unsigned i = 0; i < LOAD_STATUS_MAX; i++)
		if (tally->statuses[i] > tally->statuses[most])
			most = i;
	neighbour->attacks = tally->ok + tally->errors;
	neighbour->status = most;
}

/* Measures beside clients that invoke the hostile function. */
static int measure_asked(struct meter *meter, const struct bench_server *server,
			 uint64_t duration_ns, struct error *err,
			 struct bench_neighbour *neighbour)
{
	struct attack attack = { .result = NULL };
	int r = make_attack(&attack, neighbour->hostile, server,
			    SETTLE_NS + duration_ns + REST_NS);

	if (!r)
		r = -pthread_create(&attack.thread, NULL, run_attack, &attack);
	if (r) {
		load_request_done(&attack.request);
		return error_set(err, r, "cannot start the attack: %s",
				 strerror(-r));
	}
	r = measure_settled(meter, duration_ns, err);
	pthread_join(attack.thread, NULL);
	load_request_done(&attack.request);
	if (!r && attack.r) {
		*err = attack.error;
		r = attack.r;
	}
	if (!r)
		keep_attacks(&attack.result->tally, neighbour);
	load_result_free(attack.result);
	return r;
}

/* Measures beside the hostile function's init, which never ends. */
static int measure_reloaded(struct meter *meter,
			    const struct bench_server *server,
			    uint64_t duration_ns, struct error *err,
			    const struct bench_neighbour *neighbour)
{
	int r = bench_server_reload(server, neighbour->hostile->catalog, err);

	return r ? r : measure_settled(meter, duration_ns, err);
}

static double percentile_us(const struct meter *meter, double fraction)
{
	return (double)histogram_percentile(meter->histogram, fraction) /
	       (double)NS_PER_US;
}

static int measure_both(struct meter *meter, const struct bench_server *server,
			uint64_t duration_ns, struct error *err,
			struct bench_neighbour *neighbour)
{
	int r = measure_settled(meter, duration_ns, err);

	if (r)
		return r;
	neighbour->idle_p50_us = percentile_us(meter, 0.50);
	neighbour->idle_p99_us = percentile_us(meter, 0.99);
	r = neighbour->hostile->clients ?
		    measure_asked(meter, server, duration_ns, err, neighbour) :
		    measure_reloaded(meter, server, duration_ns, err,
				     neighbour);
	neighbour->failed = meter->failed;
	neighbour->count = meter->histogram->count + meter->failed;
	neighbour->p50_us = percentile_us(meter, 0.50);
	neighbour->p99_us = percentile_us(meter, 0.99);
	neighbour->max_us =
		(double)meter->histogram->greatest_ns / (double)NS_PER_US;
	return r;
}

static int measure_kind(const struct bench_setup *setup, struct meter *meter,
			uint64_t duration_ns, struct error *err,
			struct bench_neighbour *neighbour)
{
	const struct bench_hostile *hostile = neighbour->hostile;
	const struct bench_server_options options = {
		.catalog = hostile->clients ? hostile->catalog : CATALOG_ALONE,
	};
	struct bench_server *server = NULL;
	int r = bench_server_open(setup, &options, err, &server);

	if (r)
		return r;
	r = bench_client_open(&meter->client,
			      bench_server_path(server, LOAD_HTTP), LOAD_HTTP,
			      BENCH_SERVER_FUNCTION, err);
	if (!r)
		r = measure_both(meter, server, duration_ns, err, neighbour);
	bench_client_close(&meter->client);
	bench_server_close(server);
	return r;
}

static int measure_all(const struct bench_setup *setup, struct meter *meter,
		       uint64_t duration_ns, struct error *err,
		       struct bench_neighbours *neighbours)
{
	size_t done = 0;

	for (size_t i = 0; i < neighbours->count; i++) {
		struct bench_neighbour *neighbour = &neighbours->kinds[i];
		int r = measure_kind(setup, meter, duration_ns, err, neighbour);

		if (r == -EOPNOTSUPP)
			bench_warn("%s is skipped: %s", neighbour->kind,
				   err->message);
		else if (r)
			return error_prefix(err, r, "%s", neighbour->kind);
		else
			neighbours->kinds[done++] = *neighbour;
	}
	neighbours->count = done;
	return 0;
}

int bench_neighbours_measure(uint64_t duration_ns, struct error *err,
			     struct bench_neighbours *neighbours)
{
	struct bench_setup setup = { .guest_fd = -1, .program_fd = -1 };
	struct meter meter = { .histogram =
				       calloc(1, sizeof(*meter.histogram)) };
	int r;

	if (!meter.histogram)
		return error_set(err, -ENOMEM, "no memory for a histogram");
	r = bench_files_open(&setup, err);
	if (!r)
		r = measure_all(&setup, &meter,
				duration_ns / neighbours->count / 2, err,
				neighbours);
	bench_files_close(&setup);
	free(meter.histogram);
	return r;
}

double bench_neighbour_bound_us(const struct bench_neighbour *neighbour)
{
	return 3 * neighbour->idle_p99_us +
	       (double)LIMIT_INLINE_BUDGET_DEFAULT / (double)NS_PER_US;
}

bool bench_neighbour_holds(const struct bench_neighbour *neighbour)
{
	return !neighbour->failed &&
	       neighbour->p99_us <= bench_neighbour_bound_us(neighbour);
}
