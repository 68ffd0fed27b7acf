/* store.c - see store.h. */
#include "snapshot/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "snapshot/store/directory.h"
#include "snapshot/store/vouch.h"

struct store {
	int dir;
	uint64_t size_max;
	/*
	 * Bytes that may be written before all files are counted again: half of what
	 * was left then, as another process may do the same.
	 */
	_Atomic uint64_t spare;
};

void store_name(const uint8_t key[STORE_KEY_SIZE], const char *suffix,
		char name[STORE_NAME_MAX])
{
	sodium_bin2hex(name, STORE_NAME_MAX, key, STORE_KEY_SIZE);
	strcpy(name + 2 * STORE_KEY_SIZE, suffix);
}

int store_directory(const struct store *store)
{
	return store->dir;
}

/* The same name with another suffix, if @name is one of ours. */
static bool rename_to(const char *name, const char *suffix,
		      char to[STORE_NAME_MAX])
{
	const size_t size = 2 * STORE_KEY_SIZE;

	if (strspn(name, "0123456789abcdef") != size)
		return false;
	memcpy(to, name, size);
	strcpy(to + size, suffix);
	return true;
}

static bool has_suffix(const char *name, const char *suffix)
{
	char own[STORE_NAME_MAX];

	return rename_to(name, suffix, own) && !strcmp(name, own);
}

/*
 * Whether somebody has the file @name open. If it is opened between this and its removal,
 * it can still be used: only its name is gone.
 */
static bool is_used(int dir, const char *name)
{
	cleanup_close int fd =
		openat(dir, name,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && store_is_locked(fd);
}

/* Removes what is said of the file that is, or was, called @name. */
static void remove_sayings(int dir, const char *name)
{
	char other[STORE_NAME_MAX];

	if (rename_to(name, STORE_VOUCH_SUFFIX, other))
		unlinkat(dir, other, 0);
	if (rename_to(name, STORE_ADVICE_SUFFIX, other))
		unlinkat(dir, other, 0);
}

static int remove_unused(int dir, const char *name)
{
	if (is_used(dir, name))
		return -EBUSY;
	if (unlinkat(dir, name, 0))
		return -errno;
	/* one that was moved aside is not what they are about */
	if (has_suffix(name, STORE_SUFFIX))
		remove_sayings(dir, name);
	return 0;
}

static DIR *open_again(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

/* Removes what was being written when its writer was killed. */
static void remove_left(int dir)
{
	DIR *stream = open_again(dir);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (!strncmp(entry->d_name, STORE_TEMPORARY,
			     strlen(STORE_TEMPORARY)))
			(void)remove_unused(dir, entry->d_name);
	if (stream)
		closedir(stream);
}

int store_open(const char *path, uint64_t size_max, struct error *err,
	       struct store **ret_store)
{
	cleanup_close int dir = -1;
	struct store *store;
	int r;

	if (sodium_init() < 0)
		return error_set(err, -EIO, "libsodium does not start");
	r = store_directory_open(path, err, &dir);
	if (r)
		return r;
	store = malloc(sizeof(*store));
	if (!store)
		return error_set(err, -ENOMEM, "no memory for a store");
	remove_left(dir);
	*store = (struct store){ .dir = take_fd(&dir), .size_max = size_max };
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	close(store->dir);
	free(store);
}

/* When it was used last: the time of what vouches for it, or its own. */
static int64_t used_at(int dir, const char *name, const struct stat *own)
{
	char voucher[STORE_NAME_MAX];
	struct stat status;

	if (has_suffix(name, STORE_SUFFIX) &&
	    rename_to(name, STORE_VOUCH_SUFFIX, voucher) &&
	    !fstatat(dir, voucher, &status, AT_SYMLINK_NOFOLLOW))
		own = &status;
	return (int64_t)own->st_mtim.tv_sec * 1000000000 + own->st_mtim.tv_nsec;
}

/* The bytes that the file @name takes, of which @own is known, with its advice. */
static uint64_t bytes_with_advice(int dir, const char *name,
				  const struct stat *own)
{
	char advice[STORE_NAME_MAX];
	uint64_t blocks = (uint64_t)own->st_blocks;
	struct stat status;

	if (has_suffix(name, STORE_SUFFIX) &&
	    rename_to(name, STORE_ADVICE_SUFFIX, advice) &&
	    !fstatat(dir, advice, &status, AT_SYMLINK_NOFOLLOW))
		blocks += (uint64_t)status.st_blocks;
	return blocks * 512;
}

/* What is known of the file @name; false: it is not one of ours. */
static bool look_at(int dir, const char *name, struct store_entry *ret_entry)
{
	struct store_entry entry = { .is_bad = has_suffix(name,
							  STORE_BAD_SUFFIX) };
	struct stat status;

	if ((!entry.is_bad && !has_suffix(name, STORE_SUFFIX)) ||
	    fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(status.st_mode))
		return false;
	strcpy(entry.name, name);
	entry.bytes = bytes_with_advice(dir, name, &status);
	entry.used_s = used_at(dir, name, &status);
	*ret_entry = entry;
	return true;
}

static int compare_used(const void *a, const void *b)
{
	const struct store_entry *one = a, *other = b;

	return one->used_s < other->used_s ? -1 : one->used_s > other->used_s;
}

/* As store_list(), with nanoseconds in used_s, and without is_used. */
static int list_exact(int dir, struct store_entry **ret_entries,
		      size_t *ret_count)
{
	DIR *stream = open_again(dir);
	struct store_entry *entries = NULL;
	const struct dirent *entry;
	size_t count = 0, room = 0;

	if (!stream)
		return -errno;
	while (count < STORE_FILES_MAX && (entry = readdir(stream))) {
		if (count == room) {
			const size_t more = room ? 2 * room : 64;
			void *larger =
				reallocarray(entries, more, sizeof(*entries));

			if (!larger) {
				free(entries);
				closedir(stream);
				return -ENOMEM;
			}
			entries = larger;
			room = more;
		}
		count += look_at(dir, entry->d_name, &entries[count]);
	}
	closedir(stream);
	if (count)
		qsort(entries, count, sizeof(*entries), compare_used);
	*ret_entries = entries;
	*ret_count = count;
	return 0;
}

int store_list(struct store *store, struct error *err,
	       struct store_entry **ret_entries, size_t *ret_count)
{
	int r = list_exact(store->dir, ret_entries, ret_count);

	if (r)
		return error_set(err, r, "reading the state directory: %s",
				 strerror(-r));
	for (size_t i = 0; i < *ret_count; i++) {
		struct store_entry *entry = &(*ret_entries)[i];

		entry->used_s /= 1000000000;
		entry->is_used = is_used(store->dir, entry->name);
	}
	return 0;
}

/* Removes the oldest of those that were moved aside, until STORE_BAD_MAX are left. */
static void remove_bad(int dir)
{
	struct store_entry *entries = NULL;
	size_t count = 0, bad = 0;

	if (list_exact(dir, &entries, &count))
		return;
	for (size_t i = 0; i < count; i++)
		bad += entries[i].is_bad;
	for (size_t i = 0; i < count && bad > STORE_BAD_MAX; i++)
		if (entries[i].is_bad && !remove_unused(dir, entries[i].name))
			bad--;
	free(entries);
}

/* Moves the file @name aside, unless it is another one than that with @inode by now. */
static void move_aside(int dir, const char *name, ino_t inode)
{
	char aside[STORE_NAME_MAX];
	struct stat status;

	if (!rename_to(name, STORE_BAD_SUFFIX, aside) ||
	    fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) ||
	    status.st_ino != inode)
		return;
	if (!renameat(dir, name, dir, aside)) {
		remove_sayings(dir, name);
		(void)utimensat(dir, aside, NULL, AT_SYMLINK_NOFOLLOW);
		remove_bad(dir);
	}
}

static bool is_refusal(int result)
{
	return result == -EBADMSG || result == -ESTALE;
}

static ino_t inode_of(int dir, const char *name)
{
	struct stat status;

	return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) ? 0 :
								  status.st_ino;
}

/* Verifies the memory of @file, called @name, and vouches for it. */
static int verify_once(int dir, const char *name, const struct store_file *file,
		       const struct store_pause *pause, struct error *err)
{
	char voucher[STORE_NAME_MAX];
	int r = store_file_verify(file, pause, err);

	if (r)
		return error_prefix(err, r, "%s", name);
	/*
	 * without it, it is verified once more; what vouches for it already says as well
	 * when it was used
	 */
	if (rename_to(name, STORE_VOUCH_SUFFIX, voucher) &&
	    !vouch_is_there(dir, voucher, file->fd, file->header.hash))
		(void)vouch_write(dir, voucher, file->fd, file->header.hash);
	return 0;
}

void store_use(struct store *store, const uint8_t key[STORE_KEY_SIZE])
{
	char voucher[STORE_NAME_MAX];

	store_name(key, STORE_VOUCH_SUFFIX, voucher);
	vouch_touch(store->dir, voucher);
}

int store_find(struct store *store, const struct store_machine *machine,
	       const uint8_t key[STORE_KEY_SIZE],
	       const struct store_pause *pause, struct error *err,
	       struct store_file *ret_file)
{
	char name[STORE_NAME_MAX], voucher[STORE_NAME_MAX];
	struct store_file file = { .fd = -1 };
	ino_t inode;
	int r;

	store_name(key, STORE_SUFFIX, name);
	store_name(key, STORE_VOUCH_SUFFIX, voucher);
	inode = inode_of(store->dir, name);
	r = store_file_open(store->dir, name, machine, key, err, &file);
	if (!r &&
	    !vouch_is_there(store->dir, voucher, file.fd, file.header.hash))
		r = verify_once(store->dir, name, &file, pause, err);
	if (is_refusal(r))
		move_aside(store->dir, name, inode);
	if (r) {
		store_file_close(&file);
		return r;
	}
	store_use(store, key);
	*ret_file = file;
	return 0;
}

bool store_has(const struct store *store, const struct store_machine *machine,
	       const uint8_t key[STORE_KEY_SIZE], uint64_t *ret_bytes)
{
	char name[STORE_NAME_MAX], voucher[STORE_NAME_MAX];
	struct store_file file;
	bool is_good;

	store_name(key, STORE_SUFFIX, name);
	store_name(key, STORE_VOUCH_SUFFIX, voucher);
	if (store_file_open(store->dir, name, machine, key, NULL, &file))
		return false;
	is_good =
		vouch_is_there(store->dir, voucher, file.fd, file.header.hash);
	*ret_bytes = store_file_bytes(&file);
	store_file_close(&file);
	return is_good;
}

void store_reject(struct store *store, const uint8_t key[STORE_KEY_SIZE],
		  const struct store_file *file)
{
	char name[STORE_NAME_MAX];
	struct stat status;

	store_name(key, STORE_SUFFIX, name);
	if (!fstat(file->fd, &status))
		move_aside(store->dir, name, status.st_ino);
}

void store_forget(struct store *store, const uint8_t key[STORE_KEY_SIZE],
		  const struct store_file *file)
{
	char name[STORE_NAME_MAX];
	struct stat status;

	store_name(key, STORE_SUFFIX, name);
	/* another may be in its place */
	if (fstat(file->fd, &status) ||
	    inode_of(store->dir, name) != status.st_ino)
		return;
	unlinkat(store->dir, name, 0);
	remove_sayings(store->dir, name);
}

/* Whether @bytes more fit without counting; then they are taken. */
static bool take_spare(struct store *store, uint64_t bytes)
{
	uint64_t spare = atomic_load(&store->spare);

	while (bytes <= spare)
		if (atomic_compare_exchange_weak(&store->spare, &spare,
						 spare - bytes))
			return true;
	return false;
}

/* Makes room for @bytes more. @name will be replaced, so it does not count. */
static int make_room_for(struct store *store, uint64_t bytes, const char *name,
			 struct error *err)
{
	struct store_entry *entries = NULL;
	size_t count = 0;
	uint64_t total = bytes;
	int r = 0;

	if (bytes > store->size_max)
		return error_set(err, -EFBIG,
				 "the snapshot takes %llu bytes, and all may "
				 "take %llu",
				 (unsigned long long)bytes,
				 (unsigned long long)store->size_max);
	if (take_spare(store, bytes))
		return 0;
	r = list_exact(store->dir, &entries, &count);
	if (r)
		return error_set(err, r, "reading the state directory: %s",
				 strerror(-r));
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i].name, name) != 0)
			total += entries[i].bytes;
	for (size_t i = 0; i < count && total > store->size_max; i++)
		if (strcmp(entries[i].name, name) != 0 &&
		    !remove_unused(store->dir, entries[i].name))
			total -= entries[i].bytes;
	free(entries);
	if (total > store->size_max)
		return error_set(err, -ENOSPC,
				 "the store is full of snapshots in use: raise "
				 "its limit");
	atomic_store(&store->spare, (store->size_max - total) / 2);
	return 0;
}

int store_adopt(struct store *store, struct store_written *written,
		const uint8_t key[STORE_KEY_SIZE], struct error *err)
{
	char name[STORE_NAME_MAX], voucher[STORE_NAME_MAX];
	int r;

	store_name(key, STORE_SUFFIX, name);
	store_name(key, STORE_VOUCH_SUFFIX, voucher);
	r = make_room_for(store, written->bytes, name, err);
	if (!r)
		r = store_written_commit(store->dir, written, name, err);
	/* that of one that had the name */
	if (!r)
		remove_sayings(store->dir, name);
	/* its hashes are of what was written: the new times are those of the rename */
	if (!r)
		(void)vouch_write(store->dir, voucher, written->fd,
				  written->hash);
	return r;
}

/* The disk has no room: removes files with at least @bytes. False: they are not there. */
static bool evict(const struct store *store, uint64_t bytes, const char *name)
{
	struct store_entry *entries = NULL;
	uint64_t removed = 0;
	size_t count = 0;

	if (list_exact(store->dir, &entries, &count))
		return false;
	for (size_t i = 0; i < count && removed < bytes; i++)
		if (strcmp(entries[i].name, name) != 0 &&
		    !remove_unused(store->dir, entries[i].name))
			removed += entries[i].bytes;
	free(entries);
	return removed >= bytes;
}

/* About what a file with @content takes of the disk. */
static uint64_t bytes_of(const struct store_content *content)
{
	struct stat status;

	if (fstat(content->memory_fd, &status))
		return content->memory_size;
	return (uint64_t)status.st_blocks * 512;
}

/* If the disk is full, those that were used least recently make room, once. */
static int write_or_evict(const struct store *store,
			  const struct store_machine *machine,
			  const struct store_content *content,
			  struct error *err, struct store_written *ret_written)
{
	char name[STORE_NAME_MAX];
	int r = store_write(store->dir, machine, content, err, ret_written);

	store_name(content->key, STORE_SUFFIX, name);
	if ((r == -ENOSPC || r == -EDQUOT) &&
	    evict(store, bytes_of(content), name))
		r = store_write(store->dir, machine, content, err, ret_written);
	return r;
}

/* Whether there is a file that is for @machine and has @key. */
static bool is_there(const struct store *store,
		     const struct store_machine *machine,
		     const uint8_t key[STORE_KEY_SIZE])
{
	char name[STORE_NAME_MAX];
	struct store_file file;

	store_name(key, STORE_SUFFIX, name);
	if (store_file_open(store->dir, name, machine, key, NULL, &file))
		return false;
	store_file_close(&file);
	return true;
}

int store_put(struct store *store, const struct store_machine *machine,
	      const struct store_content *content, struct error *err)
{
	struct store_written written;
	int r;

	if (is_there(store, machine, content->key))
		return 0;
	r = write_or_evict(store, machine, content, err, &written);
	if (r)
		return r;
	/* another one may have been faster */
	if (!is_there(store, machine, content->key))
		r = store_adopt(store, &written, content->key, err);
	store_written_abort(store->dir, &written);
	return r;
}

int store_remove(struct store *store, const char *name, struct error *err)
{
	int r = -ENOENT;

	if (has_suffix(name, STORE_SUFFIX) ||
	    has_suffix(name, STORE_BAD_SUFFIX))
		r = remove_unused(store->dir, name);
	if (r)
		return error_set(err, r, "%s: %s", name,
				 r == -EBUSY ? "it is in use" : strerror(-r));
	return 0;
}

int store_verify(struct store *store, const char *name,
		 const struct store_pause *pause, struct error *err)
{
	const ino_t inode = inode_of(store->dir, name);
	struct store_file file = { .fd = -1 };
	int r;

	if (!has_suffix(name, STORE_SUFFIX))
		return error_set(err, -ENOENT, "%s: no snapshot", name);
	r = store_file_open(store->dir, name, NULL, NULL, err, &file);
	if (!r)
		r = verify_once(store->dir, name, &file, pause, err);
	if (r == -EBADMSG)
		move_aside(store->dir, name, inode);
	store_file_close(&file);
	return r;
}
