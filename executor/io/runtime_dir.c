/* runtime_dir.c - where the server's sockets are. See runtime_dir.h. */
#include "executor/io/runtime_dir.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_DIR "/run/thaw"

static void runtime_dir_find(char *dir, size_t size)
{
	const char *user = getenv("XDG_RUNTIME_DIR");
	const char *given = getenv("THAW_RUNTIME_DIR");
	const char *unit = getenv("RUNTIME_DIRECTORY");

	if (given && *given)
		snprintf(dir, size, "%s", given);
	else if (unit && *unit)
		/* systemd.exec(5): several have colons between them */
		snprintf(dir, size, "%.*s", (int)strcspn(unit, ":"), unit);
	else if (!access(SYSTEM_DIR, F_OK))
		snprintf(dir, size, "%s", SYSTEM_DIR);
	else if (user && *user)
		snprintf(dir, size, "%s/thaw", user);
	else
		snprintf(dir, size, "/tmp/thaw-%u", geteuid());
}

/* A folder of ours: another user's could be swapped under our feet. */
static int make_dir(const char *dir, struct error *err)
{
	struct stat status;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return error_set(err, -errno, "cannot make the folder %s: %s",
				 dir, strerror(errno));
	if (lstat(dir, &status) || !S_ISDIR(status.st_mode))
		return error_set(err, -ENOTDIR, "%s is not a folder", dir);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return error_set(err, -EPERM,
				 "%s belongs to another user: set "
				 "THAW_RUNTIME_DIR to a folder of yours",
				 dir);
	return 0;
}

/* Put there by somebody else, where everybody may. */
static bool is_foreign(const char *path)
{
	char copy[PATH_MAX];
	struct stat status, parent;

	snprintf(copy, sizeof(copy), "%s", path);
	return !lstat(path, &status) && status.st_uid != geteuid() &&
	       status.st_uid != 0 && !stat(dirname(copy), &parent) &&
	       parent.st_mode & S_IWOTH;
}

int runtime_check(const char *path, struct error *err)
{
	char at[PATH_MAX], *slash;

	snprintf(at, sizeof(at), "%s", path);
	do {
		if (is_foreign(at))
			return error_set(err, -EPERM,
					 "%s belongs to another user, where "
					 "every user may put it: set "
					 "THAW_RUNTIME_DIR to a folder of yours",
					 at);
		slash = strrchr(at, '/');
		if (slash)
			*slash = '\0';
	} while (slash && slash > at);
	return 0;
}

int runtime_path(const char *name, bool make, struct error *err,
		 char path[RUNTIME_PATH_MAX])
{
	char dir[PATH_MAX];
	int r;

	runtime_dir_find(dir, sizeof(dir));
	r = make ? make_dir(dir, err) : 0;
	if (r)
		return r;
	r = snprintf(path, RUNTIME_PATH_MAX, "%s/%s", dir, name);
	if (r >= RUNTIME_PATH_MAX)
		return error_set(err, -ENAMETOOLONG,
				 "%s/%s is too long for a socket: set "
				 "THAW_RUNTIME_DIR to a shorter path",
				 dir, name);
	return 0;
}
