/*
 * waterfall_served.h - the second waterfall of `thaw bench --waterfall`: what a request
 * takes that `thaw serve` answers, by HTTP and by the unix socket.
 *
 * The instructions are those of the worker's thread in user mode, from one request to the
 * next, of a client that sends one after the other: see instructions.h. Times are of rows
 * that are measured in turn: what the server takes without a vm, and what a vm takes
 * without a server. What is left is what the two cost each other: after an exit, the
 * caches have little of the server.
 */
#ifndef BENCH_WATERFALL_SERVED_H
#define BENCH_WATERFALL_SERVED_H

#include <stdint.h>

#include "base/error.h"
#include "bench/instructions.h"
#include "bench/served_steps.h"

/* The ways to ask. */
enum bench_served_way {
	BENCH_SERVED_HTTP,
	BENCH_SERVED_SOCKET,
	BENCH_SERVED_WAYS,
};

struct bench_served {
	struct bench_served_count {
		double instructions[BENCH_SERVED_STEPS]; /* 0: not counted */
		double calls;				 /* of the kernel */
		unsigned code_pages, code_lines; /* with an instruction */
	} counts[BENCH_SERVED_WAYS];
	/* medians; 0: not measured, as the server does not serve here */
	double floor_ns; /* floor.run */
	double warm_ns;	 /* invoke.warm */
	/* http.echo.cpu and socket.echo; http.throughput and socket.rtt */
	double echo_ns[BENCH_SERVED_WAYS], whole_ns[BENCH_SERVED_WAYS];
};

/*
 * Measures for about @duration_ns. 0 or -errno after a message; warns if something cannot
 * be had on this machine.
 */
int bench_served_measure(uint64_t duration_ns, struct error *err,
			 struct bench_served *ret_served);

/*
 * Counts the instructions of @rounds requests to a function that does nothing, at a
 * server that is started for that. Returns as instructions_count(), or -EOPNOTSUPP after a
 * message: there is no server.
 */
int bench_served_count(enum bench_served_way way, unsigned rounds,
		       struct error *err,
		       struct instructions *ret_instructions);

#endif
