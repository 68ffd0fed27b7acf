/* plot.c - see plot.h. */
#include "bench/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Points of the curve from one digit of 99.9...% to the next. */
#define STEPS 100

#define TERMINAL                                                          \
	"set terminal svg size 800,500 background rgb 'white'\n"          \
	"set grid\n"                                                      \
	"set key top left\n"                                              \
	"set style line 1 linecolor rgb '#1f77b4' linewidth 2 pointtype " \
	"7\n"                                                             \
	"set style line 2 linecolor rgb '#888888' linewidth 2 pointtype " \
	"6\n"

/* Runs gnuplot with the script in @fd as its standard input. */
static int run_gnuplot(int fd)
{
	char *const arguments[] = { (char *)"gnuplot", NULL };
	posix_spawn_file_actions_t actions;
	int r, status = -1;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	r = posix_spawnp(&child, "gnuplot", &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return -r;
	waitpid(child, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EPROTO;
}

int bench_plot_check(struct error *err)
{
	cleanup_close int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r = run_gnuplot(nothing);

	return r ? error_set(err, r,
			     "cannot run gnuplot: %s: install it (Debian: "
			     "gnuplot-nox), or leave out --plot",
			     strerror(-r)) :
		   0;
}

/* Writes a string for gnuplot, in quotes. */
static void put_string(FILE *script, const char *text)
{
	fputc('\'', script);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', script);
		fputc(*text, script);
	}
	fputc('\'', script);
}

/*
 * Writes a block of data: how long, and one in how many samples takes longer.
 */
static void put_curve(FILE *script, const char *name,
		      const struct bench_result *result)
{
	const double count = (double)result->histogram->count;

	fprintf(script, "$%s << EOD\n", name);
	for (double tail = 1; tail * count >= 1; tail /= 10)
		for (int i = 0; i < STEPS; i++) {
			double rest = tail * (1 - 0.9 * i / STEPS);

			if (rest * count >= 1)
				fprintf(script, "%.9g %.3f\n", 1 / rest,
					bench_result_us(result, 1 - rest));
		}
	fputs("EOD\n", script);
}

/* Sets the axes of the curves. */
#define PERCENTILES                                                  \
	"set logscale x 10\n"                                        \
	"set xlabel 'percentile'\n"                                  \
	"set ylabel 'microseconds, up to this percentile'\n"         \
	"set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' 1000, " \
	"'99.99' 10000, '99.999' 100000)\n"                          \
	"set logscale y 10\n"

static void write_latency(FILE *script, const void *what)
{
	const struct bench_results *results = what;

	put_curve(script, "warm", bench_results_find(results, "invoke.warm"));
	put_curve(script, "floor", bench_results_find(results, "floor.run"));
	fputs("set title 'A warm invocation, and entering and leaving the "
	      "guest'\n" PERCENTILES
	      "plot $warm with lines linestyle 1 title 'invoke.warm', "
	      "$floor with lines linestyle 2 title 'floor.run'\n",
	      script);
}

static void write_load(FILE *script, const void *what)
{
	put_curve(script, "load", bench_results_find(what, "load"));
	fputs("set title 'Requests that went well'\n" PERCENTILES
	      "plot $load with lines linestyle 1 notitle\n",
	      script);
}

static bool has_latency(const struct bench_results *results)
{
	return bench_results_find(results, "invoke.warm") &&
	       bench_results_find(results, "floor.run");
}

/* Returns the number behind "restore.", or 0 for another row. */
static unsigned restore_pages(const struct bench_result *result)
{
	unsigned pages;

	return sscanf(result->name, "restore.%u", &pages) == 1 ? pages : 0;
}

static bool has_restore(const struct bench_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		if (restore_pages(&results->rows[i]))
			return true;
	return false;
}

static void write_restore(FILE *script, const void *what)
{
	const struct bench_results *results = what;
	const struct bench_result *run =
		bench_results_find(results, "floor.run");

	fputs("$restore << EOD\n", script);
	for (size_t i = 0; i < results->count; i++) {
		const struct bench_result *row = &results->rows[i];
		const struct bench_result *copy;
		unsigned pages = restore_pages(row);
		char name[sizeof(row->name)];

		snprintf(name, sizeof(name), "floor.copy.%u", pages);
		copy = bench_results_find(results, name);
		if (!pages || !run || !copy)
			continue;
		fprintf(script, "%u %.3f %.3f\n", pages,
			bench_result_us(row, 0.50),
			bench_result_us(run, 0.50) +
				bench_result_us(copy, 0.50));
	}
	fputs("EOD\n"
	      "set title 'An invocation that writes to N pages'\n"
	      "set xlabel 'pages written'\n"
	      "set ylabel 'microseconds (p50)'\n"
	      "set xrange [0:*]\n"
	      "set yrange [0:*]\n"
	      "plot $restore using 1:2 with linespoints linestyle 1 title "
	      "'restore.N', "
	      "$restore using 1:3 with lines linestyle 2 title "
	      "'floor.run + floor.copy.N'\n",
	      script);
}

/* Returns the number behind "restart.", or 0 for another row. */
static unsigned restart_functions(const struct bench_result *result)
{
	unsigned functions;

	return sscanf(result->name, "restart.%u", &functions) == 1 ? functions :
								     0;
}

/* A curve needs two points. */
static bool has_restarts(const struct bench_results *results)
{
	unsigned count = 0;

	for (size_t i = 0; i < results->count; i++)
		count += restart_functions(&results->rows[i]) > 0;
	return count > 1;
}

static void write_restarts(FILE *script, const void *what)
{
	const struct bench_results *results = what;

	fputs("$restart << EOD\n", script);
	for (size_t i = 0; i < results->count; i++) {
		const struct bench_result *row = &results->rows[i];

		if (restart_functions(row))
			fprintf(script, "%u %.6f %.6f\n",
				restart_functions(row),
				bench_result_us(row, 0.50) / 1e6,
				bench_result_us(row, 0.90) / 1e6);
	}
	fputs("EOD\n"
	      "set title 'A start with N functions that are stored'\n"
	      "set xlabel 'functions'\n"
	      "set ylabel 'seconds until the server is ready'\n"
	      "set logscale xy 10\n"
	      "plot $restart using 1:2 with linespoints linestyle 1 title "
	      "'restart.N, p50', "
	      "$restart using 1:3 with linespoints linestyle 2 title "
	      "'restart.N, p90'\n",
	      script);
}

int bench_plot_picture(const char *directory, const char *name,
		       bench_plot_fn write, const void *what, struct error *err)
{
	int fd = memfd_create("plot", MFD_CLOEXEC);
	cleanup_fclose FILE *script = fd < 0 ? NULL : fdopen(fd, "w+");
	cleanup_free char *path = NULL;
	int r;

	if (!script || asprintf(&path, "%s/%s", directory, name) < 0)
		return error_set(err, -ENOMEM, "no memory for a plot");
	fputs(TERMINAL "set output ", script);
	put_string(script, path);
	fputc('\n', script);
	write(script, what);
	if (fflush(script) || lseek(fd, 0, SEEK_SET))
		return error_set(err, -errno, "a memfd for a plot: %s",
				 strerror(errno));
	r = run_gnuplot(fd);
	return r ? error_set(err, r, "%s: gnuplot failed: %s", path,
			     strerror(-r)) :
		   0;
}

int bench_plot(const struct bench_results *results, const char *directory,
	       struct error *err)
{
	int r = 0;

	if (has_latency(results))
		r = bench_plot_picture(directory, "latency.svg", write_latency,
				       results, err);
	if (!r && bench_results_find(results, "load"))
		r = bench_plot_picture(directory, "load.svg", write_load,
				       results, err);
	if (!r && has_restore(results))
		r = bench_plot_picture(directory, "restore.svg", write_restore,
				       results, err);
	if (!r && has_restarts(results))
		r = bench_plot_picture(directory, "restart.svg", write_restarts,
				       results, err);
	return r;
}
