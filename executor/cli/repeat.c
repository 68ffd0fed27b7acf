/* repeat.c - see repeat.h. */
#include "executor/cli/repeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "executor/cli/cli.h"
#include "executor/cli/reply.h"

/* After so many invocations caches, pools and hot pages have settled. */
#define SETTLED_AFTER 100

/* Returns this process's resident memory; 0 without /proc. */
static size_t resident_kib(void)
{
	cleanup_fclose FILE *file = fopen("/proc/self/statm", "re");
	size_t pages;

	if (!file || fscanf(file, "%*u %zu", &pages) != 1)
		return 0;
	return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

int repeat_init(struct repeat *repeat, const char *function, size_t count,
		bool remote)
{
	/* touch it now, so that it does not look like a leak */
	void *times = mmap(NULL, count * sizeof(*repeat->took_ns),
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	*repeat = (struct repeat){
		.function = function,
		.remote = remote,
		.took = remote ? "round trip" : "run time",
		.count = count,
		.took_ns = times == MAP_FAILED ? NULL : times,
		.settled_after = count < SETTLED_AFTER ? count : SETTLED_AFTER,
	};
	if (repeat->took_ns)
		return CLI_OK;
	cli_error("no memory for the times of %zu invocations", count);
	return CLI_INTERNAL;
}

void repeat_done(struct repeat *repeat)
{
	free(repeat->first);
	if (repeat->took_ns)
		munmap(repeat->took_ns,
		       repeat->count * sizeof(*repeat->took_ns));
}

static int keep_first(struct repeat *repeat, const struct answer *reply)
{
	repeat->first = malloc(reply->size + 1);
	if (!repeat->first) {
		cli_error("no memory for the first reply");
		return CLI_INTERNAL;
	}
	memcpy(repeat->first, reply->data, reply->size);
	repeat->first_size = reply->size;
	repeat->first_status = reply->status;
	strcpy(repeat->first_type, reply->content_type);
	return CLI_OK;
}

/* Prints where the reply and the first one differ. */
static size_t difference(const struct repeat *repeat,
			 const struct answer *reply)
{
	const char *one = repeat->first, *other = reply->data;
	size_t i = 0;

	while (i < reply->size && i < repeat->first_size && one[i] == other[i])
		i++;
	return i;
}

static int repeat_compare(const struct repeat *repeat,
			  const struct answer *reply)
{
	if (reply->status != repeat->first_status) {
		cli_error("%s: status %u, where the first was %u (0: none)",
			  repeat->function, reply->status,
			  repeat->first_status);
		return CLI_INTERNAL;
	}
	if (strcmp(reply->content_type, repeat->first_type) != 0) {
		cli_error("%s: content type %s, where the first was %s",
			  repeat->function, reply->content_type,
			  repeat->first_type);
		return CLI_INTERNAL;
	}
	if (reply->size == repeat->first_size &&
	    !memcmp(reply->data, repeat->first, reply->size))
		return CLI_OK;
	cli_error("%s: the reply differs from the first one from byte %zu on "
		  "(%zu bytes, the first had %zu)",
		  repeat->function, difference(repeat, reply), reply->size,
		  repeat->first_size);
	return CLI_INTERNAL;
}

int repeat_note(struct repeat *repeat, const struct answer *reply)
{
	int code = repeat->done ? repeat_compare(repeat, reply) :
				  keep_first(repeat, reply);

	if (code)
		return code;
	repeat->took_ns[repeat->done++] = reply->took_ns;
	if (repeat->done == repeat->settled_after)
		repeat->settled_kib = resident_kib();
	return CLI_OK;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

void repeat_summarize(struct repeat *repeat)
{
	const double us = (double)NS_PER_US;
	const uint64_t *ns = repeat->took_ns;
	size_t last = repeat->done - 1, end_kib = resident_kib();
	size_t p50 = last / 2, p99 = last - last / 100;

	qsort(repeat->took_ns, repeat->done, sizeof(*ns), compare_times);
	fprintf(stderr,
		"%s: %zu invocations, all replies the same\n"
		"%s: min %.1f us, p50 %.1f us, p99 %.1f us, max %.1f us\n",
		repeat->function, repeat->done, repeat->took,
		(double)ns[0] / us, (double)ns[p50] / us, (double)ns[p99] / us,
		(double)ns[last] / us);
	if (repeat->remote)
		return;
	fprintf(stderr, "resident memory: %zu KiB after %zu -> %zu KiB\n",
		repeat->settled_kib, repeat->settled_after, end_kib);
}
