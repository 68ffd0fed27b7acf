/*
 * catalog_fixture.h - catalogs to try, beside an image they may name.
 *
 * fixture_make() and fixture_remove() are the tests' checked fixture.
 */
#ifndef TESTS_UNIT_CATALOG_FIXTURE_H
#define TESTS_UNIT_CATALOG_FIXTURE_H

#include <stddef.h>

#include "base/error.h"
#include "executor/catalog.h"

/* A catalog of one function that says @keys besides what it must say. */
#define ONE(keys)                                                             \
	"{ \"functions\": [ { \"name\": \"f\", \"image\": \"image.elf\"" keys \
	" } ] }"

#define FIXTURE_PATH_MAX 96

/* A new directory with an empty image.elf, and a functions.json's path there */
extern char fixture_directory[FIXTURE_PATH_MAX];
extern char fixture_path[FIXTURE_PATH_MAX];

/* What the catalogs that were tried last had to say. */
extern struct error fixture_err;

void fixture_make(void);
void fixture_remove(void);

/* Writes a file into the directory. It must be image.elf or functions.json. */
void fixture_make_file(const char *name, const char *text);

/* Parses @text, which must be right. The caller owns the catalog. */
struct catalog *fixture_catalog(const char *text);

/* The same, when nothing else is asked. */
void fixture_accepts(const char *text);

/*
 * Parses @text, which must be refused, and returns the refusal without the
 * file's name, so that it starts with the line. Valid until the next one.
 */
const char *fixture_refusal(const char *text);

/* Returns @before, @length times @unit, @after; the caller owns it. */
char *fixture_repeated(const char *before, const char *unit, size_t length,
		       const char *after);

#endif
