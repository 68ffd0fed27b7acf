/*
 * root.h - the files of the host that a Linux program sees, read-only.
 *
 * They are a directory that the program has as /, or, if there is none, those of a list
 * of the host's. Further files and directories of the host are seen at paths of their
 * own. A path is looked up as it is, without following a symbolic link (place.h follows
 * them, as the program sees them), and beneath a directory that is open: whoever
 * changes the files meanwhile, nothing else is reached. Any thread.
 */
#ifndef EXECUTOR_LINUX_ROOT_H
#define EXECUTOR_LINUX_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

/* With its terminating zero; Linux has the same. */
#define ROOT_PATH_MAX 4096

/* A file or a directory of the host, and where the program sees it. */
struct root_file {
	char *guest, *host; /* absolute, without symbolic links */
};

struct root {
	bool is_directory; /* the program has a root of its own */
	int top;	   /* that, or the host's */
	int host;	   /* "/" of the host */
	struct root_file *files;
	size_t file_count;
};

/*
 * Opens the files of a program. @directory: its root, or NULL; @files: NULL-terminated
 * paths, each "PATH" or "PATH=PATH OF THE HOST", or NULL; @program: its own path, which
 * it may read. Copies what it is given. -ENOENT and others of opening them; -ENOMEM.
 */
int root_open(struct root *root, const char *directory, char *const *files,
	      const char *program, struct error *err);
void root_close(struct root *root);

/* Whether @path is one that root_look() takes, and not "". */
bool root_is_path(const char *path);

/*
 * Looks up @path, absolute, without ".", ".." and double slashes. Returns a descriptor
 * by which nothing can be read (O_PATH), which the caller closes, and fills in
 * @ret_status; -ENOENT, also of what the program must not see; -ELOOP, a symbolic link
 * is on the way, other than the file itself; -ENOTDIR; -EACCES; or root_is_short().
 */
int root_look(const struct root *root, const char *path,
	      struct stat *ret_status);

/* Whether such a -errno says that this process, or the machine, lacks something. */
bool root_is_short(int result);

/* Opens for reading what root_look() has returned. A descriptor or -errno. */
int root_reopen(int found);

/*
 * Writes the path of the host that root_look() looks at for @path into @to. @directory is
 * what root_open() was given. -ENOENT: the program must not see it; -ENAMETOOLONG.
 */
int root_host_path(const struct root *root, const char *directory,
		   const char *path, char to[static ROOT_PATH_MAX]);

/* The path of the host in one of the @files that root_open() is given. */
const char *root_host_of(const char *file);

/*
 * Finds @path in @directory as a program does that has it as /: links do not lead out of
 * it. Returns a descriptor by which nothing can be read (O_PATH), or -errno.
 */
int root_resolve(const char *directory, const char *path);

/* Whether @path is, or lies beneath, one of the further files. */
bool root_is_added(const struct root *root, const char *path);

/* The @index'th path at which files of the host begin; NULL: there are no more. */
const char *root_place(const struct root *root, size_t index);

#endif
