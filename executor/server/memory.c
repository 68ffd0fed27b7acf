/* memory.c - frees vms that nobody needs, and bounds them. See memory.h. */
#include "executor/server/memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"
#include "snapshot/pool.h"
#include "vm/vm.h"

enum memory_pressure {
	PRESSURE_NONE,
	PRESSURE_BEGINS,
	PRESSURE_GOES_ON,
};

void memory_set_generation(struct memory *memory, struct generation *generation)
{
	struct generation *old;

	pthread_mutex_lock(&memory->lock);
	old = memory->generation;
	memory->generation = generation ? generation_hold(generation) : NULL;
	pthread_mutex_unlock(&memory->lock);
	generation_release(old);
}

static struct generation *hold_generation(struct memory *memory)
{
	struct generation *generation;

	pthread_mutex_lock(&memory->lock);
	generation = memory->generation ? generation_hold(memory->generation) :
					  NULL;
	pthread_mutex_unlock(&memory->lock);
	return generation;
}

/* The vms of @deployment; NULL: it has none. */
static struct pool *pool_of(const struct deployment *deployment)
{
	const struct function *function =
		deployment_is_active(deployment) ?
			deployment_function(deployment) :
			NULL;

	return function ? function->pool : NULL;
}

static struct pool *find_oldest(const struct generation *generation)
{
	uint64_t oldest_ns = UINT64_MAX;
	struct pool *oldest = NULL;

	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);
		uint64_t since_ns;

		if (pool && pool_list_idle(pool, false, &since_ns, 1) &&
		    since_ns < oldest_ns) {
			oldest_ns = since_ns;
			oldest = pool;
		}
	}
	return oldest;
}

/* Frees the vm that has been idle longest, of any function. */
static bool free_oldest(const struct generation *generation)
{
	struct pool *pool;

	/* others may have taken it meanwhile */
	while ((pool = find_oldest(generation)))
		if (pool_free_oldest(pool, false, UINT64_MAX))
			return true;
	return false;
}

/* Frees a vm, warm or not, that an update under way is to replace. */
static bool free_outdated(const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++) {
		const struct deployment *next = generation->next[i];
		struct pool *pool = pool_of(generation->deployments[i]);

		if (next && deployment_is_pending(next) && pool &&
		    pool_free_oldest(pool, true, UINT64_MAX))
			return true;
	}
	return false;
}

/* On any thread. */
static bool memory_spare(struct memory_budget *budget, bool for_boot)
{
	struct memory *memory = container_of(budget, struct memory, budget);
	struct generation *generation = hold_generation(memory);
	const bool has_freed = generation &&
			       (free_oldest(generation) ||
				(for_boot && free_outdated(generation)));

	if (has_freed)
		metrics_add(&memory->config.metrics
				     ->vms_trimmed[METRICS_TRIM_LIMIT],
			    1);
	else if (generation && generation->count)
		deployment_is_short(generation->deployments[0]->host);
	generation_release(generation);
	return has_freed;
}

void memory_init(struct memory *memory, const struct memory_config *config)
{
	uint64_t max = config->max;

	*memory = (struct memory){ .config = *config };
	if (!max)
		max = machine_memory(config->root) / 100 *
		      SERVER_MEMORY_PERCENT;
	memory_budget_init(&memory->budget, max, memory_spare);
	memory->budget.patience_ns = SERVER_MEMORY_PATIENCE_NS;
	pthread_mutex_init(&memory->lock, NULL);
	memory->source.events = memory->source.trigger = -1;
}

static size_t count_idle(const struct generation *generation)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);
		unsigned idle = 0, busy, waiting;

		if (pool)
			pool_count(pool, &idle, &busy, &waiting);
		count += idle;
	}
	return count;
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Before when the older half of all vms that may be freed has been idle. */
static uint64_t find_half(const struct generation *generation, bool warm_too)
{
	const size_t room = count_idle(generation);
	cleanup_free uint64_t *since_ns = calloc(room + 1, sizeof(*since_ns));
	size_t count = 0;

	if (!since_ns)
		return clock_now_ns();
	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);

		if (pool)
			count += pool_list_idle(pool, warm_too,
						since_ns + count, room - count);
	}
	if (!count)
		return 0;
	qsort(since_ns, count, sizeof(*since_ns), compare_times);
	return since_ns[(count - 1) / 2] + 1;
}

/* Has idle vms of all functions give memory back: pool_shrink(). */
static size_t shrink(struct memory *memory, const struct generation *generation,
		     bool warm_too, uint64_t before_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);

		if (pool)
			count += pool_shrink(pool, warm_too, before_ns);
	}
	metrics_add(&memory->config.metrics->vms_shrunk_total, count);
	return count;
}

/* Frees vms of all functions that have been idle since before @before_ns. */
static size_t trim(const struct generation *generation, bool warm_too,
		   uint64_t before_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);

		if (pool)
			count += pool_trim(pool, warm_too, before_ns);
	}
	return count;
}

/* A number that most likely differs once memory of requests may have been freed. */
static uint64_t count_activity(const struct memory *memory)
{
	const struct metrics_server *metrics = memory->config.metrics;

	return metrics_get(&metrics->requests_total) +
	       2 * metrics_get(&metrics->connections_total) -
	       metrics_get(&metrics->connections) +
	       metrics_get(&memory->config.buffers->used);
}

/*
 * malloc() keeps most of what was freed, and would keep all memory of a storm of
 * requests. It counts as free also what it has given back, so activity decides.
 */
static void trim_heap(struct memory *memory)
{
	const uint64_t activity = count_activity(memory);

	if (activity == memory->activity ||
	    mallinfo2().fordblks < SERVER_HEAP_FREE_MAX)
		return;
	malloc_trim(0);
	memory->activity = activity;
}

static void trim_idle(struct memory *memory,
		      const struct generation *generation)
{
	const uint64_t now_ns = clock_now_ns();
	const uint64_t idle_ns = memory->config.idle_ns;
	const uint64_t shrink_ns = idle_ns / SERVER_SHRINK_PART;

	if (now_ns > idle_ns)
		metrics_add(&memory->config.metrics
				     ->vms_trimmed[METRICS_TRIM_IDLE],
			    trim(generation, false, now_ns - idle_ns));
	if (now_ns > shrink_ns)
		shrink(memory, generation, false, now_ns - shrink_ns);
}

/* Frees the older half of the idle vms; of the warm ones, once there are no others. */
static size_t trim_half(const struct generation *generation)
{
	const size_t count =
		trim(generation, false, find_half(generation, false));

	return count ? count :
		       trim(generation, true, find_half(generation, true));
}

/* What is made again soonest goes first: see memory.h. */
static void trim_pressed(struct memory *memory,
			 const struct generation *generation, bool goes_on)
{
	size_t freed = 0, shrunk;

	shells_spare();
	if (goes_on)
		freed = trim_half(generation);
	/* those that come back meanwhile are for the next time */
	shrunk = shrink(memory, generation, goes_on, clock_now_ns());
	metrics_add(&memory->config.metrics->vms_trimmed[METRICS_TRIM_PRESSURE],
		    freed);
	/* once, however long it goes on */
	if (!goes_on)
		log_write(THAW_LOG_WARN,
			  "memory is short: idle vms give their memory back",
			  LOG_FIELD("said_by", memory->source.path),
			  LOG_NUMBER("vms", shrunk));
}

/* Makes the warm vms again that have been freed since, unless memory was short. */
static void warm_pools(const struct memory *memory,
		       const struct generation *generation)
{
	const uint64_t pressed_ns = atomic_load(&memory->pressed_ns);

	if (pressed_ns &&
	    clock_now_ns() <= pressed_ns + SERVER_PRESSURE_GOES_ON_NS)
		return;
	for (size_t i = 0; i < generation->count; i++) {
		struct pool *pool = pool_of(generation->deployments[i]);

		if (pool)
			pool_warm_up(pool);
	}
}

static void sweep_once(struct memory *memory)
{
	struct generation *generation = hold_generation(memory);
	const int pressure = atomic_exchange(&memory->pressure, PRESSURE_NONE);

	if (generation && pressure) {
		trim_pressed(memory, generation, pressure == PRESSURE_GOES_ON);
		/* pressure from before now has not seen what this has freed */
		atomic_store(&memory->pressed_ns, clock_now_ns());
	} else if (generation) {
		trim_idle(memory, generation);
		warm_pools(memory, generation);
	}
	generation_release(generation);
	trim_heap(memory);
}

/* Pressure that comes meanwhile begins no sweep of its own, so this goes on. */
static void sweep(struct offload_work *work)
{
	struct memory *memory = container_of(work, struct memory, sweep);

	do {
		sweep_once(memory);
		atomic_store(&memory->sweeping, false);
	} while (atomic_load(&memory->pressure) &&
		 !atomic_exchange(&memory->sweeping, true));
}

static void begin_sweep(struct memory *memory)
{
	/* pressure may be noticed after the last builder has ended */
	if (memory->builders && !atomic_exchange(&memory->sweeping, true))
		offload_push(memory->builders, NULL, &memory->sweep);
}

static void set_timer(struct memory *memory)
{
	uint64_t ns = memory->config.idle_ns / SERVER_SWEEPS_WHILE_IDLE;

	if (ns > SERVER_SWEEP_MOST_NS)
		ns = SERVER_SWEEP_MOST_NS;
	if (ns < SERVER_SWEEP_LEAST_NS)
		ns = SERVER_SWEEP_LEAST_NS;
	timer_set(memory->config.timers, &memory->timer, clock_now_ns() + ns);
}

static void memory_on_timer(struct timer *timer)
{
	struct memory *memory = container_of(timer, struct memory, timer);

	begin_sweep(memory);
	set_timer(memory);
}

void memory_press(struct memory *memory)
{
	const uint64_t pressed_ns = atomic_load(&memory->pressed_ns);
	const bool goes_on = pressed_ns &&
			     clock_now_ns() <
				     pressed_ns + SERVER_PRESSURE_GOES_ON_NS;

	atomic_store(&memory->pressure,
		     goes_on ? PRESSURE_GOES_ON : PRESSURE_BEGINS);
	begin_sweep(memory);
}

static void memory_on_pressure(struct io_poll *poll)
{
	struct memory *memory = container_of(poll, struct memory, poll);

	if (machine_pressure_take(&memory->source))
		memory_press(memory);
}

/* Without it, only vms are freed that have been idle for long. */
static void watch_pressure(struct memory *memory, struct io *io)
{
	struct error err;
	int r;

	if (machine_pressure_open(&memory->source, memory->config.root, &err)) {
		log_write(THAW_LOG_INFO, "memory pressure cannot be watched",
			  LOG_FIELD("reason", err.message));
		return;
	}
	memory->poll.ready = memory_on_pressure;
	r = io_poll_open(io, &memory->poll, memory->source.events);
	if (r)
		log_write(THAW_LOG_WARN, "memory pressure cannot be watched",
			  LOG_FIELD("reason", strerror(-r)));
	else
		memory->is_watched = true;
}

void memory_start(struct memory *memory, struct offload_pool *builders,
		  struct io *io)
{
	memory->builders = builders;
	memory->sweep.run = sweep;
	memory->timer.fire = memory_on_timer;
	set_timer(memory);
	watch_pressure(memory, io);
}

void memory_stop(struct memory *memory)
{
	if (memory->timer.fire)
		timer_clear(memory->config.timers, &memory->timer);
	memory->builders = NULL;
}

void memory_done(struct memory *memory)
{
	memory_set_generation(memory, NULL);
	machine_pressure_close(&memory->source);
	memory_budget_done(&memory->budget);
	pthread_mutex_destroy(&memory->lock);
}
