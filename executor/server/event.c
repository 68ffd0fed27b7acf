/*
 * event.c - Event invocations. See event.h; on the thread of the worker that has
 * accepted the event.
 *
 * An event waits in its function's line. When it has its turn it is started as
 * any invocation; each one that begins, and each one that ends, lets the next
 * one in, whichever worker has that. One that is refused keeps its turn and tries
 * again. One that failed rests, and waits in the line again.
 */
#include "executor/server/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/entropy.h"
#include "executor/protocol/budget_reason.h"
#include "executor/server/invocation_log.h"
#include "executor/server/log/log.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"

/* The first wait before a retry; each is twice the one before, up to the last. */
#define RETRY_FIRST_NS NS_PER_S
#define RETRY_LAST_NS (60 * NS_PER_S)
/* The same before what was refused is tried again. */
#define REFUSED_FIRST_NS (10 * NS_PER_MS)
#define REFUSED_LAST_NS (100 * NS_PER_MS)

struct event {
	struct invocation invocation;
	struct event *next, **link; /* the worker's */
	struct stats *stats;	    /* held: whose line it waits in */
	struct event_place place;
	struct io_message message; /* it has its turn */
	/* When it has rested; while it waits: when it is too old. */
	struct timer timer;
	struct budget_account account; /* pays for all of it */
	bool rests, has_turn;
	char id[EXCHANGE_ID_SIZE];
	uint64_t accepted_ns;
	unsigned failures; /* runs that failed */
	unsigned refusals; /* in a row */
	struct thaw_attribute attributes[EXCHANGE_ATTRIBUTES_MAX];
	char bytes[]; /* payload, then content type and attributes */
};

static void on_turn(struct io_message *message);

static struct event_line *line_of(const struct event *event)
{
	return &event->stats->events;
}

static uint64_t too_old_ns(const struct event *event)
{
	return event->accepted_ns +
	       event->invocation.worker->server->options.event_max_age_ns;
}

static void note_oldest(struct worker *worker)
{
	atomic_store(&worker->oldest_event_ns,
		     worker->events ? worker->events->accepted_ns : UINT64_MAX);
}

/* Lets the next one of @line in; @deployment is the function as it is now. */
static void let_in(struct worker *worker, const struct deployment *deployment,
		   struct event_line *line)
{
	const uint32_t max = deployment->spec->concurrency.max;
	const bool has_vm = deployment_is_active(deployment) &&
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
	event->message.deliver = on_turn;
	io_post(event->invocation.worker->io, worker->io, &event->message);
}

static void end_turn(struct event *event)
{
	struct invocation *invocation = &event->invocation;

	if (event->has_turn)
		event_line_end_turn(line_of(event));
	event->has_turn = false;
	let_in(invocation->worker, invocation->deployment, line_of(event));
}

static void free_event(struct event *event)
{
	atomic_fetch_sub(&event->invocation.worker->server->events, 1);
	event_line_exit(line_of(event));
	function_stats_release(event->stats);
	budget_close(&event->account);
	deployment_release(event->invocation.deployment);
	free(event);
}

static void forget(struct event *event)
{
	struct worker *worker = event->invocation.worker;

	timer_clear(&worker->timers, &event->timer);
	*event->link = event->next;
	if (event->next)
		event->next->link = event->link;
	else
		worker->last_event = event->link;
	note_oldest(worker);
	worker->event_count--;
	metrics_subtract(&event->stats->metrics.events_pending, 1);
	end_turn(event);
	free_event(event);
}

static void drop(struct event *event, const char *reason)
{
	struct deployment *deployment = event->invocation.deployment;

	metrics_add(&event->stats->metrics.events_dropped, 1);
	if (invocation_log_may(deployment, DEPLOYMENT_LOG_EVENTS,
			       THAW_LOG_ERROR))
		log_write(THAW_LOG_ERROR, "event dropped",
			  LOG_FIELD("function", deployment->spec->name),
			  LOG_FIELD("request_id", event->id),
			  LOG_FIELD("reason", reason),
			  LOG_NUMBER("failures", event->failures));
	forget(event);
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

static uint64_t draw(void)
{
	uint64_t random = 0;

	/* without entropy they all wait for the same time */
	(void)!entropy_fill(&random, sizeof(random));
	return random;
}

/* Until its timer, or until it is too old. */
static void rest(struct event *event, uint64_t ns)
{
	struct worker *worker = event->invocation.worker;
	uint64_t until_ns;

	/* the server ends: soon or never */
	if (worker->draining && ns > REFUSED_FIRST_NS)
		ns = REFUSED_FIRST_NS;
	until_ns = clock_now_ns() + ns;
	if (until_ns > too_old_ns(event))
		until_ns = too_old_ns(event);
	event->rests = true;
	timer_set(&worker->timers, &event->timer, until_ns);
}

static void wait_in_line(struct event *event)
{
	struct invocation *invocation = &event->invocation;

	timer_set(&invocation->worker->timers, &event->timer,
		  too_old_ns(event));
	event_line_push(line_of(event), &event->place);
	let_in(invocation->worker, invocation->deployment, line_of(event));
}

static bool is_too_old(const struct event *event)
{
	return clock_now_ns() >= too_old_ns(event);
}

/* What it has come to is dealt with when the vm is free again. */
static void on_replied(struct invocation *invocation)
{
	(void)invocation;
}

static void on_ended(struct invocation *invocation)
{
	struct event *event = (struct event *)invocation;
	struct metrics_function *metrics = &event->stats->metrics;

	if (!invocation->result && invocation->reply.result == THAW_OK) {
		metrics_add(&metrics->events_done, 1);
		forget(event);
	} else if (invocation->result && !invocation_is_put_off(invocation)) {
		drop(event, invocation->error.message);
	} else if (is_too_old(event)) {
		drop(event, "it is too old");
	} else if (invocation->result == -EINPROGRESS &&
		   invocation->worker->draining) {
		drop(event, "the server ends before its function is deployed");
	} else if (invocation->result) {
		rest(event, event_refused_ns(++event->refusals, draw()));
	} else if (++event->failures >
		   invocation->worker->server->options.event_retries) {
		drop(event, invocation->reply.error_message);
	} else {
		metrics_add(&metrics->events_retried, 1);
		event->refusals = 0;
		rest(event, event_retry_ns(event->failures, draw()));
		end_turn(event);
	}
}

/* The function as it is now: the catalog may have been reloaded. */
static bool look_up(struct event *event)
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
static void start(struct event *event)
{
	struct worker *worker = event->invocation.worker;
	struct stats *stats;
	struct deployment *deployment;

	if (is_too_old(event)) {
		drop(event, "it is too old");
		return;
	}
	if (!look_up(event)) {
		drop(event, "its function is not in the catalog any more");
		return;
	}
	deployment = deployment_hold(event->invocation.deployment);
	stats = function_stats_hold(event->stats);
	invocation_start(&event->invocation);
	/* not before: now this one is among those that are admitted */
	let_in(worker, deployment, &stats->events);
	function_stats_release(stats);
	deployment_release(deployment);
}

static void on_turn(struct io_message *message)
{
	struct event *event = container_of(message, struct event, message);

	timer_clear(&event->invocation.worker->timers, &event->timer);
	event->has_turn = true;
	start(event);
}

static void on_timer(struct timer *timer)
{
	struct event *event = container_of(timer, struct event, timer);
	const bool rested = event->rests;

	event->rests = false;
	if (rested && event->has_turn)
		start(event);
	else if (rested)
		wait_in_line(event);
	else if (event_line_leave(line_of(event), &event->place))
		drop(event, "it is too old");
}

static size_t strings_size(const struct thaw_invoke_request *request)
{
	size_t size =
		request->content_type ? strlen(request->content_type) + 1 : 0;

	for (size_t i = 0; i < request->attribute_count; i++)
		size += strlen(request->attributes[i].value) + 1;
	return size;
}

/* Copies what @request borrows; names of attributes are static. */
static void copy_request(struct event *event,
			 const struct thaw_invoke_request *request)
{
	struct thaw_invoke_request *own = &event->invocation.request;
	char *at = event->bytes;

	*own = *request;
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

static int make_room(struct server *server, struct deployment *deployment,
		     struct error *err)
{
	const uint64_t max = server->options.events_max;
	uint64_t others = atomic_fetch_add(&server->events, 1);

	if (others < max &&
	    event_line_enter(&deployment->stats->events, max - others))
		return 0;
	atomic_fetch_sub(&server->events, 1);
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
static struct event *allocate(struct exchange *exchange, size_t size,
			      struct error *err)
{
	struct budget_account account;
	struct event *event = NULL;

	budget_open(&account, &exchange->worker->purse);
	budget_join(&account, BUDGET_OF_FUNCTION, &exchange->deployment->share);
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

/* The only place where an event is made; free_event() frees it. */
static int create_event(struct exchange *exchange,
			const struct thaw_invoke_request *request,
			struct error *err, struct event **ret_event)
{
	struct deployment *deployment = exchange->deployment;
	struct server *server = exchange->worker->server;
	struct event *event;
	int r;

	if (request->size > SERVER_EVENT_PAYLOAD_MAX)
		return error_set(err, -E2BIG,
				 "an Event invocation's payload may have %zu "
				 "bytes, not %zu",
				 SERVER_EVENT_PAYLOAD_MAX, request->size);
	r = make_room(server, deployment, err);
	if (r)
		return r;
	event = allocate(exchange,
			 sizeof(*event) + request->size + strings_size(request),
			 err);
	if (!event) {
		event_line_exit(&deployment->stats->events);
		atomic_fetch_sub(&server->events, 1);
		return -ENOMEM;
	}
	event->stats = function_stats_hold(deployment->stats);
	event->invocation.deployment = deployment_hold(deployment);
	event->invocation.worker = exchange->worker;
	*ret_event = event;
	return 0;
}

int event_accept(struct exchange *exchange,
		 const struct thaw_invoke_request *request, struct error *err)
{
	struct worker *worker = exchange->worker;
	struct metrics_function *metrics =
		&exchange->deployment->stats->metrics;
	struct event *event = NULL;
	int r = create_event(exchange, request, err, &event);

	if (r)
		return r;
	memcpy(event->id, exchange->id, sizeof(event->id));
	copy_request(event, request);
	event->accepted_ns = clock_now_ns();
	event->timer.fire = on_timer;
	event->invocation.replied = on_replied;
	event->invocation.ended = on_ended;
	event->invocation.comes_again = true;
	event->invocation.drops_reply = true;
	event->link = worker->last_event;
	*event->link = event;
	worker->last_event = &event->next;
	note_oldest(worker);
	worker->event_count++;
	metrics_add(&metrics->events_pending, 1);
	metrics_add(&metrics->events_accepted, 1);
	wait_in_line(event);
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
		drop(worker->events, "the server ends");
}
