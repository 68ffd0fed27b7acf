/*
 * shim_files.c - of shim.c: files that are open at the snapshot, which the shim reads. The
 * byte at offset i of the n-th file is byte_of(n, i). The first is FIRST_SIZE bytes long,
 * and FIRST_OFFSET of them have been read before the snapshot.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "guest/abi/thaw_shim.h"

#define FIRST_SIZE 5000
#define FIRST_OFFSET 100
#define FILES 40
#define HIGH_FD 200
/* Of preadv2(): the file's own offset. The host alone does this call. */
#define OWN_OFFSET (-1l)

static int files[FILES]; /* descriptors; ended by 0 */
static char *path;	 /* of the first */
static int twin;	 /* a duplicate of the first file's descriptor */
static int other;  /* the first file, opened again: it has its own offset */
static int unread; /* the same by O_PATH */
static int kept;   /* a file in /tmp */
static struct stat status;
static unsigned char bytes[3 * PAGE];

static unsigned char byte_of(int file, long i)
{
	uint32_t mixed = ((uint32_t)i + (uint32_t)file * 1000003) * 2654435761u;

	mixed = (mixed ^ mixed >> 15) * 2246822507u;
	return (unsigned char)(mixed >> 24);
}

static int is_good(int file, const unsigned char *from, long start, long size)
{
	for (long i = 0; i < size; i++)
		if (from[i] != byte_of(file, start + i))
			return 0;
	return 1;
}

void open_files(char **paths)
{
	if (!*paths)
		return;
	path = *paths;
	for (int i = 0; paths[i]; i++) {
		files[i] = open(paths[i], O_RDONLY);
		CHECK(i < FILES && files[i] > 0);
	}
	CHECK((twin = dup(files[0])) > 0);
	CHECK((other = fcntl(open(path, O_RDONLY), F_DUPFD, HIGH_FD)) ==
	      HIGH_FD);
	CHECK((unread = open(path, O_PATH)) > 0);
	CHECK((kept = open("/tmp/kept", O_RDWR | O_CREAT, 0600)) > 0);
	CHECK(write(kept, "kept", 4) == 4 && !fstat(files[0], &status));
	CHECK(read(files[0], bytes, FIRST_OFFSET) == FIRST_OFFSET);
}

static long seek(int fd, long by, int whence)
{
	return syscall(SYS_lseek, fd, by, whence);
}

static long offset_of(int fd)
{
	return seek(fd, 0, SEEK_CUR);
}

/* Reads by a call that the host alone does. */
static long read_by_host(int fd, void *to, size_t size)
{
	const struct iovec part = { to, size };

	return syscall(SYS_preadv2, fd, &part, 1, OWN_OFFSET, OWN_OFFSET, 0);
}

/* All ways of reading, of which none needs the host. */
void do_read(void)
{
	const int fd = files[0];
	const struct iovec parts[] = { { bytes, 10 },
				       { NULL, 0 },
				       { bytes + 20, 30 } };
	struct stat again;
	struct termios terminal;
	struct winsize size;

	CHECK(!syscall(SYS_fstat, fd, &again));
	CHECK(again.st_size == FIRST_SIZE && S_ISREG(again.st_mode));
	CHECK(!memcmp(&again, &status, sizeof(status)));
	memset(&again, 0, sizeof(again));
	CHECK(!syscall(SYS_newfstatat, other, "", &again, 0x1000));
	CHECK(!memcmp(&again, &status, sizeof(status)));
	FAILS(ioctl(fd, TCGETS, &terminal), ENOTTY);
	FAILS(ioctl(fd, TIOCGWINSZ, &size), ENOTTY);
	CHECK(offset_of(fd) == FIRST_OFFSET && offset_of(other) == 0);
	for (long i = FIRST_OFFSET; i < FIRST_SIZE; i += 49) {
		CHECK(read(fd, bytes, 49) == 49 && is_good(0, bytes, i, 49));
		CHECK(offset_of(twin) == i + 49);
	}
	CHECK(read(fd, bytes, 1) == 0 && offset_of(fd) == FIRST_SIZE);
	CHECK(read(other, bytes, sizeof(bytes)) == FIRST_SIZE);
	CHECK(is_good(0, bytes, 0, FIRST_SIZE));
	CHECK(syscall(SYS_pread64, fd, bytes, 50, 4990) == 10);
	CHECK(is_good(0, bytes, 4990, 10) && offset_of(fd) == FIRST_SIZE);
	CHECK(syscall(SYS_preadv, fd, parts, 3, 1000, 0) == 40);
	CHECK(is_good(0, bytes, 1000, 10) && is_good(0, bytes + 20, 1010, 30));
	CHECK(seek(fd, -45, SEEK_END) == 4955);
	CHECK(readv(fd, parts, 3) == 40 && readv(fd, parts, 3) == 5);
	CHECK(is_good(0, bytes, 4995, 5) && is_good(0, bytes + 20, 4965, 30));
	CHECK(readv(fd, parts, 3) == 0);
	puts("good");
}

void do_seek(void)
{
	const int fd = files[0];

	CHECK(seek(fd, 7, SEEK_SET) == 7 && seek(fd, 3, SEEK_CUR) == 10);
	CHECK(seek(fd, -10, SEEK_CUR) == 0 && seek(fd, 0, SEEK_END) == 5000);
	FAILS(seek(fd, -1, SEEK_SET), EINVAL);
	FAILS(seek(fd, -5001, SEEK_CUR), EINVAL);
	FAILS(seek(fd, INT64_MIN, SEEK_END), EINVAL);
	FAILS(seek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	CHECK(offset_of(fd) == 5000);
	CHECK(seek(fd, INT64_MAX, SEEK_SET) == INT64_MAX);
	CHECK(read(fd, bytes, 10) == 0 && offset_of(fd) == INT64_MAX);
	CHECK(pread(fd, bytes, 10, INT64_MAX) == 0);
	CHECK(pread(fd, bytes, 10, 5000) == 0);
	puts("good");
}

/* The shim and the host read in turns, by descriptors that share an offset or do not. */
void do_share(void)
{
	const int fd = files[0];
	int more, far;

	CHECK(read(fd, bytes, 10) == 10 && is_good(0, bytes, 100, 10));
	CHECK(read_by_host(fd, bytes, 10) == 10 && is_good(0, bytes, 110, 10));
	CHECK(read(twin, bytes, 10) == 10 && is_good(0, bytes, 120, 10));
	CHECK(read_by_host(twin, bytes, 10) == 10);
	CHECK(is_good(0, bytes, 130, 10) && offset_of(fd) == 140);
	CHECK(read(other, bytes, 10) == 10 && is_good(0, bytes, 0, 10));
	CHECK((more = dup(fd)) > 0 && (far = fcntl(fd, F_DUPFD, 220)) == 220);
	CHECK(read(more, bytes, 10) == 10 && is_good(0, bytes, 140, 10));
	CHECK(read(far, bytes, 10) == 10 && is_good(0, bytes, 150, 10));
	CHECK(seek(far, 4000, SEEK_SET) == 4000 && offset_of(twin) == 4000);
	CHECK(!close(twin) && !close(fd));
	FAILS(read(fd, bytes, 10), EBADF);
	FAILS(seek(twin, 0, SEEK_SET), EBADF);
	CHECK(read(more, bytes, 10) == 10 && is_good(0, bytes, 4000, 10));
	CHECK(offset_of(far) == 4010);
	/* what was read at the snapshot is there for who opens it now */
	CHECK(open(path, O_RDONLY) == fd && offset_of(fd) == 0);
	CHECK(read(fd, bytes, 10) == 10 && is_good(0, bytes, 0, 10));
	CHECK(offset_of(more) == 4010 && offset_of(other) == 10);
	FAILS(read(unread, bytes, 1), EBADF);
	CHECK(seek(fd, 2, SEEK_DATA) == 2 && seek(fd, 2, SEEK_HOLE) == 5000);
	CHECK(!ioctl(other, FIONREAD, &far) && far == 4990);
	puts("good");
}

/* Descriptors that become another file's, and back. */
void do_replace(void)
{
	const int fd = files[0];
	int ends[2];

	CHECK(!pipe(ends) && write(ends[1], "pipe", 4) == 4);
	CHECK(dup2(ends[0], fd) == fd && read(fd, bytes, 10) == 4);
	CHECK(!memcmp(bytes, "pipe", 4));
	FAILS(seek(fd, 0, SEEK_CUR), ESPIPE);
	CHECK(read(twin, bytes, 10) == 10 && is_good(0, bytes, 100, 10));
	CHECK(dup3(kept, twin, O_CLOEXEC) == twin);
	CHECK(seek(twin, 0, SEEK_SET) == 0 && read(twin, bytes, 10) == 4);
	CHECK(!memcmp(bytes, "kept", 4) && write(twin, "more", 4) == 4);
	CHECK(pread(kept, bytes, 10, 0) == 8 && !memcmp(bytes + 4, "more", 4));
	CHECK(dup2(other, fd) == fd && read(fd, bytes, 10) == 10);
	CHECK(is_good(0, bytes, 0, 10) && offset_of(other) == 10);
	/* and what is standard input to others */
	CHECK(dup2(other, 0) == 0 && read(0, bytes, 10) == 10);
	CHECK(is_good(0, bytes, 10, 10) && !close(0));
	FAILS(read(0, bytes, 1), EBADF);
	CHECK(offset_of(fd) == 20 && open(path, O_RDONLY) == 0);
	CHECK(read(0, bytes, 10) == 10 && is_good(0, bytes, 0, 10));
	CHECK(!syscall(SYS_close_range, 0, 0, 0));
	FAILS(pread(0, bytes, 1, 0), EBADF);
	puts("good");
}

static unsigned char reads[FIRST_SIZE];

/* Reads bytes that no other thread reads: each marks those that it has read. */
static void *read_in_turns(void *unused)
{
	unsigned char some[10];

	(void)unused;
	for (int i = 0; i < 100; i++) {
		long at = FIRST_OFFSET;

		CHECK(read(twin, some, 10) == 10);
		while (!is_good(0, some, at, 10))
			at += 10;
		CHECK(!reads[at]++);
		sched_yield();
	}
	return NULL;
}

void do_threads(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, read_in_turns, NULL));
	read_in_turns(NULL);
	CHECK(!pthread_join(thread, NULL));
	CHECK(offset_of(files[0]) == FIRST_OFFSET + 2000);
	puts("good");
}

static volatile sig_atomic_t handled;

static void on_timer(int signal)
{
	unsigned char byte;

	(void)signal;
	if (read(other, &byte, 1) == 1)
		handled++;
}

/* What interrupts the program anywhere finds the offset as it is, and leaves it so. */
void do_handler(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	long count = 0;

	signal(SIGALRM, on_timer);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	while (handled < 5) {
		CHECK(read(other, bytes, 1) == 1);
		count++;
		/* there is to be something left for the handler */
		if (offset_of(other) > FIRST_SIZE / 2) {
			CHECK(seek(other, -1000, SEEK_CUR) >= 0);
			count -= 1000;
		}
	}
	signal(SIGALRM, SIG_IGN);
	CHECK(offset_of(other) == count + handled);
	puts("good");
}

/* Anywhere that the program may not write, and sizes that nothing has. */
void do_wild(void)
{
	static struct iovec list[2];
	const int fd = files[0];
	char *page =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uintptr_t wild[] = { 8,
				   (uintptr_t)page,
				   (uintptr_t)&do_wild,
				   THAW_GPA_GIVEN,
				   1ul << 46,
				   INT64_MAX,
				   (uintptr_t)INT64_MIN,
				   UINT64_MAX };

	CHECK(page != MAP_FAILED);
	for (unsigned i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		struct iovec parts[] = { { bytes, 5000 },
					 { (void *)wild[i], 10 } };

		FAILS(syscall(SYS_read, fd, wild[i], 10), EFAULT);
		FAILS(syscall(SYS_pread64, fd, wild[i], 10, 0), EFAULT);
		FAILS(syscall(SYS_fstat, fd, wild[i]), EFAULT);
		CHECK(readv(fd, parts, 2) == FIRST_SIZE - FIRST_OFFSET);
		CHECK(seek(fd, FIRST_OFFSET, SEEK_SET) == FIRST_OFFSET);
		parts[0].iov_len = 10;
		CHECK(readv(fd, parts, 2) == 10);
		CHECK(syscall(SYS_preadv, fd, parts, 2, 0, 0) == 10);
		CHECK(seek(fd, -10, SEEK_CUR) == FIRST_OFFSET);
		if (wild[i] != (uintptr_t)page &&
		    wild[i] != (uintptr_t)&do_wild)
			FAILS(syscall(SYS_readv, fd, wild[i], 1), EFAULT);
		/* at the end of the file there is nothing to write */
		CHECK(syscall(SYS_pread64, fd, wild[i], 10, 5000) == 0);
	}
	FAILS(syscall(SYS_read, fd, bytes, INT64_MIN), EINVAL);
	FAILS(syscall(SYS_read, fd, bytes, -1l), EINVAL);
	FAILS(syscall(SYS_pread64, fd, bytes, INT64_MIN, 0), EINVAL);
	FAILS(syscall(SYS_pread64, fd, bytes, 10, INT64_MIN), EINVAL);
	FAILS(syscall(SYS_preadv, fd, list, 1, -1l, 0l), EINVAL);
	FAILS(syscall(SYS_readv, fd, bytes, INT64_MIN), EINVAL);
	list[1].iov_len = (size_t)INT64_MIN;
	FAILS(readv(fd, list, 2), EINVAL);
	CHECK(offset_of(fd) == FIRST_OFFSET);
	/* what is read goes to the list itself, which has been read by then */
	list[0] = (struct iovec){ list, sizeof(list) };
	list[1] = (struct iovec){ bytes, 10 };
	CHECK(readv(fd, list, 2) == sizeof(list) + 10);
	CHECK(is_good(0, (unsigned char *)list, 100, sizeof(list)));
	CHECK(is_good(0, bytes, 100 + sizeof(list), 10));
	CHECK(syscall(SYS_read, fd, bytes, INT64_MAX) > 0);
	CHECK(offset_of(fd) == FIRST_SIZE);
	puts("good");
}

static const struct thaw_given *given(void)
{
	return (const struct thaw_given *)THAW_GPA_GIVEN;
}

/* The pages that have the files are no memory of the program's. */
static void keep_pages(char *page)
{
	FAILS(mprotect(page, PAGE, PROT_READ | PROT_WRITE), ENOMEM);
	CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED);
	CHECK(!munmap(page, PAGE));
	FAILS(write(1, page, 10), EFAULT);
	CHECK(read(files[0], bytes, 10) == 10 && is_good(0, bytes, 100, 10));
}

/* Ends with SIGSEGV. */
void do_write_page(void)
{
	char *page = (char *)(uintptr_t)(given()->files[0].start & -PAGE);

	CHECK(given()->file_count && page);
	keep_pages(page);
	*(volatile char *)page = 1;
	puts("bad");
}

void use_files(void)
{
	if (!path)
		return;
	for (int fd = 3; fd < 8; fd++) {
		syscall(SYS_read, fd, bytes, 100);
		read_by_host(fd, bytes, 100);
		seek(fd, 1, SEEK_CUR);
		seek(fd, 1, SEEK_DATA);
	}
}

/* Reads all of the file with that number, by as many reads as there are pages. */
void do_sum(void)
{
	const int fd = files[number];
	long n, at = 0;

	CHECK(fd > 0 && seek(fd, 0, SEEK_SET) == 0);
	while ((n = read(fd, bytes, PAGE)) > 0) {
		CHECK(is_good((int)number, bytes, at, n));
		at += n;
	}
	CHECK(!n && offset_of(fd) == at);
	printf("%ld\n", at);
}
