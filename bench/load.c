/* load.c - runs the load generator's threads. See load.h. */
#include "bench/load.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "bench/load_worker.h"

/* Open files that are not connections. */
#define OTHER_FILES 64

struct load_thread {
	struct load_worker worker;
	struct load_team *team;
	unsigned part;
	pthread_t thread;
	int result;
};

/* All threads. They start sending together, when the last one has connected. */
struct load_team {
	struct load_thread *threads;
	unsigned count;
	sem_t connected; /* posted once by each thread */
	sem_t begun;	 /* posted once for each thread */
	uint64_t start_ns;
};

static atomic_bool stop;

static void on_interrupt(int number)
{
	(void)number;
	atomic_store(&stop, true);
}

/* The first SIGINT ends the run, the second one the program. */
static void watch_interrupts(struct sigaction *before)
{
	const struct sigaction action = { .sa_handler = on_interrupt,
					  .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, before);
}

static int load_allow_files(size_t connections, struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_cur >= connections + OTHER_FILES)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_max < connections + OTHER_FILES)
		return error_set(err, -EMFILE,
				 "%zu connections are more than the files that "
				 "may be open: raise the limit (ulimit -n), or "
				 "use fewer",
				 connections);
	return 0;
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore))
		;
}

static void *load_run_thread(void *argument)
{
	struct load_thread *thread = argument;
	struct load_team *team = thread->team;

	thread->result = load_worker_connect(&thread->worker);
	sem_post(&team->connected);
	wait_for(&team->begun);
	if (!thread->result)
		thread->result = load_worker_run(&thread->worker,
						 team->start_ns, thread->part);
	return NULL;
}

/* Returns how many threads were started; *@ret_result says why not all. */
static unsigned load_start_threads(struct load_team *team, int *ret_result)
{
	for (unsigned i = 0; i < team->count; i++) {
		struct load_thread *thread = &team->threads[i];
		int r = pthread_create(&thread->thread, NULL, load_run_thread,
				       thread);

		if (r) {
			*ret_result = -r;
			return i;
		}
	}
	return team->count;
}

static size_t count_open(const struct load_team *team, int *ret_error)
{
	size_t count = 0;

	for (unsigned i = 0; i < team->count; i++) {
		const struct load_pool *pool = &team->threads[i].worker.pool;

		count += pool->idle.count;
		if (pool->connect_error)
			*ret_error = pool->connect_error;
	}
	return count;
}

static void merge_worker(struct load_result *result,
			 const struct load_worker *worker)
{
	const struct load_pool *pool = &worker->pool;
	uint64_t end_ns = worker->end_ns;

	load_tally_merge(&result->tally, pool->tally);
	result->reconnections += pool->reconnections;
	if (pool->last_ns > end_ns)
		end_ns = pool->last_ns;
	if (end_ns > pool->measure_ns &&
	    end_ns - pool->measure_ns > result->elapsed_ns)
		result->elapsed_ns = end_ns - pool->measure_ns;
}

static int run_team(struct load_team *team, struct load_result *result)
{
	unsigned started;
	uint64_t cpu_ns;
	int r = 0;

	started = load_start_threads(team, &r);
	for (unsigned i = 0; i < started; i++)
		wait_for(&team->connected);
	result->connections = count_open(team, &result->connect_error);
	/* no connections, or too few threads: stop at once */
	if (!result->connections || r)
		atomic_store(&stop, true);
	cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	team->start_ns = clock_now_ns();
	for (unsigned i = 0; i < started; i++)
		sem_post(&team->begun);
	for (unsigned i = 0; i < started; i++) {
		pthread_join(team->threads[i].thread, NULL);
		if (team->threads[i].result)
			r = team->threads[i].result;
		merge_worker(result, &team->threads[i].worker);
	}
	result->cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	return r;
}

static int init_and_run(struct load_team *team,
			const struct load_options *options,
			struct load_result *result)
{
	unsigned ready = 0;
	int r = 0;

	team->threads = calloc(options->threads, sizeof(*team->threads));
	if (!team->threads)
		return -ENOMEM;
	for (; ready < team->count && !r; ready++) {
		struct load_thread *thread = &team->threads[ready];

		thread->team = team;
		thread->part = ready;
		r = load_worker_init(&thread->worker, options, &stop, ready);
	}
	if (!r)
		r = run_team(team, result);
	while (ready--)
		load_worker_done(&team->threads[ready].worker);
	free(team->threads);
	return r;
}

int load_run(const struct load_options *options, struct error *err,
	     struct load_result **ret_result)
{
	struct load_team team = { .count = options->threads };
	struct load_result *result;
	struct sigaction before;
	int r = load_allow_files(options->connections, err);

	if (r)
		return r;
	result = calloc(1, sizeof(*result));
	if (!result)
		return error_set(err, -ENOMEM, "no memory for the results");
	sem_init(&team.connected, 0, 0);
	sem_init(&team.begun, 0, 0);
	atomic_store(&stop, false);
	if (!options->is_background)
		watch_interrupts(&before);
	r = init_and_run(&team, options, result);
	if (!options->is_background)
		sigaction(SIGINT, &before, NULL);
	sem_destroy(&team.connected);
	sem_destroy(&team.begun);
	if (r)
		error_set(err, r, "cannot put load on %s: %s",
			  options->target->text, strerror(-r));
	else if (!result->connections)
		r = error_set(err, -ENOTCONN, "cannot connect to %s: %s",
			      options->target->text,
			      strerror(-result->connect_error));
	if (r)
		load_result_free(result);
	else
		*ret_result = result;
	return r;
}

void load_result_free(struct load_result *result)
{
	free(result);
}

double load_rate(const struct load_result *result)
{
	const struct load_tally *tally = &result->tally;

	if (!result->elapsed_ns)
		return 0;
	return (double)(tally->ok + tally->errors) * (double)NS_PER_S /
	       (double)result->elapsed_ns;
}
