/* waterfall_report.c - see waterfall_report.h. */
#include "bench/waterfall_report.h"

#include <jansson.h>
#include <stdio.h>

#include "bench/json.h"
#include "bench/table.h"

static const char *const step_names[] = {
	[BENCH_STEP_CALL] = "call, checks, accounting",
	[BENCH_STEP_CLOCKS] = "clocks and counters read",
	[BENCH_STEP_POOL] = "vm taken and given back",
	[BENCH_STEP_REQUEST] = "request written",
	[BENCH_STEP_INFO] = "entropy, generation, time",
	[BENCH_STEP_RUN] = "run prepared, exit judged",
	[BENCH_STEP_REPLY] = "reply taken and checked",
	[BENCH_STEP_RESTORE] = "restore, without copies",
	[BENCH_STEP_COPY] = "hot pages copied",
};

const char *bench_step_name(enum bench_step step)
{
	return step_names[step];
}

static json_t *number_or_null(double number, bool is_known)
{
	return is_known ? bench_json_number(number) : json_null();
}

json_t *bench_waterfall_json(const struct bench_waterfall *waterfall,
			     json_t *host)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < BENCH_STEPS; i++) {
		const double count = waterfall->instructions[i];
		const double ns = waterfall->ns[i];

		json_array_append_new(steps,
				      json_pack("{s:s, s:o, s:o}", "step",
						step_names[i], "instructions",
						number_or_null(count,
							       count > 0),
						"time",
						number_or_null(ns, ns >= 0)));
	}
	return json_pack("{s:O, s:o, s:o, s:o, s:i, s:i, s:i, s:o}", "host",
			 host, "floor", bench_json_number(waterfall->floor_ns),
			 "guest", bench_json_number(waterfall->guest_ns),
			 "warm", bench_json_number(waterfall->warm_ns),
			 "hot_pages", (int)waterfall->hot_pages, "code_pages",
			 (int)waterfall->code_pages, "code_lines",
			 (int)waterfall->code_lines, "steps", steps);
}

static void print_line(const char *name, double instructions, bool is_counted,
		       double ns, bool is_timed)
{
	char count[32] = "-", time[32] = "-";

	if (is_counted)
		snprintf(count, sizeof(count), "%.0f", instructions);
	if (is_timed)
		snprintf(time, sizeof(time), "%.0f", ns);
	printf("%-44s %12s %8s\n", name, count, time);
}

void bench_waterfall_print(const struct bench_waterfall *waterfall,
			   const json_t *host)
{
	const double beyond = waterfall->warm_ns - waterfall->floor_ns;
	double count = 0, ns = waterfall->guest_ns;

	bench_table_print_host(host);
	printf("hot pages    %u\n", waterfall->hot_pages);
	printf("code         %u pages, %u lines of 64 bytes\n\n",
	       waterfall->code_pages, waterfall->code_lines);
	printf("%-44s %12s %8s\n", "STEP OF A WARM INVOCATION", "INSTRUCTIONS",
	       "NS");
	print_line("floor.run", 0, false, waterfall->floor_ns, true);
	print_line("guest: entry stub, dispatcher, handler", 0, false,
		   waterfall->guest_ns, true);
	for (size_t i = 0; i < BENCH_STEPS; i++) {
		print_line(step_names[i], waterfall->instructions[i],
			   waterfall->instructions[i] > 0, waterfall->ns[i],
			   waterfall->ns[i] >= 0);
		count += waterfall->instructions[i];
		ns += waterfall->ns[i] >= 0 ? waterfall->ns[i] : 0;
	}
	print_line("sum of the steps", count, count > 0, ns, true);
	print_line("invoke.warm - floor.run", 0, false, beyond, true);
	print_line("difference: calls, and caches KVM has emptied", 0, false,
		   beyond - ns, true);
}
