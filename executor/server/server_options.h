/* server_options.h - the options of `thaw serve`. */
#ifndef EXECUTOR_SERVER_SERVER_OPTIONS_H
#define EXECUTOR_SERVER_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/io/io.h"

/* The most addresses of --listen, and hosts of --allow-host. */
#define SERVER_LISTENERS_MAX 16
#define SERVER_HOSTS_MAX 64

/* Texts are borrowed as long as the server runs. */
struct server_options {
	const char *catalog;
	/* HTTP: "HOST:PORT", "unix:PATH" or "/PATH". */
	const char *listen[SERVER_LISTENERS_MAX];
	size_t listen_count;
	const char *socket;  /* path of the socket protocol's; NULL: none */
	const char *admin;   /* as listen[] */
	const char *metrics; /* the same, for reading the metrics; NULL: none */
	bool insecure;	     /* addresses that are not loopback are allowed */
	/* Hosts of requests besides those it listens at; "*": any. */
	const char *allow_hosts[SERVER_HOSTS_MAX];
	size_t allow_host_count;
	uint64_t workers; /* 0: one for each CPU */
	bool pin;	  /* each worker to a CPU of its own */
	enum io_backend io;
	uint64_t offload_threads; /* threads for what takes long */
	uint64_t max_connections; /* 0: by the limit of open files */
	uint64_t max_buffered;	  /* bytes of requests and replies */
	uint64_t max_memory;	  /* bytes of vms; 0: a share of all */
	const char *state_dir;	  /* has snapshots; NULL: none */
	uint64_t state_max;	  /* bytes there; 0: the default */
	uint64_t vm_idle_ns;	  /* how long idle vms are kept */
	uint64_t shells;	  /* made ahead, for new vms */
	uint64_t head_timeout_ns, body_timeout_ns, idle_timeout_ns,
		send_timeout_ns;
	uint64_t events_max, event_retries, event_max_age_ns;
	uint64_t drain_timeout_ns, drain_delay_ns;
	bool watch;	  /* reload when the catalog's file changes */
	const char *echo; /* name of a function without a vm; see thaw(1) */
};

/* Sets the defaults of server_limits.h. */
void server_options_init(struct server_options *options);

#endif
