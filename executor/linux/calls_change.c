/* calls_change.c - see calls_change.h. */
#include "executor/linux/calls_change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "executor/linux/calls_path.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/process.h"

/* Finds where a new name is to be made. 0, or why it cannot be. */
static int find_new(struct linux_process *process, uint64_t fd, uint64_t at,
		    struct place *place)
{
	const int r = calls_find(process, fd, at, false, place);

	if (!r)
		return -EEXIST;
	if (r != -ENOENT || !place->name)
		return r;
	file_tmpfs_collect(process);
	return place->directory == DIRECTORY_NOWHERE ? -EROFS : 0;
}

/* Finds something of the tmpfs that has a name there. */
static int find_named(struct linux_process *process, uint64_t fd, uint64_t at,
		      struct place *place)
{
	const int r = calls_find(process, fd, at, false, place);

	/* the file system is asked before the name */
	if (r == -ENOENT && place->name &&
	    place->directory == DIRECTORY_NOWHERE)
		return -EROFS;
	if (r)
		return r;
	if (!place->name)
		return -EBUSY;
	return place->kind == PLACE_TMPFS &&
			       place->directory != DIRECTORY_NOWHERE ?
		       0 :
		       -EROFS;
}

/* Finds something of the tmpfs that is to be changed itself. */
static int find_node(struct linux_process *process, uint64_t fd, uint64_t at,
		     bool follow, uint32_t *ret_node)
{
	struct place place;
	int r = calls_find(process, fd, at, follow, &place);

	if (!r && place.kind == PLACE_OPEN) {
		const struct file *file =
			files_get(&process->files, place.index);

		*ret_node = file->node;
		r = file->kind == &file_tmpfs ? 0 : -EROFS;
	} else if (!r) {
		*ret_node = place.node;
		r = place.kind == PLACE_TMPFS ? 0 : -EROFS;
	}
	place_done(&place);
	return r;
}

static int64_t make(struct linux_process *process, uint64_t fd, uint64_t at,
		    mode_t mode)
{
	struct place place;
	int r = find_new(process, fd, at, &place);

	if (!r && place.is_directory_wanted && !S_ISDIR(mode))
		r = -ENOENT;
	if (!r)
		r = tmpfs_make(&process->tmpfs, place.directory, place.name,
			       mode & ~process->creation_mask);
	place_done(&place);
	return r < 0 ? r : 0;
}

int64_t call_mkdirat(struct linux_process *process, const uint64_t *args)
{
	return make(process, args[0], args[1], S_IFDIR | (args[2] & 01777));
}

int64_t call_mkdir(struct linux_process *process, const uint64_t *args)
{
	return make(process, CALLS_HERE, args[0], S_IFDIR | (args[1] & 01777));
}

/* There are no devices to be made, and pipes with names would need others. */
int64_t call_mknodat(struct linux_process *process, const uint64_t *args)
{
	if ((args[2] & S_IFMT) && (args[2] & S_IFMT) != S_IFREG)
		return -EPERM;
	return make(process, args[0], args[1], S_IFREG | (args[2] & 07777));
}

int64_t call_mknod(struct linux_process *process, const uint64_t *args)
{
	return call_mknodat(process,
			    (const uint64_t[]){ CALLS_HERE, args[0], args[1] });
}

int64_t call_unlinkat(struct linux_process *process, const uint64_t *args)
{
	const bool is_directory = args[2] & AT_REMOVEDIR;
	struct place place;
	int r;

	if (args[2] & ~(uint64_t)AT_REMOVEDIR)
		return -EINVAL;
	r = find_named(process, args[0], args[1], &place);
	if (!r && place.is_directory_wanted && !is_directory)
		r = S_ISDIR(place.status.st_mode) ? -EISDIR : -ENOTDIR;
	if (!r)
		r = tmpfs_remove(&process->tmpfs, place.directory, place.name,
				 is_directory);
	place_done(&place);
	file_tmpfs_collect(process);
	return r;
}

int64_t call_rmdir(struct linux_process *process, const uint64_t *args)
{
	return call_unlinkat(process, (const uint64_t[]){ CALLS_HERE, args[0],
							  AT_REMOVEDIR });
}

int64_t call_unlink(struct linux_process *process, const uint64_t *args)
{
	return call_unlinkat(process,
			     (const uint64_t[]){ CALLS_HERE, args[0], 0 });
}

/* Finds where something is to be moved: there may be something that it replaces. */
static int find_target(struct linux_process *process, uint64_t fd, uint64_t at,
		       struct place *place)
{
	const int r = calls_find(process, fd, at, false, place);

	if (r && (r != -ENOENT || !place->name))
		return r;
	if (!place->name)
		return -EBUSY;
	if (place->directory == DIRECTORY_NOWHERE ||
	    (!r && place->kind != PLACE_TMPFS))
		return -EROFS;
	return 0;
}

int64_t call_renameat2(struct linux_process *process, const uint64_t *args)
{
	struct place from, to = { .fd = -1 };
	int r = find_named(process, args[0], args[1], &from);

	if (!r)
		r = find_target(process, args[2], args[3], &to);
	if (!r && !S_ISDIR(from.status.st_mode) &&
	    (from.is_directory_wanted || to.is_directory_wanted))
		r = -ENOTDIR;
	if (!r)
		r = tmpfs_rename(&process->tmpfs, from.directory, from.name,
				 to.directory, to.name, args[4]);
	place_done(&from);
	place_done(&to);
	file_tmpfs_collect(process);
	return r;
}

int64_t call_renameat(struct linux_process *process, const uint64_t *args)
{
	return call_renameat2(process,
			      (const uint64_t[]){ args[0], args[1], args[2],
						  args[3], 0 });
}

int64_t call_rename(struct linux_process *process, const uint64_t *args)
{
	return call_renameat2(process,
			      (const uint64_t[]){ CALLS_HERE, args[0],
						  CALLS_HERE, args[1], 0 });
}

/* The node that gets one more name: of a path, or of an open file. */
static int find_linked(struct linux_process *process, const uint64_t *args,
		       uint32_t *ret_node)
{
	const struct file *file;
	char first;

	if (!(args[4] & AT_EMPTY_PATH) ||
	    space_read(&process->space, args[1], &first, 1) || first)
		return find_node(process, args[0], args[1],
				 args[4] & AT_SYMLINK_FOLLOW, ret_node);
	file = files_get(&process->files, (uint32_t)args[0]);
	if (!file)
		return -EBADF;
	*ret_node = file->node;
	return file->kind == &file_tmpfs ? 0 : -EXDEV;
}

int64_t call_linkat(struct linux_process *process, const uint64_t *args)
{
	struct place place = { .fd = -1 };
	uint32_t node;
	int r;

	if (args[4] & ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = find_linked(process, args, &node);
	if (!r)
		r = calls_find(process, args[2], args[3], false, &place);
	else
		return r == -EROFS ? -EXDEV : r;
	if (!r)
		r = -EEXIST;
	else if (r == -ENOENT && place.name && !place.is_directory_wanted)
		r = place.directory == DIRECTORY_NOWHERE ?
			    -EROFS :
			    tmpfs_link(&process->tmpfs, node, place.directory,
				       place.name);
	place_done(&place);
	return r;
}

int64_t call_link(struct linux_process *process, const uint64_t *args)
{
	return call_linkat(process,
			   (const uint64_t[]){ CALLS_HERE, args[0], CALLS_HERE,
					       args[1], 0 });
}

int64_t call_symlinkat(struct linux_process *process, const uint64_t *args)
{
	char target[ROOT_PATH_MAX];
	struct place place;
	int r = space_read_string(&process->space, args[0], target,
				  sizeof(target));

	if (r <= 0)
		return r ? r : -ENOENT;
	r = find_new(process, args[1], args[2], &place);
	if (!r && place.is_directory_wanted)
		r = -ENOENT;
	if (!r)
		r = tmpfs_make_link(&process->tmpfs, place.directory,
				    place.name, target);
	place_done(&place);
	return r < 0 ? r : 0;
}

int64_t call_symlink(struct linux_process *process, const uint64_t *args)
{
	return call_symlinkat(process, (const uint64_t[]){ args[0], CALLS_HERE,
							   args[1] });
}

int64_t call_truncate(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;
	int r;

	if (args[1] > INT64_MAX)
		return -EINVAL;
	r = find_node(process, CALLS_HERE, args[0], true, &node);
	if (r)
		return r;
	if (tmpfs_is_directory(&process->tmpfs, node))
		return -EISDIR;
	file_tmpfs_collect(process);
	return tmpfs_resize(&process->tmpfs, node, args[1]);
}

int64_t call_ftruncate(struct linux_process *process, const uint64_t *args)
{
	struct file *file = files_get(&process->files, args[0]);

	if (!file)
		return -EBADF;
	if ((file->flags & O_ACCMODE) == O_RDONLY || args[1] > INT64_MAX ||
	    !file->kind->truncate)
		return -EINVAL;
	return file->kind->truncate(process, file, args[1]);
}

/* Makes @size bytes from @offset on zero, as far as there are any. */
static int64_t punch(struct linux_process *process, const struct file *file,
		     uint64_t offset, uint64_t size)
{
	static const uint8_t zeros[4096];
	int64_t n = 0;
	size_t left;

	for (; size && n >= 0; offset += (uint64_t)n, size -= (uint64_t)n) {
		tmpfs_bytes(&process->tmpfs, file->node, offset, &left);
		if (!left)
			return 0;
		if (left > size)
			left = size;
		n = tmpfs_write(&process->tmpfs, file->node, offset, zeros,
				left < sizeof(zeros) ? left : sizeof(zeros));
	}
	return n < 0 ? n : 0;
}

int64_t call_fallocate(struct linux_process *process, const uint64_t *args)
{
	struct file *file = files_get(&process->files, args[0]);
	uint64_t end;
	size_t size;

	if (!file || (file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (args[2] > INT64_MAX || !args[3] || args[3] > INT64_MAX)
		return -EINVAL;
	if (file->kind != &file_tmpfs)
		return file->kind->seek ? -ENODEV : -ESPIPE;
	end = args[2] + args[3];
	if (end > INT64_MAX)
		return -EFBIG;
	if (args[1] == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return punch(process, file, args[2], args[3]);
	if (args[1] & ~(uint64_t)FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	tmpfs_bytes(&process->tmpfs, file->node, 0, &size);
	if (args[1] || end <= size)
		return 0;
	file_tmpfs_collect(process);
	return tmpfs_resize(&process->tmpfs, file->node, end);
}

static int64_t change_mode(struct linux_process *process, uint64_t fd,
			   uint64_t at, uint64_t mode)
{
	uint32_t node;
	const int r = find_node(process, fd, at, true, &node);

	return r ? r : tmpfs_set_mode(&process->tmpfs, node, (mode_t)mode);
}

int64_t call_chmod(struct linux_process *process, const uint64_t *args)
{
	return change_mode(process, CALLS_HERE, args[0], args[1]);
}

int64_t call_fchmodat(struct linux_process *process, const uint64_t *args)
{
	return change_mode(process, args[0], args[1], args[2]);
}

/* The node of an open file that may be changed. */
static int open_node(struct linux_process *process, uint64_t fd,
		     uint32_t *ret_node)
{
	const struct file *file = files_get(&process->files, (uint32_t)fd);

	if (!file)
		return -EBADF;
	*ret_node = file->node;
	return file->kind == &file_tmpfs ? 0 : -EROFS;
}

int64_t call_fchmod(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;
	const int r = open_node(process, args[0], &node);

	return r ? r : tmpfs_set_mode(&process->tmpfs, node, (mode_t)args[1]);
}

/* Everything belongs to the one user that there is: an owner is taken as said. */
int64_t call_fchownat(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;
	char first;

	if ((args[4] & AT_EMPTY_PATH) &&
	    !space_read(&process->space, args[1], &first, 1) && !first)
		return open_node(process, args[0], &node);
	return find_node(process, args[0], args[1],
			 !(args[4] & AT_SYMLINK_NOFOLLOW), &node);
}

int64_t call_chown(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;

	return find_node(process, CALLS_HERE, args[0], true, &node);
}

int64_t call_lchown(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;

	return find_node(process, CALLS_HERE, args[0], false, &node);
}

int64_t call_fchown(struct linux_process *process, const uint64_t *args)
{
	uint32_t node;

	return open_node(process, args[0], &node);
}

/* Replaces what says "now"; NULL is returned for what says "as it is". */
static const struct timespec *time_to_set(struct timespec *time,
					  const struct timespec *now)
{
	if (time->tv_nsec == UTIME_OMIT)
		return NULL;
	return time->tv_nsec == UTIME_NOW ? now : time;
}

static bool is_time(const struct timespec *time)
{
	return time->tv_nsec == UTIME_OMIT || time->tv_nsec == UTIME_NOW ||
	       (time->tv_nsec >= 0 && time->tv_nsec < 1000000000);
}

int64_t call_utimensat(struct linux_process *process, const uint64_t *args)
{
	struct timespec now, times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	uint32_t node;
	int r;

	if (args[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (args[2] &&
	    space_read(&process->space, args[2], times, sizeof(times)))
		return -EFAULT;
	if (!is_time(&times[0]) || !is_time(&times[1]))
		return -EINVAL;
	clock_gettime(CLOCK_REALTIME, &now);
	/* without a path, as futimens() does it */
	r = args[1] ? find_node(process, args[0], args[1],
				!(args[3] & AT_SYMLINK_NOFOLLOW), &node) :
		      open_node(process, args[0], &node);
	return r ? r :
		   tmpfs_set_times(&process->tmpfs, node,
				   time_to_set(&times[0], &now),
				   time_to_set(&times[1], &now));
}

/* What is written is written. */
int64_t call_fsync(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	if (!file)
		return -EBADF;
	return file->kind->seek ? 0 : -EINVAL;
}

/* Advice about a file, of which nothing follows. */
int64_t call_fadvise64(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	if (!file || (file->flags & O_PATH))
		return -EBADF;
	if (!file->kind->seek)
		return -ESPIPE;
	return args[2] > INT64_MAX || (uint32_t)args[3] > POSIX_FADV_NOREUSE ?
		       -EINVAL :
		       0;
}

int64_t call_readahead(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	if (!file || (file->flags & O_ACCMODE) == O_WRONLY ||
	    (file->flags & O_PATH))
		return -EBADF;
	return file->kind->seek ? 0 : -EINVAL;
}
