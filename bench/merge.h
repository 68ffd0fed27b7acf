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
 * Reads the @count files at @paths that --save has written. @results is empty
 * before, and the caller frees it in any case; *@ret_host are the facts of the
 * first run's machine, which the caller owns. -EINVAL: a file is not one of
 * those, or is of another machine, method or other rows; other errors are from
 * reading it.
 */
int bench_merge(const char *const *paths, size_t count, struct error *err,
		struct bench_results *results, struct json_t **ret_host);

#endif
