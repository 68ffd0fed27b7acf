/* place.c - see place.h. */
#include "executor/linux/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/linux/file_data.h"
#include "executor/linux/file_device.h"
#include "executor/linux/file_gunyah.h"
#include "executor/linux/file_tmpfs.h"
#include "executor/linux/proc.h"
#include "executor/linux/process.h"
#include "executor/linux/seen.h"

#define NAME_MAX_BYTES 255
#define OPEN_FILES "/proc/self/fd/"

/* What is there besides files of the host and what proc.c makes up. */
static const char *const fixed[] = {
	"/tmp",		 "/dev/shm",	   "/dev/null",	     "/dev/zero",
	"/dev/full",	 "/dev/random",	   "/dev/urandom",   "/dev/fd",
	"/dev/stdin",	 "/dev/stdout",	   "/dev/stderr",    "/proc/1",
	"/proc/self/fd", "/proc/self/cwd", "/proc/self/exe", "/proc/self/root",
};
#define FIXED (sizeof(fixed) / sizeof(*fixed))

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
	{ "/proc/1", "self" },
	{ "/proc/self/root", "/" },
};

/* A path on its way to what it leads to. */
struct walk {
	struct linux_process *process;
	struct place *place;
	size_t length;	/* of place->path */
	unsigned links; /* that were followed */
	unsigned steps; /* names that were taken */
	char rest[2 * ROOT_PATH_MAX];
};

static bool starts_with(const char *path, const char *start)
{
	const size_t length = strlen(start);

	return !strncmp(path, start, length) &&
	       (path[length] == '\0' || path[length] == '/');
}

/* The @index'th path that is known to lead to something. */
static const char *known_place(const struct linux_process *process,
			       size_t index)
{
	if (index < FIXED)
		return fixed[index];
	index -= FIXED;
	if (index < proc_count())
		return proc_path((unsigned)index);
	return root_place(&process->program->root, index - proc_count());
}

/* Whether something is known to lie beneath @path. */
static bool is_above_places(const struct linux_process *process,
			    const char *path)
{
	const size_t length = strlen(path);
	const char *place;

	for (size_t i = 0; (place = known_place(process, i)); i++)
		if (!strncmp(place, path, length) && place[length] == '/')
			return true;
	return false;
}

/* The name at @path's depth of a known place beneath it. */
static const char *name_in(const char *place, const char *path,
			   size_t *ret_length)
{
	const size_t length = strcmp(path, "/") ? strlen(path) : 0;

	if (strncmp(place, path, length) != 0 || place[length] != '/')
		return NULL;
	*ret_length = strcspn(place + length + 1, "/");
	return place + length + 1;
}

static bool was_named(const struct linux_process *process, const char *path,
		      size_t before, const char *name, size_t length)
{
	for (size_t i = 0; i < before; i++) {
		size_t other_length;
		const char *other =
			name_in(known_place(process, i), path, &other_length);

		if (other && other_length == length &&
		    !memcmp(other, name, length))
			return true;
	}
	return false;
}

const char *place_list(const struct linux_process *process, const char *path,
		       unsigned index, size_t *ret_length)
{
	const char *place, *name;

	for (size_t i = 0; (place = known_place(process, i)); i++) {
		name = name_in(place, path, ret_length);
		if (!name || was_named(process, path, i, name, *ret_length))
			continue;
		if (!index--)
			return name;
	}
	*ret_length = 0;
	return NULL;
}

static void set_kind(struct place *place, enum place_kind kind, mode_t mode)
{
	place->kind = kind;
	place->status = (struct stat){
		.st_mode = mode,
		.st_nlink = 1,
		.st_blksize = 4096,
		.st_dev = 1,
	};
	/* a number that stays the same, and differs from path to path */
	for (const char *at = place->path; *at; at++)
		place->status.st_ino =
			place->status.st_ino * 31 + (unsigned char)*at;
}

static int set_node(struct linux_process *process, struct place *place,
		    uint32_t node)
{
	place_done(place);
	place->kind = PLACE_TMPFS;
	place->node = node;
	tmpfs_status(&process->tmpfs, node, &place->status);
	return 0;
}

/* The last name of the path is in place->directory; without one, it is a root. */
static int look_at_tmpfs(struct linux_process *process, struct place *place)
{
	int node = -ENOENT;

	if (!strcmp(place->path, "/tmp"))
		node = TMPFS_TMP;
	else if (!strcmp(place->path, "/dev/shm"))
		node = TMPFS_SHM;
	else if (place->directory != DIRECTORY_NOWHERE)
		node = tmpfs_find(&process->tmpfs, place->directory,
				  strrchr(place->path, '/') + 1);
	return node < 0 ? node : set_node(process, place, (uint32_t)node);
}

/* An open file, by its number. */
static int look_at_open(struct linux_process *process, struct place *place)
{
	char *end;
	const unsigned long number =
		strtoul(place->path + strlen(OPEN_FILES), &end, 10);

	if (*end || !files_get(&process->files, number))
		return -ENOENT;
	place->index = (unsigned)number;
	set_kind(place, PLACE_OPEN, S_IFLNK | 0700);
	return 0;
}

static bool is_link_of_ours(const char *path)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (!strcmp(path, links[i].path))
			return true;
	return !strcmp(path, "/proc/self/exe") ||
	       !strcmp(path, "/proc/self/cwd");
}

/* What thaw makes up; nothing of the host's /dev, /proc and /sys is ever seen. */
static int look_at_ours(struct linux_process *process, struct place *place)
{
	int index;

	if (is_link_of_ours(place->path)) {
		set_kind(place, PLACE_LINK, S_IFLNK | 0777);
		return 0;
	}
	if (!strncmp(place->path, OPEN_FILES, strlen(OPEN_FILES)))
		return look_at_open(process, place);
	place->device = file_device_find(place->path);
	if (!place->device && process->gunyah.is_on)
		place->device = file_gunyah_find(place->path);
	if (place->device) {
		set_kind(place, PLACE_DEVICE, S_IFCHR | 0666);
		return 0;
	}
	index = proc_find(place->path);
	if (index < 0)
		return index;
	place->index = (unsigned)index;
	set_kind(place, PLACE_PROC, S_IFREG | 0444);
	return 0;
}

static int look_at_host(struct linux_process *process, struct place *place)
{
	place->fd =
		root_look(&process->program->root, place->path, &place->status);
	if (process->program->seen && !process->is_frozen)
		linux_seen_note(process->program->seen, place->path, place->fd,
				&place->status);
	if (place->fd < 0)
		return place->fd;
	place->kind = PLACE_HOST;
	return 0;
}

/* Looks up place->path, which is as root_look() wants it; "" is the root. */
static int look(struct linux_process *process, struct place *place)
{
	const char *path = place->path;
	const bool is_added = root_is_added(&process->program->root, path);
	int r;

	place_done(place);
	if (!is_added &&
	    (starts_with(path, "/tmp") || starts_with(path, "/dev/shm")))
		r = look_at_tmpfs(process, place);
	else if (!is_added &&
		 (starts_with(path, "/dev") || starts_with(path, "/proc") ||
		  starts_with(path, "/sys")))
		r = look_at_ours(process, place);
	else
		r = look_at_host(process, place);
	if (r == -ENOENT && (!strcmp(path, "/proc/self/fd") ||
			     is_above_places(process, path))) {
		set_kind(place, PLACE_LIST, S_IFDIR | 0555);
		r = 0;
	}
	return r;
}

void place_done(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	place->fd = -1;
	place->kind = PLACE_NONE;
}

int place_of_directory(struct linux_process *process,
		       char path[static ROOT_PATH_MAX])
{
	const struct directory *directory = &process->directory;

	if (directory->node != DIRECTORY_NOWHERE)
		return tmpfs_path(&process->tmpfs, directory->node, path,
				  ROOT_PATH_MAX);
	strcpy(path, directory->path);
	return (int)strlen(path);
}

int place_of_file(struct linux_process *process, const struct file *file,
		  char path[static ROOT_PATH_MAX])
{
	if (file->kind == &file_tmpfs)
		return tmpfs_path(&process->tmpfs, file->node, path,
				  ROOT_PATH_MAX) < 0 ?
			       -ENOENT :
			       0;
	snprintf(path, ROOT_PATH_MAX, "%s",
		 file->data && file->data->path ? file->data->path :
						  file->kind->name);
	return 0;
}

static int target_of_open(struct linux_process *process, unsigned number,
			  char target[static ROOT_PATH_MAX])
{
	const struct file *file = files_get(&process->files, number);

	if (!file)
		return -ENOENT;
	/* a file without a name has one here, as in Linux */
	if (place_of_file(process, file, target))
		snprintf(target, ROOT_PATH_MAX, "/tmp/#%u (deleted)",
			 file->node);
	return (int)strlen(target);
}

static int target_of_ours(struct linux_process *process, const char *path,
			  char target[static ROOT_PATH_MAX])
{
	if (!strcmp(path, "/proc/self/exe"))
		return snprintf(target, ROOT_PATH_MAX, "%s",
				process->executable);
	if (!strcmp(path, "/proc/self/cwd"))
		return place_of_directory(process, target);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (!strcmp(path, links[i].path))
			return snprintf(target, ROOT_PATH_MAX, "%s",
					links[i].target);
	return -ENOENT;
}

int place_target(struct linux_process *process, const struct place *place,
		 char target[static ROOT_PATH_MAX])
{
	const uint8_t *bytes;
	ssize_t length;
	size_t size;

	if (!S_ISLNK(place->status.st_mode))
		return -EINVAL;
	switch (place->kind) {
	case PLACE_HOST:
		length = readlinkat(place->fd, "", target, ROOT_PATH_MAX - 1);
		if (length < 0)
			return -errno;
		target[length] = '\0';
		return (int)length;
	case PLACE_TMPFS:
		bytes = tmpfs_bytes(&process->tmpfs, place->node, 0, &size);
		if (size >= ROOT_PATH_MAX)
			return -ENAMETOOLONG;
		memcpy(target, bytes, size);
		target[size] = '\0';
		return (int)size;
	case PLACE_OPEN:
		return target_of_open(process, place->index, target);
	default:
		return target_of_ours(process, place->path, target);
	}
}

/* Goes on with the target of the link that place->path is, instead of it. */
static int follow_link(struct walk *walk, size_t before)
{
	char target[ROOT_PATH_MAX];
	size_t length, left = strlen(walk->rest);
	int r;

	if (walk->links++ == PLACE_LINKS_MAX)
		return -ELOOP;
	r = place_target(walk->process, walk->place, target);
	if (r <= 0)
		return r ? r : -ENOENT;
	length = (size_t)r;
	if (length + 1 + left >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + length, walk->rest, left + 1);
	memcpy(walk->rest, target, length);
	walk->length = *target == '/' ? 0 : before;
	walk->place->path[walk->length] = '\0';
	if (walk->length && walk->place->directory != DIRECTORY_NOWHERE)
		return set_node(walk->process, walk->place,
				walk->place->directory);
	return look(walk->process, walk->place);
}

/* Takes the next name off the rest. Its length; 0: there is none. */
static size_t take_name(struct walk *walk, char *name, bool *ret_slash)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	const size_t length = strcspn(start, "/");

	*ret_slash = start[length] == '/';
	if (length <= NAME_MAX_BYTES) {
		memcpy(name, start, length);
		name[length] = '\0';
	}
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return length;
}

static bool is_at_end(const struct walk *walk)
{
	return !walk->rest[strspn(walk->rest, "/")];
}

static int go_up(struct walk *walk)
{
	struct place *place = walk->place;

	while (walk->length && place->path[walk->length] != '/')
		walk->length--;
	place->path[walk->length] = '\0';
	place->directory = DIRECTORY_NOWHERE;
	if (place->kind == PLACE_TMPFS && place->node >= TMPFS_ROOTS)
		return set_node(walk->process, place,
				tmpfs_parent(&walk->process->tmpfs,
					     place->node));
	return look(walk->process, place);
}

/* Takes a step down to @name. */
static int go_down(struct walk *walk, const char *name, bool slash, bool follow)
{
	struct place *place = walk->place;
	const size_t before = walk->length, length = strlen(name);
	const bool is_last = is_at_end(walk);
	int r;

	if (before + 1 + length >= sizeof(place->path))
		return -ENAMETOOLONG;
	place->directory = place->kind == PLACE_TMPFS ? place->node :
							DIRECTORY_NOWHERE;
	place->path[before] = '/';
	memcpy(place->path + before + 1, name, length + 1);
	walk->length = before + 1 + length;
	r = look(walk->process, place);
	if (is_last) {
		place->name = place->path + before + 1;
		place->is_directory_wanted = slash;
	}
	if (r)
		return r;
	if (S_ISLNK(place->status.st_mode) && (!is_last || slash || follow)) {
		/* an open file is what it is, whether a path leads to it or not */
		if (place->kind == PLACE_OPEN && is_last && !slash)
			return 0;
		place->name = NULL;
		return follow_link(walk, before);
	}
	if ((!is_last || slash) && !S_ISDIR(place->status.st_mode))
		return -ENOTDIR;
	return 0;
}

static int go(struct walk *walk, bool follow)
{
	char name[NAME_MAX_BYTES + 1];
	bool slash;
	size_t length;
	int r = look(walk->process, walk->place);

	while (!r && (length = take_name(walk, name, &slash)) > 0) {
		walk->place->name = NULL;
		if (walk->steps++ == PLACE_STEPS_MAX)
			return -ELOOP;
		if (!S_ISDIR(walk->place->status.st_mode))
			return -ENOTDIR;
		if (length > NAME_MAX_BYTES)
			return -ENAMETOOLONG;
		if (!strcmp(name, "."))
			continue;
		r = strcmp(name, "..") ? go_down(walk, name, slash, follow) :
					 go_up(walk);
	}
	return r;
}

/* Whether @path has no ".", "..", double or last slash, and is not of our own. */
static bool is_plain(const char *path)
{
	const size_t length = strlen(path);

	return length > 1 && length < ROOT_PATH_MAX &&
	       path[length - 1] != '/' && !strstr(path, "//") &&
	       !strstr(path, "/.") && !starts_with(path, "/tmp") &&
	       !starts_with(path, "/dev") && !starts_with(path, "/proc");
}

int place_find(struct linux_process *process, const char *base,
	       const char *path, bool follow, struct place *place)
{
	struct walk walk = { .process = process, .place = place };
	int r;

	*place = (struct place){ .fd = -1, .directory = DIRECTORY_NOWHERE };
	if (!*path)
		return -ENOENT;
	r = snprintf(walk.rest, sizeof(walk.rest), "%s%s%s",
		     *path == '/' ? "" : base, *path == '/' ? "" : "/", path);
	if (r < 0 || (size_t)r >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	/* most have no link: one look instead of one for each name */
	if (is_plain(walk.rest)) {
		strcpy(place->path, walk.rest);
		r = look(process, place);
		if (!r && !S_ISLNK(place->status.st_mode)) {
			place->name = strrchr(place->path, '/') + 1;
			return 0;
		}
	}
	place->path[0] = '\0';
	r = go(&walk, follow);
	if (!*place->path)
		strcpy(place->path, "/");
	return r;
}
