/*
 * seen.h - the files of the host that a program has looked at on its way to the
 * snapshot, and how they looked: whether a new boot would read anything else.
 *
 * What counts of a file is its device, inode, size and times; of a directory, only
 * whether it is the same, unless its names were read; of a path that leads to nothing,
 * that it still does. If a file had just been changed, its bytes count as well, since the
 * next change may leave it with the same times.
 *
 * Any thread. One notes, and others compare meanwhile.
 */
#ifndef EXECUTOR_LINUX_SEEN_H
#define EXECUTOR_LINUX_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "executor/linux/root.h"

/* Paths that are noted, and their bytes. Further ones are not. */
#define LINUX_SEEN_MAX 65536
#define LINUX_SEEN_BYTES_MAX ((size_t)8 << 20)

struct linux_seen;
struct state;

/* NULL: no memory. */
struct linux_seen *linux_seen_create(void);
/* NULL is fine. */
void linux_seen_free(struct linux_seen *seen);

/*
 * Notes that root_look() has returned @found for @path, and @status unless that is
 * -errno. The first look at a path counts.
 */
void linux_seen_note(struct linux_seen *seen, const char *path, int found,
		     const struct stat *status);

/* Notes that the names in the directory @path, which was noted, are read. */
void linux_seen_note_names(struct linux_seen *seen, const char *path);

/* Notes the file at @path of the host, where links lead as they do for the host. */
void linux_seen_note_host(struct linux_seen *seen, const char *path);

/* Whether there were too many: the rest is not compared. */
bool linux_seen_is_full(struct linux_seen *seen);

/* Whether all that was noted, in @root, as it is now, looks as it did. */
bool linux_seen_is_same(struct linux_seen *seen, const struct root *root);

/*
 * The same: 1 if not, and -errno without memory or descriptors to tell; then the path is in
 * @path that differs, or could not be looked at.
 */
int linux_seen_changed(struct linux_seen *seen, const struct root *root,
		       char path[static ROOT_PATH_MAX]);

/* Writes what was noted, or notes what is read: see state.h. */
void linux_seen_state(struct linux_seen *seen, struct state *state);

/* Notes in @to what @from has, in place of what is noted there; @from has nothing then. */
void linux_seen_move(struct linux_seen *to, struct linux_seen *from);

/*
 * Calls @call with the path of each folder of the host that has something that was
 * noted, at least once. @directory: the root, as the host has it; or NULL.
 */
void linux_seen_folders(struct linux_seen *seen, const struct root *root,
			const char *directory,
			void (*call)(void *cookie, const char *folder),
			void *cookie);

#endif
