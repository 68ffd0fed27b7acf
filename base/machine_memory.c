/* machine_memory.c - see machine_memory.h. */
#include "base/machine_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * A task waited for memory for 200 ms of 2 s. Every user may ask for windows of
 * that length.
 */
#define TRIGGER "some 200000 2000000"

/*
 * A report counts if tasks have waited for half of that since the last one. Linux 6.5
 * and later begin the first window of a process without CAP_SYS_RESOURCE with all that
 * tasks have waited for since the machine was started, so its first report says nothing.
 */
#define WAITED_LEAST_US 100000

/* A longer path of a cgroup is cut. */
#define PATH_PART_MAX 512

/* Where cgroups may be, by their line in /proc/self/cgroup. */
static const struct hierarchy {
	const char *line; /* behind its number */
	const char *folder;
	const char *limits[2]; /* or NULL */
} hierarchies[] = {
	{ "::", "/sys/fs/cgroup", { "memory.max", "memory.high" } },
	{ "::", "/sys/fs/cgroup/unified", { "memory.max", "memory.high" } },
	{ ":memory:",
	  "/sys/fs/cgroup/memory",
	  { "memory.limit_in_bytes", NULL } },
	{ NULL, NULL, { NULL, NULL } },
};

/* Finds the path of the process's cgroup below its folder; "" if there is none. */
static void find_cgroup(const char *root, const char *key,
			char path[PATH_PART_MAX])
{
	char name[MACHINE_PATH_MAX], line[PATH_PART_MAX + 64];
	cleanup_fclose FILE *file = NULL;

	path[0] = '\0';
	snprintf(name, sizeof(name), "%s/proc/self/cgroup", root);
	file = fopen(name, "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *rest = line + strspn(line, "0123456789");

		if (strncmp(rest, key, strlen(key)) != 0)
			continue;
		rest += strlen(key);
		snprintf(path, PATH_PART_MAX, "%.*s", (int)strcspn(rest, "\n"),
			 rest);
	}
}

/* Returns the number in a file; UINT64_MAX if it has none, or says "max". */
static uint64_t read_number(const char *root, const char *folder,
			    const char *path, const char *name)
{
	char full[MACHINE_PATH_MAX];
	cleanup_fclose FILE *file = NULL;
	uint64_t number;

	snprintf(full, sizeof(full), "%s%s%s/%s", root, folder, path, name);
	file = fopen(full, "re");
	if (!file || fscanf(file, "%" SCNu64, &number) != 1)
		return UINT64_MAX;
	return number;
}

/* Returns the least limit of a cgroup and those above it. */
static uint64_t least_limit(const char *root, const struct hierarchy *hierarchy)
{
	uint64_t least = UINT64_MAX;
	char path[PATH_PART_MAX];
	char *end;

	find_cgroup(root, hierarchy->line, path);
	do {
		end = strrchr(path, '/');
		if (end && !end[1]) /* the root is "/" */
			*end = '\0';
		for (int i = 0; i < 2 && hierarchy->limits[i]; i++) {
			uint64_t limit = read_number(root, hierarchy->folder,
						     path,
						     hierarchy->limits[i]);

			if (limit < least)
				least = limit;
		}
		end = strrchr(path, '/');
		if (end)
			*end = '\0';
	} while (end);
	return least;
}

uint64_t machine_memory(const char *root)
{
	uint64_t least = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE);

	for (const struct hierarchy *h = hierarchies; h->line; h++) {
		uint64_t limit = least_limit(root, h);

		if (limit < least)
			least = limit;
	}
	return least;
}

static int open_trigger(struct machine_pressure *pressure, const char *root,
			const char *folder, const char *path, const char *name)
{
	snprintf(pressure->path, sizeof(pressure->path), "%s%s%s/%s", root,
		 folder, path, name);
	pressure->trigger =
		open(pressure->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (pressure->trigger < 0)
		return -errno;
	if (write(pressure->trigger, TRIGGER, sizeof(TRIGGER)) < 0) {
		close(pressure->trigger);
		return -errno;
	}
	return 0;
}

/* Opens the cgroup's report, or the machine's if that cannot be opened. */
static int find_trigger(struct machine_pressure *pressure, const char *root)
{
	for (const struct hierarchy *h = hierarchies; h->line; h++) {
		char path[PATH_PART_MAX];

		find_cgroup(root, h->line, path);
		/* the root's is the machine's */
		if (path[0] && path[1] &&
		    !open_trigger(pressure, root, h->folder, path,
				  "memory.pressure"))
			return 0;
	}
	return open_trigger(pressure, root, "/proc/pressure", "", "memory");
}

/* Microseconds that tasks have waited for until now; UINT64_MAX: it is not known. */
static uint64_t read_waited(int trigger)
{
	char text[256];
	ssize_t n = pread(trigger, text, sizeof(text) - 1, 0);
	const char *total;
	uint64_t waited_us;

	text[n > 0 ? n : 0] = '\0';
	/* the first line is that of "some" */
	total = strstr(text, "total=");
	if (!total || sscanf(total, "total=%" SCNu64, &waited_us) != 1)
		return UINT64_MAX;
	return waited_us;
}

int machine_pressure_open(struct machine_pressure *pressure, const char *root,
			  struct error *err)
{
	struct epoll_event event = { .events = EPOLLPRI };
	int r = find_trigger(pressure, root);

	if (r) {
		pressure->events = pressure->trigger = -1;
		return error_set(err, r, "%s: %s", pressure->path,
				 strerror(-r));
	}
	pressure->waited_us = read_waited(pressure->trigger);
	pressure->events = epoll_create1(EPOLL_CLOEXEC);
	if (pressure->events < 0 || epoll_ctl(pressure->events, EPOLL_CTL_ADD,
					      pressure->trigger, &event)) {
		r = error_set(err, -errno, "waiting for %s: %s", pressure->path,
			      strerror(errno));
		machine_pressure_close(pressure);
	}
	return r;
}

/* Finding the epoll readable has consumed the event; only errors are left. */
bool machine_pressure_take(struct machine_pressure *pressure)
{
	struct pollfd trigger = { .fd = pressure->trigger, .events = POLLPRI };
	const uint64_t before_us = pressure->waited_us;

	/* the cgroup is gone: no more events will come */
	if (poll(&trigger, 1, 0) == 1 &&
	    trigger.revents & (POLLERR | POLLHUP)) {
		epoll_ctl(pressure->events, EPOLL_CTL_DEL, pressure->trigger,
			  NULL);
		return false;
	}
	pressure->waited_us = read_waited(pressure->trigger);
	return before_us == UINT64_MAX || pressure->waited_us < before_us ||
	       pressure->waited_us - before_us >= WAITED_LEAST_US;
}

void machine_pressure_close(struct machine_pressure *pressure)
{
	if (pressure->events >= 0)
		close(pressure->events);
	if (pressure->trigger >= 0)
		close(pressure->trigger);
	pressure->events = pressure->trigger = -1;
}
