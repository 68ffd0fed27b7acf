/*
 * watch.c - reloads the catalog when it, or an image, changes. Main thread.
 *
 * Folders are watched, not files: editors and installers rename. One that is not
 * there is waited for in the folder above it. Symbolic links are replaced like
 * files, so their folders are watched, too.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "executor/server/log/log.h"
#include "executor/server/server_internal.h"

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

static void on_quiet(struct timer *timer)
{
	struct server *server =
		container_of(timer, struct server, change_timer);

	server_reload(server, NULL);
}

static void reload_soon(struct server *server)
{
	const uint64_t now_ns = clock_now_ns();

	if (!server->change_timer.link)
		server->changed_ns = now_ns;
	/* a folder in which something changes all the time is no excuse */
	if (now_ns - server->changed_ns < CHANGE_LATEST_NS)
		timer_set(&server->main.timers, &server->change_timer,
			  now_ns + CHANGE_QUIET_NS);
}

/* Which file it was does not matter: reloading tells what changed. */
static void take_changes(struct server *server)
{
	char events[4096];

	while (read(server->changes.fd, events, sizeof(events)) > 0)
		;
}

static void on_change(struct io_poll *poll)
{
	struct server *server = container_of(poll, struct server, changes);

	take_changes(server);
	reload_soon(server);
}

void server_watch_read(struct server *server)
{
	if (!server->options.watch)
		return;
	take_changes(server);
	timer_clear(&server->main.timers, &server->change_timer);
}

/* The folder of @path. Returns whether it was not watched until now. */
static bool watch_folder(struct server *server, const char *path)
{
	const int newest = server->last_watch;
	char copy[PATH_MAX], *folder;
	int r;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = copy;
	do {
		folder = dirname(folder);
		r = inotify_add_watch(server->changes.fd, folder, CHANGES);
	} while (r < 0 && (errno == ENOENT || errno == ENOTDIR) && folder[1]);
	if (r > newest)
		server->last_watch = r;
	if (r < 0 && log_may(&watch_limit, THAW_LOG_WARN))
		log_write(THAW_LOG_WARN, "cannot watch for changes",
			  LOG_FIELD("file", path),
			  LOG_FIELD("reason", strerror(errno)));
	return r > newest;
}

/*
 * Puts where the first symbolic link in @path leads in its place; @ret_link has
 * the link itself. False: there is none.
 */
static bool follow(char path[PATH_MAX], char ret_link[PATH_MAX])
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

/* The folder of @path, and those of links on the way, which may be made anew. */
static bool watch_path(struct server *server, const char *path)
{
	char at[PATH_MAX], link[PATH_MAX];
	bool has_more = watch_folder(server, path);

	snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS_MAX && follow(at, link); i++) {
		has_more |= watch_folder(server, link);
		has_more |= watch_folder(server, at);
	}
	return has_more;
}

/* What has changed in a folder since it was read, before it was watched. */
static bool is_missed(const struct server *server)
{
	const struct generation *generation = server->main.generation;

	for (size_t i = 0; i < generation->count; i++)
		if (deployment_is_touched(generation_newest(generation, i)))
			return true;
	return false;
}

void server_watch_folders(struct server *server)
{
	const struct generation *generation = server->main.generation;
	bool is_anew = watch_path(server, server->options.catalog);
	bool has_more = false;

	for (size_t i = 0; i < generation->count; i++)
		has_more |= watch_path(server, generation_newest(generation, i)
						       ->spec->image);
	if (atomic_load(&server->state) == SERVER_SERVING &&
	    (is_anew || (has_more && is_missed(server))))
		reload_soon(server);
}

int server_watch(struct server *server, struct error *err)
{
	server->changes.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (server->changes.fd < 0)
		return error_set(err, -errno, "inotify_init1: %s",
				 strerror(errno));
	server->changes.ready = on_change;
	server->change_timer.fire = on_quiet;
	io_poll_open(server->main.io, &server->changes, server->changes.fd);
	server_watch_folders(server);
	return 0;
}
