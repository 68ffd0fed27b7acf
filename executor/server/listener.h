/*
 * listener.h - one listening socket of one worker. What is accepted becomes a
 * connection of the kind that the listener is of.
 *
 * Workers that share a socket, such as a unix socket, have a listener each for it.
 * listeners.c makes them on the main thread, before workers accept; from then on a
 * listener belongs to its worker's thread.
 */
#ifndef EXECUTOR_SERVER_LISTENER_H
#define EXECUTOR_SERVER_LISTENER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "executor/io/io.h"

struct http_handler;
struct worker;

enum listener_kind {
	LISTENER_HTTP,	  /* public: functions, over HTTP */
	LISTENER_ADMIN,	  /* the main thread's: administration, over HTTP */
	LISTENER_METRICS, /* the main thread's: only reads, over HTTP */
	LISTENER_SOCKET,  /* functions, by frames of the socket protocol */
	LISTENER_KINDS,
};

/* A bound on the connections of several listeners, which have one thread. */
struct listener_limit {
	unsigned count, max;
};

struct listener {
	struct io_listener io; /* the first member */
	enum listener_kind kind;
	unsigned worker_index; /* the main thread's is behind all others */
	struct worker *worker; /* NULL: it has not been opened yet */
	/* Makes a connection of what was accepted; takes @fd. */
	void (*open)(struct listener *listener, int fd);
	const struct http_handler *handler; /* of HTTP; static */
	struct listener_limit *limit; /* borrowed; NULL: none of its own */
	bool checks_hosts;	      /* of requests; host_check.h */
	bool inherited; /* the socket goes on without us: it is not shut down */
	bool failed;	/* accept() did, and that was logged */
	bool is_shut;	/* down: nobody can connect */

	int fd;
	bool is_first;	  /* of those that share the socket: it closes it */
	const char *path; /* of a unix socket to remove at the end; or NULL */
	struct stat file; /* what is at @path, as long as it is ours */

	struct listener *next;	    /* of all */
	struct listener *next_open; /* of its worker's */
};

#endif
