/*
 * server.h - `thaw serve` as a child process, for the served rows and the
 * neighbours.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "bench/load_target.h"
#include "bench/row.h"

/*
 * The functions that it serves: one that does nothing, and the server's own
 * echo.
 */
#define BENCH_SERVER_FUNCTION "_bench"
#define BENCH_SERVER_ECHO "_echo"

/* Names a program to run instead of thaw itself, for tests. */
#define BENCH_SERVER_VARIABLE "THAW_BENCH_SERVER"

struct bench_server;

/* The benchmark's guest, as the catalog calls it. */
#define BENCH_SERVER_IMAGE "bench.elf"

/* The function that does nothing, in a catalog. */
#define BENCH_SERVER_ENTRY(vms)                                        \
	"{\"name\":\"" BENCH_SERVER_FUNCTION                           \
	"\",\"image\":\"" BENCH_SERVER_IMAGE "\",\"entry\":\"empty\"," \
	"\"timeout\":\"10s\",\"concurrency\":{\"max\":" vms ",\"warm\":1}}"

struct bench_server_options {
	const char *catalog; /* the catalog's text, which has that function */
	bool has_one_cpu; /* and one worker; otherwise the server's defaults */
};

/*
 * Starts the server, with files in a folder of its own. It ends with this
 * thread, however that ends. -EOPNOTSUPP after a message: it does not serve.
 */
int bench_server_open(const struct bench_setup *setup,
		      const struct bench_server_options *options,
		      struct error *err, struct bench_server **ret_server);

/* Gives the server another catalog, without waiting until it is in use. */
int bench_server_reload(const struct bench_server *server, const char *catalog,
			struct error *err);

/* Ends the server and removes the folder. NULL: does nothing. */
void bench_server_close(struct bench_server *server);

/* Returns the path of the unix socket for @protocol. */
const char *bench_server_path(const struct bench_server *server,
			      enum load_protocol protocol);

/*
 * Finds the thread of its first worker: 0, or -ESRCH after a message. Both ids stay its
 * own until it is closed.
 */
int bench_server_find_worker(const struct bench_server *server,
			     struct error *err, pid_t *ret_process,
			     pid_t *ret_thread);

/* Has this thread run on the server's one CPU, or on all CPUs again. */
void bench_server_share_cpu(const struct bench_server *server, bool share);

/* Returns the server's CPU time, of all threads and guests. */
uint64_t bench_server_cpu_ns(const struct bench_server *server);

#endif
