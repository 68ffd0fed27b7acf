/* limit.c - see limit.h. */
#include "bench/limit.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/json.h"

static const char *const fields[] = { "p50", "p90", "p99", "p999", "max" };

#define FIELD_COUNT (sizeof(fields) / sizeof(*fields))

static bool is_field(const char *text)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!strcmp(text, fields[i]))
			return true;
	return false;
}

/*
 * Copies @size bytes as a string; returns false if there are none or too many.
 */
static bool limit_put_text(char *to, size_t room, const char *from, size_t size)
{
	if (!size || size >= room)
		return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

/* Reads "NAME.FIELD", which has @size bytes; NAME may contain dots. */
static bool parse_left(const char *text, size_t size, struct bench_limit *limit)
{
	const char *dot = memrchr(text, '.', size);

	return dot &&
	       limit_put_text(limit->name, sizeof(limit->name), text,
			      (size_t)(dot - text)) &&
	       limit_put_text(limit->field, sizeof(limit->field), dot + 1,
			      size - (size_t)(dot + 1 - text)) &&
	       is_field(limit->field);
}

/* Reads "+PERCENT%" or "NUMBER[us]". */
static bool parse_right(const char *text, struct bench_limit *limit)
{
	char *end;

	limit->is_relative = *text == '+';
	text += limit->is_relative;
	if (!isdigit((unsigned char)*text) ||
	    strspn(text, "0123456789.") < strcspn(text, " %u"))
		return false;
	limit->limit = strtod(text, &end);
	if (limit->is_relative)
		return !strcmp(end, "%");
	end += strspn(end, " ");
	limit->has_unit = !strcmp(end, "us");
	return limit->has_unit || !*end;
}

int bench_limit_parse(const char *text, struct error *err,
		      struct bench_limit *ret_limit)
{
	struct bench_limit limit = { .text = text };
	const char *mark = strchr(text, '>');

	if (!mark || !parse_left(text, (size_t)(mark - text), &limit) ||
	    !parse_right(mark + 1, &limit))
		return error_set(err, -EINVAL,
				 "\"%s\" is not a limit: write "
				 "NAME.FIELD>+PERCENT%% or NAME.FIELD>NUMBERus, "
				 "such as \"invoke.warm.p50>+10%%\"; fields are "
				 "p50, p90, p99, p999, max",
				 text);
	*ret_limit = limit;
	return 0;
}

static const struct bench_ratio *find_ratio(const struct bench_results *results,
					    const char *name)
{
	for (const struct bench_ratio *ratio = bench_ratios; ratio->name;
	     ratio++)
		if (!strcmp(ratio->name, name) &&
		    bench_ratio_exists(results, ratio))
			return ratio;
	return NULL;
}

int bench_limit_check(const struct bench_limit *limit,
		      const struct bench_results *results,
		      const json_t *baseline, struct error *err)
{
	const bool is_row = bench_results_find(results, limit->name);

	if (!is_row && !find_ratio(results, limit->name))
		return error_set(err, -EINVAL, "\"%s\": \"%s\" is not measured",
				 limit->text, limit->name);
	if (!is_row && strcmp(limit->field, "p50") != 0 &&
	    strcmp(limit->field, "p99") != 0)
		return error_set(err, -EINVAL,
				 "\"%s\": ratios have p50 and p99 only",
				 limit->text);
	if (!is_row && limit->has_unit)
		return error_set(err, -EINVAL, "\"%s\": ratios have no unit",
				 limit->text);
	if (!limit->is_relative)
		return 0;
	if (!baseline)
		return error_set(err, -EINVAL, "\"%s\" needs a --baseline",
				 limit->text);
	if (!json_is_number(
		    bench_json_value(baseline, limit->name, limit->field)))
		return error_set(err, -EINVAL,
				 "\"%s\": the baseline does not say",
				 limit->text);
	return 0;
}

bool bench_limit_holds(const struct bench_limit *limit, const json_t *report,
		       const json_t *baseline, struct error *err)
{
	const json_t *value =
		bench_json_value(report, limit->name, limit->field);
	const json_t *old =
		bench_json_value(baseline, limit->name, limit->field);
	double most = limit->limit;

	if (!json_is_number(value)) {
		error_set(err, -ERANGE,
			  "%s: too few samples to say: raise --duration",
			  limit->text);
		return false;
	}
	if (limit->is_relative)
		most = json_number_value(old) * (1 + limit->limit / 100);
	if (json_number_value(value) <= most)
		return true;
	error_set(err, -ERANGE, "%s: %s of %s is %.3f, more than %.3f",
		  limit->text, limit->field, limit->name,
		  json_number_value(value), most);
	return false;
}
