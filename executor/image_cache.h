/*
 * image_cache.h - images by their files, so that functions that have the same image share
 * one copy of it, and none reads and checks it again.
 *
 * The images that were used last are kept: IMAGE_CACHE_MAX of them, whose files have
 * IMAGE_CACHE_BYTES_MAX together at most. An image stays as long as somebody has it.
 * There is one cache for the process; any thread.
 */
#ifndef EXECUTOR_IMAGE_CACHE_H
#define EXECUTOR_IMAGE_CACHE_H

#include <stddef.h>

#include "base/error.h"
#include "base/units.h"

struct image;

#define IMAGE_CACHE_MAX 64
#define IMAGE_CACHE_BYTES_MAX (32 * UNITS_MIB)

/*
 * As image_open(), but if the file at @path is one of those that are kept, and has not
 * changed since, no file is read. The caller gives *@ret_image back by image_close().
 */
int image_cache_open(const char *path, struct error *err,
		     struct image **ret_image);

/* How many files were read so far. For tests. */
size_t image_cache_reads(void);

/* Forgets the images that are kept. */
void image_cache_clear(void);

#endif
