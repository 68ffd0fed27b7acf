/* histogram.c - see histogram.h. */
#include "bench/histogram.h"

/* Smaller durations have a bucket each. */
#define LINEAR (UINT64_C(2) << HISTOGRAM_BITS)

#define MAX_NS ((UINT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

static size_t bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < LINEAR)
		return (size_t)ns;
	if (ns > MAX_NS)
		ns = MAX_NS;
	shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_BITS;
	return ((size_t)shift << HISTOGRAM_BITS) + (size_t)(ns >> shift);
}

/* Returns the duration in the middle of the bucket. */
static uint64_t middle_of(size_t index)
{
	unsigned shift;

	if (index < LINEAR)
		return index;
	shift = (unsigned)(index >> HISTOGRAM_BITS) - 1;
	index -= (size_t)shift << HISTOGRAM_BITS;
	return ((uint64_t)index << shift) + (UINT64_C(1) << shift) / 2;
}

static void stretch(struct histogram *histogram, uint64_t least_ns,
		    uint64_t greatest_ns)
{
	if (!histogram->count || least_ns < histogram->least_ns)
		histogram->least_ns = least_ns;
	if (greatest_ns > histogram->greatest_ns)
		histogram->greatest_ns = greatest_ns;
}

void histogram_add_many(struct histogram *histogram, uint64_t ns,
			uint64_t times)
{
	if (!times)
		return;
	stretch(histogram, ns, ns);
	histogram->count += times;
	histogram->buckets[bucket_of(ns)] += times;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram_add_many(histogram, ns, 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	if (!from->count)
		return;
	stretch(to, from->least_ns, from->greatest_ns);
	to->count += from->count;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

static uint64_t clamp(uint64_t ns, const struct histogram *histogram)
{
	if (ns < histogram->least_ns)
		return histogram->least_ns;
	return ns < histogram->greatest_ns ? ns : histogram->greatest_ns;
}

uint64_t histogram_percentile(const struct histogram *histogram,
			      double fraction)
{
	const double position = fraction * (double)histogram->count;
	uint64_t rank = (uint64_t)position, seen = 0;

	if (!histogram->count)
		return 0;
	if ((double)rank < position)
		rank++;
	if (rank <= 1)
		return histogram->least_ns;
	if (rank >= histogram->count)
		return histogram->greatest_ns;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return clamp(middle_of(i), histogram);
	}
	return histogram->greatest_ns;
}

bool histogram_next(const struct histogram *histogram, size_t *index,
		    uint64_t *ret_ns, uint64_t *ret_count)
{
	for (size_t i = *index; i < HISTOGRAM_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		*ret_ns = middle_of(i);
		*ret_count = histogram->buckets[i];
		*index = i + 1;
		return true;
	}
	return false;
}
