/*
 * server.h - `thaw serve`: a catalog's functions behind HTTP and a unix socket.
 *
 *	struct server_options options;
 *
 *	server_options_init(&options);
 *	options.catalog = "functions.json";
 *	r = server_run(&options, &err);		until it is told to end
 */
#ifndef EXECUTOR_SERVER_SERVER_H
#define EXECUTOR_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/io/io.h"

#define SERVER_LISTENERS_MAX 16
/* Of --allow-host. */
#define SERVER_HOSTS_MAX 64

struct server_options {
	const char *catalog;
	/* HTTP: "HOST:PORT", "unix:PATH" or "/PATH". */
	const char *listen[SERVER_LISTENERS_MAX];
	size_t listen_count;
	const char *socket;  /* path of the socket protocol's; NULL: none */
	const char *admin;   /* as listen[] */
	const char *metrics; /* the same, for reading the metrics; NULL: none */
	bool insecure;	     /* addresses that are not loopback are fine */
	/* Hosts of requests besides those it listens at; "*": any. */
	const char *allow_hosts[SERVER_HOSTS_MAX];
	size_t allow_host_count;
	uint64_t workers; /* 0: one for each CPU */
	bool pin;	  /* each to a CPU of its own */
	enum io_backend io;
	uint64_t offload_threads; /* threads for what takes long */
	uint64_t max_connections; /* 0: by the limit of open files */
	uint64_t max_buffered;	  /* bytes of requests and replies */
	uint64_t max_memory;	  /* bytes of vms; 0: a share of all */
	uint64_t vm_idle_ns;	  /* how long idle vms are kept */
	uint64_t head_timeout_ns, body_timeout_ns, idle_timeout_ns,
		send_timeout_ns;
	uint64_t events_max, event_retries, event_max_age_ns;
	uint64_t drain_timeout_ns, drain_delay_ns;
	bool watch;	  /* reload when the catalog's file changes */
	const char *echo; /* a function that is not there; see thaw(1) */
};

/* The defaults of server_limits.h. */
void server_options_init(struct server_options *options);

/*
 * Serves on this thread and others until SIGTERM, SIGINT or /v1/drain, and then
 * until what was under way has ended. 0, or -errno: it could not start, and why
 * is logged. Logs through log.h, which must have been started. One at a time in a
 * process.
 */
int server_run(const struct server_options *options, struct error *err);

#endif
