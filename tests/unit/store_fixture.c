/* store_fixture.c - see store_fixture.h */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/store/vouch.h"
#include "tests/unit/require.h"

const struct store_machine store_fixture_machine = {
	.architecture = EM_X86_64,
	.abi = THAW_ABI_VERSION,
	.page_size = THAW_PAGE_SIZE,
	.features = { 1, 2, 3, 0xffffffff, [STORE_FEATURES - 1] = 1u << 31 },
};

char store_fixture_path[64];
static int memory_fd = -1;

void store_fixture_begin(void)
{
	static const unsigned pages[] = { 0, 16, 18, 47 };
	char page[THAW_PAGE_SIZE];

	strcpy(store_fixture_path, "/tmp/thaw-store-XXXXXX");
	REQUIRE(mkdtemp(store_fixture_path) != NULL);
	memory_fd = memfd_create("memory", MFD_CLOEXEC);
	REQUIRE(memory_fd >= 0);
	REQUIRE(ftruncate(memory_fd, STORE_FIXTURE_SIZE) == 0);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		memset(page, pages[i] ? 'y' : 'x', sizeof(page));
		REQUIRE(pwrite(memory_fd, page, sizeof(page),
			       (off_t)pages[i] * THAW_PAGE_SIZE) ==
			sizeof(page));
	}
	/* data for the file system, but zero */
	memset(page, 0, sizeof(page));
	REQUIRE(pwrite(memory_fd, page, sizeof(page), 60 * THAW_PAGE_SIZE) ==
		sizeof(page));
}

void store_fixture_end(void)
{
	DIR *stream;
	const struct dirent *entry;

	chmod(store_fixture_path, 0700);
	stream = opendir(store_fixture_path);
	while (stream && (entry = readdir(stream)))
		unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
	rmdir(store_fixture_path);
	close(memory_fd);
}

struct store_content store_fixture_content(uint8_t key)
{
	return (struct store_content){
		.key = { key },
		.version = "0.1.0",
		.manifest = "{\"function\": \"hello\"}",
		.manifest_size = 21,
		.ready = "readyready",
		.ready_size = 10,
		.state = "state",
		.state_size = 5,
		.memory_fd = memory_fd,
		.memory_size = STORE_FIXTURE_SIZE,
		.frozen_ns = 1234567,
	};
}

int store_fixture_put(struct store *store, uint8_t key, struct error *err)
{
	const struct store_content content = store_fixture_content(key);

	return store_put(store, &store_fixture_machine, &content, err);
}

int store_fixture_find(struct store *store, const struct store_machine *machine,
		       uint8_t key, struct error *err)
{
	const uint8_t whole[STORE_KEY_SIZE] = { key };
	struct store_file file;
	int r = store_find(store, machine, whole, NULL, err, &file);

	if (!r)
		store_file_close(&file);
	return r;
}

const char *store_fixture_file(uint8_t key, const char *suffix)
{
	static char path[256];
	const uint8_t whole[STORE_KEY_SIZE] = { key };
	char name[STORE_NAME_MAX];

	store_name(whole, suffix, name);
	snprintf(path, sizeof(path), "%s/%s", store_fixture_path, name);
	return path;
}

void store_fixture_damage(struct store *store, uint8_t key)
{
	const uint8_t whole[STORE_KEY_SIZE] = { key };
	const int dir = store_directory(store);
	char name[STORE_NAME_MAX], voucher[STORE_NAME_MAX];
	struct store_file file;
	struct stat before, after;
	uint8_t byte;
	off_t at;
	int fd;

	store_name(whole, STORE_SUFFIX, name);
	store_name(whole, STORE_VOUCH_SUFFIX, voucher);
	REQUIRE(!store_file_open(dir, name, &store_fixture_machine, whole, NULL,
				 &file));
	REQUIRE(vouch_is_there(dir, voucher, file.fd, file.header.hash));
	fd = openat(dir, name, O_RDWR | O_CLOEXEC);
	REQUIRE(fd >= 0 && !fstat(fd, &before));
	at = (off_t)(file.parts.memory + STORE_FIXTURE_DAMAGE);
	REQUIRE(pread(fd, &byte, 1, at) == 1);
	byte ^= 0x10;
	REQUIRE(pwrite(fd, &byte, 1, at) == 1);
	REQUIRE(!futimens(fd, (struct timespec[]){ before.st_atim,
						   before.st_mtim }));
	REQUIRE(!fstat(fd, &after) && after.st_size == before.st_size &&
		after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
	close(fd);
	/* nobody can put back the time of the change, so that is vouched for anew */
	REQUIRE(!vouch_write(dir, voucher, file.fd, file.header.hash));
	REQUIRE(vouch_is_there(dir, voucher, file.fd, file.header.hash));
	store_file_close(&file);
}

uint8_t *store_fixture_read(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *bytes;

	REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
	bytes = malloc((size_t)status.st_size + 1);
	REQUIRE(bytes != NULL);
	REQUIRE(read(fd, bytes, (size_t)status.st_size) == status.st_size);
	close(fd);
	*ret_size = (size_t)status.st_size;
	return bytes;
}

void store_fixture_write(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

struct store *store_fixture_open(void)
{
	struct store *store;
	struct error err;

	store_fixture_begin();
	REQUIRE(!store_open(store_fixture_path, STORE_SIZE_DEFAULT, &err,
			    &store));
	return store;
}

void store_fixture_close(struct store *store)
{
	store_close(store);
	store_fixture_end();
}

size_t store_fixture_count(struct store *store)
{
	struct store_entry *entries;
	struct error err;
	size_t count;

	REQUIRE(!store_list(store, &err, &entries, &count));
	free(entries);
	return count;
}
