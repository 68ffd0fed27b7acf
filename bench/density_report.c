/* density_report.c - see density_report.h. */
#include "bench/density_report.h"

#include <jansson.h>
#include <stdio.h>

#include "bench/json.h"
#include "bench/plot.h"
#include "bench/table.h"

static json_t *step_json(const struct bench_density_step *step)
{
	const struct bench_footprint *each = &step->each;

	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "vms", (int)step->vms,
			 "private_kib", bench_json_number(each->private_kib),
			 "kernel_kib", bench_json_number(each->kernel_kib),
			 "mappings", bench_json_number(each->mappings),
			 "descriptors", bench_json_number(each->descriptors));
}

static json_t *idle_json(const struct bench_density *density)
{
	const struct bench_footprint *idle = &density->idle;

	if (!density->functions)
		return json_null();
	return json_pack("{s:i, s:o, s:o, s:o}", "functions",
			 (int)density->functions, "private_kib",
			 bench_json_number(idle->private_kib), "mappings",
			 bench_json_number(idle->mappings), "descriptors",
			 bench_json_number(idle->descriptors));
}

json_t *bench_density_json(const struct bench_density *density, json_t *host)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < density->count; i++)
		json_array_append_new(steps, step_json(&density->steps[i]));
	return json_pack("{s:O, s:o, s:o, s:o}", "host", host, "vms", steps,
			 "vms_per_gib",
			 density->vms_per_gib > 0 ?
				 bench_json_number(density->vms_per_gib) :
				 json_null(),
			 "idle_functions", idle_json(density));
}

static void print_line(unsigned count, const char *what,
		       const struct bench_footprint *each, const char *kernel)
{
	printf("%6u %-16s  %11.1f  %10s  %9.2f  %11.2f\n", count, what,
	       each->private_kib, kernel, each->mappings, each->descriptors);
}

void bench_density_print(const struct bench_density *density,
			 const json_t *host)
{
	char kernel[32];

	bench_table_print_host(host);
	printf("\n%-23s  %11s  %10s  %9s  %11s\n", "EACH OF SO MANY",
	       "PRIVATE KIB", "KERNEL KIB", "MAPPINGS", "DESCRIPTORS");
	for (size_t i = 0; i < density->count; i++) {
		const struct bench_density_step *step = &density->steps[i];

		snprintf(kernel, sizeof(kernel), "%.1f", step->each.kernel_kib);
		print_line(step->vms, step->vms == 1 ? "warm vm" : "warm vms",
			   &step->each, kernel);
	}
	if (density->functions)
		print_line(density->functions, "idle functions", &density->idle,
			   "-");
	if (density->vms_per_gib > 0)
		printf("\n%.0f vms per GiB of private and the kernel's memory, "
		       "of %u\n",
		       density->vms_per_gib,
		       density->steps[density->count - 1].vms);
	puts("The kernel's memory is of the whole machine: other programs add "
	     "noise.");
}

static void write_steps(FILE *script, const struct bench_density *density)
{
	fputs("$vms << EOD\n", script);
	for (size_t i = 0; i < density->count; i++) {
		const struct bench_density_step *step = &density->steps[i];

		fprintf(script, "%u %.3f %.3f %.3f %.3f\n", step->vms,
			step->each.private_kib, step->each.kernel_kib,
			step->each.mappings, step->each.descriptors);
	}
	fputs("EOD\n", script);
}

static void write_memory(FILE *script, const struct bench_density *density)
{
	fprintf(script,
		"set title 'Memory of each warm vm: %.0f vms per GiB'\n"
		"set ylabel 'KiB'\n"
		"plot $vms using 1:2 with linespoints linestyle 1 title "
		"'private memory', "
		"$vms using 1:3 with linespoints linestyle 2 title "
		"'kernel''s memory'",
		density->vms_per_gib);
	if (density->functions && density->idle.private_kib > 0)
		fprintf(script,
			", %.3f with lines linestyle 3 title "
			"'idle function, private'",
			density->idle.private_kib);
	fputc('\n', script);
}

static void write_density(FILE *script, const void *what)
{
	const struct bench_density *density = what;

	write_steps(script, density);
	fputs("set style line 3 linecolor rgb '#2ca02c' linewidth 2 "
	      "dashtype 2\n"
	      "set multiplot layout 2,1\n"
	      "set lmargin 10\n"
	      "set rmargin 30\n"
	      "set key at graph 1.03,0.75 left top Left reverse\n"
	      "set xlabel 'vms in the process'\n"
	      "set logscale xy 10\n"
	      "set xrange [0.8:1250]\n",
	      script);
	write_memory(script, density);
	fputs("set title 'Mappings and descriptors of each warm vm'\n"
	      "unset ylabel\n"
	      "plot $vms using 1:4 with linespoints linestyle 1 title "
	      "'mappings', $vms using 1:5 with linespoints linestyle 2 title "
	      "'descriptors'\n"
	      "unset multiplot\n",
	      script);
}

int bench_density_plot(const struct bench_density *density,
		       const char *directory, struct error *err)
{
	if (!density->count)
		return 0;
	return bench_plot_picture(directory, "density.svg", write_density,
				  density, err);
}
