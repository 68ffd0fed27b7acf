/* test_threads.c - many threads, several functions, one library handle. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/support/guests.h"

#define THREADS 8
#define ROUNDS 500
/* Vms freed meanwhile: each is made again, which is slow. */
#define TRIMS 200

#define FUNCTION(name, image, entry)                                      \
	"{\"name\":\"" name "\",\"image\":\"%s/" image                    \
	".elf\",\"entry\":\"" entry                                       \
	"\",\"memory\":\"2MiB\",\"stack\":\"64KiB\",\"timeout\":\"60s\"," \
	"\"max_request\":\"4KiB\",\"max_reply\":\"4KiB\","                \
	"\"concurrency\":{\"max\":3,\"queue\":64,\"queue_timeout\":\"60s\"}}"

static const struct {
	const char *function;
	const char *request;
	const char *outcome;
} calls[] = {
	{ "hostile", "good", "pristine" },
	{ "edges", "rrrrrrr", "7 7" },
	{ "clones", "17", "17" },
	{ "hostile", "soil", "soiled" },
	{ "hostile", "calls_exit", "Runtime.ExitError: exit(3) was called" },
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static atomic_uint wrong;

static void *invoke_all(void *thaw)
{
	for (size_t i = 0; i < ROUNDS; i++) {
		const char *text = calls[i % CALLS].request;
		const struct thaw_invoke_request request = {
			.data = text, .size = strlen(text)
		};
		struct thaw_error error = { "" };
		struct thaw_reply reply;
		int r = thaw_invoke(thaw, calls[i % CALLS].function, &request,
				    &error, &reply);

		if (r || strcmp(outcome(&reply), calls[i % CALLS].outcome)) {
			atomic_fetch_add(&wrong, 1);
			fprintf(stderr, "%s: %d %s %s\n", text, r,
				error.message, r ? "" : outcome(&reply));
		}
		if (!r)
			thaw_reply_release(&reply);
	}
	return NULL;
}

static atomic_bool ended;

static void *trim_all(void *thaw)
{
	size_t count = 0;

	while (!atomic_load(&ended) && count < TRIMS) {
		count += thaw_trim(thaw, 0);
		usleep(1000);
	}
	printf("%zu vms freed meanwhile\n", count);
	return NULL;
}

/* The threads also race to deploy, and with one that frees vms. */
START_TEST(threads_share_functions_and_get_their_own_replies)
{
	struct thaw *thaw = open_functions(
		backends[_i],
		FUNCTION("hostile", "hostile", "hostile") "," FUNCTION(
			"edges", "edges",
			"measure") "," FUNCTION("clones", "clones", "work"));
	pthread_t threads[THREADS], trimmer;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, invoke_all,
						thaw),
				 0);
	ck_assert_int_eq(pthread_create(&trimmer, NULL, trim_all, thaw), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&ended, true);
	pthread_join(trimmer, NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	thaw_trim(thaw, 0);
	ck_assert_uint_eq(thaw_trim(thaw, 0), 0);
	/* and come again */
	invoke_all(thaw);
	ck_assert_uint_eq(thaw_trim(thaw, UINT64_MAX), 0);
	ck_assert_uint_eq(thaw_trim(thaw, 0), 3);
	thaw_close(thaw);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *group = tcase_create("threads");

	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group,
			    threads_share_functions_and_get_their_own_replies,
			    0, backend_count());
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
