/* scratch.c - see scratch.h. */
#include "bench/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEMPLATE "/thaw-bench-XXXXXX"

/* Folders in folders: a state directory. */
#define DEPTH 1
/* Somebody may make a file in a folder that is being removed: so often. */
#define REMOVE_TRIES 16

struct scratch {
	/* for the signal handler, which may run on any thread */
	atomic_bool exists;
	_Atomic(pid_t) child;
	char path[SCRATCH_PATH_SIZE];
};

static struct scratch all[SCRATCH_MAX];
static pid_t owner; /* the thread that makes them */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

#define SIGNAL_COUNT (sizeof(signals) / sizeof(*signals))

static void remove_folder(int parent, const char *name, unsigned depth);

/* Calls only functions that are safe in a signal handler. */
static void remove_files(int parent, const char *name, unsigned depth)
{
	const int fd = openat(parent, name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_Alignas(struct dirent64) char entries[4096];
	ssize_t size;

	while (fd >= 0 &&
	       (size = getdents64(fd, entries, sizeof(entries))) > 0) {
		const struct dirent64 *entry;

		for (ssize_t at = 0; at < size; at += entry->d_reclen) {
			entry = (const struct dirent64 *)(entries + at);
			if (!strcmp(entry->d_name, ".") ||
			    !strcmp(entry->d_name, ".."))
				continue;
			if (unlinkat(fd, entry->d_name, 0) && errno == EISDIR &&
			    depth)
				remove_folder(fd, entry->d_name, depth - 1);
		}
	}
	if (fd >= 0)
		close(fd);
}

static void remove_folder(int parent, const char *name, unsigned depth)
{
	unsigned tries = REMOVE_TRIES;

	do
		remove_files(parent, name, depth);
	while (unlinkat(parent, name, AT_REMOVEDIR) && errno == ENOTEMPTY &&
	       --tries);
}

/* On the thread that makes folders and starts children, so that it does neither meanwhile. */
static void scratch_on_signal(int number)
{
	if (gettid() != owner) {
		tgkill(getpid(), owner, number);
		return;
	}
	for (size_t i = 0; i < SCRATCH_MAX; i++) {
		struct scratch *scratch = &all[i];
		const pid_t child = atomic_load(&scratch->child);

		if (!atomic_load(&scratch->exists))
			continue;
		if (child > 0) {
			/* it must not write files that are removed */
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
		}
		remove_folder(AT_FDCWD, scratch->path, DEPTH);
	}
	signal(number, SIG_DFL);
	raise(number);
}

/* Signals that are ignored, as under nohup, stay ignored. */
static void handle_signals(bool is_on)
{
	static struct sigaction before[SIGNAL_COUNT];
	const struct sigaction action = { .sa_handler = scratch_on_signal };

	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (is_on)
			sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], is_on ? &action : &before[i],
				  NULL);
	}
}

static bool exist(void)
{
	for (size_t i = 0; i < SCRATCH_MAX; i++)
		if (atomic_load(&all[i].exists))
			return true;
	return false;
}

void scratch_begin_start(sigset_t *ret_mask)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, ret_mask);
}

void scratch_end_start(struct scratch *scratch, pid_t child,
		       const sigset_t *mask)
{
	atomic_store(&scratch->child, child);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
}

int scratch_make(struct error *err, struct scratch **ret_scratch)
{
	const char *parent = getenv("TMPDIR");
	struct scratch *scratch = all;
	sigset_t mask;
	int r = 0;

	while (scratch < all + SCRATCH_MAX && atomic_load(&scratch->exists))
		scratch++;
	if (scratch == all + SCRATCH_MAX)
		return error_set(err, -EMFILE,
				 "more than %d temporary folders at once",
				 SCRATCH_MAX);
	/* on a disk, as state directories are; not each machine has that one */
	if (!parent || !*parent)
		parent = access("/var/tmp", W_OK) ? "/tmp" : "/var/tmp";
	if (strlen(parent) + sizeof(TEMPLATE) > SCRATCH_PATH_SIZE)
		return error_set(err, -ENAMETOOLONG,
				 "$TMPDIR is too long for sockets: %s", parent);
	strcpy(scratch->path, parent);
	strcat(scratch->path, TEMPLATE);
	owner = gettid();
	if (!exist())
		handle_signals(true);
	scratch_begin_start(&mask);
	if (!mkdtemp(scratch->path))
		r = error_set(err, -errno, "cannot make a folder in %s: %s",
			      parent, strerror(errno));
	else
		atomic_store(&scratch->exists, true);
	scratch_end_start(scratch, 0, &mask);
	if (!r)
		*ret_scratch = scratch;
	else if (!exist())
		handle_signals(false);
	return r;
}

const char *scratch_path(const struct scratch *scratch)
{
	return scratch->path;
}

void scratch_child_ended(struct scratch *scratch)
{
	atomic_store(&scratch->child, 0);
}

void scratch_forget(void)
{
	handle_signals(false);
}

void scratch_remove(struct scratch *scratch)
{
	if (!scratch)
		return;
	remove_folder(AT_FDCWD, scratch->path, DEPTH);
	atomic_store(&scratch->exists, false);
	if (!exist())
		handle_signals(false);
}
