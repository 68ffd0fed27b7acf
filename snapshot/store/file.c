/* file.c - opens, checks and verifies a snapshot's file. See file.h. */
#include "snapshot/store/file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

bool store_is_zero(const uint8_t *bytes, size_t size)
{
	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

void store_hash(const void *bytes, size_t size, uint8_t hash[STORE_HASH_SIZE])
{
	crypto_generichash(hash, STORE_HASH_SIZE, bytes, size, NULL, 0);
}

/* The bytes from the header to what is between the hashes and the memory. */
static size_t parts_size(const struct store_parts *parts)
{
	return (size_t)(parts->hashes + parts->hashes_size -
			sizeof(struct store_header));
}

void store_hash_parts(const struct store_header *header, const void *rest,
		      uint8_t hash[STORE_HASH_SIZE])
{
	const struct store_parts parts = store_parts_of(header);
	crypto_generichash_state state;
	struct store_header copy = *header;

	memset(copy.hash, 0, sizeof(copy.hash));
	crypto_generichash_init(&state, NULL, 0, STORE_HASH_SIZE);
	crypto_generichash_update(&state, (const void *)&copy, sizeof(copy));
	crypto_generichash_update(&state, rest, parts_size(&parts));
	crypto_generichash_final(&state, hash, STORE_HASH_SIZE);
}

int store_lock(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

bool store_is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

const char *store_architecture_name(uint32_t architecture)
{
	return architecture == EM_X86_64  ? "x86_64" :
	       architecture == EM_AARCH64 ? "arm64" :
					    "?";
}

/* Reads all @size bytes. 0; -EBADMSG: the file ends before; or -errno. */
static int read_all(int fd, void *buffer, size_t size, uint64_t offset)
{
	char *at = buffer;

	while (size) {
		ssize_t got = pread(fd, at, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EBADMSG;
		at += got;
		offset += (size_t)got;
		size -= (size_t)got;
	}
	return 0;
}

/* Only its owner can have written it; then nobody can have put another in its place. */
static int check_owner(const struct stat *status, const char *name,
		       struct error *err)
{
	if (!S_ISREG(status->st_mode))
		return error_set(err, -EPERM, "%s is no regular file", name);
	if (status->st_uid != geteuid() || status->st_mode & 022)
		return error_set(err, -EPERM,
				 "%s belongs to another user, or others may "
				 "write to it",
				 name);
	return 0;
}

static int refuse(const struct store_header *header, const char *name,
		  struct error *err, const char *what)
{
	return error_set(err, -ESTALE, "%s: %s; it was written by thaw %.*s",
			 name, what, STORE_VERSION_MAX, header->version);
}

/* Sizes and times are within bounds: nothing can wrap that is made of them. */
static int check_numbers(const struct store_header *header, const char *name,
			 struct error *err)
{
	if (header->manifest_size <= STORE_MANIFEST_MAX &&
	    header->ready_size <= STORE_READY_MAX &&
	    header->state_size <= STORE_STATE_MAX && header->memory_size &&
	    header->memory_size <= LAYOUT_MEMORY_MAX &&
	    header->memory_size % LAYOUT_MEMORY_UNIT == 0 &&
	    header->frozen_ns <= STORE_FROZEN_NS_MAX)
		return 0;
	return error_set(err, -EBADMSG,
			 "%s is corrupt: its numbers are no good", name);
}

static bool has_features(const struct store_machine *machine,
			 const struct store_header *header)
{
	for (size_t i = 0; i < STORE_FEATURES; i++)
		if (header->features[i] & ~machine->features[i])
			return false;
	return true;
}

enum store_misfit store_misfit(const struct store_header *header,
			       const struct store_machine *machine)
{
	if (header->architecture != machine->architecture)
		return STORE_MISFIT_ARCHITECTURE;
	if (header->abi != machine->abi)
		return STORE_MISFIT_ABI;
	if (header->page_size != machine->page_size)
		return STORE_MISFIT_PAGE_SIZE;
	if (!has_features(machine, header))
		return STORE_MISFIT_CPU;
	return STORE_MISFIT_NONE;
}

const char *store_misfit_text(enum store_misfit misfit)
{
	static const char *const texts[] = {
		[STORE_MISFIT_NONE] = "",
		[STORE_MISFIT_ARCHITECTURE] = "it is of another architecture",
		[STORE_MISFIT_ABI] = "it is of another ABI version",
		[STORE_MISFIT_PAGE_SIZE] = "it has pages of another size",
		[STORE_MISFIT_CPU] =
			"it is of a CPU with features that this one lacks",
	};

	return texts[misfit];
}

static int check_machine(const struct store_header *header,
			 const struct store_machine *machine,
			 const uint8_t *key, const char *name,
			 struct error *err)
{
	const enum store_misfit misfit =
		machine ? store_misfit(header, machine) : STORE_MISFIT_NONE;

	if (misfit)
		return refuse(header, name, err, store_misfit_text(misfit));
	if (key && memcmp(header->key, key, STORE_KEY_SIZE) != 0)
		return refuse(header, name, err, "it is of something else");
	return 0;
}

static int open_header(struct store_file *file, const char *name,
		       struct error *err)
{
	struct store_header *header = &file->header;
	struct stat status;
	int r;

	if (fstat(file->fd, &status))
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	r = check_owner(&status, name, err);
	if (r)
		return r;
	r = store_lock(file->fd);
	if (r)
		return error_set(err, r, "locking %s: %s", name, strerror(-r));
	r = read_all(file->fd, header, sizeof(*header), 0);
	if (r == -EBADMSG || (!r && memcmp(header->magic, STORE_MAGIC,
					   sizeof(header->magic)) != 0))
		return error_set(err, -EBADMSG, "%s is no snapshot's file",
				 name);
	if (r)
		return error_set(err, r, "reading %s: %s", name, strerror(-r));
	if (header->format != STORE_FORMAT)
		return refuse(header, name, err, "it has another format");
	r = check_numbers(header, name, err);
	if (r)
		return r;
	file->parts = store_parts_of(header);
	if ((uint64_t)status.st_size == file->parts.end)
		return 0;
	return error_set(err, -EBADMSG,
			 "%s is %s: it has %lld bytes of %llu; it was written "
			 "by thaw %.*s",
			 name,
			 (uint64_t)status.st_size < file->parts.end ?
				 "truncated" :
				 "corrupt",
			 (long long)status.st_size,
			 (unsigned long long)file->parts.end, STORE_VERSION_MAX,
			 header->version);
}

static int read_parts(struct store_file *file, const char *name,
		      struct error *err)
{
	const struct store_parts *parts = &file->parts;
	const uint64_t begin = sizeof(file->header);
	const size_t size = (size_t)(parts->memory - begin);
	uint8_t hash[STORE_HASH_SIZE] = { 0 };
	int r;

	file->parts_copy = malloc(size);
	if (!file->parts_copy)
		return error_set(err, -ENOMEM, "no memory for %s", name);
	r = read_all(file->fd, file->parts_copy, size, begin);
	if (r && r != -EBADMSG)
		return error_set(err, r, "reading %s: %s", name, strerror(-r));
	if (!r)
		store_hash_parts(&file->header, file->parts_copy, hash);
	if (r || memcmp(hash, file->header.hash, sizeof(hash)) != 0 ||
	    !store_is_zero(file->parts_copy + parts_size(parts),
			   size - parts_size(parts)))
		return error_set(err, -EBADMSG,
				 "%s is corrupt; it was written by thaw %.*s",
				 name, STORE_VERSION_MAX, file->header.version);
	file->manifest = (char *)file->parts_copy + (parts->manifest - begin);
	file->ready = file->parts_copy + (parts->ready - begin);
	file->state = file->parts_copy + (parts->state - begin);
	file->bitmap = file->parts_copy + (parts->bitmap - begin);
	file->hashes = file->parts_copy + (parts->hashes - begin);
	return 0;
}

int store_file_open(int dir, const char *name,
		    const struct store_machine *machine, const uint8_t *key,
		    struct error *err, struct store_file *ret_file)
{
	struct store_file file = { .fd = -1 };
	int r;

	/* a FIFO would keep us waiting */
	file.fd = openat(dir, name,
			 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file.fd < 0)
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	r = open_header(&file, name, err);
	if (!r)
		r = check_machine(&file.header, machine, key, name, err);
	if (!r)
		r = read_parts(&file, name, err);
	if (r) {
		store_file_close(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void store_file_close(struct store_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->parts_copy);
	*file = (struct store_file){ .fd = -1 };
}

/* Whether the file has data in the chunk at @at; *@next is where data was found last. */
static bool has_data(int fd, uint64_t at, uint64_t *next)
{
	if (*next >= at + STORE_CHUNK)
		return false;
	if (*next <= at) {
		off_t found = lseek(fd, (off_t)at, SEEK_DATA);

		/* a file system that cannot tell has data everywhere */
		*next = found >= 0     ? (uint64_t)found :
			errno == ENXIO ? UINT64_MAX :
					 at;
	}
	return *next < at + STORE_CHUNK;
}

int store_pause_count(const struct store_pause *pause, uint64_t *chunks,
		      struct error *err)
{
	if (++*chunks % STORE_PAUSE_CHUNKS || !pause || !pause->call ||
	    !pause->call(pause->cookie))
		return 0;
	return error_set(err, -ESHUTDOWN,
			 "it was stopped: it is not needed any more");
}

int store_file_verify(const struct store_file *file,
		      const struct store_pause *pause, struct error *err)
{
	const uint64_t chunks = file->header.memory_size / STORE_CHUNK;
	cleanup_free uint8_t *bytes = malloc(STORE_CHUNK);
	uint8_t hash[STORE_HASH_SIZE];
	uint64_t next = 0, read_chunks = 0;

	if (!bytes)
		return error_set(err, -ENOMEM, "no memory to verify a file");
	for (uint64_t i = 0; i < chunks; i++) {
		const uint8_t *want = file->hashes + i * STORE_HASH_SIZE;
		const uint64_t gpa = i * STORE_CHUNK;
		const uint64_t at = file->parts.memory + gpa;
		const bool is_hole = store_is_zero(want, STORE_HASH_SIZE);
		bool is_good;
		int r;

		/* a hole, as the file system calls it, reads as zeros */
		if (!has_data(file->fd, at, &next) && is_hole)
			continue;
		r = read_all(file->fd, bytes, STORE_CHUNK, at);
		if (r && r != -EBADMSG)
			return error_set(err, r, "reading a snapshot: %s",
					 strerror(-r));
		store_hash(bytes, STORE_CHUNK, hash);
		is_good = is_hole ? store_is_zero(bytes, STORE_CHUNK) :
				    !memcmp(hash, want, sizeof(hash));
		if (r || !is_good)
			return error_set(err, -EBADMSG,
					 "its memory is corrupt at %#llx; it "
					 "was written by thaw %.*s",
					 (unsigned long long)gpa,
					 STORE_VERSION_MAX,
					 file->header.version);
		r = store_pause_count(pause, &read_chunks, err);
		if (r)
			return r;
	}
	return 0;
}

bool store_file_is_tmpfs(const struct store_file *file)
{
	struct statfs status;

	return !fstatfs(file->fd, &status) && status.f_type == TMPFS_MAGIC;
}

int store_file_read(const struct store_file *file, uint8_t *to)
{
	const uint64_t pages = file->header.memory_size / THAW_PAGE_SIZE;
	uint64_t end;
	int r = 0;

	for (uint64_t page = 0; page < pages && !r; page = end + 1) {
		end = page;
		while (end < pages && store_file_has_page(file, end))
			end++;
		r = read_all(file->fd, to + page * THAW_PAGE_SIZE,
			     (end - page) * THAW_PAGE_SIZE,
			     file->parts.memory + page * THAW_PAGE_SIZE);
	}
	return r;
}

uint64_t store_file_bytes(const struct store_file *file)
{
	uint64_t pages = 0;

	for (uint64_t i = 0; i < file->parts.bitmap_size; i++)
		pages += (unsigned)__builtin_popcount(file->bitmap[i]);
	return pages * THAW_PAGE_SIZE;
}
