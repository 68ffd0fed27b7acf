/* measure.c - see measure.h. */
#include "bench/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Time for a row of weight 1 in one round; */
#define SLICE_NS (5 * NS_PER_MS)
/* shorter if the duration is too short for so many rounds. */
#define ROUNDS_MIN 8

/* Rounds that do not count: they warm up caches, pools and hot sets. */
#define ROUNDS_WARM_UP 2

/* Time for which each polled row is left alone at the end. */
#define IDLE_S 1

#define BAR_WIDTH 40

/* Draws the bar; @share is from 0 to 1, which removes the bar. */
static void show_progress(double share)
{
	static const char full[] = "########################################";

	_Static_assert(sizeof(full) - 1 == BAR_WIDTH, "all of the bar");
	fprintf(stderr, "\rthaw bench [%-*.*s] %3d%%", BAR_WIDTH,
		(int)(share * BAR_WIDTH), full, (int)(share * 100));
	if (share >= 1)
		fprintf(stderr, "\r%*s\r", BAR_WIDTH + 20, "");
	fflush(stderr);
}

/* A measurement of all rows. */
struct measuring {
	struct bench_rows *rows;
	uint64_t slice_ns; /* of a row of weight 1 in a round */
	/*
	 * How often each row is measured in a round. The first rounds choose
	 * it: as often as fits into the row's slice. It is the same in all
	 * later rounds, so that quick rounds do not contribute more samples
	 * than slow ones.
	 */
	size_t blocks[BENCH_ROWS_MAX];
	bool is_chosen;
	/* of each row in this round */
	struct histogram *histograms;
	uint64_t cpu_ns[BENCH_ROWS_MAX];
};

/* CPU time of all threads; running a guest counts for the vcpu's thread. */
static uint64_t cpu_now_ns(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static unsigned many_of(const struct bench_row *row)
{
	return row->kind->many ? row->kind->many : 1;
}

static int measure_begin(struct bench_row *row, struct error *err)
{
	return row->kind->begin ? row->kind->begin(row, err) : 0;
}

static void measure_end(struct bench_row *row)
{
	if (row->kind->end)
		row->kind->end(row);
}

/* Measures one row for its slice, or as often as was chosen. */
static int measure_slice(struct measuring *m, size_t index, struct error *err)
{
	struct bench_row *row = &m->rows->rows[index];
	const uint64_t end_ns = clock_now_ns() + m->slice_ns * row->weight;
	size_t *block = &m->blocks[index];
	size_t done = 0;
	uint64_t ns;

	do {
		int r = row->kind->once(row, err, &ns);

		if (r)
			return r;
		histogram_add(&m->histograms[index], ns);
		done++;
	} while (m->is_chosen ? done < *block : clock_now_ns() < end_ns);
	if (done > *block)
		*block = done;
	return 0;
}

/*
 * Gives one row its turn. The first sample does not count, because another row
 * has filled the caches. The CPU time of other threads is only known when they
 * have stopped, so it is read after the end.
 */
static int measure_row(struct measuring *m, size_t index, struct error *err)
{
	struct bench_row *row = &m->rows->rows[index];
	uint64_t ns, start_ns = 0;
	int r = measure_begin(row, err);

	if (!r)
		r = row->kind->once(row, err, &ns);
	if (!r) {
		start_ns = cpu_now_ns();
		r = measure_slice(m, index, err);
	}
	if (r)
		return error_prefix(err, r, "%s", row->name);
	measure_end(row);
	m->cpu_ns[index] = (cpu_now_ns() - start_ns) / many_of(row);
	return 0;
}

/* Measures one round; each round begins with another row. */
static int measure_round(struct measuring *m, size_t first, struct error *err)
{
	const size_t count = m->rows->count;
	int r = 0;

	memset(m->histograms, 0, count * sizeof(*m->histograms));
	for (size_t i = 0; i < count && !r; i++)
		r = measure_row(m, (first + i) % count, err);
	return r;
}

static int keep_round(struct bench_results *results, const struct measuring *m)
{
	int r = bench_results_add_round(results);

	for (size_t i = 0; i < results->count && !r; i++) {
		struct bench_result *row = &results->rows[i];

		row->round_p50_ns[results->rounds - 1] =
			(double)histogram_percentile(&m->histograms[i], 0.50);
		histogram_merge(row->histogram, &m->histograms[i]);
		row->cpu_ns += m->cpu_ns[i];
	}
	return r;
}

static int measure_rounds(struct measuring *m, uint64_t duration_ns,
			  struct error *err, struct bench_results *results)
{
	const bool terminal = isatty(STDERR_FILENO);
	const uint64_t start_ns = clock_now_ns();
	uint64_t done_ns = 0;

	for (size_t i = 0; done_ns < duration_ns || i < ROUNDS_MIN; i++) {
		int r = measure_round(m, i, err);

		if (r)
			return r;
		if (i == ROUNDS_WARM_UP - 1)
			m->is_chosen = true;
		if (i >= ROUNDS_WARM_UP && keep_round(results, m))
			return error_set(err, -ENOMEM,
					 "no memory for another round");
		done_ns = clock_now_ns() - start_ns;
		if (terminal)
			show_progress(done_ns < duration_ns ?
					      (double)done_ns /
						      (double)duration_ns :
					      1);
	}
	return 0;
}

/* Measures the CPU time of a row that is no longer invoked. */
static int measure_idle(struct bench_row *row, struct error *err,
			struct bench_result *result)
{
	const struct timespec pause = { .tv_sec = IDLE_S };
	uint64_t start_ns;
	int r = measure_begin(row, err);

	if (r)
		return error_prefix(err, r, "%s", row->name);
	measure_end(row);
	start_ns = cpu_now_ns();
	nanosleep(&pause, NULL);
	result->idle_us = (double)(cpu_now_ns() - start_ns) /
			  (double)(IDLE_S * NS_PER_US);
	result->has_idle = true;
	return 0;
}

int bench_measure(struct bench_rows *rows, uint64_t duration_ns,
		  struct error *err, struct bench_results *results)
{
	struct measuring m = { .rows = rows, .slice_ns = SLICE_NS };
	uint64_t weights = rows->rows[0].weight;
	int r;

	for (size_t i = 1; i < rows->count; i++)
		weights += rows->rows[i].weight;
	if (m.slice_ns > duration_ns / ROUNDS_MIN / weights)
		m.slice_ns = duration_ns / ROUNDS_MIN / weights;
	results->runs = 1;
	m.histograms = calloc(rows->count, sizeof(*m.histograms));
	if (!m.histograms)
		return error_set(err, -ENOMEM, "no memory for histograms");
	r = measure_rounds(&m, duration_ns, err, results);
	free(m.histograms);
	for (size_t i = 0; i < rows->count && !r; i++)
		results->rows[i].exits = rows->rows[i].exits;
	for (size_t i = 0; i < rows->count && !r; i++)
		if (rows->rows[i].kind->is_polled)
			r = measure_idle(&rows->rows[i], err,
					 &results->rows[i]);
	return r;
}
