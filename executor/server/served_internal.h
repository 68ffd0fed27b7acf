/* served_internal.h - between served.c and generation.c. */
#ifndef EXECUTOR_SERVER_SERVED_INTERNAL_H
#define EXECUTOR_SERVER_SERVED_INTERNAL_H

#include "executor/server/served.h"

/*
 * A function of @spec, which is new in @generation and counts with @old's, which
 * may be NULL. NULL: no memory. served_release() gives it back.
 */
struct served *served_create(const struct generation *generation,
			     const struct catalog_function *spec,
			     const struct served *old);

/* Gives back a reference. NULL is fine. */
void served_catalog_release(struct kept_catalog *kept);

/* How the file at @path looks, to be called before it is read. */
void served_look_at(const char *path, struct served_image *ret_image);

/* How its image looked when it was last compared; any thread. */
void served_get_image(const struct served *served,
		      struct served_image *ret_image);
void served_set_image(struct served *served, const struct served_image *image);

/* The SHA-256 of a file, in hexadecimal; "" if it cannot be read. */
void served_hash(const char *path, char hex[65]);

#endif
