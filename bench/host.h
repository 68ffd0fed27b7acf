/*
 * host.h - facts of the machine, without which a benchmark's figures mean
 * little.
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

struct json_t; /* jansson's */

/*
 * Returns an object, which the caller owns: versions, CPU, kernel, KVM and its
 * capabilities, mitigations, frequency governor, and how often this process has
 * lost the CPU. Facts that the machine does not tell are left out. @restore is
 * the method, or NULL.
 */
struct json_t *bench_host_json(const char *restore);

#endif
