/* results.c - see results.h. */
#include "bench/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define ROUNDS_FIRST 64

int bench_results_add_row(struct bench_results *results, const char *name)
{
	struct bench_result *row = &results->rows[results->count];

	row->histogram = calloc(1, sizeof(*row->histogram));
	if (!row->histogram)
		return -ENOMEM;
	snprintf(row->name, sizeof(row->name), "%s", name);
	results->count++;
	return 0;
}

static int results_make_room(struct bench_results *results, size_t room)
{
	for (size_t i = 0; i < results->count; i++) {
		struct bench_result *row = &results->rows[i];
		double *p50s =
			reallocarray(row->round_p50_ns, room, sizeof(*p50s));

		if (!p50s)
			return -ENOMEM;
		row->round_p50_ns = p50s;
	}
	results->round_room = room;
	return 0;
}

int bench_results_add_round(struct bench_results *results)
{
	size_t room = results->round_room;

	if (results->rounds == room) {
		int r = results_make_room(results,
					  room ? 2 * room : ROUNDS_FIRST);

		if (r)
			return r;
	}
	results->rounds++;
	return 0;
}

void bench_results_done(struct bench_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		free(results->rows[i].histogram);
		free(results->rows[i].round_p50_ns);
	}
}

const struct bench_result *
bench_results_find(const struct bench_results *results, const char *name)
{
	for (size_t i = 0; i < results->count; i++)
		if (!strcmp(results->rows[i].name, name))
			return &results->rows[i];
	return NULL;
}

static bool have_same_rows(const struct bench_results *one,
			   const struct bench_results *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (strcmp(one->rows[i].name, other->rows[i].name) != 0)
			return false;
	return true;
}

/* Merges the idle CPU times: the mean of all runs. */
static void merge_idle(struct bench_result *to, size_t to_runs,
		       const struct bench_result *from, size_t from_runs)
{
	const double sum = to->idle_us * (double)to_runs +
			   from->idle_us * (double)from_runs;

	to->has_idle = to->has_idle && from->has_idle;
	to->idle_us = sum / (double)(to_runs + from_runs);
}

int bench_results_merge(struct bench_results *to,
			const struct bench_results *from, struct error *err)
{
	const size_t rounds = to->rounds + from->rounds;

	if (!have_same_rows(to, from))
		return error_set(err, -EINVAL,
				 "not the same rows: only runs of the same "
				 "--only can be merged");
	if (results_make_room(to, rounds + 1))
		return error_set(err, -ENOMEM, "no memory for %zu rounds",
				 rounds);
	for (size_t i = 0; i < to->count; i++) {
		struct bench_result *row = &to->rows[i];

		histogram_merge(row->histogram, from->rows[i].histogram);
		row->cpu_ns += from->rows[i].cpu_ns;
		merge_idle(row, to->runs, &from->rows[i], from->runs);
		memcpy(row->round_p50_ns + to->rounds,
		       from->rows[i].round_p50_ns,
		       from->rounds * sizeof(*row->round_p50_ns));
	}
	to->rounds = rounds;
	to->runs += from->runs;
	return 0;
}

double bench_result_us(const struct bench_result *result, double fraction)
{
	return (double)histogram_percentile(result->histogram, fraction) /
	       (double)NS_PER_US;
}

double bench_result_cpu_us(const struct bench_result *result)
{
	return (double)result->cpu_ns / (double)result->histogram->count /
	       (double)NS_PER_US;
}

bool bench_ratio_exists(const struct bench_results *results,
			const struct bench_ratio *ratio)
{
	bool exists = bench_results_find(results, ratio->top);

	for (size_t i = 0; i < BENCH_TERMS_MAX && ratio->bottom[i]; i++)
		if (!bench_results_find(results, ratio->bottom[i]))
			exists = false;
	return exists;
}

static int results_compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), results_compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

int bench_ratio_compute(const struct bench_results *results,
			const struct bench_ratio *ratio,
			struct bench_ratio_values *ret_values)
{
	cleanup_free double *sums = calloc(results->rounds, sizeof(*sums));
	const struct bench_result *top;
	double p50 = 0, p99 = 0;

	if (!sums)
		return -ENOMEM;
	for (size_t i = 0; i < BENCH_TERMS_MAX && ratio->bottom[i]; i++) {
		const struct bench_result *bottom =
			bench_results_find(results, ratio->bottom[i]);

		p50 += bench_result_us(bottom, 0.50);
		p99 += bench_result_us(bottom, 0.99);
		for (size_t j = 0; j < results->rounds; j++)
			sums[j] += bottom->round_p50_ns[j];
	}
	top = bench_results_find(results, ratio->top);
	for (size_t j = 0; j < results->rounds; j++)
		sums[j] = top->round_p50_ns[j] / sums[j];
	*ret_values = (struct bench_ratio_values){
		.p50 = median(sums, results->rounds),
		.p50_all = bench_result_us(top, 0.50) / p50,
		.p99 = bench_result_us(top, 0.99) / p99,
	};
	return 0;
}
