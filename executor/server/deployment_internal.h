/* deployment_internal.h - between deployment.c and generation.c. */
#ifndef EXECUTOR_SERVER_DEPLOYMENT_INTERNAL_H
#define EXECUTOR_SERVER_DEPLOYMENT_INTERNAL_H

#include "executor/server/deployment.h"

/*
 * A function of @spec, which is new in @generation and counts with @old's, which
 * may be NULL. NULL: no memory. deployment_release() gives it back.
 */
struct deployment *deployment_create(const struct generation *generation,
				     const struct catalog_function *spec,
				     const struct deployment *old);

/* Gives back a reference. NULL is fine. */
void deployment_catalog_release(struct kept_catalog *kept);

/* How the file at @path looks, to be called before it is read. */
void deployment_look_at(const char *path, struct deployment_image *ret_image);

/* How its image looked when it was last compared; any thread. */
void deployment_get_image(const struct deployment *deployment,
			  struct deployment_image *ret_image);
void deployment_set_image(struct deployment *deployment,
			  const struct deployment_image *image);

/* The SHA-256 of a file, in hexadecimal; "" if it cannot be read. */
void deployment_hash(const char *path, char hex[65]);

#endif
