/* catalog_watch.c - watches folders by inotify. See catalog_watch.h. */
#include "executor/server/catalog_watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "executor/linux/root.h"
#include "executor/server/log/log.h"

/* Files have to be quiet for so long before a change counts. */
#define CHANGE_QUIET_NS (500 * NS_PER_MS)
#define CHANGE_LATEST_NS (5 * NS_PER_S)

/* Symbolic links on the way to a file. */
#define LINKS_MAX 40

/* Reloads come when files change, and anybody may change them. */
static struct log_limit watch_limit = LOG_LIMIT_OF("folders to watch");

#define CHANGES                                                 \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

#define CATALOG_WATCH_OF(pointer, member)   \
	((struct catalog_watch *)(void *)(( \
		char *)(pointer)-offsetof(struct catalog_watch, member)))

static bool catalog_watch_is_open(const struct catalog_watch *watch)
{
	return watch->poll.fd > 0;
}

static void catalog_watch_on_quiet(struct timer *timer)
{
	struct catalog_watch *watch = CATALOG_WATCH_OF(timer, timer);

	watch->changed(watch);
}

static void catalog_watch_wait_for_quiet(struct catalog_watch *watch)
{
	const uint64_t now_ns = clock_now_ns();

	if (!watch->timer.link)
		watch->since_ns = now_ns;
	/* though something may change in a folder all the time */
	if (now_ns - watch->since_ns < CHANGE_LATEST_NS)
		timer_set(watch->timers, &watch->timer,
			  now_ns + CHANGE_QUIET_NS);
}

/* Which file it was does not matter: reloading tells what changed. */
static void catalog_watch_read(struct catalog_watch *watch)
{
	char events[4096];

	while (read(watch->poll.fd, events, sizeof(events)) > 0)
		;
}

static void catalog_watch_on_change(struct io_poll *poll)
{
	struct catalog_watch *watch = CATALOG_WATCH_OF(poll, poll);

	catalog_watch_read(watch);
	catalog_watch_wait_for_quiet(watch);
}

void catalog_watch_forget(struct catalog_watch *watch)
{
	if (!catalog_watch_is_open(watch))
		return;
	catalog_watch_read(watch);
	timer_clear(watch->timers, &watch->timer);
}

/* Watches the folder of @path. Returns whether it was not watched until now. */
static bool catalog_watch_folder(struct catalog_watch *watch, const char *path)
{
	const int newest = watch->newest;
	char copy[PATH_MAX], *folder;
	int r;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = copy;
	do {
		folder = dirname(folder);
		r = inotify_add_watch(watch->poll.fd, folder, CHANGES);
	} while (r < 0 && (errno == ENOENT || errno == ENOTDIR) && folder[1]);
	if (r > newest)
		watch->newest = r;
	if (r < 0 && log_may(&watch_limit, THAW_LOG_WARN))
		log_write(THAW_LOG_WARN, "cannot watch for changes",
			  LOG_FIELD("file", path),
			  LOG_FIELD("reason", strerror(errno)));
	return r > newest;
}

/*
 * Replaces the first symbolic link in @path by where it leads; @ret_link is the
 * link itself. False: there is none.
 */
static bool catalog_watch_follow(char path[PATH_MAX], char ret_link[PATH_MAX])
{
	char target[PATH_MAX], rest[PATH_MAX];

	for (char *end = path + strspn(path, "/"); *end;
	     end += strspn(end, "/")) {
		ssize_t size;

		end += strcspn(end, "/");
		snprintf(ret_link, PATH_MAX, "%.*s", (int)(end - path), path);
		size = readlink(ret_link, target, sizeof(target) - 1);
		if (size < 0)
			continue;
		target[size] = '\0';
		snprintf(rest, sizeof(rest), "%s", end);
		for (end = *target == '/' ? path : end;
		     end > path && end[-1] != '/';)
			end--;
		return snprintf(end, (size_t)(path + PATH_MAX - end), "%s%s",
				target, rest) < path + PATH_MAX - end;
	}
	return false;
}

/* The same, with the folders of links on the way, which may be replaced. */
static bool catalog_watch_path(struct catalog_watch *watch, const char *path)
{
	char at[PATH_MAX], link[PATH_MAX];
	bool has_more = catalog_watch_folder(watch, path);

	snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS_MAX && catalog_watch_follow(at, link); i++) {
		has_more |= catalog_watch_folder(watch, link);
		has_more |= catalog_watch_folder(watch, at);
	}
	return has_more;
}

/* What a function has watched; some of it may be watched already. */
struct catalog_watch_adding {
	struct catalog_watch *watch;
	bool has_more;
};

static void catalog_watch_add(void *cookie, const char *folder)
{
	struct catalog_watch_adding *adding = cookie;
	char path[PATH_MAX];

	/* something in it */
	if (snprintf(path, sizeof(path), "%s/.", folder) < (int)sizeof(path))
		adding->has_more |= catalog_watch_folder(adding->watch, path);
}

/* Watches what the boot of a Linux program reads, or has read. */
static bool catalog_watch_program(struct catalog_watch *watch,
				  const struct deployment *deployment)
{
	const struct catalog_function *spec = deployment->spec;
	struct catalog_watch_adding adding = { watch, false };

	if (spec->root)
		adding.has_more |= catalog_watch_path(watch, spec->root);
	if (spec->warm_input.file)
		adding.has_more |=
			catalog_watch_path(watch, spec->warm_input.file);
	for (char **file = spec->files; file && *file; file++)
		adding.has_more |=
			catalog_watch_path(watch, root_host_of(*file));
	function_linux_folders(spec, deployment->seen, catalog_watch_add,
			       &adding);
	return adding.has_more;
}

/* Watches for a function. Returns whether a file has changed before it was watched. */
static bool catalog_watch_function(struct catalog_watch *watch,
				   const struct deployment *deployment)
{
	const struct catalog_function *spec = deployment->spec;
	/* a link in a root leads elsewhere for us: its files are known when it is read */
	bool has_more = spec->root ? catalog_watch_folder(watch, spec->image) :
				     catalog_watch_path(watch, spec->image);

	if (spec->init.file)
		has_more |= catalog_watch_path(watch, spec->init.file);
	for (size_t i = 0; i < spec->host.secret_count; i++)
		has_more |=
			catalog_watch_path(watch, spec->host.secrets[i].file);
	if (deployment->seen)
		has_more |= catalog_watch_program(watch, deployment);
	return has_more && deployment_is_touched(deployment);
}

void catalog_watch_folders(struct catalog_watch *watch,
			   const struct generation *generation, bool is_serving)
{
	bool has_missed;

	if (!catalog_watch_is_open(watch))
		return;
	has_missed = catalog_watch_path(watch, watch->catalog);
	for (size_t i = 0; i < generation->count; i++)
		has_missed |=
			catalog_watch_function(watch,
					       generation_newest(generation,
								 i));
	if (is_serving && has_missed)
		catalog_watch_wait_for_quiet(watch);
}

void catalog_watch_note(struct catalog_watch *watch)
{
	if (stat(watch->catalog, &watch->noted))
		watch->noted = (struct stat){ .st_size = 0 };
}

static bool watch_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whether the catalog is the file that was noted. */
static bool catalog_watch_is_same(const struct catalog_watch *watch)
{
	const struct stat *noted = &watch->noted;
	struct stat now;

	if (stat(watch->catalog, &now))
		now = (struct stat){ .st_size = 0 };
	return now.st_dev == noted->st_dev && now.st_ino == noted->st_ino &&
	       now.st_size == noted->st_size &&
	       watch_same_time(&now.st_mtim, &noted->st_mtim) &&
	       watch_same_time(&now.st_ctim, &noted->st_ctim);
}

int catalog_watch_open(struct catalog_watch *watch, struct io *io,
		       const struct generation *generation, struct error *err)
{
	const int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	if (fd < 0)
		return error_set(err, -errno, "inotify_init1: %s",
				 strerror(errno));
	watch->poll.ready = catalog_watch_on_change;
	watch->timer.fire = catalog_watch_on_quiet;
	r = io_poll_open(io, &watch->poll, fd);
	if (r) {
		watch->poll.fd = 0;
		close(fd);
		return error_set(err, r, "watching for changes: %s",
				 strerror(-r));
	}
	catalog_watch_folders(watch, generation, false);
	if (!catalog_watch_is_same(watch))
		catalog_watch_wait_for_quiet(watch);
	return 0;
}

void catalog_watch_close(struct catalog_watch *watch)
{
	if (catalog_watch_is_open(watch))
		close(watch->poll.fd);
	watch->poll.fd = 0;
}
