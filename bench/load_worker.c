/* load_worker.c - the loop of one thread. See load_worker.h. */
#include "bench/load_worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"

/* Time in which all connections have to be open. */
#define CONNECT_NS (5 * NS_PER_S)

/* The last part of a wait is spent polling, because sleepers wake late. */
#define SPIN_NS (50 * NS_PER_US)

/* Longest time between two looks at the stop flag. */
#define WAIT_MAX_NS (100 * NS_PER_MS)

/* Events read at once. */
#define EVENTS_MAX 256

static size_t share_of(size_t whole, unsigned part, unsigned parts)
{
	return whole / parts + (part < whole % parts);
}

int load_worker_init(struct load_worker *worker,
		     const struct load_options *options,
		     const atomic_bool *stop, unsigned part)
{
	const size_t count =
		share_of(options->connections, part, options->threads);
	struct load_pool *pool = &worker->pool;

	*worker = (struct load_worker){
		.pool = {
			.options = options,
			.connections = calloc(count, sizeof(*pool->connections)),
			.idle.ring = calloc(count, sizeof(*pool->idle.ring)),
			.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
			.input = malloc(LOAD_INPUT_SIZE),
			.measure_ns = UINT64_MAX,
			.tally = calloc(1, sizeof(*pool->tally)),
		},
		.stop = stop,
		.start_ns = UINT64_MAX,
		.end_ns = UINT64_MAX,
		.due_ns = UINT64_MAX,
	};
	if (pool->epoll_fd < 0)
		return -errno;
	if (!pool->connections || !pool->idle.ring || !pool->input ||
	    !pool->tally)
		return -ENOMEM;
	pool->count = pool->down = count;
	for (size_t i = 0; i < count; i++) {
		pool->connections[i].fd = -1;
		load_reply_init(&pool->connections[i].reply,
				options->target->protocol);
	}
	return 0;
}

void load_worker_done(struct load_worker *worker)
{
	struct load_pool *pool = &worker->pool;

	for (size_t i = 0; i < pool->count; i++) {
		if (pool->connections[i].fd >= 0)
			close(pool->connections[i].fd);
		load_reply_done(&pool->connections[i].reply);
	}
	if (pool->epoll_fd >= 0)
		close(pool->epoll_fd);
	free(pool->connections);
	free(pool->idle.ring);
	free(pool->input);
	free(pool->tally);
}

/*
 * Opens the connections whose time has come; returns when the next one's comes.
 */
static uint64_t load_worker_open_down(struct load_worker *worker,
				      uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	for (size_t i = 0; i < worker->pool.count && worker->pool.down; i++) {
		struct load_connection *connection =
			&worker->pool.connections[i];

		if (connection->state != LOAD_DOWN)
			continue;
		if (connection->retry_ns <= now_ns)
			load_connection_open(&worker->pool, connection);
		if (connection->state == LOAD_DOWN &&
		    connection->retry_ns < next_ns)
			next_ns = connection->retry_ns;
	}
	return next_ns;
}

static bool is_closed_loop(const struct load_worker *worker)
{
	return !worker->pool.options->rate;
}

/* Whether a request is due, and since when. */
static bool load_worker_take_due(struct load_worker *worker, uint64_t now_ns,
				 uint64_t *ret_due_ns)
{
	if (is_closed_loop(worker)) {
		*ret_due_ns = now_ns;
		return now_ns >= worker->start_ns && now_ns < worker->end_ns;
	}
	*ret_due_ns = worker->due_ns;
	if (worker->due_ns > now_ns || worker->due_ns >= worker->end_ns)
		return false;
	worker->due_ns = load_schedule_next(&worker->schedule);
	return true;
}

static void load_worker_send_due(struct load_worker *worker)
{
	uint64_t due_ns, now_ns = clock_now_ns();

	while (worker->pool.idle.count &&
	       load_worker_take_due(worker, now_ns, &due_ns)) {
		load_connection_start(&worker->pool,
				      load_idle_pop(&worker->pool.idle,
						    worker->pool.count),
				      due_ns, now_ns);
		now_ns = clock_now_ns();
	}
}

/*
 * Returns the latest time at which there is something to do without an event.
 */
static uint64_t load_worker_next_time(const struct load_worker *worker,
				      uint64_t retry_ns, uint64_t now_ns)
{
	uint64_t next_ns = now_ns + WAIT_MAX_NS;

	if (retry_ns < next_ns)
		next_ns = retry_ns;
	if (now_ns < worker->end_ns && worker->end_ns < next_ns)
		next_ns = worker->end_ns;
	if (worker->pool.idle.count && !is_closed_loop(worker) &&
	    worker->due_ns < worker->end_ns && worker->due_ns < next_ns)
		next_ns = worker->due_ns < now_ns + SPIN_NS ?
				  now_ns :
				  worker->due_ns - SPIN_NS;
	return next_ns;
}

/* Waits for events and handles them. */
static int load_worker_wait(struct load_worker *worker, uint64_t until_ns,
			    uint64_t now_ns)
{
	const uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	const struct timespec timeout = {
		.tv_sec = (time_t)(wait_ns / NS_PER_S),
		.tv_nsec = (long)(wait_ns % NS_PER_S),
	};
	struct pollfd any = { .fd = worker->pool.epoll_fd, .events = POLLIN };
	struct epoll_event events[EVENTS_MAX];
	int count = wait_ns ? ppoll(&any, 1, &timeout, NULL) : 1;

	/* before Linux 5.11, epoll_wait() only knows milliseconds */
	if (count > 0)
		count = epoll_wait(worker->pool.epoll_fd, events, EVENTS_MAX,
				   0);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		load_connection_handle(&worker->pool, events[i].data.ptr,
				       events[i].events);
		/*
		 * a free connection does not wait until all events are handled
		 */
		load_worker_send_due(worker);
	}
	return 0;
}

static int load_worker_turn(struct load_worker *worker)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t retry_ns = worker->pool.down ?
				    load_worker_open_down(worker, now_ns) :
				    UINT64_MAX;

	load_worker_send_due(worker);
	now_ns = clock_now_ns();
	return load_worker_wait(worker,
				load_worker_next_time(worker, retry_ns, now_ns),
				now_ns);
}

int load_worker_connect(struct load_worker *worker)
{
	const uint64_t end_ns = clock_now_ns() + CONNECT_NS;
	int r = 0;

	/* per thread: it has to wake on time */
	prctl(PR_SET_TIMERSLACK, 1);
	while (worker->pool.down + worker->pool.connecting &&
	       clock_now_ns() < end_ns && !r && !atomic_load(worker->stop))
		r = load_worker_turn(worker);
	return r;
}

/* Whether everything was sent and answered, or the time for that is over. */
static bool load_worker_is_over(const struct load_worker *worker,
				uint64_t now_ns)
{
	if (now_ns < worker->end_ns)
		return false;
	if (now_ns - worker->end_ns >= worker->pool.options->drain_ns)
		return true;
	return !worker->pool.busy && worker->due_ns >= worker->end_ns;
}

/* Counts requests under way as lost, and requests that are due as unsent. */
static void load_worker_give_up(struct load_worker *worker)
{
	for (size_t i = 0; i < worker->pool.count; i++)
		if (worker->pool.connections[i].state == LOAD_BUSY)
			load_connection_drop(&worker->pool,
					     &worker->pool.connections[i]);
	while (worker->due_ns < worker->end_ns) {
		worker->pool.tally->unsent += worker->due_ns >=
					      worker->pool.measure_ns;
		worker->due_ns = load_schedule_next(&worker->schedule);
	}
}

int load_worker_run(struct load_worker *worker, uint64_t start_ns,
		    unsigned part)
{
	const struct load_options *options = worker->pool.options;
	uint64_t now_ns;
	int r = 0;

	worker->start_ns = start_ns;
	worker->pool.measure_ns = start_ns + options->warm_up_ns;
	worker->end_ns = worker->pool.measure_ns + options->duration_ns;
	if (options->rate) {
		load_schedule_start(&worker->schedule, options->arrivals,
				    options->rate, start_ns, part,
				    options->threads);
		worker->due_ns = load_schedule_next(&worker->schedule);
	}
	while (!load_worker_is_over(worker, now_ns = clock_now_ns()) && !r) {
		if (atomic_load(worker->stop) && now_ns < worker->end_ns)
			worker->end_ns = now_ns;
		r = load_worker_turn(worker);
	}
	load_worker_give_up(worker);
	return r;
}
