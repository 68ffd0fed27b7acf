/* server_internal.h - the server itself, for the files it is made of. */
#ifndef EXECUTOR_SERVER_SERVER_INTERNAL_H
#define EXECUTOR_SERVER_SERVER_INTERNAL_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/budget.h"
#include "base/offload.h"
#include "base/timers.h"
#include "executor/function.h"
#include "executor/io/io.h"
#include "executor/protocol/view.h"
#include "executor/server/boots.h"
#include "executor/server/clients.h"
#include "executor/server/deployment.h"
#include "executor/server/memory.h"
#include "executor/server/metrics.h"
#include "executor/server/readiness.h"
#include "executor/server/server.h"
#include "executor/server/worker.h"

struct server {
	/* Do not change while workers run. */
	struct server_options options;
	struct function_options function_options;
	struct offload_pool *offload;  /* runs over their budget */
	struct offload_pool *builders; /* of vms; and they read catalogs */
	struct boots *boots;
	struct worker *workers;
	unsigned worker_count;
	uint64_t start_ns, start_unix_ms;

	struct metrics_server metrics;
	struct memory memory;	    /* of vms */
	_Atomic int state;	    /* enum server_state */
	struct budget buffers;	    /* what clients make it keep */
	struct budget_share others; /* requests for no function */
	struct clients clients;
	_Atomic uint64_t events; /* accepted and not over, of all workers */
	sem_t left;		 /* workers that run nothing any more */
	sem_t leave;		 /* workers that may free what they have */
	pthread_mutex_t readiness_lock;
	struct readiness readiness;

	/* Something for server_settle() to look at: said by any thread. */
	struct io_message wake;
	_Atomic bool is_woken;
	_Atomic bool has_booted;  /* a function is active, or has failed */
	_Atomic unsigned missing; /* workers to pass to the generation */

	/* The main thread's. */
	struct worker main; /* admin listener, signals */
	struct io_poll signals, changes;
	struct timer drain_timer, change_timer, notify_timer;
	uint64_t changed_ns; /* the first change that was not acted on */
	int last_watch;	     /* the newest one of a folder */
	unsigned metrics_connections;
	unsigned starting;     /* workers that are not up yet */
	unsigned idle_workers; /* drained */
	bool drains;	       /* workers have been told to */
	struct error failure;  /* why it could not start */
	int result;
	struct reload *reload;	       /* being read, or passed to */
	struct reload_answer *answers; /* that wait for boots */
	bool reload_again;	       /* another one was asked for meanwhile */
	bool is_unsettled;	       /* updates may be active */
	bool is_booting;	       /* and the end was not logged */
	struct error reload_error;     /* of the last one; "" */
	struct listening {
		int fd;
		int worker; /* index, -1: all; a unix socket is shared */
		bool inherited;
		void (*open)(struct door *door, int fd);
		const char *path; /* to be removed at the end; or NULL */
		struct stat file; /* what is there, if it is still ours */
	} * listening;
	size_t listening_count;
};

/* listeners.c: binds all; listens, the admin's first; closes them. */
int server_bind(struct server *server, struct error *err);
int server_listen_admin(struct server *server, struct error *err);
int server_listen(struct server *server, struct error *err);
void server_close(struct server *server);

/* Whether requests that come in by the listening socket @fd are checked so. */
bool server_checks_hosts(const struct server_options *options, int fd);
/* Removes the files of its sockets, but not those of who came after it. */
void server_unlink(const struct server *server);

/* On a worker: opens the doors that are its. */
void server_open_doors(struct worker *worker);

/*
 * Reloads the catalog, main thread. The answer goes to @exchange, unless that is
 * NULL: then a reload that cannot be now is what server_reload_again() begins.
 */
struct exchange;
void server_reload(struct server *server, struct exchange *exchange);
void server_reload_again(struct server *server);

/* Has the main thread call server_settle() soon. Any thread. */
void server_wake(struct server *server);

/*
 * Main thread, after each of its turns: goes on with the reload, puts updates
 * that have booted into their places, sums up the readiness, answers.
 */
void server_settle(struct server *server);

/* Whether workers or jobs still have to do with the generation. */
bool server_is_unsettled(const struct server *server);

/* Boots what is pending of the main thread's generation and not in @old. */
void server_boot(struct server *server, const struct generation *old);

/* Begins to watch the catalog's and the images' folders. */
int server_watch(struct server *server, struct error *err);

/* Adds those that have come with a reload. */
void server_watch_folders(struct server *server);

/* A reload begins to read: it sees all changes until now. */
void server_watch_read(struct server *server);

/* Drains: no new requests, what is under way ends, then the server does. */
void server_drain(struct server *server);

/* A worker has nothing left; said by itself while it drains. */
void server_worker_idle(struct worker *worker);

/*
 * Describes @server as @worker sees it; functions are allocated. Calls
 * server_view_done() afterwards.
 */
int server_view(struct worker *worker, struct server_view *ret_view);
void server_view_done(struct server_view *view);

#endif
