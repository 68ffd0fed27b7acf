/*
 * fuzz_oci.c - libFuzzer target: any bytes as the files of an OCI image layout that is
 * imported. It is refused with a message, or all that it has brought is verified; and in
 * any case nothing but whole snapshots is in the store.
 *
 * An input is index.json and then blobs, with % between them. Of these, @N stands for the
 * digest of blob N, which comes later. A blob is its bytes; or @f, a good snapshot's file;
 * or @d, one that is damaged. What comes before that says what is in its place: ! other
 * bytes with that name, ~ a symbolic link to the snapshot's file, ^ a directory. The first
 * run writes a few, one of them good:
 *
 *	FUZZ_OCI_SEEDS=corpus fuzz_oci -runs=0
 */
#include <dirent.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/cli/snapshot_files.h"
#include "executor/cli/snapshot_oci.h"
#include "tests/unit/require.h"
#include "tests/unit/store_fixture.h"

#define BLOBS_MAX 10
#define HEX_SIZE 64
#define TEXT_MAX (64u << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int __wrap_fsync(int fd);
int __wrap_vouch_write(int dir, const char *name, int fd, const uint8_t *hash);

/* Nobody waits for a disk, nor for a tick of the clock. */
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_vouch_write(int dir, const char *name, int fd, const uint8_t *hash)
{
	(void)dir, (void)name, (void)fd, (void)hash;
	return 0;
}

/* Only what is exported is described. */
struct json_t *snapshot_files_describe(struct store *store, const char *name,
				       struct error *err)
{
	(void)store, (void)name, (void)err;
	abort();
}

static struct store *store;
static uint8_t *good;
static size_t good_size;
static char layout[] = "/tmp/thaw-oci-XXXXXX";
static char blobs[sizeof(layout) + 32], linked[sizeof(layout) + 32];

static void at_end(void)
{
	char path[sizeof(layout) + 32];

	unlink(linked);
	snprintf(path, sizeof(path), "%s/index.json", layout);
	unlink(path);
	rmdir(blobs);
	snprintf(path, sizeof(path), "%s/blobs", layout);
	rmdir(path);
	rmdir(layout);
	store_fixture_close(store);
	free(good);
}

static void write_seed(const char *directory, const char *name,
		       const char *layers)
{
	char path[4096], text[2048];
	int size = snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"mediaType\":"
		"\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{"
		"\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"digest\":\"sha256:@1\",\"size\":1}]}%%"
		"{\"schemaVersion\":2,\"mediaType\":"
		"\"application/vnd.oci.image.manifest.v1+json\",\"config\":{"
		"\"mediaType\":"
		"\"application/vnd.thaw.snapshot.manifest.v1+json\","
		"\"digest\":\"sha256:@2\",\"size\":2},\"layers\":[{"
		"\"mediaType\":\"application/vnd.thaw.snapshot.file.v1\","
		"\"digest\":\"sha256:@3\",\"size\":3}]}%%{}%%%s",
		layers);

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	store_fixture_write(path, text, (size_t)size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = getenv("FUZZ_OCI_SEEDS");
	const char *path;

	(void)argc;
	(void)argv;
	store = store_fixture_open();
	REQUIRE(!store_fixture_put(store, 1, NULL));
	path = store_fixture_file(1, STORE_SUFFIX);
	good = store_fixture_read(path, &good_size);
	REQUIRE(!unlink(path));
	REQUIRE(mkdtemp(layout) != NULL);
	snprintf(blobs, sizeof(blobs), "%s/blobs", layout);
	REQUIRE(!mkdir(blobs, 0700));
	snprintf(blobs, sizeof(blobs), "%s/blobs/sha256", layout);
	REQUIRE(!mkdir(blobs, 0700));
	snprintf(linked, sizeof(linked), "%s/linked", layout);
	store_fixture_write(linked, good, good_size);
	REQUIRE(!atexit(at_end));
	if (directory) {
		write_seed(directory, "good", "@f");
		write_seed(directory, "other", "!@f");
		write_seed(directory, "link", "~@f");
		write_seed(directory, "directory", "^@f");
		write_seed(directory, "damaged", "@d");
		write_seed(directory, "bytes", "bytes");
	}
	return 0;
}

/* What an input has of a file, and the digest it has as a blob. */
struct blob {
	const uint8_t *from;
	size_t size;
	uint8_t *bytes;
	size_t bytes_size;
	char place; /* what is in its place, or 0 */
	char hex[HEX_SIZE + 1];
};

/* Makes the bytes of blob @i, in which those behind it may be named. */
static void fill_blob(struct blob *of, size_t i, size_t count)
{
	struct blob *blob = &of[i];
	uint8_t sha256[crypto_hash_sha256_BYTES];
	size_t size = 0;

	if (blob->size && *blob->from && strchr("!~^", *blob->from)) {
		blob->place = (char)*blob->from++;
		blob->size--;
	}
	if (blob->size == 2 &&
	    (!memcmp(blob->from, "@f", 2) || !memcmp(blob->from, "@d", 2))) {
		blob->bytes = malloc(good_size + 1);
		REQUIRE(blob->bytes != NULL);
		memcpy(blob->bytes, good, good_size);
		if (blob->from[1] == 'd')
			blob->bytes[good_size - STORE_CHUNK - 1] ^= 1;
		blob->bytes_size = good_size;
	} else {
		blob->bytes = malloc(TEXT_MAX + 1);
		REQUIRE(blob->bytes != NULL);
		for (size_t at = 0; at < blob->size; at++) {
			const size_t to =
				at + 1 < blob->size ?
					(size_t)blob->from[at + 1] - '0' :
					0;

			if (size > TEXT_MAX - HEX_SIZE)
				break;
			if (blob->from[at] == '@' && to > i && to < count) {
				memcpy(blob->bytes + size, of[to].hex,
				       HEX_SIZE);
				size += HEX_SIZE;
				at++;
			} else {
				blob->bytes[size++] = blob->from[at];
			}
		}
		blob->bytes_size = size;
	}
	crypto_hash_sha256(sha256, blob->bytes, blob->bytes_size);
	sodium_bin2hex(blob->hex, sizeof(blob->hex), sha256, sizeof(sha256));
	if (blob->place == '!')
		blob->bytes[blob->bytes_size++] = 'x';
}

static void put_blob(const struct blob *blob)
{
	char path[sizeof(blobs) + HEX_SIZE + 8];

	snprintf(path, sizeof(path), "%s/%s", blobs, blob->hex);
	/* the same may be there twice */
	if (!access(path, F_OK))
		return;
	if (blob->place == '~')
		REQUIRE(!symlink("../../linked", path));
	else if (blob->place == '^')
		REQUIRE(!mkdir(path, 0700));
	else
		store_fixture_write(path, blob->bytes, blob->bytes_size);
}

static void remove_blob(const struct blob *blob)
{
	char path[sizeof(blobs) + HEX_SIZE + 8];

	snprintf(path, sizeof(path), "%s/%s", blobs, blob->hex);
	(void)remove(path);
}

/* Each is verified, and is the good one; all others are no snapshots. */
static unsigned imported;

static void on_imported(struct store *in, const char *name)
{
	const uint8_t key[STORE_KEY_SIZE] = { 1 };
	char is[STORE_NAME_MAX];

	store_name(key, STORE_SUFFIX, is);
	REQUIRE(!strcmp(name, is));
	REQUIRE(!store_verify(in, name, NULL, NULL));
	imported++;
}

/* Whether the good snapshot is a blob, as a file of its own and with its own name. */
static bool has_good(const struct blob *of, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!of[i].place && of[i].bytes_size == good_size &&
		    !memcmp(of[i].bytes, good, good_size))
			return true;
	return false;
}

/* One snapshot at most, and then nothing that was begun and not finished. */
static void check_store(void)
{
	struct store_entry *entries = NULL;
	const struct dirent *entry;
	size_t count;
	DIR *stream;

	REQUIRE(!store_list(store, NULL, &entries, &count));
	REQUIRE(count == (imported > 0));
	if (count)
		REQUIRE(!store_remove(store, entries[0].name, NULL));
	free(entries);
	stream = opendir(store_fixture_path);
	REQUIRE(stream != NULL);
	while ((entry = readdir(stream)))
		REQUIRE(entry->d_name[0] == '.');
	closedir(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct blob of[BLOBS_MAX] = { 0 };
	struct error err = { "" };
	char path[sizeof(layout) + 32];
	size_t count = 0;
	int r;

	while (count < BLOBS_MAX) {
		const uint8_t *end = size ? memchr(bytes, '%', size) : NULL;

		of[count].from = bytes;
		of[count++].size = end ? (size_t)(end - bytes) : size;
		if (!end)
			break;
		size -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
	for (size_t i = count; i--;)
		fill_blob(of, i, count);
	for (size_t i = 1; i < count; i++)
		put_blob(&of[i]);
	snprintf(path, sizeof(path), "%s/index.json", layout);
	store_fixture_write(path, of[0].bytes, of[0].bytes_size);
	imported = 0;
	r = snapshot_oci_import(store, layout, on_imported, &err);
	REQUIRE(!r == !err.message[0]);
	REQUIRE(r || imported);
	REQUIRE(!imported || has_good(of, count));
	check_store();
	for (size_t i = 0; i < count; i++) {
		remove_blob(&of[i]);
		free(of[i].bytes);
	}
	return 0;
}
