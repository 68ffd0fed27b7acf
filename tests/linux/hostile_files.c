/* hostile_files.c - what hostile.c does with files. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/statfs.h>

#include "hostile.h"

static char bytes[BEFORE_SIZE + PAGE];

void put_before(void)
{
	int fd = open("/tmp/before", O_RDWR | O_CREAT, 0600);

	memset(bytes, 'b', BEFORE_SIZE);
	CHECK(write(fd, bytes, BEFORE_SIZE) == BEFORE_SIZE && !close(fd));
}

/* All of /tmp, in pieces of all sizes, and again after all is gone. */
void do_tmp(void)
{
	static char piece[1 << 20];
	struct statfs before, after;
	int fd;

	memset(piece, 't', sizeof(piece));
	CHECK(!statfs("/tmp", &before));
	for (int round = 0; round < 3; round++) {
		fd = open("/tmp/t", O_RDWR | O_CREAT | O_TRUNC, 0600);
		for (size_t size = sizeof(piece); size; size /= 2)
			while (write(fd, piece, size) > 0)
				;
		CHECK(errno == ENOSPC && !statfs("/tmp", &after));
		CHECK(after.f_bfree == 0 && !close(fd) && !unlink("/tmp/t"));
		CHECK(!statfs("/tmp", &after));
		CHECK(after.f_bfree == before.f_bfree);
	}
	fd = open("/tmp/t", O_RDWR | O_CREAT, 0600);
	CHECK(!ftruncate(fd, (off_t)before.f_bfree * PAGE));
}

void do_names(void)
{
	char name[300], other[300];
	int count = 0;

	memset(name, 'n', sizeof(name));
	memcpy(name, "/tmp/", 5);
	do
		sprintf(name + 5 + 240, "%d", count++);
	while (!mkdir(name, 0700));
	CHECK(errno == ENOSPC && count > 3000);
	strcpy(other, name);
	other[5] = 'm';
	FAILS(symlink(name, other), ENOSPC);
	/* names of what is there already have a limit, too */
	for (count = 0; !link("/tmp/before", other); count++)
		sprintf(other + 5 + 240, "%d", count);
	CHECK(errno == ENOSPC && count < 4096);
	other[6] = 'm';
	CHECK(!rename("/tmp/before", other) && !rename(other, "/tmp/before"));
}

static int at(int directory, const char *path, int flags)
{
	return openat(directory, path, flags, 0600);
}

/* A path may begin in one file system, and lead into another. */
void do_mounts(void)
{
	const int top = open("/", O_RDONLY | O_DIRECTORY);
	const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
	const int usr = open("/usr", O_RDONLY | O_DIRECTORY);
	const int shm = open("/dev/shm", O_PATH | O_DIRECTORY);
	struct stat a, b;
	char byte;
	int fd;

	CHECK(top >= 0 && tmp >= 0 && usr >= 0 && shm >= 0);
	fd = at(top, "tmp/x", O_RDWR | O_CREAT | O_EXCL);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	fd = at(usr, "../tmp/x", O_RDONLY);
	CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
	fd = at(shm, "../../tmp/x", O_RDONLY);
	CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
	fd = at(shm, "../zero", O_RDONLY);
	CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && !byte);
	fd = at(tmp, "../usr", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && !fstat(fd, &a) && !fstat(usr, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK(!fstatat(top, "tmp", &a, 0) && !fstat(tmp, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK(!fstatat(tmp, "..", &a, 0) && !fstat(top, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK(!fstatat(usr, "../../../..", &a, 0) && a.st_ino == b.st_ino);
	CHECK(!renameat(top, "tmp/x", shm, "y") && !faccessat(shm, "y", 0, 0));
	CHECK(!linkat(shm, "y", tmp, "z", 0) && !unlinkat(top, "tmp/z", 0));
	FAILS(linkat(shm, "y", usr, "y", 0), EROFS);
	FAILS(linkat(usr, "bin", shm, "b", 0), EXDEV);
	FAILS(renameat(shm, "y", usr, "y"), EROFS);
	CHECK(!symlinkat("../../usr", shm, "u"));
	CHECK(!fstatat(top, "dev/shm/u", &a, 0) && !fstat(usr, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK(at(usr, "../dev/shm/u/../tmp/none", O_RDONLY) == -1);
	CHECK(errno == ENOENT);
}

/* Bytes from @from up to @to are zero, also in a mapping. */
static void expect_zeros(int fd, size_t from, size_t to)
{
	const char *map;

	memset(bytes, 'x', sizeof(bytes));
	CHECK(pread(fd, bytes, sizeof(bytes), 0) == (ssize_t)to);
	map = mmap(NULL, to, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	for (size_t i = 0; i < to; i++) {
		CHECK(bytes[i] == (i < from ? 'b' : 0));
		CHECK(map[i] == bytes[i]);
	}
}

/* What a file grows by is zero, whatever was there when it was longer. */
void do_grow(void)
{
	int fd = open("/tmp/before", O_RDWR);

	expect_zeros(fd, BEFORE_SIZE, BEFORE_SIZE);
	CHECK(!ftruncate(fd, 5000) && !ftruncate(fd, BEFORE_SIZE));
	expect_zeros(fd, 5000, BEFORE_SIZE);
	CHECK(!ftruncate(fd, 4999));
	expect_zeros(fd, 4999, 4999);
	CHECK(pwrite(fd, "", 1, BEFORE_SIZE - 1) == 1);
	expect_zeros(fd, 4999, BEFORE_SIZE);
	memset(bytes, 'b', sizeof(bytes));
	CHECK(pwrite(fd, bytes, BEFORE_SIZE, 0) == BEFORE_SIZE);
	CHECK(!truncate("/tmp/before", 1) && !fallocate(fd, 0, 0, BEFORE_SIZE));
	expect_zeros(fd, 1, BEFORE_SIZE);
	CHECK(pwrite(fd, bytes, BEFORE_SIZE, 0) == BEFORE_SIZE && !close(fd));
	fd = open("/tmp/before", O_RDWR | O_TRUNC);
	CHECK(!ftruncate(fd, BEFORE_SIZE));
	expect_zeros(fd, 0, BEFORE_SIZE);
}
