/* density_report.h - the report of `thaw bench --density`. */
#ifndef BENCH_DENSITY_REPORT_H
#define BENCH_DENSITY_REPORT_H

#include "base/error.h"
#include "bench/density.h"

struct json_t; /* jansson's */

/*
 *	{"host": {...}, "vms": [{"vms", "private_kib", "kernel_kib", "mappings",
 *	 "descriptors"}], "vms_per_gib", "idle_functions": {"functions", "private_kib",
 *	 "mappings", "descriptors"}}
 *
 * where all but "vms" and "functions" is for one of them; null is what was not measured.
 * The caller owns it; @host is borrowed. NULL: no memory.
 */
struct json_t *bench_density_json(const struct bench_density *density,
				  struct json_t *host);

/* Prints the same on standard output as text. */
void bench_density_print(const struct bench_density *density,
			 const struct json_t *host);

/*
 * Writes density.svg into @directory, which must exist, if there are vms: what each of
 * them takes, over their number. 0 or -errno, -EPROTO if gnuplot fails.
 */
int bench_density_plot(const struct bench_density *density,
		       const char *directory, struct error *err);

#endif
