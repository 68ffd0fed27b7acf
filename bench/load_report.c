/* load_report.c - see load_report.h. */
#include "bench/load_report.h"

#include <jansson.h>
#include <stdio.h>

#include "bench/json.h"
#include "bench/table.h"

static json_t *statuses_json(const struct load_tally *tally,
			     enum load_protocol protocol)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < LOAD_STATUS_MAX; i++) {
		char text[LOAD_STATUS_TEXT_MAX];

		if (tally->statuses[i])
			json_object_set_new(
				object, load_status_text(protocol, i, text),
				json_integer((json_int_t)tally->statuses[i]));
	}
	return object;
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static void set_loop(json_t *object, const struct load_options *load)
{
	json_t *rate = json_null(), *arrivals = json_null();

	if (load->rate) {
		rate = json_integer((json_int_t)load->rate);
		arrivals = json_string(
			load->arrivals == LOAD_POISSON ? "poisson" : "uniform");
	}
	json_object_set_new(object, "target_rate", rate);
	json_object_set_new(object, "arrivals", arrivals);
}

json_t *bench_load_json(const char *function, const struct load_options *load,
			const struct load_result *result)
{
	const enum load_protocol protocol = load->target->protocol;
	const struct load_tally *tally = &result->tally;
	json_t *object = json_pack("{s:s, s:s, s:s}", "target",
				   load->target->text, "function", function,
				   "protocol",
				   protocol == LOAD_HTTP ? "http" : "socket");

	set_count(object, "connections", result->connections);
	set_count(object, "threads", load->threads);
	set_loop(object, load);
	json_object_set_new(object, "duration_s",
			    bench_json_number((double)result->elapsed_ns /
					      (double)NS_PER_S));
	set_count(object, "requests", tally->sent);
	set_count(object, "ok", tally->ok);
	set_count(object, "errors", tally->errors);
	set_count(object, "lost", tally->lost);
	set_count(object, "late", tally->late);
	set_count(object, "unsent", tally->unsent);
	json_object_set_new(object, "rate",
			    bench_json_number(load_rate(result)));
	set_count(object, "reconnections", result->reconnections);
	json_object_set_new(object, "statuses", statuses_json(tally, protocol));
	return object;
}

static long long count_of(const json_t *report, const char *key)
{
	return json_integer_value(json_object_get(report, key));
}

static const char *load_text_of(const json_t *report, const char *key)
{
	return json_string_value(json_object_get(report, key));
}

static const char *plural(long long count)
{
	return count == 1 ? "" : "s";
}

static void print_load(const json_t *report)
{
	const long long connections = count_of(report, "connections");
	const long long threads = count_of(report, "threads");

	printf("%-12s %s at %s\n", "function", load_text_of(report, "function"),
	       load_text_of(report, "target"));
	printf("%-12s %lld connection%s, %lld thread%s, ", "load", connections,
	       plural(connections), threads, plural(threads));
	if (load_text_of(report, "arrivals"))
		printf("%lld per second, %s\n", count_of(report, "target_rate"),
		       load_text_of(report, "arrivals"));
	else
		puts("each waits for its reply");
}

static void load_print_counts(const json_t *report)
{
	const json_t *statuses = json_object_get(report, "statuses"), *value;
	const char *label = "replies", *status;

	printf("%-12s %lld in %.3f s: %lld ok, %lld errors, %lld lost",
	       "requests", count_of(report, "requests"),
	       json_number_value(json_object_get(report, "duration_s")),
	       count_of(report, "ok"), count_of(report, "errors"),
	       count_of(report, "lost"));
	if (load_text_of(report, "arrivals"))
		printf("; %lld late, %lld not sent", count_of(report, "late"),
		       count_of(report, "unsent"));
	printf("\n%-12s %.1f replies per second\n", "rate",
	       json_number_value(json_object_get(report, "rate")));
	json_object_foreach((json_t *)statuses, status, value)
	{
		printf("%-12s %s: %lld\n", label, status,
		       (long long)json_integer_value(value));
		label = "";
	}
}

void bench_load_print(const json_t *report, const json_t *baseline)
{
	print_load(report);
	load_print_counts(report);
	bench_table_print_rows(report, baseline);
}
