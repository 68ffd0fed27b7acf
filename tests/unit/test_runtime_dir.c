/* test_runtime_dir.c - where the sockets are, and whom a client believes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/io/runtime_dir.h"

#define SOMEBODY 65534

static char top[64], inner[80], file[96];

static void setup(void)
{
	FILE *made;

	strcpy(top, "/tmp/thaw-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(inner, sizeof(inner), "%s/inner", top);
	ck_assert_int_eq(mkdir(inner, 0755), 0);
	snprintf(file, sizeof(file), "%s/file", inner);
	made = fopen(file, "w");
	ck_assert_ptr_nonnull(made);
	fclose(made);
}

static void teardown(void)
{
	unlink(file);
	rmdir(inner);
	rmdir(top);
}

static void is_at(const char *wanted)
{
	char path[RUNTIME_PATH_MAX];
	struct error err;

	ck_assert_int_eq(runtime_path("x", false, &err, path), 0);
	ck_assert_str_eq(path, wanted);
}

START_TEST(the_first_folder_of_systemd_counts)
{
	unsetenv("THAW_RUNTIME_DIR");
	setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
	is_at("/run/a/x");
	setenv("RUNTIME_DIRECTORY", "/run/a", 1);
	is_at("/run/a/x");
	setenv("THAW_RUNTIME_DIR", "/run/c:d", 1);
	is_at("/run/c:d/x");
}
END_TEST

START_TEST(what_others_may_have_put_there_is_refused)
{
	struct error err;

	ck_assert_int_eq(runtime_check(file, &err), 0);
	ck_assert_int_eq(runtime_check("not/there", &err), 0);
	ck_assert_int_eq(runtime_check("/", &err), 0);
	if (chown(inner, SOMEBODY, (gid_t)-1)) {
		printf("skipped: only root can make another user's folder\n");
		return;
	}
	/* in a folder of ours only we could */
	ck_assert_int_eq(runtime_check(file, &err), 0);
	ck_assert_int_eq(chmod(top, 01777), 0);
	ck_assert_int_eq(runtime_check(file, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, inner));
	ck_assert_int_eq(runtime_check(inner, &err), -EPERM);
	/* root's are fine */
	ck_assert_int_eq(chown(inner, 0, (gid_t)-1), 0);
	ck_assert_int_eq(runtime_check(file, &err), 0);
	ck_assert_int_eq(chmod(inner, 01777), 0);
	ck_assert_int_eq(lchown(file, SOMEBODY, (gid_t)-1), 0);
	ck_assert_int_eq(runtime_check(file, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runtime_dir");
	TCase *tcase = tcase_create("runtime_dir");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_first_folder_of_systemd_counts);
	tcase_add_test(tcase, what_others_may_have_put_there_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
