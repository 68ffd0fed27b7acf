/* request_file.h - files that have a request, or a secret, as catalogs name them. */
#ifndef EXECUTOR_REQUEST_FILE_H
#define EXECUTOR_REQUEST_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * Reads the file at @path, which must be a regular one of at most @most bytes; @limit is
 * what a message calls that. The caller
 * owns *@ret_bytes. -E2BIG: it is larger; -EINVAL: it is no such file; or from the system.
 */
int request_file_read(const char *path, size_t most, const char *limit,
		      struct error *err, char **ret_bytes, size_t *ret_size);

#endif
