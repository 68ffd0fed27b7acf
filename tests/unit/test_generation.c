/* test_generation.c - which functions a reload takes for the same. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/server/generation.h"
#include "tests/unit/catalog_fixture.h"

static struct deployment_host host;
static struct generation *generation;
static struct deployment *deployment;
static const char *image;

/* A catalog of one function, which is as if it had been deployed. */
static void begin(void)
{
	struct generation_changes changes;

	fixture_make();
	fixture_make_file("functions.json", ONE(""));
	fixture_make_file("image.elf", "one");
	ck_assert_int_eq(generation_load(&host, fixture_path, NULL,
					 &fixture_err, &generation, &changes),
			 0);
	ck_assert_uint_eq(changes.added, 1);
	deployment = generation->deployments[0];
	image = deployment->spec->image;
	deployment_hash(image, deployment->image_sha256);
	atomic_store(&deployment->state, FUNCTION_ACTIVE);
}

static void end(void)
{
	generation_release(generation);
	fixture_remove();
}

/* Loads it once more. Whether the function has not changed. */
static bool is_same(void)
{
	struct generation_changes changes;
	struct generation *next;
	bool is_taken_over;

	ck_assert_int_eq(generation_load(&host, fixture_path, generation,
					 &fixture_err, &next, &changes),
			 0);
	ck_assert_uint_eq(changes.unchanged + changes.changed, 1);
	is_taken_over = generation_newest(next, 0) == deployment;
	ck_assert_int_eq(is_taken_over, changes.unchanged == 1);
	generation_release(next);
	return is_taken_over;
}

START_TEST(an_image_that_was_but_touched_is_the_same)
{
	deployment->image.is_fresh = false;
	ck_assert(is_same());
	ck_assert_int_eq(chmod(image, 0600), 0);
	ck_assert(deployment_is_touched(deployment));
	ck_assert(is_same());
	/* and the next time there is nothing to compare */
	ck_assert(!deployment_is_touched(deployment));
	ck_assert_int_eq(unlink(image), 0);
	fixture_make_file("image.elf", "one");
	ck_assert(is_same());
}
END_TEST

START_TEST(an_image_of_other_bytes_is_another)
{
	deployment->image.is_fresh = false;
	fixture_make_file("image.elf", "two");
	ck_assert(!is_same());
	fixture_make_file("image.elf", "three");
	ck_assert(!is_same());
	/* asked again, it is no less another */
	ck_assert(!is_same());
	fixture_make_file("image.elf", "one");
	ck_assert(is_same());
}
END_TEST

START_TEST(times_that_may_not_tell_are_not_believed)
{
	static char shell[] = "/bin/sh";
	const struct catalog_function other = { .image = shell };

	deployment_look_at(deployment->spec, &deployment->image);
	ck_assert(deployment->image.is_fresh);
	fixture_make_file("image.elf", "two");
	/* as if both had been written at one tick of the clock */
	deployment_look_at(deployment->spec, &deployment->image);
	ck_assert(deployment->image.is_fresh);
	ck_assert(!deployment_is_touched(deployment));
	ck_assert(!is_same());
	deployment->image.is_fresh = false;
	ck_assert(is_same());
	deployment_look_at(&other, &deployment->image);
	ck_assert(!deployment->image.is_fresh);
}
END_TEST

START_TEST(of_what_is_not_deployed_yet_the_times_count)
{
	deployment->image.is_fresh = false;
	atomic_store(&deployment->state, FUNCTION_PENDING);
	ck_assert(is_same());
	ck_assert_int_eq(chmod(image, 0600), 0);
	ck_assert(!is_same());
	atomic_store(&deployment->state, FUNCTION_FAILED);
	ck_assert(!is_same());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("generation");
	TCase *tests = tcase_create("generation");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, an_image_that_was_but_touched_is_the_same);
	tcase_add_test(tests, an_image_of_other_bytes_is_another);
	tcase_add_test(tests, times_that_may_not_tell_are_not_believed);
	tcase_add_test(tests, of_what_is_not_deployed_yet_the_times_count);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
