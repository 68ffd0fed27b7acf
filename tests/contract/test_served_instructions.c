/*
 * test_served_instructions.c - counts the instructions that a worker of `thaw serve` takes
 * for a request, from one to the next, by HTTP and by the unix socket, with those of the C
 * library and of the vDSO.
 *
 * The limits are a little above what gcc and clang need: see test_instructions.c, which
 * has those of the invocation alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/server.h"
#include "bench/waterfall_served.h"
#include "tests/contract/support/guests.h"

#ifdef TEST_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* The random bytes of a thread are refilled once in so many. */
#define ROUNDS 12

/*
 * Instructions of a request, at most, without those that copy and compare bytes and make
 * random ones; and pages of code, which hold what KVM has evicted.
 */
static const struct limit {
	const char *name;
	unsigned x86_64, arm64, pages;
} limits[BENCH_SERVED_WAYS] = {
	[BENCH_SERVED_HTTP] = { "http", 15000, 30000, 61 },
	[BENCH_SERVED_SOCKET] = { "socket", 7200, 14400, 50 },
};

static unsigned limit_of(const struct limit *limit)
{
	struct utsname machine;

	uname(&machine);
	return strcmp(machine.machine, "aarch64") ? limit->x86_64 :
						    limit->arm64;
}

/* "?" is a function of a library that tells only a few of its names. */
static bool depends_on_cpu(const char *function)
{
	static const char *const beginnings[] = {
		"?", "mem", "__mem", "str", "__str", "crypto_", "chacha",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (!strncmp(function, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

static unsigned long long count_of(const struct instructions *counted)
{
	uint64_t count = 0;

	for (size_t i = 0; i < counted->count; i++)
		if (!depends_on_cpu(counted->functions[i].name))
			count += counted->functions[i].count;
	return count / counted->rounds;
}

/* Check's messages are too short for so many functions. */
static void print_functions(const struct instructions *counted)
{
	for (size_t i = 0; i < counted->count; i++)
		printf("%8.1f %s\n",
		       (double)counted->functions[i].count / counted->rounds,
		       counted->functions[i].name);
}

/* Every step has some: no function's new name has taken a step away. */
static void check_steps(const struct instructions *counted)
{
	uint64_t counts[BENCH_SERVED_STEPS] = { 0 };

	for (size_t i = 0; i < counted->count; i++)
		counts[counted->functions[i].step] +=
			counted->functions[i].count;
	for (unsigned step = 0; step < BENCH_SERVED_STEPS; step++)
		ck_assert_msg(counts[step] / ROUNDS >= 20,
			      "step %u has %llu instructions", step,
			      (unsigned long long)counts[step] / ROUNDS);
}

START_TEST(a_request_takes_no_more_instructions_than_it_needs)
{
	const struct limit *limit = &limits[_i];
	static struct instructions counted;
	struct error error;
	int r;

	if (IS_SANITIZED) {
		printf("skip: instructions: a sanitizer adds its own\n");
		return;
	}
	setenv(BENCH_SERVER_VARIABLE, TEST_THAW, true);
	r = bench_served_count((enum bench_served_way)_i, ROUNDS, &error,
			       &counted);
	if (r == -EPERM || r == -EOPNOTSUPP) {
		printf("skip: instructions: %s\n", error.message);
		return;
	}
	ck_assert_msg(!r, "%s", error.message);
	printf("%s: %llu instructions, %llu of them the same on all CPUs, in %u "
	       "lines and %u pages\n",
	       limit->name, (unsigned long long)counted.total / ROUNDS,
	       count_of(&counted), counted.lines, counted.pages);
	check_steps(&counted);
	if (count_of(&counted) > limit_of(limit) ||
	    counted.pages > limit->pages)
		print_functions(&counted);
	ck_assert_msg(count_of(&counted) <= limit_of(limit),
		      "%llu instructions, and not %u, in the functions above",
		      count_of(&counted), limit_of(limit));
	ck_assert_msg(counted.pages <= limit->pages,
		      "code in %u pages: is a function above not HOT?",
		      counted.pages);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("served instructions");
	TCase *group = tcase_create("served instructions");

	tcase_set_timeout(group, 120);
	tcase_add_loop_test(group,
			    a_request_takes_no_more_instructions_than_it_needs,
			    0, BENCH_SERVED_WAYS);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
