/*
 * event.c - Event invocations. See event.h; on the thread of the worker that has
 * accepted the event.
 *
 * An event waits in its function's line. When it has its turn, it is started as
 * any invocation is. Each event that begins or ends gives the next one its turn,
 * whichever worker has that. An event that is refused keeps its turn and tries
 * again. One that failed rests, and then waits in the line again.
 */
#include "executor/server/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/entropy.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/invocation_start.h"
#include "executor/server/log/log.h"
#include "executor/server/server_limits.h"
#include "executor/server/worker.h"

/* Waits before retries: each is twice the one before, from the first to the last. */
#define RETRY_FIRST_NS NS_PER_S
#define RETRY_LAST_NS (60 * NS_PER_S)
/* The same for waits after a refusal. */
#define REFUSED_FIRST_NS (10 * NS_PER_MS)
#define REFUSED_LAST_NS (100 * NS_PER_MS)

struct event {
	struct invocation invocation;
	struct event *next, **link;   /* the worker's */
	struct function_stats *stats; /* held; it waits in their line */
	struct event_place place;
	struct io_message message; /* it has its turn */
	/* Ends its rest; or, while it waits in line, drops it as too old. */
	struct timer timer;
	struct budget_account account; /* pays for all of it */
	bool rests, has_turn;
	char id[INVOCATION_ID_SIZE];
	uint64_t accepted_ns;
	unsigned failures; /* runs that failed */
	unsigned refusals; /* in a row */
	struct thaw_attribute attributes[INVOCATION_ATTRIBUTES_MAX];
	char bytes[]; /* payload, then content type and attributes */
};

static void event_on_turn(struct io_message *message);

static struct event_line *event_get_line(const struct event *event)
{
	return &event->stats->events;
}

static uint64_t event_too_old_ns(const struct event *event)
{
	return event->accepted_ns +
	       event->invocation.worker->shared->options.event_max_age_ns;
}

static void event_note_oldest(struct worker *worker)
{
	atomic_store(&worker->oldest_event_ns,
		     worker->events ? worker->events->accepted_ns : UINT64_MAX);
}

/* Gives the next event of @line its turn; @deployment is the function as it is now. */
static void event_let_next(struct worker *worker,
			   const struct deployment *deployment,
			   struct event_line *line)
{
	const uint32_t max = deployment->spec->concurrency.max;
	/* an echo takes no vm, and is never active */
	const bool has_vm =
		(deployment->answer || deployment_is_active(deployment)) &&
		atomic_load_explicit(&deployment->admitted,
				     memory_order_relaxed) < max;
	struct event_place *place;
	struct event *event;

	if (worker->stopping)
		return;
	place = event_line_next(line, max, has_vm);
	if (!place)
		return;
	event = container_of(place, struct event, place);
	event->message.deliver = event_on_turn;
	io_post(event->invocation.worker->io, worker->io, &event->message);
}

static void event_end_turn(struct event *event)
{
	struct invocation *invocation = &event->invocation;

	if (event->has_turn)
		event_line_end_turn(event_get_line(event));
	event->has_turn = false;
	event_let_next(invocation->worker, invocation->deployment,
		       event_get_line(event));
}

static void event_free(struct event *event)
{
	atomic_fetch_sub(&event->invocation.worker->shared->events, 1);
	event_line_exit(event_get_line(event));
	function_stats_release(event->stats);
	budget_close(&event->account);
	deployment_release(event->invocation.deployment);
	free(event);
}

static void event_forget(struct event *event)
{
	struct worker *worker = event->invocation.worker;

	timer_clear(&worker->timers, &event->timer);
	*event->link = event->next;
	if (event->next)
		event->next->link = event->link;
	else
		worker->last_event = event->link;
	event_note_oldest(worker);
	worker->event_count--;
	metrics_subtract(&event->stats->metrics.events_pending, 1);
	event_end_turn(event);
	event_free(event);
}

static void event_drop(struct event *event, const char *reason)
{
	struct deployment *deployment = event->invocation.deployment;

	metrics_add(&event->stats->metrics.events_dropped, 1);
	if (function_stats_may_log(event->stats, FUNCTION_LOG_EVENTS,
				   THAW_LOG_ERROR))
		log_write(THAW_LOG_ERROR, "event dropped",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_FIELD("request_id", event->id),
			  LOG_FIELD("reason", reason),
			  LOG_NUMBER("failures", event->failures));
	event_forget(event);
}

static uint64_t wait_ns(uint64_t first_ns, uint64_t last_ns, unsigned times,
			uint64_t random)
{
	uint64_t ns = first_ns;

	while (--times && ns < last_ns)
		ns *= 2;
	if (ns > last_ns)
		ns = last_ns;
	return ns / 2 + random % (ns + 1);
}

uint64_t event_retry_ns(unsigned failures, uint64_t random)
{
	return wait_ns(RETRY_FIRST_NS, RETRY_LAST_NS, failures, random);
}

uint64_t event_refused_ns(unsigned refusals, uint64_t random)
{
	return wait_ns(REFUSED_FIRST_NS, REFUSED_LAST_NS, refusals, random);
}

static uint64_t event_random(void)
{
	uint64_t random = 0;

	/* without entropy they all wait for the same time */
	(void)!entropy_fill(&random, sizeof(random));
	return random;
}

/* Rests for @ns, but not longer than until it is too old. */
static void event_rest(struct event *event, uint64_t ns)
{
	struct worker *worker = event->invocation.worker;
	uint64_t until_ns;

	/* the server ends, so the wait is short */
	if (worker->draining && ns > REFUSED_FIRST_NS)
		ns = REFUSED_FIRST_NS;
	until_ns = clock_now_ns() + ns;
	if (until_ns > event_too_old_ns(event))
		until_ns = event_too_old_ns(event);
	event->rests = true;
	timer_set(&worker->timers, &event->timer, until_ns);
}

static void event_wait_in_line(struct event *event)
{
	struct invocation *invocation = &event->invocation;

	timer_set(&invocation->worker->timers, &event->timer,
		  event_too_old_ns(event));
	event_line_push(event_get_line(event), &event->place);
	event_let_next(invocation->worker, invocation->deployment,
		       event_get_line(event));
}

static bool event_is_too_old(const struct event *event)
{
	return clock_now_ns() >= event_too_old_ns(event);
}

/* Nothing is done before the vm is free again, in ended(). */
static void event_on_replied(struct invocation *invocation)
{
	(void)invocation;
}

static void event_on_ended(struct invocation *invocation)
{
	struct event *event = (struct event *)invocation;
	struct metrics_function *metrics = &event->stats->metrics;

	if (!invocation->result && invocation->reply.result == THAW_OK) {
		metrics_add(&metrics->events_done, 1);
		event_forget(event);
	} else if (invocation->result && !invocation_is_put_off(invocation)) {
		event_drop(event, invocation->error.message);
	} else if (event_is_too_old(event)) {
		event_drop(event, "it is too old");
	} else if (invocation->result == -EINPROGRESS &&
		   invocation->worker->draining) {
		event_drop(event,
			   "the server ends before its function is deployed");
	} else if (invocation->result) {
		event_rest(event,
			   event_refused_ns(++event->refusals, event_random()));
	} else if (++event->failures >
		   invocation->worker->shared->options.event_retries) {
		event_drop(event, invocation->reply.error_message);
	} else {
		metrics_add(&metrics->events_retried, 1);
		event->refusals = 0;
		event_rest(event,
			   event_retry_ns(event->failures, event_random()));
		event_end_turn(event);
	}
}

/* The function as it is now: the catalog may have been reloaded. */
static bool event_look_up(struct event *event)
{
	struct invocation *invocation = &event->invocation;
	struct deployment *before = invocation->deployment;
	struct deployment *now = generation_find(invocation->worker->generation,
						 before->spec->name);

	if (!now)
		return false;
	if (now != before) {
		budget_join(&event->account, BUDGET_OF_FUNCTION, &now->share);
		invocation->deployment = deployment_hold(now);
		deployment_release(before);
	}
	return true;
}

/* It has its turn. */
static void event_start(struct event *event)
{
	struct worker *worker = event->invocation.worker;
	struct function_stats *stats;
	struct deployment *deployment;

	if (event_is_too_old(event)) {
		event_drop(event, "it is too old");
		return;
	}
	if (!event_look_up(event)) {
		event_drop(event,
			   "its function is not in the catalog any more");
		return;
	}
	deployment = deployment_hold(event->invocation.deployment);
	stats = function_stats_hold(event->stats);
	invocation_start(&event->invocation);
	/* only now, when this one counts among those that are admitted */
	event_let_next(worker, deployment, &stats->events);
	function_stats_release(stats);
	deployment_release(deployment);
}

static void event_on_turn(struct io_message *message)
{
	struct event *event = container_of(message, struct event, message);

	timer_clear(&event->invocation.worker->timers, &event->timer);
	event->has_turn = true;
	event_start(event);
}

static void event_on_timer(struct timer *timer)
{
	struct event *event = container_of(timer, struct event, timer);
	const bool rested = event->rests;

	event->rests = false;
	if (rested && event->has_turn)
		event_start(event);
	else if (rested)
		event_wait_in_line(event);
	else if (event_line_leave(event_get_line(event), &event->place))
		event_drop(event, "it is too old");
}

static size_t event_strings_size(const struct thaw_invoke_request *request)
{
	size_t size =
		request->content_type ? strlen(request->content_type) + 1 : 0;

	for (size_t i = 0; i < request->attribute_count; i++)
		size += strlen(request->attributes[i].value) + 1;
	return size;
}

/* Copies what @request borrows; names of attributes are static. */
static void event_copy_request(struct event *event,
			       const struct thaw_invoke_request *request)
{
	struct thaw_invoke_request *own = &event->invocation.request;
	char *at = event->bytes;

	*own = *request;
	snprintf(event->id, sizeof(event->id), "%s", request->id);
	own->id = event->id;
	own->data = at;
	if (request->size)
		memcpy(at, request->data, request->size);
	at += request->size;
	if (request->content_type) {
		own->content_type = at;
		at = stpcpy(at, request->content_type) + 1;
	}
	own->attributes = event->attributes;
	for (size_t i = 0; i < request->attribute_count; i++) {
		event->attributes[i].name = request->attributes[i].name;
		event->attributes[i].value = at;
		at = stpcpy(at, request->attributes[i].value) + 1;
	}
}

static int event_make_room(struct shared *shared, struct deployment *deployment,
			   struct error *err)
{
	const uint64_t max = shared->options.events_max;
	uint64_t others = atomic_fetch_add(&shared->events, 1);

	if (others < max &&
	    event_line_enter(&deployment->stats->events, max - others))
		return 0;
	atomic_fetch_sub(&shared->events, 1);
	if (others >= max)
		return error_set(err, -EBUSY,
				 "%llu Event invocations are waiting already: "
				 "raise --event-queue",
				 (unsigned long long)max);
	return error_set(err, -EBUSY,
			 "function %s: it has more Event invocations waiting "
			 "than there is room left for all functions, %llu: "
			 "raise --event-queue or concurrency.max",
			 deployment->spec->name,
			 (unsigned long long)(max - others));
}

/* An event with its memory paid for, zeroed, or NULL. */
static struct event *event_allocate(struct worker *worker,
				    struct deployment *deployment, size_t size,
				    struct error *err)
{
	struct budget_account account;
	struct event *event = NULL;

	budget_open(&account, &worker->purse);
	budget_join(&account, BUDGET_OF_FUNCTION, &deployment->share);
	if (!budget_take(&account, size)) {
		error_set(err, -ENOMEM, "%s", budget_reason(account.refused));
	} else {
		event = calloc(1, size);
		if (!event)
			error_set(err, -ENOMEM, "no memory for an event");
	}
	if (event) {
		event->account = account;
		invocation_init(&event->invocation);
	} else {
		budget_close(&account);
	}
	return event;
}

/* The only place where an event is created; event_free() frees it. */
static int event_create(struct worker *worker, struct deployment *deployment,
			const struct thaw_invoke_request *request,
			struct error *err, struct event **ret_event)
{
	struct shared *shared = worker->shared;
	struct event *event;
	int r;

	if (request->size > SERVER_EVENT_PAYLOAD_MAX)
		return error_set(err, -E2BIG,
				 "an Event invocation's payload may have %zu "
				 "bytes, not %zu",
				 SERVER_EVENT_PAYLOAD_MAX, request->size);
	r = event_make_room(shared, deployment, err);
	if (r)
		return r;
	event = event_allocate(worker, deployment,
			       sizeof(*event) + request->size +
				       event_strings_size(request),
			       err);
	if (!event) {
		event_line_exit(&deployment->stats->events);
		atomic_fetch_sub(&shared->events, 1);
		return -ENOMEM;
	}
	event->stats = function_stats_hold(deployment->stats);
	event->invocation.deployment = deployment_hold(deployment);
	event->invocation.worker = worker;
	event->invocation.account = &event->account;
	*ret_event = event;
	return 0;
}

int event_accept(struct worker *worker, struct deployment *deployment,
		 const struct thaw_invoke_request *request, struct error *err)
{
	struct metrics_function *metrics = &deployment->stats->metrics;
	struct event *event = NULL;
	int r = event_create(worker, deployment, request, err, &event);

	if (r)
		return r;
	event_copy_request(event, request);
	event->accepted_ns = clock_now_ns();
	event->timer.fire = event_on_timer;
	event->invocation.replied = event_on_replied;
	event->invocation.ended = event_on_ended;
	event->invocation.comes_again = true;
	event->invocation.drops_reply = true;
	event->link = worker->last_event;
	*event->link = event;
	worker->last_event = &event->next;
	event_note_oldest(worker);
	worker->event_count++;
	metrics_add(&metrics->events_pending, 1);
	metrics_add(&metrics->events_accepted, 1);
	event_wait_in_line(event);
	return 0;
}

void events_hurry(struct worker *worker)
{
	for (struct event *event = worker->events; event; event = event->next)
		if (event->rests)
			timer_set(&worker->timers, &event->timer,
				  clock_now_ns());
}

void events_drop_all(struct worker *worker)
{
	while (worker->events)
		event_drop(worker->events, "the server ends");
}
