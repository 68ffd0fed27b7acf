/* catalog_fixture.c - catalogs to try; see catalog_fixture.h. */
#include "tests/unit/catalog_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY_TEMPLATE "/tmp/test_catalog.XXXXXX"

char fixture_directory[FIXTURE_PATH_MAX];
char fixture_path[FIXTURE_PATH_MAX];
struct error fixture_err;

static void path_of(const char *name, char path[static FIXTURE_PATH_MAX])
{
	int length = snprintf(path, FIXTURE_PATH_MAX, "%s/%s",
			      fixture_directory, name);

	ck_assert_int_lt(length, FIXTURE_PATH_MAX);
}

void fixture_make_file(const char *name, const char *text)
{
	char path[FIXTURE_PATH_MAX];
	FILE *file;

	path_of(name, path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void remove_file(const char *name)
{
	char path[FIXTURE_PATH_MAX];

	path_of(name, path);
	unlink(path);
}

void fixture_make(void)
{
	strcpy(fixture_directory, DIRECTORY_TEMPLATE);
	ck_assert_ptr_nonnull(mkdtemp(fixture_directory));
	path_of("functions.json", fixture_path);
	fixture_make_file("image.elf", "");
}

void fixture_remove(void)
{
	remove_file("image.elf");
	remove_file("functions.json");
	ck_assert_int_eq(rmdir(fixture_directory), 0);
}

struct catalog *fixture_catalog(const char *text)
{
	struct catalog *catalog = NULL;
	int rc = catalog_parse(text, strlen(text), fixture_path, &fixture_err,
			       &catalog);

	ck_assert_msg(rc == 0, "%s", fixture_err.message);
	return catalog;
}

const char *fixture_refusal(const char *text)
{
	struct catalog *untouched = (struct catalog *)&fixture_err;
	int rc = catalog_parse(text, strlen(text), fixture_path, &fixture_err,
			       &untouched);

	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_eq(untouched, &fixture_err);
	ck_assert_int_eq(strncmp(fixture_err.message, fixture_path,
				 strlen(fixture_path)),
			 0);
	return fixture_err.message + strlen(fixture_path) + 1;
}

void fixture_accepts(const char *text)
{
	catalog_free(fixture_catalog(text));
}

char *fixture_repeated(const char *before, const char *unit, size_t length,
		       const char *after)
{
	size_t room = strlen(before) + strlen(unit) * length + strlen(after);
	char *text = malloc(room + 1);
	char *end = stpcpy(text, before);

	for (size_t i = 0; i < length; i++)
		end = stpcpy(end, unit);
	strcpy(end, after);
	return text;
}
