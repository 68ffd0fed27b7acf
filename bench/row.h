/*
 * row.h - the rows of `thaw bench`: what can be measured, and the ratios
 * of one to others.
 *
 * A row is opened, measured any number of times, and closed. How, says its
 * kind: invoke.c, polled.c, floor.c, handover.c,
 * start.c, process.c, served.c, crowd.c. One thread does
 * it all.
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

/* Written pages lie so many pages apart. */
#define BENCH_STRIDE 3

/* Rows that there are, at most. */
#define BENCH_ROWS_MAX 32

/* The server of those that ask one: see server.h. */
struct bench_shared {
	struct bench_server *server; /* NULL until a row needs it */
	int server_result;	     /* -errno: there is none, and why */
	struct error server_error;
};

/* What all rows share: the files of bench/, and libthaw's options. */
struct bench_setup {
	struct engine_options options;
	int guest_fd, program_fd;
	char guest_path[32], program_path[32];
	struct bench_shared *shared;
};

struct bench_row;

struct bench_kind {
	/*
	 * Makes row->state; may be NULL. -errno and a message on failure;
	 * -EOPNOTSUPP: this machine cannot do that.
	 */
	int (*open)(struct bench_row *row, struct error *err);
	/*
	 * Before it is measured a number of times: gets going what is asleep
	 * between; may be NULL. -errno and a message on failure.
	 */
	int (*begin)(struct bench_row *row, struct error *err);
	/* Measures once. -errno and a message on failure. */
	int (*once)(struct bench_row *row, struct error *err, uint64_t *ret_ns);
	/* After that: nothing of it is left running; may be NULL. */
	void (*end)(struct bench_row *row);
	/* Frees row->state, if there is any. */
	void (*close)(struct bench_row *row);
	/* It does so many things once, and the time is for one; 0: does one. */
	unsigned many;
	/* It keeps a CPU busy, so what it takes when idle is measured too. */
	bool is_polled;
};

extern const struct bench_kind bench_floor_run;	     /* floor.c */
extern const struct bench_kind bench_floor_copy;     /* floor.c */
extern const struct bench_kind bench_floor_handover; /* handover.c */
extern const struct bench_kind bench_invoke_warm;
extern const struct bench_kind bench_invoke_reply;
extern const struct bench_kind bench_polled_strict; /* polled.c */
extern const struct bench_kind bench_polled_coop;   /* polled.c */
extern const struct bench_kind bench_start_pool;
extern const struct bench_kind bench_start_cold;
extern const struct bench_kind bench_process_spawn;
extern const struct bench_kind bench_process_fork;
extern const struct bench_kind bench_socket_rtt; /* served.c */
extern const struct bench_kind bench_socket_echo;
extern const struct bench_kind bench_http_rtt;
extern const struct bench_kind bench_http_echo;
extern const struct bench_kind bench_http_throughput;
extern const struct bench_kind bench_http_echo_cpu;
extern const struct bench_kind bench_http_crowd; /* crowd.c */

struct bench_row {
	const char *name;
	const struct bench_kind *kind;
	unsigned weight;    /* its part of the time */
	unsigned pages;	    /* written, or copied */
	unsigned functions; /* invoked in turn, of a polled row */
	bool takes_long;    /* measured only if it is asked for by name */

	const struct bench_setup *setup;
	void *state; /* of its kind */
};

/* The rows chosen, to be freed by bench_rows_done(). */
struct bench_rows {
	struct bench_setup setup;
	struct bench_shared shared;
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t count;
};

/*
 * Chooses the rows that @only (@only_count names) asks for, each a name or the
 * beginning of names up to a dot, and the rows that theirs are compared to; all
 * of them if there are none. Those that take long are chosen by their whole name
 * alone. Opens nothing. -ENOENT: no row of such a name.
 */
int bench_rows_choose(const char *const *only, size_t only_count,
		      struct error *err, struct bench_rows *ret_rows);

/*
 * Opens all chosen rows; @restore as in struct engine_options. Rows that this
 * machine cannot measure are taken out, and standard error says why. 0 or
 * -errno.
 */
int bench_rows_open(struct bench_rows *rows, const char *restore,
		    struct error *err);

/* Closes what is open. */
void bench_rows_done(struct bench_rows *rows);

/* A row compared to another, or to the sum of two. */
struct bench_ratio {
	const char *name;
	const char *top;
	const char *bottom[2]; /* the second may be NULL */
};

/* All ratios there are; the last has no name. */
extern const struct bench_ratio bench_ratios[];

/* files.c: makes the files of @setup; -errno and a message. */
int bench_files_open(struct bench_setup *setup, struct error *err);
void bench_files_close(struct bench_setup *setup);

/* A function: the benchmark's guest with one of its handlers. */
struct bench_function {
	const char *entry;
	unsigned vms;	       /* at most */
	const char *dispatch;  /* NULL: "exit" */
	const char *isolation; /* NULL: "strict" */
};

/* invoke.c: libthaw with that one function. */
int bench_thaw_open(const struct bench_setup *setup,
		    const struct bench_function *function, struct error *err,
		    struct thaw **ret_thaw);

/* Deploys it. -EOPNOTSUPP, and why, if there is no gate for its vms here. */
int bench_thaw_require_gate(struct thaw *thaw, struct error *err);

/* One invocation of it, up to the reply; one that fails is an error. */
int bench_thaw_invoke(struct thaw *thaw, const void *request, struct error *err,
		      struct thaw_reply *ret_reply);

#endif
