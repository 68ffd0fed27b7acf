/* samples.c - see samples.h. */
#include "bench/peers/samples.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"

/* Those after them have no place, and do not count. */
#define SAMPLES_MAX 4000000
#define SECONDS_MAX 3600

static uint64_t samples_ns[SAMPLES_MAX];

static double us_of(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static double cpu_now_us(void)
{
	struct rusage self = { 0 }, children = { 0 };

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return us_of(self.ru_utime) + us_of(self.ru_stime) +
	       us_of(children.ru_utime) + us_of(children.ru_stime);
}

static int compare_samples(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Runs up to @end_ns, at least once. Returns how many samples there are; 0: it failed. */
static size_t take_samples(uint64_t end_ns)
{
	uint64_t before_ns = clock_now_ns(), now_ns;
	size_t count = 0;

	do {
		if (samples_peer.once())
			return 0;
		now_ns = clock_now_ns();
		samples_ns[count++] = now_ns - before_ns;
		before_ns = now_ns;
	} while (now_ns < end_ns && count < SAMPLES_MAX);
	return count;
}

static double percentile_us(size_t count, double part)
{
	size_t index = (size_t)(part * (double)count);

	return (double)samples_ns[index < count ? index : count - 1] / 1e3;
}

static int measure(uint64_t duration_ns)
{
	const uint64_t start_ns = clock_now_ns();
	double cpu_us;
	size_t count;

	if (!take_samples(start_ns + duration_ns / 10))
		return EXIT_FAILURE;
	cpu_us = cpu_now_us();
	count = take_samples(start_ns + duration_ns);
	if (!count)
		return EXIT_FAILURE;
	cpu_us = (cpu_now_us() - cpu_us) / (double)count;
	qsort(samples_ns, count, sizeof(*samples_ns), compare_samples);
	printf("{\"n\": %zu, \"p50\": %.3f, \"p99\": %.3f, \"cpu\": %.3f}\n",
	       count, percentile_us(count, 0.50), percentile_us(count, 0.99),
	       cpu_us);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;
	int status;

	if (argc < 2 + samples_peer.argument_count ||
	    !(seconds > 0 && seconds <= SECONDS_MAX)) {
		fprintf(stderr, "usage: %s SECONDS %s\n", argv[0],
			samples_peer.usage);
		return 2;
	}
	if (samples_peer.open && samples_peer.open(argv + 2))
		return EXIT_FAILURE;
	status = measure((uint64_t)(seconds * (double)NS_PER_S));
	if (samples_peer.close)
		samples_peer.close();
	return status;
}
