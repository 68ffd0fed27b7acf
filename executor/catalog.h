/*
 * catalog.h - the functions thaw serves, read from one strict JSON file.
 *
 *	struct catalog *catalog;
 *	struct error err;
 *
 *	r = catalog_load("functions.json", &err, &catalog);
 *	...
 *	function = catalog_find(catalog, "hello");
 *	...
 *	catalog_free(catalog);
 *
 * A catalog is either right in every part or refused as a whole, with the
 * line and the JSON pointer of its first mistake. It does not change once it
 * is read, so any number of threads may look things up in it. What a file may
 * say is in config/catalog.schema.json, within the ranges of limits.h.
 */
#ifndef EXECUTOR_CATALOG_H
#define EXECUTOR_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "executor/catalog_function.h"

struct catalog {
	char *path;			    /* as it was given */
	struct catalog_function *functions; /* in the order of the file */
	size_t count;

	/* @count pointers into @functions, sorted by name, for lookups */
	const struct catalog_function **by_name;
};

/*
 * Reads the catalog at @path, a regular file. Returns 0 and a catalog the caller
 * owns; -EINVAL if its contents are refused, including images that are missing,
 * or are more than CATALOG_FILE_MAX bytes, or if it is no file; another -errno
 * if it cannot be read.
 */
int catalog_load(const char *path, struct error *err, struct catalog **ret);

/*
 * The same for @size bytes of @text (copied; no terminating zero needed).
 * @name stands for the path: in messages, and as the file whose directory
 * relative image paths start from.
 */
int catalog_parse(const char *text, size_t size, const char *name,
		  struct error *err, struct catalog **ret);

/* What catalog_check() reports to. */
struct catalog_check {
	/* Receives each mistake in words; false: no more of them are wanted. */
	bool (*refused)(void *cookie, const char *message);
	/*
	 * Checks a function that has no mistake so far. Returns 0, or -errno and
	 * in @err what is wrong. May be NULL.
	 */
	int (*function)(void *cookie, const struct catalog_function *function,
			struct error *err);
	void *cookie;
};

/*
 * As catalog_parse(), but reports all mistakes, and checks the images as far as that
 * can be done without a vm: whether they can be loaded, fit into the functions'
 * memory, and have their handlers. Returns 0; -EINVAL: there were mistakes;
 * -ECANCELED: refused() wanted no more of them; or another -errno, with @err.
 */
int catalog_check(const char *text, size_t size, const char *name,
		  const struct catalog_check *check, struct error *err,
		  struct catalog **ret);

/*
 * Reads the text of the catalog at @path, as catalog_load() does, or that of standard
 * input if @path is NULL. The caller owns *@ret_text and frees it by free().
 */
int catalog_read(const char *path, struct error *err, char **ret_text,
		 size_t *ret_size);

/* NULL and half-built catalogs are fine. */
void catalog_free(struct catalog *catalog);

/*
 * Returns the function called @name, or NULL. It belongs to the catalog. No
 * allocation: O(log n) comparisons of names.
 */
const struct catalog_function *catalog_find(const struct catalog *catalog,
					    const char *name);

/* Returns -ENOENT for a name that catalog_find() did not find; suggests another. */
int catalog_not_found(const struct catalog *catalog, const char *name,
		      struct error *err);

#endif
