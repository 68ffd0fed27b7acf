/*
 * file.h - opens files that must be files: a FIFO or a device in the place of
 * one would have whoever opens or reads it wait, perhaps for ever.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>

/*
 * Opens the regular file at @path to be read, without waiting for anybody, and
 * fills in @ret_status. Returns a descriptor that the caller closes, or -errno:
 * open(2)'s; -EISDIR: a directory; -EINVAL: neither this nor a regular file.
 */
int file_open_regular(const char *path, struct stat *ret_status);

#endif
