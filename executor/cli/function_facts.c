/* function_facts.c - see function_facts.h. */
#include "executor/cli/function_facts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "executor/cli/admin.h"
#include "executor/cli/percentile.h"

static uint64_t number(const json_t *value)
{
	json_int_t integer = json_integer_value(value);

	return integer > 0 ? (uint64_t)integer : 0;
}

void facts_read_bounds(const json_t *answer, struct facts_bounds *ret_bounds)
{
	const json_t *list = json_object_get(answer, "bucket_bounds_us");
	size_t count = json_array_size(list);
	uint64_t last = 0;

	ret_bounds->count = 0;
	for (size_t i = 0; i < count && i < FACTS_BOUNDS_MAX; i++) {
		uint64_t bound = number(json_array_get(list, i));

		if (bound <= last)
			return;
		last = ret_bounds->us[ret_bounds->count++] = bound;
	}
}

void facts_read_buckets(const json_t *histogram,
			const struct facts_bounds *bounds, uint64_t *ret_counts)
{
	const json_t *list = json_object_get(histogram, "buckets");

	for (size_t i = 0; i <= bounds->count; i++)
		ret_counts[i] = number(json_array_get(list, i));
}

/* Adds up the object of outcomes. */
static void read_outcomes(const json_t *outcomes, struct function_facts *facts)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)outcomes, key, value)
	{
		facts->ended += number(value);
		if (strcmp(key, "ok") != 0)
			facts->errors += number(value);
	}
}

void facts_read_function(const json_t *function,
			 const struct facts_bounds *bounds,
			 struct function_facts *ret_facts)
{
	struct function_facts facts = {
		.idle = admin_number(function, "vms.idle"),
		.busy = admin_number(function, "vms.busy"),
		.max = admin_number(function, "concurrency.max"),
		.queued = admin_number(function, "queued"),
	};

	admin_text(function, "name", facts.name, sizeof(facts.name));
	admin_text(function, "state", facts.state, sizeof(facts.state));
	read_outcomes(json_object_get(function, "invocations"), &facts);
	facts_read_buckets(json_object_get(function, "duration"), bounds,
			   facts.buckets);
	*ret_facts = facts;
}

static int compare_names(const void *a, const void *b)
{
	const struct function_facts *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int facts_read(const json_t *answer, uint64_t at_ns, struct facts *ret_facts)
{
	const json_t *list = json_object_get(answer, "functions");
	struct facts facts = { .at_ns = at_ns, .count = json_array_size(list) };

	facts.functions = calloc(facts.count + 1, sizeof(*facts.functions));
	if (!facts.functions)
		return -ENOMEM;
	facts_read_bounds(answer, &facts.bounds);
	for (size_t i = 0; i < facts.count; i++)
		facts_read_function(json_array_get(list, i), &facts.bounds,
				    &facts.functions[i]);
	qsort(facts.functions, facts.count, sizeof(*facts.functions),
	      compare_names);
	*ret_facts = facts;
	return 0;
}

void facts_done(struct facts *facts)
{
	free(facts->functions);
	*facts = (struct facts){ .count = 0 };
}

static int facts_compare_name(const void *name, const void *facts)
{
	return strcmp(name, ((const struct function_facts *)facts)->name);
}

const struct function_facts *facts_find(const struct facts *facts,
					const char *name)
{
	if (!facts->count)
		return NULL;
	return bsearch(name, facts->functions, facts->count,
		       sizeof(*facts->functions), facts_compare_name);
}

void facts_subtract(struct function_facts *now,
		    const struct function_facts *before)
{
	bool is_same = now->ended >= before->ended &&
		       now->errors >= before->errors;

	for (size_t i = 0; i <= FACTS_BOUNDS_MAX; i++)
		is_same &= now->buckets[i] >= before->buckets[i];
	if (!is_same)
		return;
	now->ended -= before->ended;
	now->errors -= before->errors;
	for (size_t i = 0; i <= FACTS_BOUNDS_MAX; i++)
		now->buckets[i] -= before->buckets[i];
}

double facts_percentile(const struct function_facts *facts,
			const struct facts_bounds *bounds, double p)
{
	return percentile(bounds->us, facts->buckets, bounds->count, p);
}

double facts_last_us(const struct facts_bounds *bounds)
{
	return bounds->count ? (double)bounds->us[bounds->count - 1] : 0;
}
