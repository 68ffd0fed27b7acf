/* function_table.c - see function_table.h. */
#include "executor/cli/function_table.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/similar.h"
#include "base/units.h"
#include "executor/cli/admin.h"
#include "executor/cli/cli.h"
#include "executor/cli/function_facts.h"
#include "executor/cli/percentile.h"

#define TEXT_MAX 2048
#define VMS_MAX 72

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define TEXT(object, path) \
	admin_text(object, path, (char[TEXT_MAX]){ 0 }, TEXT_MAX)
#define SIZE(object, path)                            \
	units_format_size(admin_number(object, path), \
			  (char[UNITS_TEXT_MAX]){ 0 })

static int name_width(const json_t *list)
{
	size_t width = strlen("NAME");

	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t size = strlen(TEXT(json_array_get(list, i), "name"));

		if (size > width && size < FACTS_NAME_MAX)
			width = size;
	}
	return (int)width;
}

static void print_line(const json_t *function,
		       const struct facts_bounds *bounds, int width)
{
	double last_us = facts_last_us(bounds);
	char vms[VMS_MAX], p50[PERCENTILE_TEXT_MAX], p99[PERCENTILE_TEXT_MAX];
	struct function_facts facts;

	facts_read_function(function, bounds, &facts);
	snprintf(vms, sizeof(vms), "%" PRIu64 "/%" PRIu64 "/%" PRIu64,
		 facts.busy, facts.idle, facts.max);
	printf("%-*s  %-7s  %-18s  %5" PRIu64 "  %11" PRIu64 "  %8" PRIu64
	       "  %7s  %7s\n",
	       width, facts.name, facts.state, vms, facts.queued, facts.ended,
	       facts.errors,
	       percentile_format(facts_percentile(&facts, bounds, 0.5), last_us,
				 p50),
	       percentile_format(facts_percentile(&facts, bounds, 0.99),
				 last_us, p99));
	if (json_is_string(json_object_get(function, "reason")))
		printf("  %s: %s\n", facts.name, TEXT(function, "reason"));
}

void function_table_print(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "functions");
	int width = name_width(list);
	struct facts_bounds bounds;

	facts_read_bounds(answer, &bounds);
	printf("%-*s  %-7s  %-18s  %5s  %11s  %8s  %7s  %7s\n", width, "NAME",
	       "STATE", "VMS(busy/idle/max)", "QUEUE", "INVOCATIONS", "ERRORS",
	       "P50", "P99");
	for (size_t i = 0; i < json_array_size(list); i++)
		print_line(json_array_get(list, i), &bounds, width);
}

void function_table_print_names(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "functions");

	for (size_t i = 0; i < json_array_size(list); i++)
		puts(TEXT(json_array_get(list, i), "name"));
}

const char *function_table_similar(const json_t *answer, const char *name)
{
	const json_t *list = json_object_get(answer, "functions");
	struct similar similar = similar_to(name);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *one = json_string_value(
			json_object_get(json_array_get(list, i), "name"));

		if (one)
			similar_try(&similar, one, strlen(one));
	}
	return similar.name;
}

bool function_table_has(const json_t *answer, const char *name)
{
	const char *similar = function_table_similar(answer, name);

	return similar && !strcmp(similar, name);
}

static void print_key(const char *key, const char *value)
{
	printf("%-16s %s\n", key, value);
}

static void print_text(const json_t *function, const char *key)
{
	const char *text = json_string_value(json_object_get(function, key));

	if (text && *text)
		print_key(key, TEXT(function, key));
}

/* Prints lines of NAME=VALUE. */
static void print_pairs(const json_t *spec, const char *member, const char *key)
{
	json_t *pairs = json_object_get(spec, member), *value;
	char clean[TEXT_MAX];
	const char *name;

	json_object_foreach(pairs, name, value)
	{
		printf("%-16s %s=%s\n", key,
		       cli_clean(name, clean, sizeof(clean)), TEXT(value, ""));
	}
}

static void print_flag(const json_t *spec, const char *key)
{
	print_key(key,
		  json_is_true(json_object_get(spec, key)) ? "true" : "false");
}

static void print_concurrency(const json_t *spec)
{
	printf("%-16s max %" PRIu64 ", warm %" PRIu64 ", queue %" PRIu64
	       ", queue_timeout %s\n",
	       "concurrency", admin_number(spec, "concurrency.max"),
	       admin_number(spec, "concurrency.warm"),
	       admin_number(spec, "concurrency.queue"),
	       TEXT(spec, "concurrency.queue_timeout"));
}

/* Prints the signatures of the list @member, each under @key. */
static void print_signatures(const json_t *object, const char *member,
			     const char *key)
{
	const json_t *list = json_object_get(object, member);

	for (size_t i = 0; i < json_array_size(list); i++)
		print_key(key, TEXT(json_array_get(list, i), "signature"));
}

/* Prints what it may ask of the host. */
static void print_host(const json_t *spec)
{
	json_t *host = json_object_get(spec, "host"), *value;
	const json_t *allow = json_object_get(host, "allow");
	char clean[TEXT_MAX];
	const char *name;

	for (size_t i = 0; i < json_array_size(allow); i++)
		print_key("host.allow", TEXT(json_array_get(allow, i), ""));
	json_object_foreach(json_object_get(host, "config"), name, value)
	{
		print_key("host.config", cli_clean(name, clean, sizeof(clean)));
	}
	json_object_foreach(json_object_get(host, "secrets"), name, value)
	{
		print_key("host.secrets",
			  cli_clean(name, clean, sizeof(clean)));
	}
	if (json_array_size(allow))
		print_key("host.max_size", TEXT(host, "max_size"));
}

static void print_strings(const json_t *spec, const char *key)
{
	const json_t *list = json_object_get(spec, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		print_key(key, TEXT(json_array_get(list, i), ""));
}

/* What a Linux program has in place of an image's entry. */
/* What a function goes on from, and how: without the request, which may be large. */
static void print_base(const json_t *spec)
{
	const json_t *init = json_object_get(spec, "init");

	if (!init)
		return;
	print_text(spec, "base");
	print_key("init", json_object_get(init, "entry") ?
				  TEXT(init, "entry") :
				  "(the function's entry)");
}

static void print_guest(const json_t *spec)
{
	if (!json_object_get(spec, "program")) {
		print_base(spec);
		print_key("entry", json_object_get(spec, "entry") ?
					   TEXT(spec, "entry") :
					   "(the image's)");
		return;
	}
	print_text(spec, "program");
	print_strings(spec, "argv");
	if (json_object_get(spec, "root"))
		print_text(spec, "root");
	print_strings(spec, "files");
	print_text(spec, "tmp");
	print_text(spec, "devices");
	print_strings(spec, "interrupts");
}

void function_table_describe_spec(const json_t *spec)
{
	static const char *const before[] = { "name", "description", "image" };
	static const char *const texts[] = {
		"memory",  "stack",	   "max_request",   "max_reply",
		"timeout", "init_timeout", "inline_budget",
	};
	static const char *const words[] = { "log_level", "dispatch",
					     "isolation" };

	for (size_t i = 0; i < COUNT(before); i++)
		print_text(spec, before[i]);
	print_guest(spec);
	for (size_t i = 0; i < COUNT(texts); i++)
		print_text(spec, texts[i]);
	print_concurrency(spec);
	for (size_t i = 0; i < COUNT(words); i++)
		print_text(spec, words[i]);
	print_flag(spec, "untrusted");
	print_flag(spec, "critical");
	print_pairs(spec, "environment", "environment");
	print_pairs(spec, "labels", "label");
	print_host(spec);
	print_signatures(spec, "functions", "function");
	print_signatures(spec, "imports", "import");
}

/*
 * Prints an object of numbers as "ok 10, timeout 2", without those that are 0.
 */
static void function_table_print_counts(const json_t *function, const char *key)
{
	json_t *counts = json_object_get(function, key), *value;
	const char *name, *comma = "";
	char clean[64];

	printf("%-16s ", key);
	json_object_foreach(counts, name, value)
	{
		if (json_integer_value(value) <= 0)
			continue;
		printf("%s%s %" JSON_INTEGER_FORMAT, comma,
		       cli_clean(name, clean, sizeof(clean)),
		       json_integer_value(value));
		comma = ", ";
	}
	puts(*comma ? "" : "0");
}

static void print_percentiles(const json_t *histogram, const char *name,
			      const struct facts_bounds *bounds)
{
	static const double parts[] = { 0.5, 0.99 };
	static const char *const words[] = { "p50", "p99" };
	uint64_t counts[FACTS_BOUNDS_MAX + 1];
	char text[PERCENTILE_TEXT_MAX];

	facts_read_buckets(histogram, bounds, counts);
	printf("%-16s", name);
	for (size_t i = 0; i < 2; i++)
		printf("%s %s %s", i ? "," : "", words[i],
		       percentile_format(percentile(bounds->us, counts,
						    bounds->count, parts[i]),
					 facts_last_us(bounds), text));
	putchar('\n');
}

/* Prints the function's state on the server, after what the catalog says. */
static void print_state(const json_t *function)
{
	static const char *const texts[] = {
		"state",       "update", "reason",  "image_sha256",
		"deployed_at", "gate",	 "no_gate",
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		print_text(function, texts[i]);
}

void function_table_describe(const json_t *function, const json_t *answer)
{
	struct facts_bounds bounds;
	char name[32];
	const json_t *phase;

	facts_read_bounds(answer, &bounds);
	function_table_describe_spec(json_object_get(function, "catalog"));
	print_signatures(function, "functions", "function");
	print_signatures(function, "imports", "import");
	print_state(function);
	printf("%-16s %" PRIu64 " busy, %" PRIu64 " idle\n", "vms",
	       admin_number(function, "vms.busy"),
	       admin_number(function, "vms.idle"));
	printf("%-16s %" PRIu64 "\n", "queued",
	       admin_number(function, "queued"));
	function_table_print_counts(function, "invocations");
	print_percentiles(json_object_get(function, "duration"), "duration",
			  &bounds);
	for (size_t i = 0; i < 3; i++) {
		static const char *const phases[] = { "queue", "run",
						      "restore" };

		snprintf(name, sizeof(name), "phases.%s", phases[i]);
		phase = admin_member(function, name);
		snprintf(name, sizeof(name), "%s time", phases[i]);
		print_percentiles(phase, name, &bounds);
	}
	printf("%-16s %s, %" PRIu64 " made, %" PRIu64 " failed%s\n", "snapshot",
	       SIZE(function, "snapshot.bytes"),
	       admin_number(function, "snapshot.boots"),
	       admin_number(function, "snapshot.boot_failures"),
	       json_is_true(admin_member(function, "snapshot.stored")) ?
		       ", from the store" :
		       "");
	printf("%-16s %" PRIu64 ", %s copied\n", "restores",
	       admin_number(function, "restores"),
	       SIZE(function, "copied_bytes"));
	function_table_print_counts(function, "dispatched");
	function_table_print_counts(function, "events");
	function_table_print_counts(function, "log");
}
