/*
 * fs.c - a Linux program for tests/contract/test_linux_fs.c: what it does with files. It
 * knows nothing of thaw. It reads the name of a command, and does it; "good" is the
 * answer, or what was wrong.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs.h"

static char input[8192];
const char *argument;
static int kept_file; /* open since before the snapshot */
static int kept_directory;
static int saved_argc;
static char **saved_argv;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(!close(fd));
}

static const char *get(const char *path)
{
	static char text[PAGE];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return strerror(errno);
	close(fd);
	text[n] = '\0';
	return text;
}

static void do_write(void)
{
	struct stat status;
	char bytes[32];
	int fd = open("/tmp/w", O_RDWR | O_CREAT | O_EXCL, 0666);

	CHECK(fd >= 0);
	FAILS(open("/tmp/w", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
	CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(pwrite(fd, "ab", 2, 4) == 2);
	CHECK(pread(fd, bytes, 32, 2) == 8 && !memcmp(bytes, "23ab6789", 8));
	CHECK(read(fd, bytes, 32) == 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, bytes, 3) == 3);
	CHECK(lseek(fd, -1, SEEK_END) == 9);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK(lseek(fd, 3, SEEK_DATA) == 3 && lseek(fd, 3, SEEK_HOLE) == 10);
	FAILS(lseek(fd, 10, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 0, 77), EINVAL);
	CHECK(!ftruncate(fd, 4) && !ftruncate(fd, 20));
	CHECK(pread(fd, bytes, 32, 0) == 20 && !memcmp(bytes, "0123\0\0\0", 7));
	CHECK(!fallocate(fd, 0, 10, 30) && !fstat(fd, &status));
	CHECK(status.st_size == 40 && S_ISREG(status.st_mode));
	CHECK((status.st_mode & 0777) == 0644 && status.st_nlink == 1);
	CHECK(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 300));
	CHECK(!fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 1, 2));
	CHECK(pread(fd, bytes, 4, 0) == 4 && !memcmp(bytes,
						     "0\0\0"
						     "3",
						     4));
	FAILS(fallocate(fd, 0x10, 0, 1), EOPNOTSUPP);
	FAILS(fallocate(fd, 0, -1, 1), EINVAL);
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	FAILS(fallocate(1, 0, 0, 1), ESPIPE);
	FAILS(ftruncate(fd, -1), EINVAL);
	CHECK(!fsync(fd) && !fdatasync(fd) && !close(fd));
	FAILS(fsync(1), EINVAL);
	fd = open("/tmp/w", O_WRONLY | O_APPEND);
	CHECK(write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 41);
	FAILS(read(fd, bytes, 1), EBADF);
	CHECK(!close(fd) && !truncate("/tmp/w", 1) &&
	      !strcmp(get("/tmp/w"), "0"));
	fd = open("/tmp/w", O_RDONLY);
	FAILS(write(fd, "x", 1), EBADF);
	FAILS(ftruncate(fd, 0), EINVAL);
	CHECK((fd = open("/tmp/w", O_RDWR | O_TRUNC)) >= 0);
	CHECK(!fstat(fd, &status) && status.st_size == 0);
	puts("good");
}

static void do_names(void)
{
	struct stat a, b;
	char path[64];
	int fd;

	CHECK(!mkdir("/tmp/d", 0777) && !mkdir("/tmp/d/e/", 0700));
	FAILS(mkdir("/tmp/d", 0777), EEXIST);
	FAILS(mkdir("/tmp/none/x", 0777), ENOENT);
	FAILS(mkdir("/tmp/d/.", 0777), EEXIST);
	put("/tmp/d/f", "f");
	FAILS(mkdir("/tmp/d/f/x", 0777), ENOTDIR);
	FAILS(open("/tmp/d/f/", O_RDONLY), ENOTDIR);
	FAILS(open("/tmp/d/g/", O_CREAT | O_RDWR, 0600), EISDIR);
	FAILS(open("/tmp/d", O_RDWR), EISDIR);
	FAILS(open("/tmp/d/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK(!link("/tmp/d/f", "/tmp/g") && !stat("/tmp/g", &a));
	CHECK(a.st_nlink == 2 && !stat("/tmp/d/f", &b) && a.st_ino == b.st_ino);
	FAILS(link("/tmp/d", "/tmp/h"), EPERM);
	FAILS(link("/usr", "/tmp/h"), EXDEV);
	CHECK(!symlink("d/f", "/tmp/l") && !strcmp(get("/tmp/l"), "f"));
	CHECK(readlink("/tmp/l", path, sizeof(path)) == 3);
	CHECK(readlink("/tmp/l", path, 2) == 2 && !memcmp(path, "d/", 2));
	FAILS(readlink("/tmp/g", path, sizeof(path)), EINVAL);
	FAILS(open("/tmp/l", O_RDONLY | O_NOFOLLOW), ELOOP);
	FAILS(open("/tmp/l", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK(!lstat("/tmp/l", &a) && S_ISLNK(a.st_mode) && a.st_size == 3);
	CHECK(!symlink("/tmp/dangling", "/tmp/m"));
	FAILS(open("/tmp/m", O_RDONLY), ENOENT);
	CHECK((fd = open("/tmp/m", O_CREAT | O_WRONLY, 0600)) >= 0);
	CHECK(write(fd, "m", 1) == 1 && !strcmp(get("/tmp/dangling"), "m"));
	CHECK(!rename("/tmp/d", "/tmp/moved") &&
	      !strcmp(get("/tmp/moved/f"), "f"));
	FAILS(rename("/tmp/moved", "/tmp/moved/e/x"), EINVAL);
	FAILS(rename("/tmp/g/", "/tmp/h"), ENOTDIR);
	FAILS(rename("/tmp/.", "/tmp/h"), EBUSY);
	FAILS(rename("/tmp/none", "/tmp/h"), ENOENT);
	FAILS(rename("/tmp/g", "/usr/h"), EROFS);
	FAILS(rename("/usr/bin", "/tmp/h"), EROFS);
	FAILS(syscall(SYS_renameat2, AT_FDCWD, "/tmp/g", AT_FDCWD, "/tmp/m", 1),
	      EEXIST);
	CHECK(!rename("/tmp/g", "/dev/shm/g") &&
	      !strcmp(get("/dev/shm/g"), "f"));
	FAILS(rmdir("/tmp/moved"), ENOTEMPTY);
	FAILS(rmdir("/tmp/moved/f"), ENOTDIR);
	FAILS(unlink("/tmp/moved/e"), EISDIR);
	FAILS(unlink("/tmp/moved/f/"), ENOTDIR);
	CHECK(!unlink("/tmp/moved/f") && !rmdir("/tmp/moved/e/") &&
	      !rmdir("/tmp/moved"));
	FAILS(unlink("/tmp/moved/f"), ENOENT);
	FAILS(unlinkat(AT_FDCWD, "/tmp/m", 12345), EINVAL);
	FAILS(mkfifo("/tmp/fifo", 0600), EPERM);
	puts("good");
}

/* What is open is there, whether it has a name or not. */
static void do_unnamed(void)
{
	int fd = open("/tmp/u", O_RDWR | O_CREAT, 0600), other;
	char bytes[8], path[64];
	struct stat status;

	CHECK(fd >= 0 && write(fd, "alive", 5) == 5 && !unlink("/tmp/u"));
	FAILS(access("/tmp/u", F_OK), ENOENT);
	put("/tmp/u", "another");
	CHECK(pread(fd, bytes, 8, 0) == 5 && !memcmp(bytes, "alive", 5));
	CHECK(!fstat(fd, &status) && status.st_nlink == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(!strcmp(get(path), "alive"));
	other = dup(fd);
	CHECK(!close(fd) && pread(other, bytes, 8, 0) == 5 && !close(other));
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, "t", 1) == 1);
	FAILS(open("/tmp", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	FAILS(open("/usr", O_TMPFILE | O_RDWR, 0600), EROFS);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(!linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/named",
		      AT_SYMLINK_FOLLOW));
	CHECK(!strcmp(get("/tmp/named"), "t"));
	CHECK(!linkat(fd, "", AT_FDCWD, "/tmp/twice", AT_EMPTY_PATH));
	fd = (int)syscall(SYS_memfd_create, "name", 1u);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(write(fd, "memory", 6) == 6 && !ftruncate(fd, 3));
	CHECK(pread(fd, bytes, 8, 0) == 3 && !memcmp(bytes, "mem", 3));
	FAILS(syscall(SYS_memfd_create, "name", 0x80000000u), EINVAL);
	FAILS(syscall(SYS_memfd_create, (char *)8, 0u), EFAULT);
	puts("good");
}

static void do_directories(void)
{
	char path[PATH_MAX];
	int fd, count = 0;
	DIR *directory;

	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, "/"));
	FAILS(syscall(SYS_getcwd, path, 1), ERANGE);
	CHECK(!mkdir("/tmp/d", 0700) && !chdir("/tmp/d"));
	put("here", "here");
	CHECK(!strcmp(get("/tmp/d/here"), "here"));
	CHECK(!strcmp(get("./../d//here"), "here"));
	CHECK(!rename("/tmp/d", "/tmp/e") && getcwd(path, sizeof(path)));
	CHECK(!strcmp(path, "/tmp/e") && !strcmp(get("here"), "here"));
	CHECK(!access("../../usr/bin", X_OK));
	FAILS(access("../../usr/bin", W_OK), EROFS);
	FAILS(access("here", X_OK), EACCES);
	CHECK(!access("here", R_OK | W_OK));
	fd = open("/usr", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && !faccessat(fd, "bin", F_OK, 0));
	FAILS(faccessat(fd, "here", F_OK, 0), ENOENT);
	CHECK(!faccessat(fd, "../tmp/e/here", F_OK, 0));
	CHECK(!fchdir(fd) && getcwd(path, sizeof(path)));
	CHECK(!strcmp(path, "/usr") && !access("bin", F_OK));
	FAILS(chdir("/tmp/e/here"), ENOTDIR);
	FAILS(chdir("/tmp/none"), ENOENT);
	FAILS(mkdirat(fd, "x", 0700), EROFS);
	fd = open("/tmp/e", O_RDONLY | O_PATH);
	CHECK(fd >= 0 && !fchdir(fd) && !mkdirat(fd, "f", 0700));
	FAILS(fchdir(1), ENOTDIR);
	FAILS(fchdir(99), EBADF);
	FAILS(openat(1, "x", O_RDONLY), ENOTDIR);
	FAILS(openat(99, "x", O_RDONLY), EBADF);
	CHECK(!unlink("here") && !rmdir("f") && !rmdir("/tmp/e"));
	FAILS(syscall(SYS_getcwd, path, sizeof(path)), ENOENT);
	FAILS(open("x", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK(!chdir("/"));
	directory = opendir("/");
	CHECK(directory);
	while (readdir(directory))
		count++;
	CHECK(count > 6);
	puts("good");
}

static void do_list(void)
{
	char name[64];
	struct dirent *entry;
	DIR *directory;
	int count = 0;

	CHECK(!mkdir("/tmp/d", 0700));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "/tmp/d/a name of a file %d", i);
		put(name, "");
	}
	CHECK((directory = opendir("/tmp/d")));
	while ((entry = readdir(directory))) {
		count++;
		if (*entry->d_name == '.')
			continue;
		CHECK(entry->d_type == DT_REG);
		CHECK(!unlinkat(dirfd(directory), entry->d_name, 0));
	}
	CHECK(count == 302 && !rmdir("/tmp/d"));
	puts("good");
}

static void do_status(void)
{
	const struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
	struct stat status;
	struct statfs system;
	uint16_t mode;
	uint8_t whole[256]; /* struct statx, which musl does not have */

	put("/tmp/s", "12345");
	CHECK(!chmod("/tmp/s", 0751) && !stat("/tmp/s", &status));
	CHECK(status.st_mode == (S_IFREG | 0751) && status.st_uid == getuid());
	CHECK(!chown("/tmp/s", 5, 5));
	CHECK(!utimensat(AT_FDCWD, "/tmp/s", times, 0) &&
	      !stat("/tmp/s", &status));
	CHECK(status.st_atim.tv_sec == 1000 && status.st_atim.tv_nsec == 5 &&
	      status.st_mtim.tv_sec == 2000);
	CHECK(!utimensat(AT_FDCWD, "/tmp/s",
			 (struct timespec[]){ { 0, UTIME_OMIT },
					      { 0, UTIME_NOW } },
			 0));
	CHECK(!stat("/tmp/s", &status) && status.st_atim.tv_sec == 1000 &&
	      status.st_mtim.tv_sec > 100000);
	FAILS(utimensat(AT_FDCWD, "/tmp/s",
			(struct timespec[]){ { 0, 0 }, { 0, 1000000000 } }, 0),
	      EINVAL);
	CHECK(!syscall(SYS_statx, AT_FDCWD, "/tmp/s", 0, 0x7ff, whole));
	memcpy(&mode, whole + 28, sizeof(mode));
	CHECK(whole[40] == 5 && mode == (S_IFREG | 0751));
	CHECK(!syscall(SYS_statx, AT_FDCWD, "/usr/bin", 0, 0x7ff, whole));
	memcpy(&mode, whole + 28, sizeof(mode));
	CHECK(S_ISDIR(mode));
	CHECK(!syscall(SYS_statx, 1, "", AT_EMPTY_PATH, 0x7ff, whole));
	memcpy(&mode, whole + 28, sizeof(mode));
	CHECK(S_ISFIFO(mode));
	CHECK(!statfs("/tmp/s", &system) && system.f_type == 0x01021994);
	CHECK(system.f_blocks * 4096ul == 512 << 10 && system.f_bfree > 0);
	CHECK(!statfs("/usr", &system) && system.f_type != 0x01021994);
	CHECK(!fstatfs(kept_file, &system) && system.f_type == 0x01021994);
	FAILS(chmod("/usr/bin", 0777), EROFS);
	FAILS(chown("/usr/bin", 0, 0), EROFS);
	FAILS(truncate("/usr/bin", 0), EROFS);
	FAILS(unlink("/usr/bin"), EROFS);
	FAILS(rmdir("/tmp"), EROFS);
	FAILS(mkdir("/x", 0700), EROFS);
	FAILS(symlink("a", "/usr/x"), EROFS);
	FAILS(utimensat(AT_FDCWD, "/usr", NULL, 0), EROFS);
	FAILS(open("/usr/x", O_CREAT | O_WRONLY, 0600), EROFS);
	CHECK(umask(077) == 022 && umask(022) == 077);
	puts("good");
}

static void do_map(void)
{
	static char bytes[2 * PAGE];
	int fd = open("/tmp/m", O_RDWR | O_CREAT, 0600);
	char *a, *b;

	memset(bytes, 'm', sizeof(bytes));
	CHECK(write(fd, bytes, PAGE + 10) == PAGE + 10);
	a = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(a != MAP_FAILED && a[0] == 'm' && a[PAGE + 9] == 'm' &&
	      !a[PAGE + 10]);
	a[0] = 'n';
	/* a file's bytes never become zero, wherever the mapping is moved */
	CHECK(!madvise(a, 2 * PAGE, MADV_DONTNEED) && a[1] == 'm');
	b = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(b != MAP_FAILED && !munmap(b, 4 * PAGE));
	a = mremap(a, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b);
	CHECK(a == b && !madvise(a, PAGE, MADV_DONTNEED) && a[1] == 'm');
	b = mmap(a, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	b[0] = 'n';
	CHECK(b == a && !madvise(a, 2 * PAGE, MADV_DONTNEED) && !a[0] &&
	      a[PAGE] == 'm');
	CHECK(pread(fd, bytes, 1, 0) == 1 && bytes[0] == 'm');
	a = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK(a != MAP_FAILED && a[9] == 'm' && !a[10]);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
		      MAP_FAILED &&
	      errno == ENODEV);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED &&
	      errno == EINVAL);
	puts("good");
}

/* 512 KiB are all. */
static void do_full(void)
{
	static char bytes[600000];
	char name[32];
	struct statfs system;
	int fd = open("/tmp/full", O_RDWR | O_CREAT, 0600), count = 0;
	uint64_t room;

	CHECK(!statfs("/tmp", &system));
	room = (uint64_t)system.f_bfree * 4096;
	CHECK(write(fd, bytes, sizeof(bytes)) == (ssize_t)room);
	FAILS(write(fd, bytes, 1), ENOSPC);
	FAILS(pwrite(fd, bytes, 1, 1l << 40), ENOSPC);
	FAILS(ftruncate(fd, (long)room + 1), ENOSPC);
	FAILS(ftruncate(fd, LONG_MAX), ENOSPC);
	FAILS(fallocate(fd, 0, 0, (long)room + 1), ENOSPC);
	FAILS(fallocate(fd, 0, LONG_MAX, LONG_MAX), EFBIG);
	/* what was removed while it was open is there until it is closed */
	CHECK(!unlink("/tmp/full"));
	FAILS(ftruncate(fd, (long)room + 1), ENOSPC);
	CHECK(!close(fd));
	fd = open("/tmp/next", O_RDWR | O_CREAT, 0600);
	CHECK(write(fd, bytes, room) == (ssize_t)room && !close(fd));
	CHECK(!truncate("/tmp/next", 0));
	for (;; count++) {
		snprintf(name, sizeof(name), "/dev/shm/%d", count);
		fd = open(name, O_RDWR | O_CREAT, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	CHECK(errno == ENOSPC && count > 4000 && count < 4096);
	FAILS(mkdir("/tmp/one_more", 0700), ENOSPC);
	FAILS(syscall(SYS_memfd_create, "x", 0), ENOSPC);
	CHECK(!unlink("/dev/shm/0") && !mkdir("/tmp/one_more", 0700));
	puts("good");
}

/* Lengths of paths and names at their edges, links, and pointers to nowhere. */
static void do_hostile(void)
{
	static char path[3 * PATH_MAX];
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat status;

	memset(path, '/', 4094);
	strcpy(path + 4092, "usr");
	CHECK(!stat(path, &status)); /* 4095 bytes */
	memset(path, '/', 4096);
	strcpy(path + 4093, "usr");
	FAILS(stat(path, &status), ENAMETOOLONG); /* and 4096 */
	memset(path, '/', 4097);
	strcpy(path + 4094, "usr");
	FAILS(stat(path, &status), ENAMETOOLONG);
	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, "/tmp/", 5);
	path[5 + 256] = '\0';
	FAILS(open(path, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
	FAILS(mkdir(path, 0700), ENAMETOOLONG);
	path[5 + 255] = '\0';
	CHECK(!mkdir(path, 0700) && !rmdir(path));
	strcpy(path, "/usr");
	for (int i = 0; i < 1000; i++)
		strcat(path, "/..");
	strcat(path, "/usr");
	CHECK(!stat(path, &status) && S_ISDIR(status.st_mode));
	CHECK(!symlink("/tmp/b", "/tmp/a") && !symlink("a", "/tmp/b"));
	FAILS(stat("/tmp/a", &status), ELOOP);
	FAILS(open("/tmp/a", O_CREAT | O_RDWR, 0600), ELOOP);
	CHECK(!symlink("../tmp/../tmp/./out", "/tmp/in"));
	put("/tmp/out", "out");
	CHECK(!strcmp(get("/tmp/in"), "out"));
	CHECK(!symlink("/usr/../../../etc/passwd", "/tmp/passwd"));
	FAILS(open("/tmp/passwd", O_RDONLY), ENOENT);
	CHECK(!symlink("/proc/self/root/../../etc/shadow", "/tmp/shadow"));
	FAILS(open("/tmp/shadow", O_RDONLY), ENOENT);
	/* forty links may follow each other, and not one more */
	put("/tmp/l0", "end");
	for (int i = 1; i <= 41; i++) {
		char from[32], to[32];

		snprintf(from, sizeof(from), "l%d", i - 1);
		snprintf(to, sizeof(to), "/tmp/l%d", i);
		CHECK(!symlink(from, to));
	}
	CHECK(!strcmp(get("/tmp/l40"), "end"));
	FAILS(open("/tmp/l41", O_RDONLY), ELOOP);
	CHECK(!munmap(edge + PAGE, PAGE));
	memcpy(edge + PAGE - 4, "/usr", 4); /* no zero */
	FAILS(stat(edge + PAGE - 4, &status), EFAULT);
	FAILS(open((char *)-4096, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_newfstatat, AT_FDCWD, "/usr", 8, 0), EFAULT);
	FAILS(syscall(SYS_getcwd, 8, 100), EFAULT);
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(mkdir("", 0700), ENOENT);
	FAILS(unlink(""), ENOENT);
	FAILS(syscall(SYS_symlinkat, "", AT_FDCWD, "/tmp/x"), ENOENT);
	puts("good");
}

/* What was written before the snapshot is there, and only that. */
static void do_snapshot(void)
{
	char bytes[32] = "";
	struct stat status;

	CHECK(!strcmp(get("/tmp/before"), "before"));
	FAILS(access("/tmp/after", F_OK), ENOENT);
	CHECK(pread(kept_file, bytes, 32, 0) == 4 && !memcmp(bytes, "kept", 4));
	CHECK(lseek(kept_file, 0, SEEK_CUR) == 4);
	CHECK(!fstat(kept_file, &status) && status.st_nlink == 0);
	FAILS(faccessat(kept_directory, "f", F_OK, 0), ENOENT);
	put("/tmp/before", "changed");
	put("/tmp/after", "after");
	CHECK(write(kept_file, " more", 5) == 5);
	CHECK(openat(kept_directory, "f", O_CREAT | O_RDWR, 0600) >= 0);
	CHECK(!chdir("/dev/shm") && umask(0) == 022);
	puts("good");
}

/* Mappings that are moved, and what a program says of its memory. */
static void do_memory(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;
	unsigned char there[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	char *a = mmap(NULL, 9 * PAGE, rw, private, -1, 0), *b, *c;
	struct rlimit limit;

	CHECK(a != MAP_FAILED);
	memset(a, 1, 8 * PAGE);
	CHECK(mremap(a, 8 * PAGE, 4 * PAGE, 0) == a);
	CHECK(mincore(a, 4 * PAGE, there) == 0 && there[0] == 1 &&
	      there[3] == 1 && there[4] == 9);
	FAILS(mincore(a, 8 * PAGE, there), ENOMEM);
	CHECK(mremap(a, 4 * PAGE, 8 * PAGE, 0) == a);
	CHECK(a[4 * PAGE - 1] == 1 && a[4 * PAGE] == 0 && a[8 * PAGE - 1] == 0);
	b = mmap(NULL, 32 * PAGE, PROT_NONE, private | MAP_NORESERVE, -1, 0);
	CHECK(b != MAP_FAILED);
	CHECK(mremap(b, 32 * PAGE, 16 * PAGE, 0) == b);
	/* the page behind it is taken: it must move, or fail */
	FAILS((long)mremap(a, 8 * PAGE, 9 * PAGE, 0), ENOMEM);
	c = mremap(a, 8 * PAGE, 20 * PAGE, MREMAP_MAYMOVE);
	CHECK(c != MAP_FAILED && c != a && c[0] == 1 && c[8 * PAGE] == 0);
	FAILS(mincore(a, PAGE, there), ENOMEM);
	a = mremap(c, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b);
	CHECK(a == b && a[0] == 1 && c[2 * PAGE] == 1);
	FAILS((long)mremap(c, 2 * PAGE, PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS((long)mremap(b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b),
	      EINVAL);
	FAILS((long)mremap(b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 8),
	      EINVAL);
	FAILS((long)mremap(b + 1, PAGE, PAGE, 0), EINVAL);
	FAILS((long)mremap(b, PAGE, 0, 0), EINVAL);
	FAILS((long)mremap(b, PAGE, 1ul << 50, MREMAP_MAYMOVE), ENOMEM);
	FAILS((long)mremap((void *)-4096, PAGE, PAGE, 0), EFAULT);
	CHECK(!madvise(b, PAGE, MADV_DONTNEED) && b[0] == 0);
	b[0] = 1;
	CHECK(!madvise(b, PAGE, MADV_WILLNEED) && b[0] == 1);
	CHECK(!madvise(b + PAGE, PAGE, MADV_DONTNEED)); /* PROT_NONE */
	FAILS(madvise(b, PAGE, 12345), EINVAL);
	FAILS(madvise(b + 1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(b, 1ul << 40, MADV_DONTNEED), ENOMEM);
	FAILS(madvise(b, -1ul, MADV_DONTNEED), ENOMEM);
	CHECK(!mlock(b, PAGE) && !munlock(b + 5, 10) && !mlockall(1) &&
	      !munlockall() && !msync(b, PAGE, MS_SYNC));
	FAILS(mlock((void *)8, 1ul << 30), ENOMEM);
	FAILS(msync(b + 1, PAGE, MS_SYNC), EINVAL);
	c = mmap(NULL, PAGE, rw, private | MAP_STACK | MAP_GROWSDOWN, -1, 0);
	CHECK(c != MAP_FAILED);
	FAILS((long)mmap(NULL, PAGE, rw | PROT_EXEC, private, -1, 0), EACCES);
	CHECK(!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur > 1 << 20 &&
	      limit.rlim_cur < 1ul << 40);
	limit.rlim_cur--;
	CHECK(!setrlimit(RLIMIT_AS, &limit));
	CHECK(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 100 }));
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur == 10 &&
	      limit.rlim_max == 100);
	FAILS(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 200 }), EPERM);
	FAILS(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 11, 10 }), EINVAL);
	puts("good");
}

static int __attribute__((noinline)) seven(void)
{
	return 7;
}

/* Code that the program writes itself: a copy of a function, which may lie anywhere. */
static void do_code(void)
{
	char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*call)(void);

	CHECK(a != MAP_FAILED);
	for (int i = 0; i < 3; i++) {
		memcpy(a, (const void *)(uintptr_t)seven, 16);
		__builtin___clear_cache(a, a + 16);
		memcpy(&call, &a, sizeof(call));
		CHECK(call() == 7);
	}
	puts("good");
}

static void do_cat(void)
{
	printf("%s", get(argument));
}

/* The path that leads to what /proc says, the program's own. */
static void do_proc(void)
{
	char line[256], path[256] = "";
	unsigned long from, to;
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    from <= (unsigned long)line && (unsigned long)line < to)
			found = strstr(line, "[stack]") != NULL;
	CHECK(found);
	CHECK(readlink("/proc/self/exe", path, sizeof(path)) > 1);
	CHECK(!access(path, X_OK));
	CHECK(strstr(get("/proc/self/status"), "Uid:\t65534"));
	CHECK(!strncmp(get("/proc/self/stat"), "1 (", 3));
	CHECK(!strcmp(get("/proc/self/cmdline"), saved_argv[0]));
	CHECK(strstr(get("/proc/meminfo"), "MemTotal:"));
	CHECK(!strcmp(get("/sys/devices/system/cpu/online"), "0\n"));
	CHECK(!strncmp(get("/proc/version"), "Linux version ", 14));
	CHECK(strlen(get("/proc/self/comm")) > 1);
	CHECK(*get("/proc/self/auxv"));
	FAILS(open("/proc/self/status", O_RDWR), EACCES);
	FAILS(open("/proc/2/status", O_RDONLY), ENOENT);
	FAILS(open("/proc/kallsyms", O_RDONLY), ENOENT);
	CHECK(!strcmp(get("/proc/1/comm"), get("/proc/self/comm")));
	puts("good");
}

static void do_arguments(void)
{
	for (int i = 0; i < saved_argc; i++)
		printf("%s|", saved_argv[i]);
}

static void do_many_opens(void)
{
	for (int i = 0; i < 3000; i++) {
		const char *text = get(argument);

		if (strcmp(text, "inside") && strcmp(text, strerror(ENOENT)) &&
		    strcmp(text, strerror(ELOOP)) &&
		    strcmp(text, strerror(ENOTDIR))) {
			printf("%s", text);
			return;
		}
	}
	puts("good");
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "write", do_write },	     { "names", do_names },
	{ "unnamed", do_unnamed },   { "directories", do_directories },
	{ "list", do_list },	     { "status", do_status },
	{ "map", do_map },	     { "full", do_full },
	{ "hostile", do_hostile },   { "deep", do_deep },
	{ "snapshot", do_snapshot }, { "memory", do_memory },
	{ "cat", do_cat },	     { "code", do_code },
	{ "proc", do_proc },	     { "arguments", do_arguments },
	{ "opens", do_many_opens },  { "limit", do_limit },
};

/* What is open and written before the snapshot. */
static void set_up(void)
{
	put("/tmp/before", "before");
	kept_file = open("/tmp/kept", O_RDWR | O_CREAT, 0600);
	CHECK(write(kept_file, "kept", 4) == 4 && !unlink("/tmp/kept"));
	CHECK(!mkdir("/tmp/directory", 0700));
	kept_directory = open("/tmp/directory", O_RDONLY | O_DIRECTORY);
}

int main(int argc, char **argv)
{
	ssize_t n;

	saved_argc = argc;
	saved_argv = argv;
	if (argc < 2 || strcmp(argv[1], "idle"))
		set_up();
	n = read(0, input, sizeof(input) - 1);
	if (n < 0)
		return 5;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(input, commands[i].name, length) ||
		    (input[length] && input[length] != ' '))
			continue;
		argument = input + length + 1;
		commands[i].run();
		return 0;
	}
	return 6;
}
