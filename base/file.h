/*
 * file.h - opens what must be a regular file. A FIFO or a device in its place
 * could make whoever opens or reads it wait for ever.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>

/*
 * Opens the regular file at @path for reading, without waiting, and fills in
 * @ret_status. Returns a descriptor, which the caller closes; -EISDIR for a
 * directory; -EINVAL for anything else that is no regular file; or -errno of
 * open(2).
 */
int file_open_regular(const char *path, struct stat *ret_status);

#endif
