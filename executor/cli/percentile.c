/* percentile.c - see percentile.h. */
#include "executor/cli/percentile.h"

#include <math.h>
#include <stdio.h>

double percentile(const uint64_t *bounds, const uint64_t *counts, size_t count,
		  double p)
{
	double total = 0, below = 0, rank;

	for (size_t i = 0; i <= count; i++)
		total += (double)counts[i];
	if (total <= 0)
		return NAN;
	rank = p * total;
	for (size_t i = 0; i < count; i++) {
		double here = (double)counts[i];

		if (counts[i] && below + here >= rank) {
			double low = i ? (double)bounds[i - 1] : 0;
			double part = (rank - below) / here;

			return low + ((double)bounds[i] - low) * part;
		}
		below += here;
	}
	return INFINITY;
}

/* Prints about three digits. */
static void write_time(double us, char *text)
{
	static const struct {
		double below, unit;
		int decimals;
		const char *name;
	} forms[] = {
		{ 99.95, 1, 1, "us" },	   { 999.5, 1, 0, "us" },
		{ 9995, 1e3, 2, "ms" },	   { 99950, 1e3, 1, "ms" },
		{ 999500, 1e3, 0, "ms" },  { 99.95e6, 1e6, 1, "s" },
		{ INFINITY, 1e6, 0, "s" },
	};
	size_t i = 0;

	while (us >= forms[i].below)
		i++;
	snprintf(text, PERCENTILE_TEXT_MAX, "%.*f%s", forms[i].decimals,
		 us / forms[i].unit, forms[i].name);
}

char *percentile_format(double us, double last_us,
			char text[static PERCENTILE_TEXT_MAX])
{
	if (isnan(us))
		snprintf(text, PERCENTILE_TEXT_MAX, "-");
	else if (isinf(us))
		snprintf(text, PERCENTILE_TEXT_MAX, ">%.0fs", last_us / 1e6);
	else
		write_time(us, text);
	return text;
}
