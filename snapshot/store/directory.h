/* directory.h - opens the directory of snapshots, and says what is wrong with it. */
#ifndef SNAPSHOT_STORE_DIRECTORY_H
#define SNAPSHOT_STORE_DIRECTORY_H

#include "base/error.h"

/*
 * Opens the directory @path, which is made if it is not there. On success the caller closes
 * *@ret_dir. Errors as store_open().
 */
int store_directory_open(const char *path, struct error *err, int *ret_dir);

/* Says that @what, as in "writing to", the directory @dir has failed with @r; returns @r. */
int store_directory_failed(int dir, int r, const char *what, struct error *err);

#endif
