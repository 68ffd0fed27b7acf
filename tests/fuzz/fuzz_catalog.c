/*
 * fuzz_catalog.c - libFuzzer's target for the catalog: any bytes are either a
 * catalog within its limits or refused with a message.
 *
 * Seeds: tests/catalog/good and tests/catalog/bad. Their image.elf is made in
 * a directory of its own, so that catalogs can be right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/catalog.h"
#include "executor/catalog_host.h"
#include "executor/limits.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/fuzz_catalog.XXXXXX";
static char catalog_path[sizeof(directory) + 32];
static char image_path[sizeof(directory) + 32];

/* Not assert(): it must hold in every build. */
static void require(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void remove_directory(void)
{
	unlink(image_path);
	rmdir(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	require(mkdtemp(directory) != NULL, "cannot make a directory");
	snprintf(catalog_path, sizeof(catalog_path), "%s/functions.json",
		 directory);
	snprintf(image_path, sizeof(image_path), "%s/image.elf", directory);
	fd = open(image_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	require(fd >= 0, "cannot make an image");
	close(fd);
	atexit(remove_directory);
	return 0;
}

static void check_function(const struct catalog *catalog,
			   const struct catalog_function *f)
{
	require(catalog_find(catalog, f->name) == f, "found by its name");
	require(f->memory >= LIMIT_MEMORY_MIN &&
			f->memory <= LIMIT_MEMORY_MAX &&
			f->memory % LIMIT_MEMORY_STEP == 0,
		"memory within its limits");
	require(f->memory >=
			f->stack + f->max_request + f->max_reply +
				(f->host.allow_count ? f->host.max_size : 0) +
				LIMIT_MEMORY_REST,
		"memory holds its parts");
	require(f->host.allow_count <= LIMIT_HOST_ALLOW_MAX &&
			f->host.max_size >= LIMIT_HOST_SIZE_MIN &&
			f->host.max_size <= LIMIT_HOST_SIZE_MAX,
		"host within its limits");
	for (size_t i = 0; i < f->host.config_count; i++) {
		const struct catalog_config *one = &f->host.config[i];

		require(catalog_host_config(&f->host, one->name) ==
				(one->text ? one->text : one->json),
			"a setting is found by its name");
		require(!one->text == (*one->json != '"'),
			"a string is there as it is, too");
	}
	require(f->timeout_ns >= LIMIT_TIMEOUT_MIN &&
			f->timeout_ns <= LIMIT_TIMEOUT_MAX,
		"timeout within its limits");
	require(f->concurrency.warm <= f->concurrency.max &&
			f->concurrency.max <= LIMIT_CONCURRENCY_MAX,
		"concurrency within its limits");
	require(!f->untrusted || f->isolation == CATALOG_ISOLATION_STRICT,
		"untrusted code is isolated strictly");
	require(strlen(f->name) <= LIMIT_NAME_MAX, "name within its limit");
	require(f->entry && f->description && f->environment && f->labels,
		"no null pointers");
}

static bool count_mistake(void *cookie, const char *message)
{
	++*(size_t *)cookie;
	require(*message, "a mistake is in words");
	return true;
}

/* A catalog that is wrong has at least one mistake, and no other one has. */
static void check_all(const uint8_t *data, size_t size, bool is_wrong)
{
	struct catalog *catalog = NULL;
	struct error err = { .message = "" };
	size_t mistakes = 0;
	const struct catalog_check check = { .refused = count_mistake,
					     .cookie = &mistakes };
	int rc = catalog_check((const char *)data, size, catalog_path, &check,
			       &err, &catalog);

	require((rc == 0) == (catalog != NULL), "a catalog, or a refusal");
	require(rc != -EINVAL || mistakes > 0, "a refusal has mistakes");
	require(!is_wrong || rc, "a wrong catalog is not right");
	catalog_free(catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog *catalog = NULL;
	struct error err = { .message = "" };
	int rc = catalog_parse((const char *)data, size, catalog_path, &err,
			       &catalog);

	if (rc < 0) {
		require(!catalog, "nothing is returned with an error");
		require(!strncmp(err.message, catalog_path,
				 strlen(catalog_path)),
			"a refusal names the file");
		require(!strpbrk(err.message, "\n\r\033"),
			"a refusal is one line");
		check_all(data, size, true);
		return 0;
	}
	for (size_t i = 0; i < catalog->count; i++)
		check_function(catalog, &catalog->functions[i]);
	catalog_free(catalog);
	check_all(data, size, false);
	return 0;
}
