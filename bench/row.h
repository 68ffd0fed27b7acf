/*
 * row.h - a row of `thaw bench`: one thing that can be measured. rows.h has all
 * of them.
 *
 * A row is opened, measured any number of times, and closed. Its kind says how;
 * each kind is in the file that its declaration below names. One thread does it
 * all.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/engine.h"
#include "executor/libthaw.h"

/* The request of every row. */
#define BENCH_REQUEST_SIZE 64

/* Distance of written pages, in pages. */
#define BENCH_STRIDE 3

/* The server that some rows share: see server.h. */
struct bench_shared {
	struct bench_server *server; /* NULL until a row needs it */
	int server_result;	     /* -errno: there is none, and why */
	struct error server_error;
};

/*
 * What all rows share: the guest's and program's files, and libthaw's options.
 */
struct bench_setup {
	struct engine_options options;
	int guest_fd, program_fd;
	char guest_path[32], program_path[32];
	struct bench_shared *shared;
};

struct bench_program;
struct bench_row;

struct bench_kind {
	/*
	 * Makes row->state; may be NULL. Returns 0, or -errno after a message;
	 * -EOPNOTSUPP: this machine cannot measure the row.
	 */
	int (*open)(struct bench_row *row, struct error *err);
	/*
	 * Wakes what sleeps between the row's turns; may be NULL. Returns 0, or
	 * -errno after a message.
	 */
	int (*begin)(struct bench_row *row, struct error *err);
	/* Takes one sample. Returns 0, or -errno after a message. */
	int (*once)(struct bench_row *row, struct error *err, uint64_t *ret_ns);
	/* Puts it back to sleep, after a turn; may be NULL. */
	void (*end)(struct bench_row *row);
	/* Frees row->state, if there is any. */
	void (*close)(struct bench_row *row);
	/* One sample does so many things, and its time is for one; 0 is 1. */
	unsigned many;
	/* The row keeps a CPU busy, so its idle time is measured too. */
	bool is_polled;
};

/* The table of kinds, by source file. */
/* floor.c */
extern const struct bench_kind bench_floor_run;
extern const struct bench_kind bench_floor_copy;
/* handover.c */
extern const struct bench_kind bench_floor_handover;
/* invoke.c */
extern const struct bench_kind bench_invoke_warm;
extern const struct bench_kind bench_invoke_reply;
/* host_call.c */
extern const struct bench_kind bench_host_call;

/* typed.c */
extern const struct bench_kind bench_invoke_typed;
extern const struct bench_kind bench_json_args;
/* polled.c */
extern const struct bench_kind bench_polled_strict;
extern const struct bench_kind bench_polled_coop;
/* start.c */
extern const struct bench_kind bench_start_pool;
extern const struct bench_kind bench_start_layer;
extern const struct bench_kind bench_start_shell;
extern const struct bench_kind bench_start_cold;
extern const struct bench_kind bench_start_store;
/* start_process.c */
extern const struct bench_kind bench_start_process;
/* first_write.c */
extern const struct bench_kind bench_first_write;
/* process.c */
extern const struct bench_kind bench_process_spawn;
extern const struct bench_kind bench_process_fork;
/* linux.c */
extern const struct bench_kind bench_linux;
extern const struct bench_kind bench_linux_process;
extern const struct bench_kind bench_linux_bubblewrap;
/* served.c */
extern const struct bench_kind bench_socket_rtt;
extern const struct bench_kind bench_socket_echo;
extern const struct bench_kind bench_http_rtt;
extern const struct bench_kind bench_http_echo;
extern const struct bench_kind bench_http_throughput;
extern const struct bench_kind bench_http_echo_cpu;
/* restart.c */
extern const struct bench_kind bench_restart;
/* burst.c */
extern const struct bench_kind bench_burst;
/* crowd.c */
extern const struct bench_kind bench_http_crowd;

struct bench_row {
	const char *name;
	const struct bench_kind *kind;
	unsigned weight; /* its share of the time */
	unsigned pages;	 /* written, or copied */
	unsigned functions; /* invoked in turn, of a polled row; or of the catalog */
	unsigned vms;	    /* of the process, in a row of first_write.c */
	const struct bench_program *program; /* of a row of linux.c */
	bool takes_long; /* only measured if it is asked for by its name */
	bool is_extra;	 /* only measured if it is asked for, in any way */

	const struct bench_setup *setup;
	void *state;	/* of its kind */
	uint64_t exits; /* of the last sample's invocation; 0: not counted */
};

#endif
