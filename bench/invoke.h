/* invoke.h - libthaw with one function, for the rows that invoke. */
#ifndef BENCH_INVOKE_H
#define BENCH_INVOKE_H

#include "base/error.h"
#include "bench/row.h"
#include "executor/libthaw.h"

/* What it is called in the catalog. */
#define BENCH_FUNCTION "bench"

/* A function: the benchmark's guest with one of its handlers or typed functions. */
struct bench_function {
	const char *entry;
	unsigned vms;	       /* at most */
	const char *dispatch;  /* NULL: "exit" */
	const char *isolation; /* NULL: "strict" */
	const char *host;      /* inside of host.allow; NULL: nothing */
	const char *init; /* a file: its base's request; NULL: it has no base */
};

/* Opens libthaw with that one function; the caller closes it. */
int bench_thaw_open(const struct bench_setup *setup,
		    const struct bench_function *function, struct error *err,
		    struct thaw **ret_thaw);

/*
 * Deploys the function. -EOPNOTSUPP after a message: there is no gate for its
 * vms here.
 */
int bench_thaw_require_gate(struct thaw *thaw, struct error *err);

/*
 * Invokes the function once, up to its reply. An invocation that fails is an
 * error.
 */
int bench_thaw_invoke(struct thaw *thaw, const void *request, struct error *err,
		      struct thaw_reply *ret_reply);

#endif
