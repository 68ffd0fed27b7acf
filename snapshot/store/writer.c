/*
 * writer.c - see writer.h.
 *
 * Memory is written first, since its hashes stand before it. A file has a temporary name
 * until all of it is on the disk: what a crash leaves is such a file, which
 * store_open() removes.
 */
#include "snapshot/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "snapshot/store/directory.h"

int store_write_all(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const char *at = bytes;

	while (size) {
		ssize_t put = pwrite(fd, at, size, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -EIO;
		at += put;
		offset += (size_t)put;
		size -= (size_t)put;
	}
	return 0;
}

int store_create_temporary(int dir, char name[STORE_TEMPORARY_MAX])
{
	cleanup_close int fd = -1;
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(name, STORE_TEMPORARY_MAX, STORE_TEMPORARY "%016" PRIx64,
		 random);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = store_lock(fd);
	if (r) {
		unlinkat(dir, name, 0);
		return r;
	}
	return take_fd(&fd);
}

/* Writes the pages of the chunk @bytes that are not zero, and notes them. 0 or -errno. */
static int write_pages(int fd, const uint8_t *bytes, uint64_t offset,
		       uint8_t *bitmap)
{
	int r = 0;

	for (unsigned i = 0; !r && i < STORE_CHUNK_PAGES; i++) {
		const uint8_t *page = bytes + (size_t)i * THAW_PAGE_SIZE;

		if (store_is_zero(page, THAW_PAGE_SIZE))
			continue;
		bitmap[i / 8] |= (uint8_t)(1u << i % 8);
		r = store_write_all(fd, page, THAW_PAGE_SIZE,
				    offset + (uint64_t)i * THAW_PAGE_SIZE);
	}
	return r;
}

static int read_chunk(int fd, uint8_t *bytes, off_t at)
{
	size_t size = 0;

	while (size < STORE_CHUNK) {
		ssize_t got = pread(fd, bytes + size, STORE_CHUNK - size,
				    at + (off_t)size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		size += (size_t)got;
	}
	return 0;
}

/* Copies the memory; fills in @bitmap and @hashes, which are zero. 0 or -errno. */
static int write_memory(int fd, const struct store_content *content,
			uint64_t offset, uint8_t *bitmap, uint8_t *hashes)
{
	cleanup_free uint8_t *bytes = malloc(STORE_CHUNK);
	uint64_t chunks = 0;
	off_t at = 0;
	int r = bytes ? 0 : -ENOMEM;

	while (!r && (size_t)at < content->memory_size) {
		const off_t data = lseek(content->memory_fd, at, SEEK_DATA);
		size_t chunk;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		chunk = (size_t)data / STORE_CHUNK;
		at = (off_t)(chunk * STORE_CHUNK);
		r = read_chunk(content->memory_fd, bytes, at);
		if (!r && !store_is_zero(bytes, STORE_CHUNK)) {
			store_hash(bytes, STORE_CHUNK,
				   hashes + chunk * STORE_HASH_SIZE);
			r = write_pages(fd, bytes, offset + (uint64_t)at,
					bitmap + chunk * STORE_CHUNK_PAGES / 8);
		}
		if (!r)
			r = store_pause_count(&content->pause, &chunks, NULL);
		at += STORE_CHUNK;
	}
	return r;
}

static struct store_header header_of(const struct store_machine *machine,
				     const struct store_content *content)
{
	struct store_header header = {
		.format = STORE_FORMAT,
		.abi = machine->abi,
		.architecture = machine->architecture,
		.page_size = machine->page_size,
		.created_s = (uint64_t)time(NULL),
		.manifest_size = content->manifest_size,
		.ready_size = content->ready_size,
		.state_size = content->state_size,
		.memory_size = content->memory_size,
		.frozen_ns = content->frozen_ns,
	};

	memcpy(header.magic, STORE_MAGIC, sizeof(header.magic));
	snprintf(header.version, sizeof(header.version), "%s",
		 content->version);
	memcpy(header.features, machine->features, sizeof(header.features));
	memcpy(header.key, content->key, sizeof(header.key));
	return header;
}

static void put_part(uint8_t *rest, uint64_t offset, const void *bytes,
		     size_t size)
{
	if (size)
		memcpy(rest + (offset - sizeof(struct store_header)), bytes,
		       size);
}

/* Writes all of the file, and has it reach the disk. 0 or -errno. */
static int write_file(int fd, const struct store_content *content,
		      const struct store_parts *parts,
		      struct store_header *header)
{
	const size_t size = (size_t)(parts->memory - sizeof(*header));
	cleanup_free uint8_t *rest = calloc(1, size);
	int r;

	if (!rest)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)parts->end))
		return -errno;
	r = write_memory(fd, content, parts->memory,
			 rest + (parts->bitmap - sizeof(*header)),
			 rest + (parts->hashes - sizeof(*header)));
	if (r)
		return r;
	put_part(rest, parts->manifest, content->manifest,
		 content->manifest_size);
	put_part(rest, parts->ready, content->ready, content->ready_size);
	put_part(rest, parts->state, content->state, content->state_size);
	store_hash_parts(header, rest, header->hash);
	r = store_write_all(fd, rest, size, sizeof(*header));
	if (!r)
		r = store_write_all(fd, header, sizeof(*header), 0);
	return !r && fsync(fd) ? -errno : r;
}

/* A file beyond this process's limit would end the process by a signal. */
static bool may_be_so_large(uint64_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) || size <= limit.rlim_cur;
}

int store_write(int dir, const struct store_machine *machine,
		const struct store_content *content, struct error *err,
		struct store_written *ret_written)
{
	struct store_header header = header_of(machine, content);
	struct store_written written;
	struct store_parts parts;
	struct stat status;
	int r;

	if (content->manifest_size > STORE_MANIFEST_MAX ||
	    content->ready_size > STORE_READY_MAX ||
	    content->state_size > STORE_STATE_MAX || !content->memory_size ||
	    content->memory_size > LAYOUT_MEMORY_MAX ||
	    content->memory_size % LAYOUT_MEMORY_UNIT)
		return error_set(err, -EINVAL,
				 "a snapshot is too large for a file");
	parts = store_parts_of(&header);
	if (!may_be_so_large(parts.end))
		return error_set(err, -EFBIG,
				 "a snapshot has %llu bytes, more than this "
				 "process may write to a file",
				 (unsigned long long)parts.end);
	written.fd = store_create_temporary(dir, written.name);
	if (written.fd < 0)
		return store_directory_failed(dir, written.fd,
					      "creating a file in", err);
	r = write_file(written.fd, content, &parts, &header);
	if (!r && fstat(written.fd, &status))
		r = -errno;
	if (r) {
		store_written_abort(dir, &written);
		return store_directory_failed(dir, r, "writing a snapshot to",
					      err);
	}
	written.bytes = (uint64_t)status.st_blocks * 512;
	memcpy(written.hash, header.hash, sizeof(written.hash));
	*ret_written = written;
	return 0;
}

int store_written_commit(int dir, struct store_written *written,
			 const char *name, struct error *err)
{
	if (renameat(dir, written->name, dir, name))
		return store_directory_failed(dir, -errno,
					      "naming a snapshot in", err);
	written->name[0] = '\0';
	if (fsync(dir))
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	return 0;
}

void store_written_abort(int dir, struct store_written *written)
{
	if (written->name[0])
		unlinkat(dir, written->name, 0);
	if (written->fd >= 0)
		close(written->fd);
	written->fd = -1;
}
