/* calls_open.c - see calls_open.h. */
#include "executor/linux/calls_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buffer.h"
#include "executor/linux/calls_path.h"
#include "executor/linux/file_data.h"
#include "executor/linux/file_gunyah.h"
#include "executor/linux/file_host.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/proc.h"
#include "executor/linux/process.h"
#include "executor/linux/seen.h"

/* Flags that an open file keeps, or that are its descriptor's. */
#define KEPT_FLAGS \
	((uint64_t)(O_ACCMODE | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_PATH))
/* Where an entry of a directory has its name: struct linux_dirent64. */
#define ENTRY_NAME 19
#define PROC_MAX (1u << 20)

static bool may_write(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Opens what does not change: @data, whose reference it takes. */
static int64_t open_data(struct linux_process *process, struct file_data *data,
			 uint64_t flags)
{
	const int64_t fd = files_open(&process->files, &file_host,
				      flags & KEPT_FLAGS, data);

	if (fd < 0)
		file_data_drop(data);
	return fd;
}

static int64_t open_host(struct linux_process *process,
			 const struct place *place, uint64_t flags)
{
	struct file_data *data;
	int r = 0;

	if (flags & O_PATH) { /* nothing of it is ever read */
		r = file_data_make(NULL, 0, &place->status, place->path, &data);
		return r ? r : open_data(process, data, flags);
	}
	if (process->program->seen && !process->is_frozen &&
	    S_ISDIR(place->status.st_mode))
		linux_seen_note_names(process->program->seen, place->path);
	data = files_find_data(&process->files, place->path, &place->status);
	if (data)
		file_data_hold(data);
	else
		r = file_data_read(place->fd, &place->status, place->path,
				   files_room(&process->files),
				   process->program->memory, &data);
	return r ? r : open_data(process, data, flags);
}

/* Opens what was made for it, if there is room; takes @text. */
static int64_t open_made(struct linux_process *process,
			 const struct place *place, uint64_t flags,
			 struct buffer *text)
{
	struct file_data *data;
	int r;

	if (text->failed || text->size > files_room(&process->files)) {
		buffer_done(text);
		return -ENOMEM;
	}
	r = file_data_make((uint8_t *)text->data, text->size, &place->status,
			   place->path, &data);
	if (r)
		return r;
	data->is_made = true;
	return open_data(process, data, flags);
}

static int64_t open_proc(struct linux_process *process,
			 const struct place *place, uint64_t flags)
{
	struct buffer text = BUFFER_INIT(PROC_MAX);

	proc_write(process, place->index, &text);
	return open_made(process, place, flags, &text);
}

static void append_entry(struct buffer *entries, const char *name,
			 size_t length, unsigned index)
{
	const size_t size = (ENTRY_NAME + length + 8) & ~(size_t)7;
	const struct {
		uint64_t inode;
		int64_t next;
		uint16_t length;
		uint8_t type;
	} __attribute__((packed))
	head = { index + 1, (int64_t)entries->size, (uint16_t)size, 0 };
	static const uint8_t zeros[8];

	buffer_append(entries, &head, sizeof(head));
	buffer_append(entries, name, length);
	buffer_append(entries, zeros, size - ENTRY_NAME - length);
}

/* The open descriptors, among them the one that the directory gets itself. */
static void append_descriptors(struct linux_process *process,
			       struct buffer *entries)
{
	bool is_listed = false;

	for (unsigned fd = 0; fd < FILES_MAX; fd++) {
		const bool is_open = files_get(&process->files, fd) != NULL;
		char name[16];

		if (!is_open && is_listed)
			continue;
		is_listed = is_listed || !is_open;
		append_entry(entries, name,
			     (size_t)snprintf(name, sizeof(name), "%u", fd),
			     fd + 2);
	}
}

/* A directory of places: its names are those that are known to lie beneath. */
static int64_t open_list(struct linux_process *process,
			 const struct place *place, uint64_t flags)
{
	struct buffer entries = BUFFER_INIT(PROC_MAX);
	const char *name;
	size_t length;

	append_entry(&entries, ".", 1, 0);
	append_entry(&entries, "..", 2, 1);
	for (unsigned i = 0;
	     (name = place_list(process, place->path, i, &length)); i++)
		append_entry(&entries, name, length, i + 2);
	if (!strcmp(place->path, "/proc/self/fd"))
		append_descriptors(process, &entries);
	return open_made(process, place, flags, &entries);
}

static int64_t open_node(struct linux_process *process, uint32_t node,
			 uint64_t flags)
{
	const bool is_directory = tmpfs_is_directory(&process->tmpfs, node);
	struct stat status;

	tmpfs_status(&process->tmpfs, node, &status);
	if (S_ISLNK(status.st_mode) && !(flags & O_PATH))
		return -ELOOP;
	if (is_directory && (may_write(flags) || (flags & O_CREAT)) &&
	    !(flags & O_PATH))
		return -EISDIR;
	if ((flags & O_TRUNC) && !is_directory && !(flags & O_PATH)) {
		const int r = tmpfs_resize(&process->tmpfs, node, 0);

		if (r)
			return r;
	}
	return file_tmpfs_open(process, node, flags & KEPT_FLAGS);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Opens what was open as a path alone, if the path still leads there. */
static int64_t open_unread(struct linux_process *process,
			   const struct file_data *data, uint64_t flags)
{
	struct place place;
	int64_t r = place_find(process, "/", data->path, false, &place);

	if (!r && (place.kind != PLACE_HOST ||
		   !is_same(&place.status, &data->status)))
		r = -ENOENT;
	if (!r)
		r = open_host(process, &place, flags);
	place_done(&place);
	return r;
}

/* Opens /proc/self/fd/@fd: a file anew, and another descriptor of what is none. */
static int64_t open_again(struct linux_process *process, unsigned fd,
			  uint64_t flags)
{
	struct file *file = files_get(&process->files, fd);

	if (file->kind == &file_tmpfs)
		return open_node(process, file->node, flags);
	if (file->kind != &file_host)
		return files_duplicate(&process->files, file, 0);
	if (may_write(flags))
		return -EROFS;
	if ((file->flags & O_PATH) && !file->data->bytes)
		return open_unread(process, file->data, flags);
	file_data_hold(file->data);
	return open_data(process, file->data, flags);
}

/* What is there, and is not in the tmpfs. */
static int64_t open_read_only(struct linux_process *process,
			      const struct place *place, uint64_t flags)
{
	if (S_ISLNK(place->status.st_mode) && place->kind != PLACE_OPEN)
		return -ELOOP;
	if (place->kind == PLACE_DEVICE)
		return files_open(&process->files, place->device,
				  flags & KEPT_FLAGS, NULL);
	if (place->kind == PLACE_OPEN)
		return open_again(process, place->index, flags);
	if (may_write(flags) && S_ISDIR(place->status.st_mode))
		return -EISDIR;
	if (may_write(flags) || (flags & O_TRUNC))
		return place->kind == PLACE_PROC ? -EACCES : -EROFS;
	if (place->kind == PLACE_PROC)
		return open_proc(process, place, flags);
	if (place->kind == PLACE_LIST)
		return open_list(process, place, flags);
	return open_host(process, place, flags);
}

static mode_t new_mode(const struct linux_process *process, uint64_t mode)
{
	return S_IFREG | ((mode & 07777) & ~process->creation_mask);
}

/* Makes the file whose last name is missing, and opens it. */
static int64_t create(struct linux_process *process, const struct place *place,
		      uint64_t flags, uint64_t mode)
{
	int64_t fd;
	int node;

	if (!place->name)
		return -ENOENT;
	if (place->is_directory_wanted)
		return -EISDIR;
	if (place->directory == DIRECTORY_NOWHERE)
		return -EROFS;
	file_tmpfs_collect(process);
	node = tmpfs_make(&process->tmpfs, place->directory, place->name,
			  new_mode(process, mode));
	if (node < 0)
		return node;
	fd = file_tmpfs_open(process, (uint32_t)node, flags & KEPT_FLAGS);
	if (fd < 0)
		(void)tmpfs_remove(&process->tmpfs, place->directory,
				   place->name, false);
	return fd;
}

/* Opens a new file that has no name. */
static int64_t create_unnamed(struct linux_process *process, uint64_t flags,
			      mode_t mode)
{
	int node;

	file_tmpfs_collect(process);
	node = tmpfs_make_unnamed(&process->tmpfs, mode);
	return node < 0 ? node :
			  file_tmpfs_open(process, (uint32_t)node,
					  flags & KEPT_FLAGS);
}

static int64_t open_temporary(struct linux_process *process,
			      const struct place *place, uint64_t flags,
			      uint64_t mode)
{
	if (!S_ISDIR(place->status.st_mode))
		return -ENOTDIR;
	if (!may_write(flags))
		return -EINVAL;
	if (place->kind != PLACE_TMPFS)
		return -EROFS;
	return create_unnamed(process, flags, new_mode(process, mode));
}

static int64_t open_place(struct linux_process *process,
			  const struct place *place, uint64_t flags,
			  uint64_t mode)
{
	if (place->kind == PLACE_DEVICE &&
	    file_gunyah_refuses(place->device, flags, mode))
		return -EINVAL;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_temporary(process, place, flags, mode);
	if ((flags & O_DIRECTORY) && !S_ISDIR(place->status.st_mode))
		return -ENOTDIR;
	if (place->kind == PLACE_TMPFS)
		return open_node(process, place->node, flags);
	return open_read_only(process, place, flags);
}

static int64_t open_path(struct linux_process *process, uint64_t directory,
			 uint64_t path, uint64_t flags, uint64_t mode)
{
	const bool follow = !(flags & O_NOFOLLOW) &&
			    !((flags & O_CREAT) && (flags & O_EXCL));
	struct place place;
	int64_t r;

	if (flags & O_PATH)
		flags &= O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
	r = calls_find(process, directory, path, follow, &place);
	if (!r)
		r = open_place(process, &place, flags, mode);
	else if (r == -ENOENT && (flags & O_CREAT) && place.name)
		r = create(process, &place, flags, mode);
	place_done(&place);
	return r;
}

int64_t call_open(struct linux_process *process, const uint64_t *args)
{
	return open_path(process, CALLS_HERE, args[0], args[1], args[2]);
}

int64_t call_openat(struct linux_process *process, const uint64_t *args)
{
	return open_path(process, args[0], args[1], args[2], args[3]);
}

int64_t call_creat(struct linux_process *process, const uint64_t *args)
{
	return open_path(process, CALLS_HERE, args[0],
			 O_CREAT | O_WRONLY | O_TRUNC, args[1]);
}

/* What limits where a path may lead is not there: whoever asks does it himself. */
int64_t call_openat2(struct linux_process *process, const uint64_t *args)
{
	struct open_how how;

	if (args[3] < sizeof(how))
		return -EINVAL;
	if (args[3] > sizeof(how))
		return -E2BIG;
	if (space_read(&process->space, args[2], &how, sizeof(how)))
		return -EFAULT;
	if (how.resolve)
		return -ENOSYS;
	return open_path(process, args[0], args[1], how.flags, how.mode);
}

int64_t call_memfd_create(struct linux_process *process, const uint64_t *args)
{
	char name[TMPFS_NAME_MAX];
	const int r =
		space_read_string(&process->space, args[0], name, sizeof(name));

	if (args[1] & ~(uint64_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	if (r < 0)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	return create_unnamed(process,
			      O_RDWR | (args[1] & MFD_CLOEXEC ? O_CLOEXEC : 0),
			      S_IFREG | 0777);
}
