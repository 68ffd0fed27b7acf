/* transfer.c - see transfer.h. */
#include "snapshot/store/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "snapshot/store/directory.h"

/* Writes what is not zero of @size bytes, page by page. 0 or -errno. */
static int write_sparse(int to, const uint8_t *bytes, size_t size, uint64_t at)
{
	int r = 0;

	for (size_t i = 0; !r && i < size; i += THAW_PAGE_SIZE) {
		const size_t left = size - i;
		const size_t piece = left < THAW_PAGE_SIZE ? left :
							     THAW_PAGE_SIZE;

		if (!store_is_zero(bytes + i, piece))
			r = store_write_all(to, bytes + i, piece, at + i);
	}
	return r;
}

/*
 * Copies @size bytes from @from to @to, and hashes them. 0; -EBADMSG: there are fewer; or
 * -errno: *@ret_is_target says whether writing has failed.
 */
static int copy_all(int from, int to, uint64_t size, uint8_t *chunk,
		    uint8_t sha256[STORE_SHA256_SIZE], bool *ret_is_target)
{
	crypto_hash_sha256_state state;
	int r = ftruncate(to, (off_t)size) ? -errno : 0;

	*ret_is_target = true;
	crypto_hash_sha256_init(&state);
	for (uint64_t at = 0; !r && at < size;) {
		const size_t want = size - at < STORE_CHUNK ?
					    (size_t)(size - at) :
					    STORE_CHUNK;
		const ssize_t got = pread(from, chunk, want, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			*ret_is_target = false;
			return got ? -errno : -EBADMSG;
		}
		crypto_hash_sha256_update(&state, chunk, (size_t)got);
		r = write_sparse(to, chunk, (size_t)got, at);
		at += (size_t)got;
	}
	crypto_hash_sha256_final(&state, sha256);
	return r || !fsync(to) ? r : -errno;
}

static int copy_file(int from, int to, uint64_t size, struct error *err,
		     uint8_t sha256[STORE_SHA256_SIZE], bool *ret_is_target)
{
	cleanup_free uint8_t *chunk = malloc(STORE_CHUNK);
	int r;

	*ret_is_target = false;
	r = chunk ? copy_all(from, to, size, chunk, sha256, ret_is_target) :
		    -ENOMEM;
	if (r == -EBADMSG)
		return error_set(err, r, "the file is truncated");
	return r ? error_set(err, r, "copying a snapshot: %s", strerror(-r)) :
		   0;
}

int store_export(struct store *store, const char *name, int fd,
		 struct error *err, uint8_t sha256[STORE_SHA256_SIZE],
		 uint64_t *ret_size)
{
	struct store_file file = { .fd = -1 };
	bool is_target;
	int r = store_verify(store, name, NULL, err);

	if (!r)
		r = store_file_open(store_directory(store), name, NULL, NULL,
				    err, &file);
	if (!r) {
		*ret_size = file.parts.end;
		r = copy_file(file.fd, fd, file.parts.end, err, sha256,
			      &is_target);
	}
	store_file_close(&file);
	return r;
}

/* Nobody knows the copy, called @name, which is removed: it is the file to be imported. */
static void name_import(struct error *err, int r, const char *name)
{
	struct error told;
	const char *at;

	if (!err)
		return;
	told = *err;
	at = strstr(told.message, name);
	if (at)
		error_set(err, r, "%.*sthe file%s", (int)(at - told.message),
			  told.message, at + strlen(name));
}

/* Verifies all of the copy, and takes its key and its hash. */
static int check_copy(struct store *store, struct store_written *written,
		      struct error *err, uint8_t key[STORE_KEY_SIZE])
{
	struct store_file file = { .fd = -1 };
	struct stat status;
	int r = store_file_open(store_directory(store), written->name, NULL,
				NULL, err, &file);

	if (!r)
		r = store_file_verify(&file, NULL, err);
	if (!r && fstat(file.fd, &status))
		r = error_set(err, -errno, "%s", strerror(errno));
	if (!r) {
		memcpy(key, file.header.key, STORE_KEY_SIZE);
		memcpy(written->hash, file.header.hash, STORE_HASH_SIZE);
		written->bytes = (uint64_t)status.st_blocks * 512;
	}
	store_file_close(&file);
	if (r)
		name_import(err, r, written->name);
	return r;
}

int store_import(struct store *store, int fd, uint64_t size,
		 const uint8_t sha256[STORE_SHA256_SIZE], struct error *err,
		 char name[STORE_NAME_MAX])
{
	uint8_t found[STORE_SHA256_SIZE], key[STORE_KEY_SIZE];
	struct store_written written;
	bool is_target;
	int r;

	if (size > STORE_FILE_MAX)
		return error_set(err, -EBADMSG,
				 "%llu bytes are more than a snapshot has",
				 (unsigned long long)size);
	written.fd =
		store_create_temporary(store_directory(store), written.name);
	if (written.fd < 0)
		return store_directory_failed(store_directory(store),
					      written.fd, "creating a file in",
					      err);
	r = copy_file(fd, written.fd, size, err, found, &is_target);
	if (r && is_target)
		store_directory_failed(store_directory(store), r,
				       "copying a snapshot to", err);
	if (!r && memcmp(found, sha256, sizeof(found)) != 0)
		r = error_set(err, -EBADMSG, "its hash is not the one given");
	if (!r)
		r = check_copy(store, &written, err, key);
	if (!r)
		r = store_adopt(store, &written, key, err);
	if (!r)
		store_name(key, STORE_SUFFIX, name);
	store_written_abort(store_directory(store), &written);
	return r;
}
