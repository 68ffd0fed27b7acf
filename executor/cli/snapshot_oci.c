/* snapshot_oci.c - see snapshot_oci.h. */
#include "executor/cli/snapshot_oci.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "executor/cli/snapshot_files.h"
#include "snapshot/store/transfer.h"

#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define IMAGE_TYPE "application/vnd.oci.image.manifest.v1+json"
#define SNAPSHOT_TYPE "application/vnd.thaw.snapshot.v1"
#define CONFIG_TYPE "application/vnd.thaw.snapshot.manifest.v1+json"
#define FILE_TYPE "application/vnd.thaw.snapshot.file.v1"

#define DIGEST "sha256:"
#define DIGEST_MAX (sizeof(DIGEST) + 2 * STORE_SHA256_SIZE)
#define BLOBS "blobs/sha256/"
#define BLOB_MAX (sizeof(BLOBS) + 2 * STORE_SHA256_SIZE)

static int failed(struct error *err, const char *what)
{
	const int r = -errno;

	return error_set(err, r, "%s: %s", what, strerror(-r));
}

/* The digest of @sha256, and the path of the blob that has it. */
static void name_blob(const uint8_t sha256[STORE_SHA256_SIZE],
		      char digest[DIGEST_MAX], char path[BLOB_MAX])
{
	char hex[2 * STORE_SHA256_SIZE + 1];

	sodium_bin2hex(hex, sizeof(hex), sha256, STORE_SHA256_SIZE);
	stpcpy(stpcpy(digest, DIGEST), hex);
	stpcpy(stpcpy(path, BLOBS), hex);
}

/* Reads such a digest; false: it is none. So a blob's path leads nowhere else. */
static bool read_digest(const char *digest, uint8_t sha256[STORE_SHA256_SIZE])
{
	size_t size;

	return digest && !strncmp(digest, DIGEST, strlen(DIGEST)) &&
	       strlen(digest) == DIGEST_MAX - 1 &&
	       !sodium_hex2bin(sha256, STORE_SHA256_SIZE,
			       digest + strlen(DIGEST), 2 * STORE_SHA256_SIZE,
			       NULL, &size, NULL) &&
	       size == STORE_SHA256_SIZE;
}

static int create_file(int dir, const char *path, struct error *err)
{
	int fd = openat(dir, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? failed(err, path) : fd;
}

/* Writes @json, which becomes this call's, to @path. */
static int write_json(int dir, const char *path, json_t *json,
		      struct error *err)
{
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) :
					 NULL;
	cleanup_close int fd = -1;
	int r;

	json_decref(json);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for %s", path);
	fd = create_file(dir, path, err);
	if (fd < 0)
		return fd;
	r = store_write_all(fd, text, strlen(text), 0);
	return r ? error_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

/* Writes @json, which becomes this call's, as a blob; returns its descriptor. */
static int write_blob(int dir, const char *type, json_t *json,
		      struct error *err, json_t **ret_descriptor)
{
	cleanup_free char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	uint8_t sha256[STORE_SHA256_SIZE];
	char digest[DIGEST_MAX], path[BLOB_MAX];
	cleanup_close int fd = -1;
	int r;

	json_decref(json);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for a blob");
	crypto_hash_sha256(sha256, (const uint8_t *)text, strlen(text));
	name_blob(sha256, digest, path);
	fd = create_file(dir, path, err);
	if (fd < 0)
		return fd;
	r = store_write_all(fd, text, strlen(text), 0);
	if (r)
		return error_set(err, r, "%s: %s", path, strerror(-r));
	*ret_descriptor = json_pack("{s:s, s:s, s:I}", "mediaType", type,
				    "digest", digest, "size",
				    (json_int_t)strlen(text));
	return 0;
}

/* Copies the snapshot's file to a blob; returns its descriptor. */
static int write_layer(struct store *store, const char *name, int dir,
		       struct error *err, json_t **ret_descriptor)
{
	uint8_t sha256[STORE_SHA256_SIZE];
	char digest[DIGEST_MAX], path[BLOB_MAX];
	cleanup_close int fd = create_file(dir, BLOBS "new", err);
	uint64_t size;
	int r = fd < 0 ? fd : store_export(store, name, fd, err, sha256, &size);

	if (r)
		return r;
	name_blob(sha256, digest, path);
	if (renameat(dir, BLOBS "new", dir, path))
		return failed(err, path);
	*ret_descriptor = json_pack("{s:s, s:s, s:I}", "mediaType", FILE_TYPE,
				    "digest", digest, "size", (json_int_t)size);
	return 0;
}

static int write_image(struct store *store, const char *name, int dir,
		       struct error *err, json_t **ret_descriptor)
{
	json_t *config = NULL, *layer = NULL;
	json_t *file = snapshot_files_describe(store, name, err);
	int r;

	if (!file)
		return -EBADMSG;
	r = write_blob(dir, CONFIG_TYPE, file, err, &config);
	if (r)
		return r;
	r = write_layer(store, name, dir, err, &layer);
	if (r) {
		json_decref(config);
		return r;
	}
	return write_blob(dir, IMAGE_TYPE,
			  json_pack("{s:i, s:s, s:s, s:o, s:[o]}",
				    "schemaVersion", 2, "mediaType", IMAGE_TYPE,
				    "artifactType", SNAPSHOT_TYPE, "config",
				    config, "layers", layer),
			  err, ret_descriptor);
}

int snapshot_oci_export(struct store *store, const char *name, const char *path,
			struct error *err)
{
	cleanup_close int dir = -1;
	char key[STORE_NAME_MAX];
	json_t *image;
	int r;

	if (mkdir(path, 0700))
		return failed(err, path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "blobs", 0700) ||
	    mkdirat(dir, "blobs/sha256", 0700))
		return failed(err, path);
	r = write_image(store, name, dir, err, &image);
	if (r)
		return r;
	snprintf(key, sizeof(key), "%.*s", 2 * STORE_KEY_SIZE, name);
	json_object_set_new(image, "annotations",
			    json_pack("{s:s}",
				      "org.opencontainers.image.ref.name",
				      key));
	r = write_json(dir, "index.json",
		       json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2,
				 "mediaType", INDEX_TYPE, "manifests", image),
		       err);
	return r ? r :
		   write_json(dir, "oci-layout",
			      json_pack("{s:s}", "imageLayoutVersion", "1.0.0"),
			      err);
}

static int open_file(int dir, const char *path, struct error *err,
		     uint64_t *ret_size)
{
	cleanup_close int fd =
		openat(dir, path,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return failed(err, path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, -EBADMSG, "%s is no regular file", path);
	*ret_size = (uint64_t)status.st_size;
	return take_fd(&fd);
}

/* Reads a JSON file, which has the hash @sha256 unless that is NULL. */
static int read_json(int dir, const char *path, const uint8_t *sha256,
		     struct error *err, json_t **ret_json)
{
	uint64_t size = 0;
	cleanup_close int fd = open_file(dir, path, err, &size);
	cleanup_free uint8_t *text = NULL;
	uint8_t found[STORE_SHA256_SIZE];

	if (fd < 0)
		return fd;
	if (size > SNAPSHOT_OCI_JSON_MAX)
		return error_set(err, -EBADMSG, "%s is too large", path);
	text = malloc((size_t)size + 1);
	if (!text)
		return error_set(err, -ENOMEM, "no memory for %s", path);
	if (pread(fd, text, (size_t)size, 0) != (ssize_t)size)
		return error_set(err, -EIO, "reading %s failed", path);
	crypto_hash_sha256(found, text, size);
	if (sha256 && memcmp(found, sha256, sizeof(found)) != 0)
		return error_set(err, -EBADMSG, "%s has another hash", path);
	*ret_json = json_loadb((const char *)text, (size_t)size,
			       JSON_REJECT_DUPLICATES, NULL);
	return *ret_json ? 0 : error_set(err, -EBADMSG, "%s: no JSON", path);
}

/* The digest in a descriptor of @type, as a hash and as a blob's path. */
static int find_blob(const json_t *descriptor, const char *type,
		     struct error *err, uint8_t sha256[STORE_SHA256_SIZE],
		     char path[BLOB_MAX])
{
	const char *is =
		json_string_value(json_object_get(descriptor, "mediaType"));
	const char *digest =
		json_string_value(json_object_get(descriptor, "digest"));
	char again[DIGEST_MAX];

	if (!is || strcmp(is, type) != 0)
		return error_set(err, -EBADMSG, "\"%s\" is no %s", is ? is : "",
				 type);
	if (!read_digest(digest, sha256))
		return error_set(err, -EBADMSG, "a digest is no sha256");
	name_blob(sha256, again, path);
	return 0;
}

static int import_image(struct store *store, int dir, const json_t *descriptor,
			struct error *err, char name[STORE_NAME_MAX])
{
	uint8_t sha256[STORE_SHA256_SIZE];
	json_auto_t *image = NULL;
	cleanup_close int fd = -1;
	char path[BLOB_MAX];
	uint64_t size = 0;
	int r = find_blob(descriptor, IMAGE_TYPE, err, sha256, path);

	if (!r)
		r = read_json(dir, path, sha256, err, &image);
	if (!r)
		r = find_blob(json_array_get(json_object_get(image, "layers"),
					     0),
			      FILE_TYPE, err, sha256, path);
	if (r)
		return r;
	fd = open_file(dir, path, err, &size);
	return fd < 0 ? fd : store_import(store, fd, size, sha256, err, name);
}

int snapshot_oci_import(struct store *store, const char *path,
			void (*imported)(struct store *store, const char *name),
			struct error *err)
{
	cleanup_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_auto_t *index = NULL;
	const json_t *images;
	char name[STORE_NAME_MAX];
	int r;

	if (dir < 0)
		return failed(err, path);
	r = read_json(dir, "index.json", NULL, err, &index);
	images = json_object_get(index, "manifests");
	if (!r && (!json_array_size(images) ||
		   json_array_size(images) > SNAPSHOT_OCI_IMAGES_MAX))
		r = error_set(err, -EBADMSG, "%s has %zu images, not 1 to %d",
			      path, json_array_size(images),
			      SNAPSHOT_OCI_IMAGES_MAX);
	for (size_t i = 0; !r && i < json_array_size(images); i++) {
		r = import_image(store, dir, json_array_get(images, i), err,
				 name);
		if (!r)
			imported(store, name);
	}
	return r;
}
