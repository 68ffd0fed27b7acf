/* neighbours_report.c - see neighbours_report.h. */
#include "bench/neighbours_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "bench/json.h"
#include "bench/table.h"

static double ratio_of(const struct bench_neighbour *neighbour)
{
	return neighbour->idle_p99_us > 0 ?
		       neighbour->p99_us / neighbour->idle_p99_us :
		       0;
}

static json_t *neighbour_json(const struct bench_neighbour *neighbour)
{
	return json_pack(
		"{s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:o}",
		"kind", neighbour->kind, "idle_p50",
		bench_json_number(neighbour->idle_p50_us), "idle_p99",
		bench_json_number(neighbour->idle_p99_us), "n",
		(json_int_t)neighbour->count, "failed",
		(json_int_t)neighbour->failed, "p50",
		bench_json_number(neighbour->p50_us), "p99",
		bench_json_number(neighbour->p99_us), "max",
		bench_json_number(neighbour->max_us), "ratio",
		bench_json_number(ratio_of(neighbour)), "bound",
		bench_json_number(bench_neighbour_bound_us(neighbour)), "holds",
		bench_neighbour_holds(neighbour), "attacks",
		(json_int_t)neighbour->attacks, "status",
		neighbour->status ? json_integer(neighbour->status) :
				    json_null());
}

json_t *bench_neighbours_json(const struct bench_neighbours *neighbours,
			      json_t *host)
{
	json_t *kinds = json_array();

	for (size_t i = 0; i < neighbours->count; i++)
		json_array_append_new(kinds,
				      neighbour_json(&neighbours->kinds[i]));
	return json_pack("{s:O, s:o}", "host", host, "neighbours", kinds);
}

static void print_neighbour(const struct bench_neighbour *neighbour)
{
	printf("%-13s %8.1f %8.1f  %8.1f %8.1f %9.1f  %6.2f %8.1f  %-5s",
	       neighbour->kind, neighbour->idle_p50_us, neighbour->idle_p99_us,
	       neighbour->p50_us, neighbour->p99_us, neighbour->max_us,
	       ratio_of(neighbour), bench_neighbour_bound_us(neighbour),
	       bench_neighbour_holds(neighbour) ? "holds" : "NOT");
	if (neighbour->status)
		printf(" %7" PRIu64 "  %6u", neighbour->attacks,
		       neighbour->status);
	if (neighbour->failed)
		printf("  %" PRIu64 " of %" PRIu64 " failed", neighbour->failed,
		       neighbour->count);
	putchar('\n');
}

void bench_neighbours_print(const struct bench_neighbours *neighbours,
			    const json_t *host)
{
	bench_table_print_host(host);
	printf("\n%-13s %17s  %27s\n", "", "ALONE", "BESIDE IT");
	printf("%-13s %8s %8s  %8s %8s %9s  %6s %8s  %-5s %7s  %6s\n",
	       "HOSTILE, US", "P50", "P99", "P50", "P99", "MAX", "RATIO",
	       "BOUND", "", "ATTACKS", "STATUS");
	for (size_t i = 0; i < neighbours->count; i++)
		print_neighbour(&neighbours->kinds[i]);
}
