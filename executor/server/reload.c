/*
 * reload.c - reads another catalog on a thread of the builders, then passes it to
 * the workers. See reload.h. Main thread, but for reload_read().
 *
 * If the catalog is no good, the old generation goes on. Otherwise the new one takes
 * over at once, and what is new in it is booted meanwhile. A reload that is asked
 * for while one is being read, or while the server starts, follows that.
 */
#include "executor/server/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/json_write.h"
#include "executor/server/http_connection.h"
#include "executor/server/log/log.h"
#include "executor/server/memory_admit.h"
#include "executor/server/notify.h"
#include "executor/server/respond.h"
#include "executor/server/server_limits.h"

/* Every client of the admin listener can ask for reloads. */
static struct log_limit reload_limit = LOG_LIMIT_OF("reloads");
static struct log_limit boots_limit = LOG_LIMIT_OF("ends of boots");

struct reload {
	struct offload_work work; /* the first member */
	struct server *server;
	struct exchange *exchange; /* that asked for it; or NULL */
	struct generation *base;   /* what it is compared with; held */
	struct generation *generation;
	struct generation_changes changes;
	struct error error;
	int result;
	_Atomic bool is_read; /* reload_read() is done */
	bool is_passing;      /* the workers pass to it */
};

/* An exchange that has asked for a reload, and waits for its boots to end. */
struct reload_answer {
	struct timer timer; /* the first member */
	struct server *server;
	struct exchange *exchange;     /* held */
	struct generation *generation; /* held */
	bool is_late;
	struct reload_answer *next;
};

static void reload_on_wake(struct io_message *message)
{
	struct server *server = container_of(message, struct server, wake);

	atomic_store(&server->is_woken, false);
}

void reload_wake(struct server *server)
{
	if (atomic_exchange(&server->is_woken, true))
		return;
	server->wake.deliver = reload_on_wake;
	io_post(server->main.io, NULL, &server->wake);
}

static void reload_read(struct offload_work *work)
{
	struct reload *reload = (struct reload *)work;
	struct server *server = reload->server;

	reload->result = generation_load(&server->shared.host,
					 server->shared.options.catalog,
					 reload->base, &reload->error,
					 &reload->generation, &reload->changes);
	if (!reload->result)
		memory_admit(&server->shared.memory, reload->generation);
	atomic_store(&reload->is_read, true);
	reload_wake(server);
}

/* Writes names of functions of @in: those not in @other; or, @same, the changed. */
static void write_names(struct buffer *out, const struct generation *in,
			const struct generation *other, bool same)
{
	bool first = true;

	buffer_append(out, "[", 1);
	for (size_t i = 0; i < in->count; i++) {
		const struct deployment *here = generation_newest(in, i);
		const struct deployment *there =
			generation_find_newest(other, here->spec->name);

		if (same ? !there || there == here : there != NULL)
			continue;
		if (!first)
			buffer_append(out, ",", 1);
		json_write_text(out, here->spec->name);
		first = false;
	}
	buffer_append(out, "]", 1);
}

/* Begins the answer: what has changed from @old to @now. write_boots() ends it. */
static void write_changes(struct buffer *out, const struct generation *old,
			  const struct generation *now, size_t unchanged)
{
	buffer_clear(out);
	buffer_printf(out, "{\"generation\":%llu,\"added\":",
		      (unsigned long long)now->number);
	write_names(out, now, old, false);
	buffer_text(out, ",\"changed\":");
	write_names(out, now, old, true);
	buffer_text(out, ",\"removed\":");
	write_names(out, old, now, false);
	buffer_printf(out, ",\"unchanged\":%zu", unchanged);
}

/* Writes the functions that are being booted, or that have failed. */
static void write_state(struct buffer *out, const struct generation *generation,
			enum function_state state)
{
	bool first = true;

	for (size_t i = 0; i < generation->count; i++) {
		const struct deployment *deployment =
			generation_newest(generation, i);

		if (atomic_load(&deployment->state) != (int)state)
			continue;
		if (!first)
			buffer_append(out, ",", 1);
		first = false;
		if (state == FUNCTION_PENDING) {
			json_write_text(out, deployment->spec->name);
			continue;
		}
		buffer_text(out, "{\"name\":");
		json_write_text(out, deployment->spec->name);
		buffer_text(out, ",\"reason\":");
		json_write_text(out, deployment->why.message);
		buffer_text(out, "}");
	}
}

static void write_boots(struct buffer *out, const struct generation *generation)
{
	buffer_text(out, ",\"pending\":[");
	write_state(out, generation, FUNCTION_PENDING);
	buffer_text(out, "],\"failed\":[");
	write_state(out, generation, FUNCTION_FAILED);
	buffer_text(out, "]}\n");
}

/* Answers, and releases @exchange. */
static void reload_answer_now(struct exchange *exchange,
			      const struct generation *generation)
{
	struct buffer *text = &exchange->text;

	write_boots(text, generation);
	if (text->failed)
		respond_problem(exchange, 500, "no memory");
	else
		respond(exchange, 200, "application/json", text->data,
			text->size);
	http_connection_send(exchange);
	exchange_release(exchange);
}

/* A boot that this reload has begun, until all workers have what comes of it. */
static bool is_awaited(const struct generation *now,
		       const struct generation *generation, size_t index)
{
	const struct deployment *deployment =
		generation_newest(generation, index);

	if (deployment->generation != generation->number)
		return false;
	return atomic_load(&deployment->state) == FUNCTION_PENDING ||
	       (deployment_is_active(deployment) &&
		now->next[index] == deployment);
}

static bool is_booting(const struct generation *now,
		       const struct generation *generation)
{
	for (size_t i = 0; i < generation->count; i++)
		if (is_awaited(now, generation, i))
			return true;
	return false;
}

/* Boots that another reload has made needless are not waited for. */
static bool reload_answer_is_due(const struct reload_answer *waiting)
{
	struct server *server = waiting->server;

	return waiting->is_late ||
	       atomic_load(&server->shared.state) == SERVER_DRAINING ||
	       waiting->generation->number != server->main.generation->number ||
	       !is_booting(server->main.generation, waiting->generation);
}

static void reload_answer_all(struct server *server)
{
	struct reload_answer **at = &server->answers, *waiting;

	while ((waiting = *at)) {
		if (!reload_answer_is_due(waiting)) {
			at = &waiting->next;
			continue;
		}
		*at = waiting->next;
		timer_clear(&server->main.timers, &waiting->timer);
		reload_answer_now(waiting->exchange, waiting->generation);
		generation_release(waiting->generation);
		free(waiting);
	}
}

static void reload_on_late(struct timer *timer)
{
	((struct reload_answer *)timer)->is_late = true;
}

/* Takes over the reference to the exchange. */
static void reload_answer_later(struct reload *reload)
{
	struct server *server = reload->server;
	struct reload_answer *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		reload_answer_now(reload->exchange, reload->generation);
		return;
	}
	waiting->timer.fire = reload_on_late;
	waiting->server = server;
	waiting->exchange = reload->exchange;
	waiting->generation = generation_hold(reload->generation);
	waiting->next = server->answers;
	server->answers = waiting;
	timer_set(&server->main.timers, &waiting->timer,
		  clock_now_ns() + SERVER_RELOAD_WAIT_NS);
}

void reload_again(struct server *server)
{
	if (!server->reload_again)
		return;
	server->reload_again = false;
	reload_begin(server, NULL);
}

/* Ends a reload, and begins the next one if it was asked for meanwhile. */
static void reload_end(struct reload *reload)
{
	struct server *server = reload->server;

	server->reload = NULL;
	generation_release(reload->base);
	generation_release(reload->generation);
	free(reload);
	if (atomic_load(&server->shared.state) == SERVER_SERVING)
		notify("READY=1");
	reload_again(server);
}

/* Folders may have come with the generation. */
static void reload_watch(struct server *server)
{
	catalog_watch_folders(&server->watch, server->main.generation,
			      atomic_load(&server->shared.state) ==
				      SERVER_SERVING);
}

static void reload_fail(struct reload *reload)
{
	const enum thaw_level level =
		reload->result == -ESHUTDOWN ? THAW_LOG_INFO : THAW_LOG_ERROR;
	struct server *server = reload->server;

	server->reload_error = reload->error;
	metrics_add(&server->shared.metrics.reload_failures_total, 1);
	atomic_store(&server->shared.metrics.last_reload_ok, 0);
	if (log_may(&reload_limit, level))
		log_write(level, "catalog not reloaded",
			  LOG_FIELD("catalog", server->shared.options.catalog),
			  LOG_FIELD("reason", reload->error.message));
	if (reload->exchange) {
		respond_problem(reload->exchange, 422, reload->error.message);
		http_connection_send(reload->exchange);
		exchange_release(reload->exchange);
	}
	reload_watch(server);
	reload_end(reload);
}

/* Every worker has passed to the new generation. */
static void reload_succeed(struct reload *reload)
{
	struct server *server = reload->server;
	struct metrics_server *metrics = &server->shared.metrics;

	server->reload_error.message[0] = '\0';
	metrics_add(&metrics->reloads_total, 1);
	atomic_store(&metrics->last_reload_ok, 1);
	atomic_store(&metrics->last_reload_unix_s,
		     clock_read_ns(CLOCK_REALTIME) / NS_PER_S);
	if (log_may(&reload_limit, THAW_LOG_INFO))
		log_write(THAW_LOG_INFO, "catalog reloaded",
			  LOG_NUMBER("generation", reload->generation->number),
			  LOG_NUMBER("added", reload->changes.added),
			  LOG_NUMBER("changed", reload->changes.changed),
			  LOG_NUMBER("removed", reload->changes.removed));
	if (reload->exchange)
		reload_answer_later(reload);
	reload_watch(server);
	reload_end(reload);
}

/* On a worker: it passes to the new generation. */
static void reload_on_pass(struct io_message *message)
{
	struct generation_pass *pass = (struct generation_pass *)message;
	struct worker *worker = pass->worker;
	struct server *server = server_of_worker(worker);
	struct generation *old = worker->generation;

	worker->generation = pass->generation;
	generation_release(old);
	if (atomic_fetch_sub(&server->missing, 1) == 1)
		reload_wake(server);
}

/* Passes @generation to all, which have the one before it; takes it. */
static void reload_pass_to_all(struct server *server,
			       struct generation *generation)
{
	struct generation *old = server->main.generation;

	atomic_store(&server->missing, server->shared.worker_count);
	for (unsigned i = 0; i < server->shared.worker_count; i++) {
		struct worker *worker = &server->shared.workers[i];

		worker->pass = (struct generation_pass){
			.message.deliver = reload_on_pass,
			.worker = worker,
			.generation = generation_hold(generation),
		};
		io_post(worker->io, NULL, &worker->pass.message);
	}
	server->main.generation = generation;
	memory_set_generation(&server->shared.memory, generation);
	generation_release(old);
}

/* Nobody else begins these boots, as there is one generation at a time. */
void reload_boot(struct server *server, const struct generation *old)
{
	struct generation *generation = server->main.generation;

	for (size_t i = 0; i < generation->count; i++) {
		struct deployment *deployment =
			generation_newest(generation, i);

		if (atomic_load(&deployment->state) == FUNCTION_PENDING &&
		    (!old ||
		     generation_find_newest(old, deployment->spec->name) !=
			     deployment)) {
			boots_push(server->boots, deployment);
			server->is_booting = true;
		}
	}
	/* the end of the start is logged even if there is nothing to boot */
	server->is_booting |= !old;
	atomic_store(&server->has_booted, true);
}

/* The catalog has been read. */
static void reload_take_over(struct reload *reload)
{
	struct server *server = reload->server;

	if (!reload->result &&
	    atomic_load(&server->shared.state) == SERVER_DRAINING)
		reload->result = error_set(&reload->error, -ESHUTDOWN,
					   "the server drains");
	if (reload->result) {
		reload_fail(reload);
		return;
	}
	if (reload->exchange)
		write_changes(&reload->exchange->text, reload->base,
			      reload->generation, reload->changes.unchanged);
	reload->is_passing = true;
	generation_keep_active(reload->generation, reload->base);
	generation_cancel(reload->base, reload->generation);
	reload_pass_to_all(server, generation_hold(reload->generation));
	reload_boot(server, reload->base);
}

static int make_readiness(const struct generation *generation,
			  struct readiness *ret_readiness)
{
	struct function_view *views =
		calloc(generation->count + 1, sizeof(*views));

	if (!views)
		return -ENOMEM;
	for (size_t i = 0; i < generation->count; i++)
		generation_view_state(generation, i, &views[i]);
	readiness_make(views, generation->count, ret_readiness);
	free(views);
	return 0;
}

static void reload_sum_up(struct server *server)
{
	const struct function_counts_view *counts =
		&server->shared.readiness.functions;
	struct readiness readiness;

	if (make_readiness(server->main.generation, &readiness)) {
		/* another time */
		atomic_store(&server->has_booted, true);
		return;
	}
	pthread_mutex_lock(&server->shared.readiness_lock);
	server->shared.readiness = readiness;
	pthread_mutex_unlock(&server->shared.readiness_lock);
	if (atomic_load(&server->shared.state) == SERVER_DRAINING)
		return;
	notify("STATUS=serving %u functions, %u are being booted, %u failed",
	       counts->active, counts->booting, counts->failed);
	if (server->is_booting && !counts->booting) {
		server->is_booting = false;
		/* what programs have read is known now */
		reload_watch(server);
		if (!log_may(&boots_limit, THAW_LOG_INFO))
			return;
		log_write(THAW_LOG_INFO, "boots ended",
			  LOG_NUMBER("active", counts->active),
			  LOG_NUMBER("failed", counts->failed),
			  LOG_NUMBER("outdated", counts->outdated));
	}
}

static void reload_on_sum_timer(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, sum_timer);

	atomic_store(&server->has_booted, true);
}

/*
 * Sums up now, or later if that would be too often: each function that is booted asks for
 * it, and all functions are looked at.
 */
static void reload_sum_up_soon(struct server *server)
{
	const uint64_t start_ns = clock_now_ns();

	if (start_ns < server->next_sum_ns) {
		server->sum_timer.fire = reload_on_sum_timer;
		timer_set(&server->main.timers, &server->sum_timer,
			  server->next_sum_ns);
		return;
	}
	timer_clear(&server->main.timers, &server->sum_timer);
	reload_sum_up(server);
	server->next_sum_ns =
		start_ns + (clock_now_ns() - start_ns) * SERVER_SUM_UP_SHARE;
}

/* Puts updates that are active into the places of their old versions. */
static void reload_put_updates(struct server *server)
{
	struct generation *settled = NULL;

	if (!server->is_unsettled ||
	    generation_settle(server->main.generation, &settled))
		return; /* tried again later if there was no memory */
	server->is_unsettled = false;
	if (settled) {
		reload_pass_to_all(server, settled);
		reload_sum_up(server);
	}
}

void reload_crowded(struct deployment_host *host)
{
	struct server *server = container_of(host, struct server, shared.host);

	atomic_store(&server->is_crowded, true);
	reload_wake(server);
}

/* Unloads the functions that were used least recently. */
static void reload_unload(struct server *server)
{
	struct deployment_host *host = &server->shared.host;
	const unsigned loaded = atomic_load(&host->loaded);
	unsigned keep = SERVER_LOADED_KEPT(host->loaded_max);
	uint64_t before_ns = UINT64_MAX;
	struct generation *fewer = NULL;

	if (atomic_exchange(&host->is_short, false) && keep > loaded / 2) {
		keep = loaded / 2;
		before_ns = clock_now_ns() - SERVER_UNUSED_NS;
	}
	/* another load asks again if there was no memory */
	(void)generation_unload(server->main.generation, keep, before_ns,
				&fewer);
	if (fewer)
		reload_pass_to_all(server, fewer);
}

void reload_settle(struct server *server)
{
	struct reload *reload = server->reload;

	if (atomic_exchange(&server->has_booted, false)) {
		server->is_unsettled = true;
		reload_sum_up_soon(server);
	}
	if (atomic_load(&server->missing))
		return;
	if (reload && reload->is_passing)
		reload_succeed(reload);
	else if (reload && atomic_load(&reload->is_read))
		reload_take_over(reload);
	if (!server->reload && !atomic_load(&server->missing))
		reload_put_updates(server);
	if (!server->reload && !atomic_load(&server->missing) &&
	    atomic_exchange(&server->is_crowded, false))
		reload_unload(server);
	/* with the answer, its client finds the new versions on all workers */
	if (!server->reload && !atomic_load(&server->missing))
		reload_answer_all(server);
}

bool reload_is_unsettled(const struct server *server)
{
	return server->reload || server->answers ||
	       atomic_load(&server->missing);
}

static void reload_refuse(struct exchange *exchange, unsigned status,
			  const char *why)
{
	if (!exchange)
		return;
	respond_problem(exchange, status, why);
	http_connection_send(exchange);
}

void reload_begin(struct server *server, struct exchange *exchange)
{
	const int state = atomic_load(&server->shared.state);
	struct reload *reload;

	if (server->reload || state != SERVER_SERVING) {
		reload_refuse(
			exchange, 409,
			"the server starts, drains, or reloads already: try "
			"again");
		if (!exchange)
			server->reload_again = state != SERVER_DRAINING;
		return;
	}
	reload = calloc(1, sizeof(*reload));
	if (!reload) {
		reload_refuse(exchange, 500, "no memory");
		return;
	}
	notify("RELOADING=1\nMONOTONIC_USEC=%llu",
	       (unsigned long long)(clock_now_ns() / NS_PER_US));
	reload->work.run = reload_read;
	reload->server = server;
	reload->base = generation_hold(server->main.generation);
	reload->exchange = exchange;
	if (exchange)
		exchange_hold(exchange);
	server->reload = reload;
	catalog_watch_forget(&server->watch);
	offload_push(server->shared.builders, NULL, &reload->work);
}
