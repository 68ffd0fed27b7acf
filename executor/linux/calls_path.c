/* calls_path.c - see calls_path.h. */
#include "executor/linux/calls_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "executor/linux/calls_file.h"
#include "executor/linux/file_data.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/process.h"

/* The path of the open directory @fd. */
static int base_of(struct linux_process *process, uint64_t fd,
		   char base[static ROOT_PATH_MAX])
{
	const struct file *file;

	/* the upper half of a descriptor does not count, as in the kernel */
	if ((int32_t)fd == AT_FDCWD) {
		const int length = place_of_directory(process, base);

		return length < 0 ? length : 0;
	}
	file = files_get(&process->files, (uint32_t)fd);
	if (!file)
		return -EBADF;
	if (!calls_is_directory(process, file))
		return -ENOTDIR;
	return place_of_file(process, file, base);
}

int calls_find(struct linux_process *process, uint64_t fd, uint64_t at,
	       bool follow, struct place *place)
{
	char path[ROOT_PATH_MAX], base[ROOT_PATH_MAX] = "";
	int r = space_read_string(&process->space, at, path, sizeof(path));

	*place = (struct place){ .fd = -1, .directory = DIRECTORY_NOWHERE };
	if (r < 0)
		return r;
	if (!r)
		return -ENOENT;
	r = *path == '/' ? 0 : base_of(process, fd, base);
	return r ? r : place_find(process, base, path, follow, place);
}

bool calls_is_directory(struct linux_process *process, const struct file *file)
{
	if (file->kind == &file_tmpfs)
		return tmpfs_is_directory(&process->tmpfs, file->node);
	return file_is_directory(file);
}

/* Whether @flags and the path at @at say that the descriptor itself is meant. */
static bool is_empty_path(struct linux_process *process, uint64_t at,
			  uint64_t flags)
{
	char first;

	return (flags & AT_EMPTY_PATH) &&
	       !space_read(&process->space, at, &first, 1) && !first;
}

/* The status of what is open. */
static int status_of_open(struct linux_process *process, uint64_t fd,
			  struct stat *ret_status)
{
	const struct file *file = files_get(&process->files, (uint32_t)fd);

	if (!file)
		return -EBADF;
	*ret_status = (struct stat){
		.st_ino = (ino_t)(file - process->files.list + 1),
		.st_nlink = 1,
		.st_blksize = 4096,
	};
	file->kind->status(process, file, ret_status);
	return 0;
}

static int find_status(struct linux_process *process, uint64_t directory,
		       uint64_t path, uint64_t flags, struct stat *ret_status)
{
	const bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
	struct place place;
	int r;

	if (is_empty_path(process, path, flags) &&
	    (int32_t)directory != AT_FDCWD)
		return status_of_open(process, directory, ret_status);
	r = calls_find(process, directory, path, follow, &place);
	if (!r && place.kind == PLACE_OPEN && follow)
		r = status_of_open(process, place.index, ret_status);
	else if (!r)
		*ret_status = place.status;
	place_done(&place);
	return r;
}

static int64_t stat_path(struct linux_process *process, uint64_t directory,
			 uint64_t path, uint64_t to, uint64_t flags)
{
	struct stat status;
	int r = find_status(process, directory, path, flags, &status);

	return r ? r :
		   space_write(&process->space, to, &status, sizeof(status));
}

int64_t call_stat(struct linux_process *process, const uint64_t *args)
{
	return stat_path(process, CALLS_HERE, args[0], args[1], 0);
}

int64_t call_lstat(struct linux_process *process, const uint64_t *args)
{
	return stat_path(process, CALLS_HERE, args[0], args[1],
			 AT_SYMLINK_NOFOLLOW);
}

int64_t call_newfstatat(struct linux_process *process, const uint64_t *args)
{
	if (args[3] &
	    ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	return stat_path(process, args[0], args[1], args[2], args[3]);
}

static struct statx_timestamp time_of(const struct timespec *time)
{
	return (struct statx_timestamp){
		.tv_sec = time->tv_sec,
		.tv_nsec = (uint32_t)time->tv_nsec,
	};
}

int64_t call_statx(struct linux_process *process, const uint64_t *args)
{
	struct stat status;
	struct statx whole;
	int r;

	if (args[2] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
				  AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	r = find_status(process, args[0], args[1], args[2], &status);
	if (r)
		return r;
	whole = (struct statx){
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = (uint32_t)status.st_blksize,
		.stx_nlink = (uint32_t)status.st_nlink,
		.stx_uid = status.st_uid,
		.stx_gid = status.st_gid,
		.stx_mode = (uint16_t)status.st_mode,
		.stx_ino = status.st_ino,
		.stx_size = (uint64_t)status.st_size,
		.stx_blocks = (uint64_t)status.st_blocks,
		.stx_atime = time_of(&status.st_atim),
		.stx_mtime = time_of(&status.st_mtim),
		.stx_ctime = time_of(&status.st_ctim),
		.stx_rdev_major = major(status.st_rdev),
		.stx_rdev_minor = minor(status.st_rdev),
		.stx_dev_major = major(status.st_dev),
		.stx_dev_minor = minor(status.st_dev),
	};
	return space_write(&process->space, args[4], &whole, sizeof(whole));
}

static int64_t put_usage(struct linux_process *process, bool is_tmpfs,
			 uint64_t to)
{
	/* of what is read-only the size is not known; it is full */
	struct statfs whole = {
		.f_type = OVERLAYFS_SUPER_MAGIC,
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_blocks = 1,
		.f_namelen = TMPFS_NAME_MAX,
		.f_flags = 1, /* ST_RDONLY */
	};

	if (is_tmpfs) {
		const struct tmpfs_usage usage = (file_tmpfs_collect(process),
						  tmpfs_usage(&process->tmpfs));

		whole.f_type = TMPFS_MAGIC;
		whole.f_flags = 0;
		whole.f_blocks = usage.size / 4096;
		whole.f_bfree = whole.f_bavail =
			(usage.size - usage.used) / 4096;
		whole.f_files = usage.nodes;
		whole.f_ffree = usage.nodes - usage.nodes_used;
	}
	return space_write(&process->space, to, &whole, sizeof(whole));
}

int64_t call_statfs(struct linux_process *process, const uint64_t *args)
{
	struct place place;
	const int r = calls_find(process, CALLS_HERE, args[0], true, &place);
	const bool is_tmpfs = place.kind == PLACE_TMPFS;

	place_done(&place);
	return r ? r : put_usage(process, is_tmpfs, args[1]);
}

int64_t call_fstatfs(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	return file ? put_usage(process, file->kind == &file_tmpfs, args[1]) :
		      -EBADF;
}

/* What may be written is in the tmpfs, or a device. */
static int64_t check_access(const struct place *place, uint64_t mode)
{
	if ((mode & X_OK) && !(place->status.st_mode & 0111))
		return -EACCES;
	if ((mode & W_OK) &&
	    (place->kind == PLACE_HOST || place->kind == PLACE_LIST))
		return -EROFS;
	return (mode & W_OK) && place->kind == PLACE_PROC ? -EACCES : 0;
}

static int64_t access_path(struct linux_process *process, uint64_t directory,
			   uint64_t path, uint64_t mode, uint64_t flags)
{
	struct place place;
	int64_t r;

	if (mode & ~(uint64_t)(R_OK | W_OK | X_OK))
		return -EINVAL;
	if (is_empty_path(process, path, flags))
		return files_get(&process->files, (uint32_t)directory) ? 0 :
									 -EBADF;
	r = calls_find(process, directory, path, !(flags & AT_SYMLINK_NOFOLLOW),
		       &place);
	if (!r)
		r = check_access(&place, mode);
	place_done(&place);
	return r;
}

int64_t call_access(struct linux_process *process, const uint64_t *args)
{
	return access_path(process, CALLS_HERE, args[0], args[1], 0);
}

int64_t call_faccessat(struct linux_process *process, const uint64_t *args)
{
	return access_path(process, args[0], args[1], args[2], 0);
}

int64_t call_faccessat2(struct linux_process *process, const uint64_t *args)
{
	if (args[3] &
	    ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_EACCESS))
		return -EINVAL;
	return access_path(process, args[0], args[1], args[2], args[3]);
}

static int64_t read_link(struct linux_process *process, uint64_t directory,
			 uint64_t path, uint64_t to, uint64_t size)
{
	char target[ROOT_PATH_MAX];
	struct place place;
	int64_t length;
	int r;

	if (!size || size > INT32_MAX)
		return -EINVAL;
	length = calls_find(process, directory, path, false, &place);
	if (!length)
		length = place_target(process, &place, target);
	place_done(&place);
	if (length < 0)
		return length;
	if ((uint64_t)length > size)
		length = (int64_t)size;
	r = space_write(&process->space, to, target, (size_t)length);
	return r ? r : length;
}

int64_t call_readlink(struct linux_process *process, const uint64_t *args)
{
	return read_link(process, CALLS_HERE, args[0], args[1], args[2]);
}

int64_t call_readlinkat(struct linux_process *process, const uint64_t *args)
{
	return read_link(process, args[0], args[1], args[2], args[3]);
}

static void set_directory(struct linux_process *process, uint32_t node,
			  const char *path)
{
	process->directory.is_changed = true;
	process->directory.node = node;
	if (node == DIRECTORY_NOWHERE)
		strcpy(process->directory.path, path);
}

int64_t call_chdir(struct linux_process *process, const uint64_t *args)
{
	struct place place;
	int r = calls_find(process, CALLS_HERE, args[0], true, &place);

	if (!r && !S_ISDIR(place.status.st_mode))
		r = -ENOTDIR;
	if (!r)
		set_directory(process,
			      place.kind == PLACE_TMPFS ? place.node :
							  DIRECTORY_NOWHERE,
			      place.path);
	place_done(&place);
	return r;
}

int64_t call_fchdir(struct linux_process *process, const uint64_t *args)
{
	const struct file *file = files_get(&process->files, args[0]);

	if (!file)
		return -EBADF;
	if (!calls_is_directory(process, file))
		return -ENOTDIR;
	if (file->kind == &file_tmpfs)
		set_directory(process, file->node, "");
	else
		set_directory(process, DIRECTORY_NOWHERE, file->data->path);
	return 0;
}

int64_t call_getcwd(struct linux_process *process, const uint64_t *args)
{
	char path[ROOT_PATH_MAX];
	int length = place_of_directory(process, path);

	if (length < 0)
		return length;
	if ((uint64_t)length + 1 > args[1])
		return -ERANGE;
	return space_write(&process->space, args[0], path, (size_t)length + 1) ?
		       -EFAULT :
		       length + 1;
}

int64_t call_umask(struct linux_process *process, const uint64_t *args)
{
	const mode_t old = process->creation_mask;

	process->creation_mask = args[0] & 0777;
	return old;
}
