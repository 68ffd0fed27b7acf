/*
 * merge.h - several saved runs of `thaw bench` as one.
 */
#ifndef BENCH_MERGE_H
#define BENCH_MERGE_H

#include <stddef.h>

#include "base/error.h"
#include "bench/results.h"

struct json_t; /* jansson's */

/*
 * Reads what --save has written into the @count files at @paths. *@results is
 * empty, and to be freed whatever comes of it; *@ret_host are the facts of the
 * first run's machine, which the caller owns. -EINVAL: a file is no such, or of
 * another machine, method, or other rows; others from reading it.
 */
int bench_merge(const char *const *paths, size_t count, struct error *err,
		struct bench_results *results, struct json_t **ret_host);

#endif
