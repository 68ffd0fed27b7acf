/* root.c - see root.h. Reference: openat2(2). */
#include "executor/linux/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Programs, libraries, and what the C library and interpreters read of /etc. */
static const char *const defaults[] = {
	"/usr",
	"/bin",
	"/lib",
	"/lib64",
	"/etc/alternatives",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/etc/nsswitch.conf",
	"/etc/perl",
	"/etc/python3",
	"/etc/python3.11",
};
#define DEFAULTS (sizeof(defaults) / sizeof(*defaults))

/* Whether @path is @place, or beneath it. */
static bool is_beneath(const char *path, const char *place)
{
	const size_t length = strlen(place);

	return !strncmp(path, place, length) &&
	       (path[length] == '\0' || path[length] == '/');
}

static bool is_default(const char *path)
{
	for (size_t i = 0; i < DEFAULTS; i++)
		if (is_beneath(path, defaults[i]))
			return true;
	return false;
}

/* The longest of the further files that @path is, or lies beneath. */
static const struct root_file *file_of(const struct root *root,
				       const char *path)
{
	const struct root_file *found = NULL;

	for (size_t i = 0; i < root->file_count; i++) {
		const struct root_file *file = &root->files[i];

		if (is_beneath(path, file->guest) &&
		    (!found || strlen(file->guest) > strlen(found->guest)))
			found = file;
	}
	return found;
}

/* Removes double and last slashes; @path stays absolute. */
static void tidy(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++)
		if (*from != '/' || to == path || to[-1] != '/')
			*to++ = *from;
	if (to > path + 1 && to[-1] == '/')
		to--;
	*to = '\0';
}

const char *root_host_of(const char *file)
{
	const char *equals = strstr(file, "=/");

	return equals ? equals + 1 : file;
}

/* Adds @text, "PATH" or "PATH=HOST". */
static int add_file(struct root *root, const char *text, struct error *err)
{
	const char *host = root_host_of(text);
	struct root_file *file = &root->files[root->file_count];

	file->guest = host > text ? strndup(text, (size_t)(host - 1 - text)) :
				    strdup(text);
	if (!file->guest)
		return error_set(err, -ENOMEM, "no memory for paths");
	tidy(file->guest);
	file->host = realpath(host, NULL);
	root->file_count++;
	if (!file->host)
		return error_set(err, -errno,
				 "files: %s: cannot be opened: %s; correct the "
				 "path, or remove it from files",
				 host, strerror(errno));
	return 0;
}

static int open_directory(const char *path, struct error *err)
{
	const int fd = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);

	return fd < 0 ? error_set(err, -errno,
				  "root: %s: cannot be opened as a directory: "
				  "%s",
				  path, strerror(errno)) :
			fd;
}

static int add_files(struct root *root, char *const *files, const char *program,
		     struct error *err)
{
	size_t count = 0;
	int r = 0;

	while (files && files[count])
		count++;
	root->files = calloc(count + 1, sizeof(*root->files));
	if (!root->files)
		return error_set(err, -ENOMEM, "no memory for paths");
	for (size_t i = 0; i < count && !r; i++)
		r = add_file(root, files[i], err);
	if (!r && !root->is_directory)
		r = add_file(root, program, err);
	return r;
}

int root_open(struct root *root, const char *directory, char *const *files,
	      const char *program, struct error *err)
{
	int r;

	*root = (struct root){
		.is_directory = directory != NULL,
		.top = -1,
		.host = -1,
	};
	r = root->host = open_directory("/", err);
	if (r >= 0)
		r = root->top =
			open_directory(directory ? directory : "/", err);
	if (r >= 0)
		r = add_files(root, files, program, err);
	if (r < 0)
		root_close(root);
	return r < 0 ? r : 0;
}

void root_close(struct root *root)
{
	for (size_t i = 0; i < root->file_count; i++) {
		free(root->files[i].guest);
		free(root->files[i].host);
	}
	free(root->files);
	if (root->top >= 0)
		close(root->top);
	if (root->host >= 0)
		close(root->host);
	*root = (struct root){ .top = -1, .host = -1 };
}

bool root_is_path(const char *path)
{
	if (*path != '/' || strlen(path) >= ROOT_PATH_MAX)
		return false;
	if (!path[1])
		return true;
	while (*path) {
		const size_t length = strcspn(++path, "/");

		if (!length || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
	}
	return true;
}

/* What the program may learn of a failure to open. */
bool root_is_short(int result)
{
	return result == -EMFILE || result == -ENFILE || result == -ENOMEM;
}

static int failure(int number)
{
	return number == EACCES || number == ELOOP || number == ENOTDIR ||
			       number == ENAMETOOLONG ||
			       root_is_short(-number) ?
		       -number :
		       -ENOENT;
}

/* The file of the host behind @path, with @directory before it if it is of the root. */
static int host_path(const struct root *root, const struct root_file *file,
		     const char *directory, const char *path,
		     char to[static ROOT_PATH_MAX])
{
	int length;

	if (!file && !root->is_directory && !is_default(path))
		return -ENOENT;
	length = snprintf(to, ROOT_PATH_MAX, "%s%s",
			  file ? file->host : directory,
			  file ? path + strlen(file->guest) : path);
	if (length < 0 || length >= ROOT_PATH_MAX)
		return -ENAMETOOLONG;
	while (length > 1 && to[length - 1] == '/')
		to[--length] = '\0';
	return length;
}

int root_host_path(const struct root *root, const char *directory,
		   const char *path, char to[static ROOT_PATH_MAX])
{
	const int r = host_path(root, file_of(root, path),
				directory ? directory : "", path, to);

	return r < 0 ? r : 0;
}

int root_look(const struct root *root, const char *path,
	      struct stat *ret_status)
{
	const struct open_how how = {
		.flags = (uint64_t)(O_PATH | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS,
	};
	const struct root_file *file = file_of(root, path);
	cleanup_close int fd = -1;
	char whole[ROOT_PATH_MAX];
	const int length = host_path(root, file, "", path, whole);

	if (length < 0)
		return length;
	fd = (int)syscall(SYS_openat2, file ? root->host : root->top,
			  length > 1 ? whole + 1 : ".", &how, sizeof(how));
	if (fd < 0)
		return failure(errno);
	if (fstat(fd, ret_status))
		return -errno;
	return take_fd(&fd);
}

int root_resolve(const char *directory, const char *path)
{
	const struct open_how how = {
		.flags = (uint64_t)(O_PATH | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	cleanup_close int top =
		open(directory, O_PATH | O_CLOEXEC | O_DIRECTORY);
	int fd;

	if (top < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

int root_reopen(int found)
{
	char link[64];
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

bool root_is_added(const struct root *root, const char *path)
{
	return file_of(root, path) != NULL;
}

const char *root_place(const struct root *root, size_t index)
{
	const size_t first = root->is_directory ? 0 : DEFAULTS;

	if (index < first)
		return defaults[index];
	index -= first;
	return index < root->file_count ? root->files[index].guest : NULL;
}
