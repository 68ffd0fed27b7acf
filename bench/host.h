/*
 * host.h - the facts of the machine that a benchmark's figures are to be
 * read with.
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

struct json_t; /* jansson's */

/*
 * An object, which the caller owns: versions, CPU, kernel, KVM and what it can
 * do, mitigations, frequency governor, and how often this process has lost the
 * CPU. What the machine does not tell is left out. @restore is the method, or
 * NULL.
 */
struct json_t *bench_host_json(const char *restore);

#endif
