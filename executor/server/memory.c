/* memory.c - frees vms that nobody uses. See memory.h. */
#include "executor/server/memory.h"

#include <malloc.h>

#include "executor/server/server_limits.h"
#include "snapshot/pool.h"
#include "vm/clock.h"

#define MEMORY_OF(pointer, member)                                           \
	((struct memory *)(void *)((char *)(pointer)-offsetof(struct memory, \
							      member)))

void memory_init(struct memory *memory, const struct memory_config *config)
{
	*memory = (struct memory){ .config = *config };
	pthread_mutex_init(&memory->lock, NULL);
}

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

/* Frees vms of all functions that have been idle since before @before_ns. */
static size_t trim(const struct generation *generation, uint64_t before_ns)
{
	size_t count = 0;

	for (size_t i = 0; i < generation->count; i++) {
		struct served *served = generation->served[i];

		if (served_is_active(served))
			count += pool_trim(served->function->pool, false,
					   before_ns);
	}
	return count;
}

/* Something else, most likely, whenever memory of requests may have been freed. */
static uint64_t count_activity(const struct memory *memory)
{
	const struct metrics_server *metrics = memory->config.metrics;

	return metrics_get(&metrics->requests_total) +
	       2 * metrics_get(&metrics->connections_total) -
	       metrics_get(&metrics->connections) +
	       metrics_get(&memory->config.buffers->used);
}

/*
 * malloc() keeps most of what was freed, and would keep all of a storm of
 * requests. What it has given back it counts as free, too.
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

static void sweep(struct job *job)
{
	struct memory *memory = MEMORY_OF(job, sweep);
	struct metrics_server *metrics = memory->config.metrics;
	struct generation *generation = hold_generation(memory);
	const uint64_t now_ns = clock_now_ns();

	if (generation && now_ns > memory->config.idle_ns)
		metrics_add(&metrics->vms_trimmed[METRICS_TRIM_IDLE],
			    trim(generation, now_ns - memory->config.idle_ns));
	generation_release(generation);
	trim_heap(memory);
	atomic_store(&memory->sweeping, false);
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

static void on_timer(struct timer *timer)
{
	struct memory *memory = MEMORY_OF(timer, timer);

	if (!atomic_exchange(&memory->sweeping, true))
		jobs_push(memory->jobs, NULL, &memory->sweep);
	set_timer(memory);
}

void memory_start(struct memory *memory, struct jobs *jobs)
{
	memory->jobs = jobs;
	memory->sweep.run = sweep;
	memory->timer.fire = on_timer;
	set_timer(memory);
}

void memory_stop(struct memory *memory)
{
	if (memory->timer.fire)
		timer_clear(memory->config.timers, &memory->timer);
}

void memory_done(struct memory *memory)
{
	memory_set_generation(memory, NULL);
	pthread_mutex_destroy(&memory->lock);
}
