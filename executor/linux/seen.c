/* seen.c - see seen.h. Reference: tsearch(3). */
#include "executor/linux/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "executor/linux/file_data.h"
#include "executor/linux/state_codec.h"

/* How exactly file systems tell times, and those that have whole seconds only. */
#define TICK_NS (100 * NS_PER_MS)
#define TICK_COARSE_NS (2 * NS_PER_S)
/* Bytes that are read at once. */
#define PIECE (64u << 10)

/* How a file looks. */
struct look {
	int result; /* 0 or -errno: the rest does not count */
	mode_t mode;
	dev_t device;
	ino_t inode;
	off_t size;
	uint64_t modified_ns, changed_ns;
	uint64_t sum; /* of its bytes, if it had just been changed */
	bool is_fresh;
};

struct seen_file {
	bool is_hosts; /* links lead where they do for the host */
	bool has_names_read;
	struct look look;
	char path[];
};

struct linux_seen {
	pthread_mutex_t lock; /* of the rest */
	void *tree;	      /* of struct seen_file */
	size_t count, bytes;
	bool is_full;
};

static int compare_files(const void *one, const void *other)
{
	const struct seen_file *a = one, *b = other;

	if (a->is_hosts != b->is_hosts)
		return a->is_hosts - b->is_hosts;
	return strcmp(a->path, b->path);
}

struct linux_seen *linux_seen_create(void)
{
	struct linux_seen *seen = calloc(1, sizeof(*seen));

	if (seen)
		pthread_mutex_init(&seen->lock, NULL);
	return seen;
}

void linux_seen_free(struct linux_seen *seen)
{
	if (!seen)
		return;
	tdestroy(seen->tree, free);
	pthread_mutex_destroy(&seen->lock);
	free(seen);
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

/* Of the bytes of @found, which is O_PATH: FNV-1a. 0: they cannot be read. */
static uint64_t sum_of(int found)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	cleanup_close int fd = root_reopen(found);
	cleanup_free uint8_t *bytes = malloc(PIECE);
	size_t size = 0;
	ssize_t got = -1;

	while (fd >= 0 && bytes && size <= FILE_DATA_MAX &&
	       (got = read(fd, bytes, PIECE)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
		size += (size_t)got;
	}
	return got ? 0 : sum;
}

static void look_read(int found, const struct stat *status,
		      struct look *ret_look)
{
	uint64_t tick_ns;

	*ret_look = (struct look){ .result = found < 0 ? found : 0 };
	if (found < 0)
		return;
	ret_look->mode = status->st_mode;
	ret_look->device = status->st_dev;
	ret_look->inode = status->st_ino;
	ret_look->size = status->st_size;
	ret_look->modified_ns = ns_of(&status->st_mtim);
	ret_look->changed_ns = ns_of(&status->st_ctim);
	tick_ns = status->st_ctim.tv_nsec ? TICK_NS : TICK_COARSE_NS;
	ret_look->is_fresh = S_ISREG(status->st_mode) &&
			     clock_read_ns(CLOCK_REALTIME) <
				     ret_look->changed_ns + tick_ns;
}

/* The same for a file of the host, where links are followed. Returns it, O_PATH. */
static int look_at_hosts(const char *path, struct stat *ret_status)
{
	const int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_status)) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* NULL: no memory. */
static struct seen_file *new_file(const char *path, bool is_hosts)
{
	const size_t size = strlen(path) + 1;
	struct seen_file *file = calloc(1, sizeof(*file) + size);

	if (file) {
		file->is_hosts = is_hosts;
		memcpy(file->path, path, size);
	}
	return file;
}

/* Makes @file one of them, if there is room. The lock is held. */
static bool insert(struct linux_seen *seen, struct seen_file *file)
{
	const size_t size = strlen(file->path) + 1;

	if (seen->count == LINUX_SEEN_MAX ||
	    size > LINUX_SEEN_BYTES_MAX - seen->bytes ||
	    !tsearch(file, &seen->tree, compare_files))
		return false;
	seen->count++;
	seen->bytes += size;
	return true;
}

/* Adds a file that is not there yet. The lock is held. */
static void add(struct linux_seen *seen, const char *path, bool is_hosts,
		int found, const struct stat *status)
{
	struct seen_file *file = new_file(path, is_hosts);

	if (file && tfind(file, &seen->tree, compare_files)) {
		free(file);
		return;
	}
	if (!file || !insert(seen, file)) {
		seen->is_full = true;
		free(file);
		return;
	}
	look_read(found, status, &file->look);
	if (file->look.is_fresh)
		file->look.sum = sum_of(found);
}

void linux_seen_note(struct linux_seen *seen, const char *path, int found,
		     const struct stat *status)
{
	pthread_mutex_lock(&seen->lock);
	add(seen, path, false, found, status);
	pthread_mutex_unlock(&seen->lock);
}

void linux_seen_note_host(struct linux_seen *seen, const char *path)
{
	struct stat status = { .st_mode = 0 };
	cleanup_close int found = look_at_hosts(path, &status);

	pthread_mutex_lock(&seen->lock);
	add(seen, path, true, found, &status);
	pthread_mutex_unlock(&seen->lock);
}

void linux_seen_note_names(struct linux_seen *seen, const char *path)
{
	struct seen_file *key = new_file(path, false), **place;

	if (!key)
		return;
	pthread_mutex_lock(&seen->lock);
	place = tfind(key, &seen->tree, compare_files);
	if (place)
		(*place)->has_names_read = true;
	pthread_mutex_unlock(&seen->lock);
	free(key);
}

bool linux_seen_is_full(struct linux_seen *seen)
{
	bool is_full;

	pthread_mutex_lock(&seen->lock);
	is_full = seen->is_full;
	pthread_mutex_unlock(&seen->lock);
	return is_full;
}

static bool is_same_look(const struct seen_file *file, int found,
			 const struct stat *status)
{
	const struct look *then = &file->look;
	struct look now;

	look_read(found, status, &now);
	if (then->result || now.result)
		return then->result == now.result;
	if (then->mode != now.mode || then->device != now.device ||
	    then->inode != now.inode)
		return false;
	if (S_ISDIR(then->mode) && !file->has_names_read)
		return true;
	if (then->size != now.size || then->modified_ns != now.modified_ns ||
	    then->changed_ns != now.changed_ns)
		return false;
	return !then->is_fresh || (then->sum && then->sum == sum_of(found));
}

/* A comparison under way. */
struct comparison {
	const struct root *root;
	bool is_same;
	int result;	  /* -errno: it could not be compared */
	const char *path; /* that differs, or could not be */
};

static void compare_one(const void *node, VISIT visit, void *cookie)
{
	const struct seen_file *file = *(const struct seen_file *const *)node;
	struct comparison *comparison = cookie;
	cleanup_close int found = -1;
	struct stat status = { .st_mode = 0 };

	if (!comparison->is_same || (visit != postorder && visit != leaf))
		return;
	found = file->is_hosts ?
			look_at_hosts(file->path, &status) :
			root_look(comparison->root, file->path, &status);
	comparison->result = root_is_short(found) ? found : 0;
	comparison->is_same = is_same_look(file, found, &status);
	comparison->path = file->path;
}

int linux_seen_changed(struct linux_seen *seen, const struct root *root,
		       char path[static ROOT_PATH_MAX])
{
	struct comparison comparison = { root, true, 0, NULL };

	pthread_mutex_lock(&seen->lock);
	twalk_r(seen->tree, compare_one, &comparison);
	if (!comparison.is_same)
		snprintf(path, ROOT_PATH_MAX, "%s", comparison.path);
	pthread_mutex_unlock(&seen->lock);
	return comparison.result ? comparison.result : !comparison.is_same;
}

bool linux_seen_is_same(struct linux_seen *seen, const struct root *root)
{
	char path[ROOT_PATH_MAX];

	return !linux_seen_changed(seen, root, path);
}

static void state_look(struct state *state, struct look *look)
{
	STATE_NUMBER(state, look->result);
	STATE_NUMBER(state, look->mode);
	STATE_NUMBER(state, look->device);
	STATE_NUMBER(state, look->inode);
	STATE_NUMBER(state, look->size);
	STATE_NUMBER(state, look->modified_ns);
	STATE_NUMBER(state, look->changed_ns);
	STATE_NUMBER(state, look->sum);
	STATE_NUMBER(state, look->is_fresh);
	/* nothing else is ever opened to be read */
	state_need(state,
		   look->result <= 0 &&
			   (!look->is_fresh || S_ISREG(look->mode)),
		   "how a file looked");
}

/* Whether @path is one that a program may look up; of the host's own, one that it names. */
static bool may_be_seen(const struct state *state, const char *path,
			bool is_hosts)
{
	if (!state_is_read(state))
		return true;
	/* of "/", the path is "" */
	if (!is_hosts)
		return !*path || root_is_path(path);
	for (size_t i = 0; i < STATE_HOSTS; i++)
		if (state->hosts[i] && !strcmp(state->hosts[i], path))
			return true;
	return false;
}

static void state_seen(struct state *state, struct seen_file *file, char **path)
{
	state_text(state, path, ROOT_PATH_MAX - 1);
	STATE_NUMBER(state, file->is_hosts);
	STATE_NUMBER(state, file->has_names_read);
	state_look(state, &file->look);
	state_need(state,
		   state_is_good(state) &&
			   may_be_seen(state, *path, file->is_hosts),
		   "the path of a file that it has looked at");
}

static void write_seen(const void *node, VISIT visit, void *cookie)
{
	struct seen_file *file = *(struct seen_file *const *)node;
	char *path = file->path;

	if (visit == postorder || visit == leaf)
		state_seen(cookie, file, &path);
}

/* Reads a file, and notes it. */
static void read_seen(struct linux_seen *seen, struct state *state)
{
	struct seen_file read = { .is_hosts = false }, *file = NULL;
	cleanup_free char *path = NULL;

	state_seen(state, &read, &path);
	if (!state_is_good(state))
		return;
	file = new_file(path, read.is_hosts);
	if (file) {
		file->has_names_read = read.has_names_read;
		file->look = read.look;
	}
	state_need(state,
		   file && !tfind(file, &seen->tree, compare_files) &&
			   insert(seen, file),
		   "a file that it has looked at twice");
	if (!state_is_good(state))
		free(file);
}

void linux_seen_state(struct linux_seen *seen, struct state *state)
{
	size_t count;

	pthread_mutex_lock(&seen->lock);
	if (seen->is_full)
		state_fail(state, -EOPNOTSUPP,
			   "the program has looked at more than %d paths",
			   LINUX_SEEN_MAX);
	count = seen->count;
	STATE_NUMBER(state, count);
	state_need(state, count <= LINUX_SEEN_MAX,
		   "the number of files that it has looked at");
	if (!state_is_read(state))
		twalk_r(seen->tree, write_seen, state);
	for (size_t i = 0;
	     state_is_read(state) && i < count && state_is_good(state); i++)
		read_seen(seen, state);
	pthread_mutex_unlock(&seen->lock);
}

void linux_seen_move(struct linux_seen *to, struct linux_seen *from)
{
	pthread_mutex_lock(&to->lock);
	tdestroy(to->tree, free);
	to->tree = from->tree;
	to->count = from->count;
	to->bytes = from->bytes;
	to->is_full = from->is_full;
	pthread_mutex_unlock(&to->lock);
	from->tree = NULL;
	from->count = from->bytes = 0;
}

/* The folders that are told; files of a folder mostly follow each other. */
struct telling {
	const struct root *root;
	const char *directory;
	void (*call)(void *cookie, const char *folder);
	void *cookie;
	char last[ROOT_PATH_MAX];
};

static void tell_folder(const void *node, VISIT visit, void *cookie)
{
	const struct seen_file *file = *(const struct seen_file *const *)node;
	struct telling *telling = cookie;
	char path[ROOT_PATH_MAX];
	char *slash;

	if (file->is_hosts || (visit != postorder && visit != leaf) ||
	    root_host_path(telling->root, telling->directory, file->path, path))
		return;
	slash = strrchr(path, '/');
	if (!slash)
		return;
	slash[slash == path] = '\0';
	if (!strcmp(path, telling->last))
		return;
	strcpy(telling->last, path);
	telling->call(telling->cookie, path);
}

void linux_seen_folders(struct linux_seen *seen, const struct root *root,
			const char *directory,
			void (*call)(void *cookie, const char *folder),
			void *cookie)
{
	struct telling telling = { root, directory, call, cookie, "" };

	pthread_mutex_lock(&seen->lock);
	twalk_r(seen->tree, tell_folder, &telling);
	pthread_mutex_unlock(&seen->lock);
}
