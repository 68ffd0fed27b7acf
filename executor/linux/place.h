/*
 * place.h - finds what a path of a Linux program leads to: a file of the host (root.h),
 * one that it may write (tmpfs.h), a device, or a file that thaw makes up (proc.h).
 * Symbolic links are followed here, as the program sees them. The host follows none.
 */
#ifndef EXECUTOR_LINUX_PLACE_H
#define EXECUTOR_LINUX_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "executor/linux/directory.h"
#include "executor/linux/root.h"

struct file;
struct file_kind;
struct linux_process;

/* Symbolic links in one path, as in Linux. ELOOP. */
#define PLACE_LINKS_MAX 40
/* Names that are looked up for one path, those of its links included. ELOOP. */
#define PLACE_STEPS_MAX 4096

enum place_kind {
	PLACE_NONE,   /* there is nothing */
	PLACE_HOST,   /* place.fd */
	PLACE_TMPFS,  /* place.node */
	PLACE_DEVICE, /* place.device */
	PLACE_PROC,   /* place.index */
	PLACE_LINK,   /* a symbolic link of ours */
	PLACE_OPEN,   /* /proc/self/fd/N: place.index */
	PLACE_LIST,   /* a directory that holds places: place_list() */
};

struct place {
	enum place_kind kind;
	int fd; /* O_PATH; or -1 */
	uint32_t node;
	unsigned index;
	const struct file_kind *device;
	struct stat status; /* if there is something */
	/*
	 * Where its last name is, or could be made: a directory of the tmpfs, or
	 * DIRECTORY_NOWHERE. The name is in the path; NULL: it ends in "." or "..".
	 */
	uint32_t directory;
	const char *name;
	bool is_directory_wanted; /* a slash ends the path */
	char path[ROOT_PATH_MAX]; /* absolute, without symbolic links */
};

/*
 * Finds @path, absolute or relative to the directory @base, which is absolute. Its own
 * link, if it is one, is followed if @follow says so. 0 or -errno; after -ENOENT,
 * place->name tells whether just the last name is missing. In either case the caller
 * ends with place_done().
 */
int place_find(struct linux_process *process, const char *base,
	       const char *path, bool follow, struct place *place);
void place_done(struct place *place);

/* The target of the symbolic link @place. Its length or -errno. */
int place_target(struct linux_process *process, const struct place *place,
		 char target[static ROOT_PATH_MAX]);

/*
 * Writes the path of the working directory into @path. Its length; -ENOENT: it was
 * removed.
 */
int place_of_directory(struct linux_process *process,
		       char path[static ROOT_PATH_MAX]);

/*
 * Writes the path that leads to @file into @path, as /proc/self/fd has it. -ENOENT: none
 * does, to a directory that was removed.
 */
int place_of_file(struct linux_process *process, const struct file *file,
		  char path[static ROOT_PATH_MAX]);

/*
 * The @index'th name in the directory @path, a PLACE_LIST; its length, 0: there are no
 * more, is in @ret_length.
 */
const char *place_list(const struct linux_process *process, const char *path,
		       unsigned index, size_t *ret_length);

#endif
