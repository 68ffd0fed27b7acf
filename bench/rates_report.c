/* rates_report.c - see rates_report.h. */
#include "bench/rates_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/json.h"
#include "bench/plot.h"
#include "bench/table.h"

static json_t *point_json(const struct bench_rate *point)
{
	json_t *object = json_pack("{s:s, s:I}", "mode", point->mode, "rate",
				   (json_int_t)point->rate);

	if (point->is_saturated)
		return object;
	json_object_set_new(object, "n",
			    json_integer((json_int_t)point->count));
	json_object_set_new(object, "p50", bench_json_number(point->p50_us));
	json_object_set_new(object, "p99", bench_json_number(point->p99_us));
	json_object_set_new(object, "cpu", bench_json_number(point->cpu_us));
	return object;
}

json_t *bench_rates_json(const struct bench_rates *rates, json_t *host)
{
	json_t *measured = json_array(), *saturated = json_array();

	for (size_t i = 0; i < rates->count; i++) {
		const struct bench_rate *point = &rates->points[i];

		json_array_append_new(point->is_saturated ? saturated :
							    measured,
				      point_json(point));
	}
	return json_pack("{s:O, s:o, s:o}", "host", host, "rates", measured,
			 "saturated", saturated);
}

void bench_rates_print(const struct bench_rates *rates, const json_t *host)
{
	bench_table_print_host(host);
	printf("\n%-12s  %9s  %9s  %9s  %9s  %9s\n", "MODE, US", "PER SECOND",
	       "SAMPLES", "P50", "P99", "CPU");
	for (size_t i = 0; i < rates->count; i++) {
		const struct bench_rate *point = &rates->points[i];

		printf("%-12s  %10" PRIu64, point->mode, point->rate);
		if (point->is_saturated)
			puts("  saturated");
		else
			printf("  %9" PRIu64 "  %9.2f  %9.2f  %9.2f\n",
			       point->count, point->p50_us, point->p99_us,
			       point->cpu_us);
	}
}

/* Whether a mode begins at @index. */
static bool is_first(const struct bench_rates *rates, size_t index)
{
	const struct bench_rate *point = &rates->points[index];

	return !point->is_saturated &&
	       (!index || strcmp(point->mode, point[-1].mode) != 0);
}

/* Writes a block of data for each mode, named $modeN after its first point. */
static void put_modes(FILE *script, const struct bench_rates *rates)
{
	bool in_block = false;

	for (size_t i = 0; i < rates->count; i++) {
		const struct bench_rate *point = &rates->points[i];

		if (point->is_saturated)
			continue;
		if (is_first(rates, i))
			fprintf(script, "%s$mode%zu << EOD\n",
				in_block ? "EOD\n" : "", i);
		in_block = true;
		fprintf(script, "%" PRIu64 " %.3f %.3f\n", point->rate,
			point->p50_us, point->p99_us);
	}
	fputs("EOD\n", script);
}

static void write_rates(FILE *script, const void *what)
{
	const struct bench_rates *rates = what;
	unsigned mode = 0;

	put_modes(script, rates);
	fputs("set style line 3 linecolor rgb '#d62728' linewidth 2 pointtype "
	      "5\n"
	      "set style line 4 linecolor rgb '#2ca02c' linewidth 2 pointtype "
	      "9\n"
	      "set title 'Invocations at a rate: p50 (lines), and p99 "
	      "(dashes)'\n"
	      "set logscale xy 10\n"
	      "set xlabel 'invocations in a second'\n"
	      "set ylabel 'microseconds, from when each should start'\n"
	      "plot ",
	      script);
	for (size_t i = 0; i < rates->count; i++) {
		if (!is_first(rates, i))
			continue;
		mode++;
		fprintf(script,
			"%s$mode%zu using 1:2 with linespoints linestyle %u "
			"title '%s', "
			"$mode%zu using 1:3 with lines linestyle %u dashtype 2 "
			"notitle",
			mode > 1 ? ", " : "", i, mode, rates->points[i].mode, i,
			mode);
	}
	fputc('\n', script);
}

int bench_rates_plot(const struct bench_rates *rates, const char *directory,
		     struct error *err)
{
	for (size_t i = 0; i < rates->count; i++)
		if (is_first(rates, i))
			return bench_plot_picture(directory, "rate.svg",
						  write_rates, rates, err);
	return 0;
}
