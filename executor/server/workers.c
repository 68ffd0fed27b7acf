/* workers.c - the threads of workers. See workers.h. */
#include "executor/server/workers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/thread.h"
#include "executor/server/connection.h"
#include "executor/server/event.h"
#include "executor/server/exchange.h"
#include "executor/server/frame_call.h"
#include "executor/server/invocation_start.h"
#include "vm/watchdog.h"

/* Events that rest are tried at once, and connections close. */
static void workers_on_drain(struct worker *worker)
{
	events_hurry(worker);
	connections_drain(worker);
}

static void workers_on_close(struct worker *worker)
{
	connections_close(worker);
	events_drop_all(worker);
	exchange_free_all(worker);
	frame_call_free_all(worker);
}

/* On the main thread, which stops when all workers are idle. */
static void workers_count_idle(struct worker *main)
{
	struct server *server = server_of_worker(main);

	if (++server->idle_workers == server->shared.worker_count)
		main->stopping = true;
}

static void workers_on_idle(struct worker *worker)
{
	if (worker->said_idle)
		return;
	worker->said_idle = true;
	worker_tell(&server_of_worker(worker)->main, worker, WORKER_IS_IDLE,
		    workers_count_idle);
}

const struct worker_calls workers_calls = {
	.run = invocations_run,
	.drain = workers_on_drain,
	.idle = workers_on_idle,
	.close = workers_on_close,
};

void workers_tell(struct server *server, enum worker_order order,
		  void (*call)(struct worker *worker))
{
	for (unsigned i = 0; i < server->shared.worker_count; i++) {
		struct worker *worker = &server->shared.workers[i];

		if (worker->io)
			worker_tell(worker, worker, order, call);
	}
}

static void workers_on_stop(struct worker *worker)
{
	worker->stopping = true;
}

/* On the main thread: a worker has come up, or has failed to. */
static void workers_count_up(struct worker *main)
{
	server_of_worker(main)->starting--;
}

static void worker_pin(unsigned index)
{
	cpu_set_t allowed, one;
	int at = (int)index;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	at %= CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !at--)
			CPU_SET(cpu, &one);
	/* it runs anywhere if this is forbidden */
	(void)!sched_setaffinity(0, sizeof(one), &one);
}

static void *worker_run_thread(struct worker *worker)
{
	struct server *server = server_of_worker(worker);

	if (server->shared.options.pin)
		worker_pin(worker->index);
	worker_run(worker);
	sem_post(&server->left);
	/* the thread that has told it to stop may still use its io */
	while (sem_wait(&server->leave))
		;
	worker_done(worker);
	return NULL;
}

/* What a worker's thread begins with; then it tells the main thread. */
static void *worker_start_thread(void *cookie)
{
	struct worker *worker = cookie;
	struct server *server = server_of_worker(worker);
	struct error err;

	thread_be_prompt("thaw-worker");
	if (worker_init(worker, &server->shared, &workers_calls, worker->index,
			&err)) {
		server->failure = err;
		server->result = -EIO;
		worker_tell(&server->main, worker, WORKER_IS_UP,
			    workers_count_up);
		sem_post(&server->left);
		return NULL;
	}
	worker->generation = generation_hold(server->main.generation);
	worker_tell(&server->main, worker, WORKER_IS_UP, workers_count_up);
	return worker_run_thread(worker);
}

static int workers_start_one(struct server *server, unsigned index)
{
	struct worker *worker = &server->shared.workers[index];
	sigset_t blocked, old;
	int r;

	watch_signals(&blocked);
	worker->shared = &server->shared;
	worker->index = index;
	server->starting++;
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	r = pthread_create(&worker->thread, NULL, worker_start_thread, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!r)
		return 0;
	server->starting--;
	worker->shared = NULL;
	return error_set(&server->failure, -r, "starting a worker: %s",
			 strerror(r));
}

int workers_start(struct server *server, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < server->shared.worker_count && !r; i++)
		r = workers_start_one(server, i);
	/* each thread that has begun comes up, or tells why it cannot */
	while (server->starting)
		worker_turn(&server->main, UINT64_MAX);
	if (!r)
		r = server->result;
	return r ? error_set(err, r, "%s", server->failure.message) : 0;
}

void workers_stop(struct server *server)
{
	workers_tell(server, WORKER_STOP, workers_on_stop);
	for (unsigned i = 0; i < server->shared.worker_count; i++)
		if (server->shared.workers[i].shared)
			while (sem_wait(&server->left))
				;
}

void workers_join(struct server *server)
{
	for (unsigned i = 0; i < server->shared.worker_count; i++)
		sem_post(&server->leave);
	for (unsigned i = 0; i < server->shared.worker_count; i++)
		if (server->shared.workers[i].shared)
			pthread_join(server->shared.workers[i].thread, NULL);
}
