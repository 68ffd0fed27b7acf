/*
 * tmpfs.h - the files that a Linux program may write: a tree in the host's memory, which
 * the program sees as /tmp and /dev/shm.
 *
 * Copies share one tree, and trees share the bytes of files: what is changed is copied
 * first. So a request that changes nothing costs nothing, and what one changes is gone
 * when its process is put back.
 *
 * Files are known by their nodes. A node lives while a name leads to it; what no name
 * leads to is freed by tmpfs_collect(), whose caller says which nodes are still open.
 *
 * A tmpfs belongs to the thread that runs the program; the trees may be shared between
 * threads. Directories and nodes that are passed must be ones that were returned.
 */
#ifndef EXECUTOR_LINUX_TMPFS_H
#define EXECUTOR_LINUX_TMPFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Bytes of all files, in pages. ENOSPC. */
#define TMPFS_SIZE_MAX ((uint64_t)1 << 30)
/* Files and directories, and as many names. ENOSPC. */
#define TMPFS_NODES_MAX 4096
/* Bytes of a name. ENAMETOOLONG. */
#define TMPFS_NAME_MAX 255

/* The nodes that are always there. */
enum {
	TMPFS_TMP, /* /tmp */
	TMPFS_SHM, /* /dev/shm */
	TMPFS_ROOTS,
};

struct memory_budget;
struct tmpfs_tree;

struct tmpfs {
	struct tmpfs_tree *tree;
};

/* What statfs() tells, and what it costs the host. */
struct tmpfs_usage {
	uint64_t size, used;	    /* bytes */
	uint64_t held;		    /* bytes of the host's memory */
	unsigned nodes, nodes_used; /* files and directories */
};

/*
 * Makes an empty one for @size bytes, TMPFS_SIZE_MAX at most, which @memory pays for: it
 * may be NULL, and outlives all copies. 0 or -ENOMEM.
 */
int tmpfs_init(struct tmpfs *tmpfs, uint64_t size,
	       struct memory_budget *memory);
void tmpfs_done(struct tmpfs *tmpfs);

/* Makes *@to, zero or any, equal to @from. */
void tmpfs_copy(struct tmpfs *to, const struct tmpfs *from);

/* The node that is called @name in @directory; -ENOENT. */
int tmpfs_find(const struct tmpfs *tmpfs, uint32_t directory, const char *name);

/* The directory that holds the directory @node, which has a name; of a root, itself. */
uint32_t tmpfs_parent(const struct tmpfs *tmpfs, uint32_t node);

/*
 * Makes a node of @mode, a file or a directory, as @name of @directory. Returns it;
 * -EEXIST; -ENAMETOOLONG; -ENOSPC; -ENOENT, the directory was removed; -ENOMEM.
 */
int tmpfs_make(struct tmpfs *tmpfs, uint32_t directory, const char *name,
	       mode_t mode);

/* The same, a symbolic link to @target. */
int tmpfs_make_link(struct tmpfs *tmpfs, uint32_t directory, const char *name,
		    const char *target);

/* Makes a file that has no name. */
int tmpfs_make_unnamed(struct tmpfs *tmpfs, mode_t mode);

/* Gives @node one more name. Errors as tmpfs_make(); -EPERM, it is a directory. */
int tmpfs_link(struct tmpfs *tmpfs, uint32_t node, uint32_t directory,
	       const char *name);

/* As unlink() and, if @is_directory, rmdir(). */
int tmpfs_remove(struct tmpfs *tmpfs, uint32_t directory, const char *name,
		 bool is_directory);

/* As renameat2() with @flags. */
int tmpfs_rename(struct tmpfs *tmpfs, uint32_t from, const char *from_name,
		 uint32_t to, const char *to_name, uint64_t flags);

/* The bytes of @node from @offset on, and how many they are: 0 behind the end. */
const uint8_t *tmpfs_bytes(const struct tmpfs *tmpfs, uint32_t node,
			   uint64_t offset, size_t *ret_size);

/*
 * Writes into the file @node; what lies between its end and @offset becomes zero.
 * Returns @size, or fewer if then it is full; -ENOSPC; -EFBIG; -ENOMEM.
 */
int64_t tmpfs_write(struct tmpfs *tmpfs, uint32_t node, uint64_t offset,
		    const void *bytes, size_t size);

/* As ftruncate(). */
int tmpfs_resize(struct tmpfs *tmpfs, uint32_t node, uint64_t size);

/*
 * Puts entries of @directory into @to, as getdents64() does, from *@offset on, which it
 * moves. Returns their bytes, 0 at the end; -EINVAL, not one fits; -ENOENT, it was
 * removed.
 */
int tmpfs_list(const struct tmpfs *tmpfs, uint32_t directory, uint64_t *offset,
	       void *to, size_t size);

void tmpfs_status(const struct tmpfs *tmpfs, uint32_t node,
		  struct stat *ret_status);
bool tmpfs_is_directory(const struct tmpfs *tmpfs, uint32_t node);

/* Set the permissions, and the times that are not NULL. 0 or -ENOMEM. */
int tmpfs_set_mode(struct tmpfs *tmpfs, uint32_t node, mode_t mode);
int tmpfs_set_times(struct tmpfs *tmpfs, uint32_t node,
		    const struct timespec *access,
		    const struct timespec *modification);

/*
 * Writes the path of a directory, or of what has one name, below its root, as the
 * program sees it. Its length; -ENOENT, it was removed; -ENAMETOOLONG.
 */
int tmpfs_path(const struct tmpfs *tmpfs, uint32_t node, char *to, size_t size);

struct tmpfs_usage tmpfs_usage(const struct tmpfs *tmpfs);

/*
 * Whether there are nodes without a name; and frees those for which @is_open, which
 * gets @cookie, is false.
 */
bool tmpfs_has_unnamed(const struct tmpfs *tmpfs);
void tmpfs_collect(struct tmpfs *tmpfs,
		   bool (*is_open)(const void *cookie, uint32_t node),
		   const void *cookie);

#endif
