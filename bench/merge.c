/* merge.c - see merge.h. */
#include "bench/merge.h"

#include <errno.h>
#include <jansson.h>

#include "bench/json.h"

/* Whether two runs can be compared, as far as their facts tell. */
static bool is_alike(const json_t *one, const json_t *other)
{
	static const char *const facts[] = { "cpu", "machine", "kernel",
					     "restore" };

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		const json_t *a = json_object_get(one, facts[i]);
		const json_t *b = json_object_get(other, facts[i]);

		if (a != b && !json_equal(a, b))
			return false;
	}
	return true;
}

static int merge_report(const json_t *report, const char *path,
			struct error *err, struct bench_results *results)
{
	struct bench_results other = { .count = 0 };
	int r = bench_json_results(report, path, err, &other);

	if (!r && bench_results_merge(results, &other, err))
		r = error_prefix(err, -EINVAL, "%s", path);
	bench_results_done(&other);
	return r;
}

static int merge_file(const char *path, const json_t *host, struct error *err,
		      struct bench_results *results)
{
	json_auto_t *report = NULL;
	int r = bench_json_load(path, err, &report);

	if (r)
		return r;
	if (!is_alike(host, json_object_get(report, "host")))
		return error_set(err, -EINVAL,
				 "%s: another machine, kernel or --restore than "
				 "of the first file",
				 path);
	return merge_report(report, path, err, results);
}

int bench_merge(const char *const *paths, size_t count, struct error *err,
		struct bench_results *results, json_t **ret_host)
{
	json_auto_t *first = NULL;
	json_t *host;
	int r = bench_json_load(paths[0], err, &first);

	if (!r)
		r = bench_json_results(first, paths[0], err, results);
	if (r)
		return r;
	host = json_object_get(first, "host");
	for (size_t i = 1; i < count && !r; i++)
		r = merge_file(paths[i], host, err, results);
	if (!r)
		*ret_host = json_incref(host);
	return r;
}
