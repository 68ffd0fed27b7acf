/* event.c - Event invocations. See event.h; on the worker's thread. */
#include "executor/server/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/server/log.h"
#include "executor/server/server_internal.h"
#include "executor/server/server_limits.h"
#include "vm/clock.h"

/* The first wait before a retry; each is twice the one before, up to the last. */
#define RETRY_FIRST_NS NS_PER_S
#define RETRY_LAST_NS (60 * NS_PER_S)
#define BUSY_FIRST_NS (10 * NS_PER_MS)
#define BUSY_LAST_NS (1 * NS_PER_S)

struct event {
	struct invocation invocation;
	struct event *next, **link; /* the worker's */
	struct timer timer;
	struct budget_account account; /* pays for all of it */
	char id[EXCHANGE_ID_SIZE];
	uint64_t accepted_ns;
	unsigned failures; /* runs that failed */
	unsigned refusals; /* in a row */
	struct thaw_attribute attributes[EXCHANGE_ATTRIBUTES_MAX];
	char bytes[]; /* payload, then content type and attributes */
};

static void note_oldest(struct worker *worker)
{
	atomic_store(&worker->oldest_event_ns,
		     worker->events ? worker->events->accepted_ns : UINT64_MAX);
}

static void forget(struct event *event)
{
	struct worker *worker = event->invocation.worker;
	struct metrics_function *metrics =
		&event->invocation.served->counted->metrics;

	timer_clear(&worker->timers, &event->timer);
	*event->link = event->next;
	if (event->next)
		event->next->link = event->link;
	else
		worker->last_event = event->link;
	note_oldest(worker);
	worker->event_count--;
	atomic_fetch_sub(&worker->server->events, 1);
	metrics_subtract(&metrics->events_pending, 1);
	budget_close(&event->account);
	served_release(event->invocation.served);
	free(event);
}

static void drop(struct event *event, const char *reason)
{
	struct served *served = event->invocation.served;

	metrics_add(&served->counted->metrics.events_dropped, 1);
	log_write(LOG_LEVEL_ERROR, "event dropped",
		  LOG_FIELD("function", served->spec->name),
		  LOG_FIELD("request_id", event->id),
		  LOG_FIELD("reason", reason),
		  LOG_NUMBER("failures", event->failures));
	forget(event);
}

static void again(struct event *event, uint64_t first_ns, uint64_t last_ns,
		  unsigned times)
{
	struct worker *worker = event->invocation.worker;
	uint64_t wait_ns = first_ns;

	while (--times && wait_ns < last_ns)
		wait_ns *= 2;
	if (wait_ns > last_ns)
		wait_ns = last_ns;
	/* the server ends: soon or never */
	if (worker->draining && wait_ns > BUSY_FIRST_NS)
		wait_ns = BUSY_FIRST_NS;
	metrics_add(&event->invocation.served->counted->metrics.events_retried,
		    1);
	timer_set(&worker->timers, &event->timer, clock_now_ns() + wait_ns);
}

static bool is_too_old(const struct event *event)
{
	const struct server *server = event->invocation.worker->server;

	return clock_now_ns() - event->accepted_ns >
	       server->options.event_max_age_ns;
}

/* What it has come to is dealt with when the vm is free again. */
static void on_replied(struct invocation *invocation)
{
	(void)invocation;
}

static bool is_worth_waiting(int result)
{
	return result == -EBUSY || result == -EAGAIN || result == -EINPROGRESS;
}

static void on_ended(struct invocation *invocation)
{
	struct event *event = (struct event *)invocation;
	const struct server *server = invocation->worker->server;

	if (!invocation->result && invocation->reply.result == THAW_OK) {
		metrics_add(&invocation->served->counted->metrics.events_done,
			    1);
		forget(event);
	} else if (invocation->result &&
		   !is_worth_waiting(invocation->result)) {
		drop(event, invocation->error.message);
	} else if (is_too_old(event)) {
		drop(event, "it is too old");
	} else if (invocation->result) {
		again(event, BUSY_FIRST_NS, BUSY_LAST_NS, ++event->refusals);
	} else if (++event->failures > server->options.event_retries) {
		drop(event, invocation->reply.error_message);
	} else {
		event->refusals = 0;
		again(event, RETRY_FIRST_NS, RETRY_LAST_NS, event->failures);
	}
}

/* The function as it is now: the catalog may have been reloaded. */
static bool look_up(struct event *event)
{
	struct invocation *invocation = &event->invocation;
	struct served *before = invocation->served;
	struct served *now = generation_find(invocation->worker->generation,
					     before->spec->name);

	if (!now)
		return false;
	if (now != before) {
		budget_join(&event->account, BUDGET_OF_FUNCTION, &now->share);
		invocation->served = served_hold(now);
		served_release(before);
	}
	return true;
}

static void on_timer(struct timer *timer)
{
	struct event *event =
		(void *)((char *)timer - offsetof(struct event, timer));

	if (is_too_old(event))
		drop(event, "it is too old");
	else if (!look_up(event))
		drop(event, "its function is not in the catalog any more");
	else
		invocation_start(&event->invocation);
}

static size_t strings_size(const struct thaw_request *request)
{
	size_t size =
		request->content_type ? strlen(request->content_type) + 1 : 0;

	for (size_t i = 0; i < request->attribute_count; i++)
		size += strlen(request->attributes[i].value) + 1;
	return size;
}

/* Copies what @request borrows; names of attributes are static. */
static void copy_request(struct event *event,
			 const struct thaw_request *request)
{
	struct thaw_request *own = &event->invocation.request;
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

static int make_room(struct worker *worker, const struct thaw_request *request,
		     struct error *err)
{
	struct server *server = worker->server;

	if (request->size > SERVER_EVENT_PAYLOAD_MAX)
		return error_set(err, -E2BIG,
				 "an Event invocation's payload may have %zu "
				 "bytes, not %zu",
				 SERVER_EVENT_PAYLOAD_MAX, request->size);
	if (atomic_fetch_add(&server->events, 1) < server->options.events_max)
		return 0;
	atomic_fetch_sub(&server->events, 1);
	return error_set(err, -EBUSY,
			 "%llu Event invocations are waiting already: raise "
			 "--event-queue",
			 (unsigned long long)server->options.events_max);
}

/* An event with its memory paid for, zeroed, or NULL. */
static struct event *create(struct exchange *exchange, size_t size,
			    struct error *err)
{
	struct budget_account account;
	struct event *event = NULL;

	budget_open(&account, &exchange->worker->purse);
	budget_join(&account, BUDGET_OF_FUNCTION, &exchange->served->share);
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

int event_accept(struct exchange *exchange, const struct thaw_request *request,
		 struct error *err)
{
	struct worker *worker = exchange->worker;
	struct metrics_function *metrics = &exchange->served->counted->metrics;
	struct event *event;
	int r = make_room(worker, request, err);

	if (r)
		return r;
	event = create(exchange,
		       sizeof(*event) + request->size + strings_size(request),
		       err);
	if (!event) {
		atomic_fetch_sub(&worker->server->events, 1);
		return -ENOMEM;
	}
	memcpy(event->id, exchange->id, sizeof(event->id));
	copy_request(event, request);
	event->accepted_ns = clock_now_ns();
	event->timer.fire = on_timer;
	event->invocation.worker = worker;
	event->invocation.served = served_hold(exchange->served);
	event->invocation.replied = on_replied;
	event->invocation.ended = on_ended;
	event->link = worker->last_event;
	*event->link = event;
	worker->last_event = &event->next;
	note_oldest(worker);
	worker->event_count++;
	metrics_add(&metrics->events_pending, 1);
	metrics_add(&metrics->events_accepted, 1);
	/* it begins when this callback is over */
	timer_set(&worker->timers, &event->timer, event->accepted_ns);
	return 0;
}

void events_hurry(struct worker *worker)
{
	for (struct event *event = worker->events; event; event = event->next)
		if (event->timer.link)
			timer_set(&worker->timers, &event->timer,
				  clock_now_ns());
}

void events_drop_all(struct worker *worker)
{
	while (worker->events)
		drop(worker->events, "the server ends");
}
