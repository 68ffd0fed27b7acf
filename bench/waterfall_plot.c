/* waterfall_plot.c - see waterfall_plot.h. */
#include "bench/waterfall_plot.h"

#include <stdio.h>

#include "bench/plot.h"
#include "bench/waterfall_report.h"
#include "bench/waterfall_served_report.h"

/* Bars lie: from where, to where, at which height, half as thick. */
#define BARS " using (($1+$2)/2):3:1:2:($3-$4):($3+$4) with boxxyerror "

struct both {
	const struct bench_waterfall *waterfall;
	const struct bench_served *served;
};

/* A bar from @*at on, and its name on the axis. */
static void put_bar(FILE *script, double *at, double size, int *row)
{
	fprintf(script, "%.0f %.0f %d 0.38\n", *at, *at + size, --*row);
	*at += size;
}

/* Each step begins where the one before has ended. */
static void write_warm(FILE *script, const struct bench_waterfall *waterfall)
{
	const double beyond = waterfall->warm_ns - waterfall->floor_ns;
	const int rows = BENCH_STEPS + 2;
	double at = 0;
	int row = rows;

	fputs("$warm << EOD\n", script);
	put_bar(script, &at, waterfall->guest_ns, &row);
	for (size_t i = 0; i < BENCH_STEPS; i++)
		put_bar(script, &at,
			waterfall->ns[i] > 0 ? waterfall->ns[i] : 0, &row);
	put_bar(script, &at, beyond - at, &row);
	fputs("EOD\n", script);
	row = rows;
	fprintf(script, "set ytics ('guest' %d", --row);
	for (unsigned i = 0; i < BENCH_STEPS; i++)
		fprintf(script, ", '%s' %d", bench_step_name(i), --row);
	fprintf(script, ", 'difference: calls, cold caches' %d)\n", --row);
	fprintf(script,
		"set title 'A warm invocation: %.1f us beyond floor.run of "
		"%.1f us'\n"
		"set xlabel 'nanoseconds' offset 0,0.6\n"
		"set xrange [0:*]\n"
		"set yrange [-0.6:%d-0.4]\n"
		"plot $warm" BARS "linestyle 1 fillstyle solid 0.8 notitle\n",
		beyond / 1000, waterfall->floor_ns / 1000, rows);
}

static void write_way(FILE *script, const struct bench_served_count *count,
		      double offset)
{
	for (int i = 0; i < BENCH_SERVED_STEPS; i++)
		fprintf(script, "0 %.0f %.2f 0.19\n", count->instructions[i],
			BENCH_SERVED_STEPS - 1 - i + offset);
}

static void write_served(FILE *script, const struct bench_served *served)
{
	fputs("$http << EOD\n", script);
	write_way(script, &served->counts[BENCH_SERVED_HTTP], 0.2);
	fputs("EOD\n$socket << EOD\n", script);
	write_way(script, &served->counts[BENCH_SERVED_SOCKET], -0.2);
	fputs("EOD\nset ytics (", script);
	for (unsigned i = 0; i < BENCH_SERVED_STEPS; i++)
		fprintf(script, "%s'%s' %u", i ? ", " : "",
			bench_served_step_name(i), BENCH_SERVED_STEPS - 1 - i);
	fprintf(script,
		")\n"
		"set title 'A served request: instructions in user mode'\n"
		"set xlabel 'instructions' offset 0,0.6\n"
		"set key bottom right\n"
		"set yrange [-0.6:%d-0.4]\n"
		"plot $http" BARS "linestyle 1 fillstyle solid 0.8 title "
		"'HTTP', $socket" BARS
		"linestyle 2 fillstyle solid 0.8 title 'unix socket'\n",
		BENCH_SERVED_STEPS);
}

static void write_waterfall(FILE *script, const void *what)
{
	const struct both *both = what;

	/* the names on the axes are as wide in both */
	fputs("set multiplot layout 2,1\n"
	      "set lmargin 33\n"
	      "set rmargin 3\n"
	      "set tmargin 2\n"
	      "set bmargin 3\n"
	      "unset grid\n"
	      "set grid xtics\n"
	      "set ytics nomirror scale 0\n",
	      script);
	write_warm(script, both->waterfall);
	write_served(script, both->served);
	fputs("unset multiplot\n", script);
}

int bench_waterfall_plot(const struct bench_waterfall *waterfall,
			 const struct bench_served *served,
			 const char *directory, struct error *err)
{
	const struct both both = { waterfall, served };

	return bench_plot_picture(directory, "waterfall.svg", write_waterfall,
				  &both, err);
}
