/*
 * test_secrets.c - secrets of the catalog: invocations are told them, and no init and no
 * snapshot has them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/function.h"
#include "tests/contract/support/guests.h"
#include "tests/unit/store_fixture.h"

#define FIRST "a secret that only invocations have"
#define SECOND "another one, of which nobody has a snapshot"
#define NO_SECRET(name) \
	"1: the catalog's host.secrets has no " name "; an init has none"

#define SHAPE                                                      \
	"\"memory\":\"4MiB\",\"stack\":\"64KiB\",\"max_request\":" \
	"\"4KiB\",\"max_reply\":\"4KiB\""
/* Where the secret is has no place in a literal: see text_of(). */
#define FUNCTIONS                                                          \
	"{\"name\":\"base\",\"image\":\"%%s/secrets.elf\",\"entry\":"      \
	"\"tell\"," SHAPE ",\"host\":{\"allow\":[\"secret\"],\"secrets\":" \
	"{\"key\":\"%1$s\",\"other\":\"%1$s\"}}},"                         \
	"{\"name\":\"layer\",\"base\":\"base\",\"entry\":\"tell\","        \
	"\"init\":{\"entry\":\"learn\",\"text\":\"key\"}},"                \
	"{\"name\":\"recall\",\"base\":\"base\",\"entry\":\"recall\","     \
	"\"init\":{\"entry\":\"learn\",\"text\":\"key\"}}"

static struct store *store;
static char secret_path[] = "/tmp/thaw-secret-XXXXXX";

static void write_secret(const char *text)
{
	FILE *file = fopen(secret_path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
	int fd;

	strcpy(strrchr(secret_path, '-'), "-XXXXXX");
	fd = mkstemp(secret_path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_secret(FIRST);
	store = store_fixture_open();
	state_dir = store_fixture_path;
}

static void tear_down(void)
{
	state_dir = NULL;
	store_fixture_close(store);
	unlink(secret_path);
}

static struct thaw *open_secrets(void)
{
	char text[2048];

	snprintf(text, sizeof(text), FUNCTIONS, secret_path);
	return open_functions(backends[0], text);
}

/* Each time the vm has nothing of the time before. */
static void expect_all(struct thaw *thaw, const char *secret)
{
	for (int i = 0; i < 20; i++) {
		ck_assert_str_eq(call_once(thaw, "base", "key"), secret);
		ck_assert_str_eq(call_once(thaw, "layer", "other"), secret);
		ck_assert_str_eq(call_once(thaw, "base", "none"),
				 NO_SECRET("none"));
	}
	ck_assert_str_eq(call_once(thaw, "recall", ""), NO_SECRET("key"));
}

static bool has(const char *path, const char *text)
{
	size_t size;
	uint8_t *bytes = store_fixture_read(path, &size);
	const bool found = memmem(bytes, size, text, strlen(text));

	free(bytes);
	return found;
}

/* How many files of the store have @text in them. */
static unsigned count_files(const char *text)
{
	DIR *stream = opendir(store_fixture_path);
	const struct dirent *entry;
	unsigned count = 0;
	char path[512];

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", store_fixture_path,
			 entry->d_name);
		if (*entry->d_name != '.')
			count += has(path, text);
	}
	closedir(stream);
	return count;
}

START_TEST(invocations_are_told_and_snapshots_are_not)
{
	struct thaw *thaw = open_secrets();

	expect_all(thaw, FIRST);
	thaw_close(thaw);
	ck_assert_uint_eq(store_fixture_count(store), 3);
	ck_assert_uint_eq(count_files(FIRST), 0);
	ck_assert_uint_eq(count_files(secret_path), 0);
	/* it looks everywhere: this is what the init was told */
	ck_assert_uint_ge(count_files("host.secrets has no key"), 1);
}
END_TEST

START_TEST(another_secret_is_told_from_the_same_snapshot)
{
	struct thaw *thaw = open_secrets();

	expect_all(thaw, FIRST);
	thaw_close(thaw);
	write_secret(SECOND);
	thaw = open_secrets();
	expect_all(thaw, SECOND);
	ck_assert(engine_find(thaw, "base")->is_stored);
	ck_assert(engine_find(thaw, "layer")->is_stored);
	thaw_close(thaw);
	ck_assert_uint_eq(store_fixture_count(store), 3);
	ck_assert_uint_eq(count_files(SECOND), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secrets");
	TCase *group = tcase_create("secrets");

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, 60);
	tcase_add_test(group, invocations_are_told_and_snapshots_are_not);
	tcase_add_test(group, another_secret_is_told_from_the_same_snapshot);
	suite_add_tcase(suite, group);
	return run_suite(suite);
}
