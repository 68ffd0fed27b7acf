/* directory.c - see directory.h. */
#include "snapshot/store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What to do about @r, behind what it says. */
static const char *remedy(int r)
{
	switch (r) {
	case -ENOSPC:
	case -EDQUOT:
		return "; make room there, or use another directory";
	case -EROFS:
	case -EACCES:
		return "; make it writable, or use another directory";
	default:
		return "";
	}
}

static int check_directory(int dir, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(dir, &status))
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (status.st_uid != geteuid())
		return error_set(err, -EPERM,
				 "the state directory %s belongs to another "
				 "user",
				 path);
	if (status.st_mode & 022)
		return error_set(err, -EPERM,
				 "others may write to the state directory %s: "
				 "chmod 0700 it",
				 path);
	return 0;
}

/* A descriptor, or -errno. */
static int make_and_open(const char *path)
{
	const int made = mkdir(path, 0700) ? -errno : 0;
	int dir;

	/* it may be there, whichever of the two is said */
	if (made && made != -EEXIST && made != -EROFS)
		return made;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return made == -EROFS ? made : -errno;
	return dir;
}

int store_directory_open(const char *path, struct error *err, int *ret_dir)
{
	cleanup_close int dir = make_and_open(path);
	int r;

	if (dir < 0)
		return error_set(err, dir, "the state directory %s: %s%s", path,
				 strerror(-dir), remedy(dir));
	r = check_directory(dir, path, err);
	if (!r)
		*ret_dir = take_fd(&dir);
	return r;
}

/* Finds the path that @dir has now; false: it is not known. */
static bool find_path(int dir, char path[PATH_MAX])
{
	char link[32];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	size = readlink(link, path, PATH_MAX - 1);
	path[size > 0 ? size : 0] = '\0';
	return size > 0;
}

int store_directory_failed(int dir, int r, const char *what, struct error *err)
{
	char path[PATH_MAX];
	struct stat status;

	if (!find_path(dir, path))
		strcpy(path, "the state directory");
	/* its path says as well that it is "(deleted)" */
	if (r == -ENOENT && !fstat(dir, &status) && !status.st_nlink)
		return error_set(err, r,
				 "%s %s: the directory has been removed; a "
				 "restart makes it again",
				 what, path);
	return error_set(err, r, "%s %s: %s%s", what, path, strerror(-r),
			 remedy(r));
}
