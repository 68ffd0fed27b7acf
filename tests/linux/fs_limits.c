/* fs_limits.c - how much a program may ask of the host. Part of fs.c. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"

/* A path with its links has 4,096 names at most, however deep it leads. */
void do_deep(void)
{
	static char target[PATH_MAX];
	char path[PATH_MAX] = "/tmp/n200", from[32], to[32];
	struct stat status, top;

	for (int i = 0; i <= 200; i++) {
		snprintf(to, sizeof(to), "/tmp/n%d", i);
		CHECK(!mkdir(to, 0700));
		snprintf(from, sizeof(from), "/tmp/n%d", i - 1);
		snprintf(to, sizeof(to), "/tmp/n%d/a", i);
		CHECK(!i || !rename(from, to));
	}
	CHECK(!stat(path, &top));
	for (int i = 0; i < 200; i++)
		strcat(path, "/a");
	CHECK(!chdir(path) && !mkdir("b", 0700) && !symlink("../a/b", "l"));
	CHECK(!stat("l/../l/.././b", &status) && S_ISDIR(status.st_mode));
	memset(target, 0, sizeof(target));
	for (int i = 0; i < 200; i++)
		strcat(target, "../");
	CHECK(!stat(target, &status) && status.st_ino == top.st_ino);
	CHECK(!chdir("/tmp") && !rename("/tmp/n200", "/tmp/moved"));
	FAILS(stat(path, &status), ENOENT);
	/* tmp, s0, 2045 and s1, 2045 and s2, and then 2 */
	for (int i = 0; i < 2; i++) {
		memset(target, 0, sizeof(target));
		for (int k = 0; k < 2045; k++)
			strcat(target, "./");
		sprintf(target + strlen(target), "s%d", i + 1);
		snprintf(to, sizeof(to), "/tmp/s%d", i);
		CHECK(!symlink(target, to));
	}
	CHECK(!symlink("./.", "/tmp/s2") && !stat("/tmp/s0", &status));
	CHECK(!unlink("/tmp/s2") && !symlink("././.", "/tmp/s2"));
	FAILS(stat("/tmp/s0", &status), ELOOP);
	puts("good");
}

/* Opens the file @number of the directory in the argument. */
static int open_file(int number, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d", argument, number);
	return open(path, O_RDONLY | flags);
}

/* Files 1 to 4 have a quarter of the limit each, 0 has a byte. */
void do_limit(void)
{
	char path[32], byte;
	int fd, unread, files[5];

	fd = open_file(0, 0);
	CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x');
	for (int i = 1; i < 4; i++)
		CHECK((files[i] = open_file(i, 0)) >= 0);
	FAILS(open_file(4, 0), ENOMEM); /* one byte too many */
	CHECK(!close(fd) && (files[4] = open_file(4, 0)) >= 0);
	FAILS(open_file(0, 0), ENOMEM);
	FAILS(open("/proc/self/maps", O_RDONLY), ENOMEM);
	FAILS(open("/proc/self", O_RDONLY), ENOMEM);
	/* what is open already is not read again, and a path alone never */
	for (int i = 0; i < 100; i++)
		CHECK(open_file(i % 4 + 1, 0) >= 0);
	CHECK((unread = open_file(0, O_PATH)) >= 0);
	FAILS(read(unread, &byte, 1), EBADF);
	CHECK(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, unread, 0) == MAP_FAILED &&
	      errno == EBADF);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", unread);
	FAILS(open(path, O_RDONLY), ENOMEM);
	for (fd = 3; fd < 256; fd++)
		if (fd != unread)
			close(fd);
	CHECK((fd = open(path, O_RDONLY)) >= 0);
	CHECK(read(fd, &byte, 1) == 1 && byte == 'x');
	puts("good");
}
