/*
 * reload.c - another catalog while the server serves: read and deployed as a
 * job, then passed to the workers one after the other. See served.h.
 *
 * Whatever is wrong with it, the old generation goes on. A reload that is asked
 * for while one is under way, or while the server starts, follows that.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "executor/server/exchange.h"
#include "executor/server/log.h"
#include "executor/server/notify.h"
#include "executor/server/server_internal.h"
#include "vm/clock.h"

/* Files have to be quiet for so long before a change counts. */
#define CHANGE_QUIET_NS (500 * NS_PER_MS)
#define CHANGE_LATEST_NS (5 * NS_PER_S)

#define CHANGES \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR)

/* Whoever can connect to the admin's listener can ask for reloads. */
static struct log_limit reload_limit = LOG_LIMIT_OF("reloads");
static struct log_limit watch_limit = LOG_LIMIT_OF("folders to watch");

struct reload {
	struct job job; /* the first member */
	struct server *server;
	struct exchange *exchange; /* who asked; or NULL */
	struct generation *generation;
	struct generation_changes changes;
	struct error error;
	int result;
	unsigned missing; /* workers that have not passed to it */
};

static int deploy(struct reload *reload)
{
	struct generation *generation = reload->generation;

	for (size_t i = 0; i < generation->count; i++) {
		struct served *served = generation->served[i];

		if (atomic_load(&reload->server->state) == SERVER_DRAINING)
			return error_set(&reload->error, -ESHUTDOWN,
					 "the server drains");
		served_deploy(served, &reload->server->function_options);
		if (!served_is_active(served)) {
			reload->error = served->why;
			return served->failure;
		}
	}
	return 0;
}

static void finish(struct worker *main);

static void run(struct job *job)
{
	struct reload *reload = (struct reload *)job;
	struct server *server = reload->server;

	reload->result = generation_load(server->options.catalog,
					 server->main.generation,
					 &reload->error, &reload->generation,
					 &reload->changes);
	if (!reload->result)
		reload->result = deploy(reload);
	server_tell(&server->main, finish);
}

static void write_names(struct buffer *out, const struct generation *in,
			const struct generation *other, bool same)
{
	bool first = true;

	buffer_append(out, "[", 1);
	for (size_t i = 0; i < in->count; i++) {
		const char *name = in->served[i]->spec->name;
		const struct served *there = generation_find(other, name);

		if (same ? !there || there == in->served[i] : there != NULL)
			continue;
		if (!first)
			buffer_append(out, ",", 1);
		write_json_string(out, name);
		first = false;
	}
	buffer_append(out, "]", 1);
}

/* What has changed, from @old to @now. */
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
	buffer_printf(out, ",\"unchanged\":%zu}\n", unchanged);
}

void server_reload_again(struct server *server)
{
	if (!server->reload_again)
		return;
	server->reload_again = false;
	server_reload(server, NULL);
}

/* The next one, if it was asked for meanwhile. */
static void end(struct reload *reload)
{
	struct server *server = reload->server;

	server->reload = NULL;
	if (reload->exchange)
		exchange_release(reload->exchange);
	free(reload);
	if (atomic_load(&server->state) == SERVER_SERVING)
		notify("READY=1\nSTATUS=serving %zu functions",
		       server->main.generation->count);
	server_reload_again(server);
}

static void fail(struct reload *reload)
{
	const enum log_level level =
		reload->result == -ESHUTDOWN ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;
	struct server *server = reload->server;

	server->reload_error = reload->error;
	metrics_add(&server->metrics.reload_failures_total, 1);
	atomic_store(&server->metrics.last_reload_ok, 0);
	if (log_may(&reload_limit, level))
		log_write(level, "catalog not reloaded",
			  LOG_FIELD("catalog", server->options.catalog),
			  LOG_FIELD("reason", reload->error.message));
	generation_release(reload->generation);
	if (reload->exchange) {
		respond_problem(reload->exchange, 422, reload->error.message);
		exchange_send(reload->exchange);
	}
	end(reload);
}

/* Every worker has passed to the new generation. */
static void succeed(struct reload *reload)
{
	struct server *server = reload->server;
	struct metrics_server *metrics = &server->metrics;

	server->reload_error.message[0] = '\0';
	metrics_add(&metrics->reloads_total, 1);
	atomic_store(&metrics->last_reload_ok, 1);
	atomic_store(&metrics->last_reload_unix_s,
		     clock_read_ns(CLOCK_REALTIME) / NS_PER_S);
	if (log_may(&reload_limit, LOG_LEVEL_INFO))
		log_write(LOG_LEVEL_INFO, "catalog reloaded",
			  LOG_NUMBER("generation",
				     server->main.generation->number),
			  LOG_NUMBER("added", reload->changes.added),
			  LOG_NUMBER("changed", reload->changes.changed),
			  LOG_NUMBER("removed", reload->changes.removed));
	if (reload->exchange)
		exchange_send(reload->exchange);
	if (server->options.watch)
		server_watch_folders(server);
	end(reload);
}

static void on_passed(struct worker *main)
{
	struct reload *reload = main->server->reload;

	if (reload && !--reload->missing)
		succeed(reload);
}

/* On a worker: from now on the new generation. */
struct passing {
	struct io_message message; /* the first member */
	struct worker *worker;
	struct generation *generation;
};

static void pass(struct io_message *message)
{
	struct passing *passing = (struct passing *)message;
	struct worker *worker = passing->worker;
	struct generation *old = worker->generation;

	worker->generation = passing->generation;
	free(passing);
	generation_release(old);
	server_tell(&worker->server->main, on_passed);
}

static void pass_to_all(struct reload *reload)
{
	struct server *server = reload->server;

	for (unsigned i = 0; i < server->worker_count; i++) {
		struct passing *passing = malloc(sizeof(*passing));

		if (!passing)
			abort(); /* half of them would serve another catalog */
		passing->message.deliver = pass;
		passing->worker = &server->workers[i];
		passing->generation = generation_hold(reload->generation);
		reload->missing++;
		io_post(passing->worker->io, NULL, &passing->message);
	}
}

/* The job is done: on the main thread. */
static void finish(struct worker *main)
{
	struct server *server = main->server;
	struct reload *reload = server->reload;
	struct generation *old = main->generation;
	struct exchange *exchange = reload->exchange;

	if (reload->result) {
		fail(reload);
		return;
	}
	if (exchange) {
		write_changes(&exchange->text, old, reload->generation,
			      reload->changes.unchanged);
		respond(exchange, 200, "application/json", exchange->text.data,
			exchange->text.size);
	}
	main->generation = generation_hold(reload->generation);
	memory_set_generation(&server->memory, main->generation);
	pass_to_all(reload);
	generation_release(reload->generation);
	generation_release(old);
}

void server_reload(struct server *server, struct exchange *exchange)
{
	const int state = atomic_load(&server->state);
	struct reload *reload;

	if (server->reload || state != SERVER_SERVING) {
		if (exchange) {
			respond_problem(exchange, 409,
					"the server starts, drains, or reloads "
					"already: try again");
			exchange_send(exchange);
		} else {
			server->reload_again = state != SERVER_DRAINING;
		}
		return;
	}
	reload = calloc(1, sizeof(*reload));
	if (!reload) {
		if (exchange) {
			respond_problem(exchange, 500, "no memory");
			exchange_send(exchange);
		}
		return;
	}
	notify("RELOADING=1\nMONOTONIC_USEC=%llu",
	       (unsigned long long)(clock_now_ns() / NS_PER_US));
	reload->job.run = run;
	reload->server = server;
	reload->exchange = exchange;
	if (exchange)
		exchange_hold(exchange);
	server->reload = reload;
	jobs_push(server->makers, NULL, &reload->job);
}

static void on_quiet(struct timer *timer)
{
	struct server *server =
		(void *)((char *)timer - offsetof(struct server, change_timer));

	server_reload(server, NULL);
}

static void on_change(struct io_poll *poll)
{
	struct server *server =
		(void *)((char *)poll - offsetof(struct server, changes));
	const uint64_t now_ns = clock_now_ns();
	char events[4096];

	/* which file it was does not matter: reloading tells what changed */
	while (read(poll->fd, events, sizeof(events)) > 0)
		;
	if (!server->change_timer.link)
		server->changed_ns = now_ns;
	/* a folder in which something changes all the time is no excuse */
	if (now_ns - server->changed_ns < CHANGE_LATEST_NS)
		timer_set(&server->main.timers, &server->change_timer,
			  now_ns + CHANGE_QUIET_NS);
}

static void watch_folder(struct server *server, const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	if (inotify_add_watch(server->changes.fd, dirname(copy), CHANGES) < 0 &&
	    log_may(&watch_limit, LOG_LEVEL_WARN))
		log_write(LOG_LEVEL_WARN, "cannot watch for changes",
			  LOG_FIELD("file", path),
			  LOG_FIELD("reason", strerror(errno)));
}

void server_watch_folders(struct server *server)
{
	const struct generation *generation = server->main.generation;

	watch_folder(server, server->options.catalog);
	for (size_t i = 0; i < generation->count; i++)
		watch_folder(server, generation->served[i]->spec->image);
}

int server_watch(struct server *server, struct error *err)
{
	server->changes.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (server->changes.fd < 0)
		return error_set(err, -errno, "inotify_init1: %s",
				 strerror(errno));
	server->changes.ready = on_change;
	server->change_timer.fire = on_quiet;
	io_poll_open(server->main.io, &server->changes, server->changes.fd);
	server_watch_folders(server);
	return 0;
}
