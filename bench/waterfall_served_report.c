/* waterfall_served_report.c - see waterfall_served_report.h. */
#include "bench/waterfall_served_report.h"

#include <jansson.h>
#include <stdio.h>

#include "bench/json.h"

static const char *const step_names[] = {
	[BENCH_SERVED_RING] = "ring: completions, submissions",
	[BENCH_SERVED_PARSE] = "parse: bytes to a request",
	[BENCH_SERVED_ROUTE] = "route: function, headers found",
	[BENCH_SERVED_ADMIT] = "admit: checked, queued, given a vm",
	[BENCH_SERVED_RUN] = "run: request in, vcpu, reply out",
	[BENCH_SERVED_REPLY] = "reply: to bytes",
	[BENCH_SERVED_RESTORE] = "restore: vm made clean",
	[BENCH_SERVED_ACCOUNT] = "account: clocks, timers, counters",
};

static const char *const way_names[] = {
	[BENCH_SERVED_HTTP] = "http",
	[BENCH_SERVED_SOCKET] = "socket",
};

const char *bench_served_step_name(enum bench_served_step step)
{
	return step_names[step];
}

static json_t *positive_or_null(double number)
{
	return number > 0 ? bench_json_number(number) : json_null();
}

static json_t *way_json(const struct bench_served *served,
			enum bench_served_way way)
{
	const struct bench_served_count *count = &served->counts[way];
	json_t *steps = json_array();

	for (size_t i = 0; i < BENCH_SERVED_STEPS; i++)
		json_array_append_new(
			steps,
			json_pack("{s:s, s:o}", "step", step_names[i],
				  "instructions",
				  positive_or_null(count->instructions[i])));
	return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o}", "echo",
			 positive_or_null(served->echo_ns[way]), "whole",
			 positive_or_null(served->whole_ns[way]), "calls",
			 positive_or_null(count->calls), "code_pages",
			 (int)count->code_pages, "code_lines",
			 (int)count->code_lines, "steps", steps);
}

json_t *bench_served_json(const struct bench_served *served)
{
	json_t *all = json_pack("{s:o, s:o}", "floor",
				positive_or_null(served->floor_ns), "warm",
				positive_or_null(served->warm_ns));

	for (unsigned way = 0; way < BENCH_SERVED_WAYS; way++)
		json_object_set_new(all, way_names[way], way_json(served, way));
	return all;
}

static void print_numbers(const char *name, int digits, double http,
			  double socket)
{
	char texts[BENCH_SERVED_WAYS][32] = { "-", "-" };

	if (http > 0)
		snprintf(texts[0], sizeof(texts[0]), "%.*f", digits, http);
	if (socket > 0)
		snprintf(texts[1], sizeof(texts[1]), "%.*f", digits, socket);
	printf("%-44s %12s %8s\n", name, texts[0], texts[1]);
}

static void print_counts(const struct bench_served_count *http,
			 const struct bench_served_count *socket)
{
	double sums[2] = { 0 };

	printf("\n%-44s %12s %8s\n", "INSTRUCTIONS OF A SERVED REQUEST", "HTTP",
	       "SOCKET");
	for (size_t i = 0; i < BENCH_SERVED_STEPS; i++) {
		print_numbers(step_names[i], 0, http->instructions[i],
			      socket->instructions[i]);
		sums[0] += http->instructions[i];
		sums[1] += socket->instructions[i];
	}
	print_numbers("sum of the steps", 0, sums[0], sums[1]);
	print_numbers("calls of the kernel", 1, http->calls, socket->calls);
	print_numbers("pages of code", 0, http->code_pages, socket->code_pages);
	print_numbers("lines of code, of 64 bytes", 0, http->code_lines,
		      socket->code_lines);
}

static double ratio_of(const struct bench_served *served,
		       enum bench_served_way way)
{
	const double parts = served->echo_ns[way] + served->warm_ns;

	return parts > 0 ? served->whole_ns[way] / parts : 0;
}

void bench_served_print(const struct bench_served *served)
{
	const double *echo = served->echo_ns, *whole = served->whole_ns;
	const double beyond = served->warm_ns - served->floor_ns;

	print_counts(&served->counts[BENCH_SERVED_HTTP],
		     &served->counts[BENCH_SERVED_SOCKET]);
	printf("\n%-44s %12s %8s\n", "NS OF A SERVED REQUEST", "HTTP",
	       "SOCKET");
	print_numbers("no vm: http.echo.cpu, socket.echo", 0, echo[0], echo[1]);
	print_numbers("floor.run", 0, served->floor_ns, served->floor_ns);
	print_numbers("invoke.warm - floor.run", 0, beyond, beyond);
	print_numbers("difference: caches KVM has emptied", 0,
		      whole[0] - echo[0] - served->warm_ns,
		      whole[1] - echo[1] - served->warm_ns);
	print_numbers("http.throughput, socket.rtt", 0, whole[0], whole[1]);
	print_numbers("that / (no vm + invoke.warm)", 3,
		      ratio_of(served, BENCH_SERVED_HTTP),
		      ratio_of(served, BENCH_SERVED_SOCKET));
}
