/*
 * test_instructions.c - counts the instructions that the host takes for a warm
 * invocation: from the call to the restored vm, with those of the C library and of the
 * vDSO.
 *
 * The limits are a little above what is needed. Who makes an invocation longer sees here
 * by how much, and in which function. There is also one for the pages that the code is in.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "bench/instructions.h"
#include "tests/contract/support/guests.h"
#include "tests/contract/support/steps.h"

#ifdef TEST_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* Until all that is learned has been learned. */
#define WARM_UP 100
/* The random bytes of a thread are refilled once in so many. */
#define ROUNDS 12
/* A guest that answers late has its host read the clock once more: the least counts. */
#define TRIES 4

/*
 * Instructions of an invocation, at most, without those that copy and compare bytes and
 * make random ones: libraries have several functions for that, and choose by the CPU.
 */
static const struct limit {
	const char *backend;
	unsigned x86_64, arm64;
} limits[] = {
	{ "bitmap", 2460, 5000 },
	{ "ring", 2260, 5000 },
	{ "polled", 2180, 5000 },
	{ "cooperative", 2260, 5000 },
};

/*
 * Pages of code of an invocation, at most. Half of them are of the C library, of
 * libsodium and of this test.
 */
#define PAGES_MAX 30

static unsigned limit_of(const char *backend)
{
	const struct limit *limit = limits;
	struct utsname machine;

	uname(&machine);
	while (strcmp(limit->backend, backend) != 0)
		limit++;
	return strcmp(machine.machine, "aarch64") ? limit->x86_64 :
						    limit->arm64;
}

struct warm {
	const char *backend;
	struct thaw *thaw;
	struct steps steps; /* none */
};

static int open_warm(void *cookie, struct error *err)
{
	struct warm *warm = cookie;

	(void)err;
	warm->thaw = open_steps(&(struct steps_options){
		.backend = warm->backend,
		.memory = "4MiB",
		.poll_wait_ns = 60 * NS_PER_S,
	});
	return 0;
}

static int invoke_warm(void *cookie, struct error *err)
{
	struct warm *warm = cookie;
	struct thaw_reply reply;

	steps_invoke(warm->thaw, &warm->steps, 0, &reply);
	if (reply.result != THAW_OK)
		return error_set(err, -EPROTO, "%s", outcome(&reply));
	thaw_reply_release(&reply);
	return 0;
}

/*
 * "?" is a function of a library that tells only a few of its names. Waiting for the
 * guest at its gate is a loop. The kernel's clock is read again if its tick comes meanwhile,
 * which is likely where each instruction is a step.
 */
static bool depends_on_cpu(const char *function)
{
	static const char *const beginnings[] = {
		"?",	      "mem",	    "__mem",   "str",
		"__str",      "crypto_",    "chacha",  "poll_wait",
		"poll_check", "arch_relax", "__vdso_", "__kernel_",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (!strncmp(function, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

/* Of an invocation, without what depends on the CPU. */
static unsigned long long count_of(const struct instructions *counted)
{
	uint64_t count = 0;

	for (size_t i = 0; i < counted->count; i++)
		if (!depends_on_cpu(counted->functions[i].name))
			count += counted->functions[i].count;
	return count / counted->rounds;
}

/* The functions, as text that is valid until the next call. */
static const char *list(const struct instructions *counted)
{
	static char text[INSTRUCTIONS_FUNCTIONS_MAX * 80];
	size_t used = 0;

	for (size_t i = 0; i < counted->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%8.1f %s\n",
					 (double)counted->functions[i].count /
						 counted->rounds,
					 counted->functions[i].name);
	return text;
}

START_TEST(a_warm_invocation_takes_no_more_instructions_than_it_needs)
{
	struct warm warm = { .backend = backends[_i] };
	const struct instructions_body body = {
		.open = open_warm,
		.once = invoke_warm,
		.cookie = &warm,
		.warm_up = WARM_UP,
		.rounds = ROUNDS,
	};
	struct instructions counted;
	struct error error;
	int tries = 0, r;

	if (IS_SANITIZED) {
		printf("skip: instructions: a sanitizer adds its own\n");
		return;
	}
	do
		r = instructions_count(&body, &error, &counted);
	while (!r && count_of(&counted) > limit_of(backends[_i]) &&
	       ++tries < TRIES);
	if (r == -EPERM) {
		printf("skip: instructions: %s\n", error.message);
		return;
	}
	ck_assert_msg(!r, "%s", error.message);
	printf("%s: %llu instructions, %llu of them the same on all CPUs, in %u "
	       "lines and %u pages\n",
	       backends[_i], (unsigned long long)counted.total / ROUNDS,
	       count_of(&counted), counted.lines, counted.pages);
	ck_assert_msg(count_of(&counted) <= limit_of(backends[_i]),
		      "%llu instructions, and not %u, in these functions:\n%s",
		      count_of(&counted), limit_of(backends[_i]),
		      list(&counted));
	ck_assert_msg(counted.pages <= PAGES_MAX,
		      "code in %u pages: is a function not HOT?\n%s",
		      counted.pages, list(&counted));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("instructions");
	TCase *group = tcase_create("instructions");

	tcase_set_timeout(group, 120);
	tcase_add_loop_test(
		group,
		a_warm_invocation_takes_no_more_instructions_than_it_needs, 0,
		backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
