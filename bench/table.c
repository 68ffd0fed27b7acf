/* table.c - see table.h. */
#include "bench/table.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/json.h"

#define NAME_WIDTH 41

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_mitigations(json_t *mitigations)
{
	const char *label = "mitigations", *name;
	const json_t *value;

	json_object_foreach(mitigations, name, value)
	{
		const char *text = json_string_value(value);

		if (!text || !strcmp(text, "Not affected"))
			continue;
		printf("%-12s %s: %s\n", label, name, text);
		label = "";
	}
}

static void print_kvm(json_t *kvm)
{
	const json_t *value;
	const char *name;

	printf("%-12s %s", "kvm", text_of(kvm, "device"));
	json_object_foreach(kvm, name, value) if (json_is_integer(value))
		printf(", %s %lld", name, (long long)json_integer_value(value));
	putchar('\n');
}

void bench_table_print_host(const json_t *host)
{
	printf("%-12s %s, %s, %lld online\n", "cpu", text_of(host, "cpu"),
	       text_of(host, "machine"), number_of(host, "online_cpus"));
	printf("%-12s %s\n", "kernel", text_of(host, "kernel"));
	print_kvm(json_object_get(host, "kvm"));
	print_mitigations(json_object_get(host, "mitigations"));
	if (json_object_get(host, "governor"))
		printf("%-12s %s\n", "governor", text_of(host, "governor"));
	printf("%-12s %s\n", "clock source", text_of(host, "clock_source"));
	if (json_object_get(host, "restore"))
		printf("%-12s %s\n", "restore", text_of(host, "restore"));
}

static void print_rounds(const json_t *report)
{
	const json_t *host = json_object_get(report, "host");

	printf("%-12s %lld in %lld run%s; context switches: %lld voluntary, "
	       "%lld not\n",
	       "rounds", number_of(report, "rounds"), number_of(report, "runs"),
	       number_of(report, "runs") == 1 ? "" : "s",
	       number_of(host, "voluntary_switches"),
	       number_of(host, "involuntary_switches"));
}

/* Prints a figure of a row or ratio; '-' if there is none. */
static void print_value(const json_t *object, const char *field)
{
	const json_t *value = json_object_get(object, field);

	if (json_is_number(value))
		printf("  %9.*f", json_object_get(object, "n") ? 2 : 3,
		       json_number_value(value));
	else
		printf("  %9s", "-");
}

/* Prints the exits of one invocation; '-' if they are not counted. */
static void print_exits(const json_t *object)
{
	const json_t *exits = json_object_get(object, "exits");

	if (exits)
		printf("  %9lld", (long long)json_integer_value(exits));
	else
		printf("  %9s", "-");
}

/* Prints how the p50 compares to the baseline's, and ends the line. */
static void print_change(const json_t *object, const json_t *baseline)
{
	const json_t *old =
		bench_json_value(baseline, text_of(object, "name"), "p50");
	double now = json_number_value(json_object_get(object, "p50"));

	if (json_number_value(old) > 0)
		printf("  %+8.1f%%", (now / json_number_value(old) - 1) * 100);
	putchar('\n');
}

static void table_print_header(const char *title, const char *const *columns,
			       const json_t *baseline)
{
	printf("\n%-*s", NAME_WIDTH, title);
	for (; *columns; columns++)
		printf("  %9s", *columns);
	puts(baseline ? "  P50 AGAINST BASELINE" : "");
}

static void print_ratios(const json_t *report, const json_t *baseline)
{
	static const char *const columns[] = { "P50", "P99", NULL };
	const json_t *ratios = json_object_get(report, "ratios"), *object;
	size_t index;

	if (!json_array_size(ratios))
		return;
	table_print_header("RATIO", columns, baseline);
	json_array_foreach(ratios, index, object)
	{
		printf("%-*s", NAME_WIDTH, text_of(object, "name"));
		print_value(object, "p50");
		print_value(object, "p99");
		print_change(object, baseline);
	}
}

static void print_idle(const json_t *report)
{
	static const char *const columns[] = { "CPU", NULL };
	const json_t *idle = json_object_get(report, "idle"), *object;
	size_t index;

	if (!json_array_size(idle))
		return;
	table_print_header("IDLE FOR A SECOND, MICROSECONDS", columns, NULL);
	json_array_foreach(idle, index, object)
	{
		printf("%-*s", NAME_WIDTH, text_of(object, "name"));
		print_value(object, "cpu_us_per_s");
		putchar('\n');
	}
}

void bench_table_print_rows(const json_t *report, const json_t *baseline)
{
	static const char *const columns[] = { "SAMPLES", "P50",   "P90",
					       "P99",	  "P99.9", "MAX",
					       "CPU",	  "EXITS", NULL };
	static const char *const fields[] = { "p50",  "p90", "p99",
					      "p999", "max", "cpu" };
	const json_t *object;
	size_t index;

	table_print_header("ROW, MICROSECONDS", columns, baseline);
	json_array_foreach(json_object_get(report, "results"), index, object)
	{
		printf("%-*s  %9lld", NAME_WIDTH, text_of(object, "name"),
		       number_of(object, "n"));
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			print_value(object, fields[i]);
		print_exits(object);
		print_change(object, baseline);
	}
}

void bench_table_print(const json_t *report, const json_t *baseline)
{
	bench_table_print_host(json_object_get(report, "host"));
	print_rounds(report);
	bench_table_print_rows(report, baseline);
	print_ratios(report, baseline);
	print_idle(report);
}
