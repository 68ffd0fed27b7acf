/*
 * memory.c - a Linux program for tests/contract/test_linux_memory.c. It has mapped memory
 * in several ways before it reads a command; what an invocation changes of it must not
 * be there in the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "code_arch.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define THREADS 4

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			fflush(stdout);                              \
			_exit(0);                                    \
		}                                                    \
	} while (0)

static long number;

/* Pages as they are before the snapshot: read-write, none, read-only, code. */
static char *pages;
enum {
	WRITABLE,
	NONE,
	READ_ONLY,
	CODE,
	PAGES
};

static char *page(int which)
{
	return pages + which * PAGE;
}

/* Writes a function that returns @value, which is below 100, to memory. */
static void put_code(char *at, unsigned value)
{
	const code_bytes code = CODE_BYTES(value);

	memcpy(at, code, sizeof(code));
	__builtin___clear_cache(at, at + sizeof(code));
}

static sigjmp_buf before_fault;

static void on_fault(int number_of_signal)
{
	signal(number_of_signal, SIG_DFL);
	siglongjmp(before_fault, 1);
}

/* Whether reading, or writing, @at faults. */
static bool faults(char *at, bool is_write)
{
	if (sigsetjmp(before_fault, 1))
		return true;
	signal(SIGSEGV, on_fault);
	if (is_write)
		*(volatile char *)at = 1;
	else
		(void)*(volatile char *)at;
	signal(SIGSEGV, SIG_DFL);
	return false;
}

static int call_code(const char *at)
{
	return ((int (*)(void))(uintptr_t)at)();
}

/* What is withdrawn from a page is withdrawn at once. */
static void do_withdraw(void)
{
	char *at = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		CHECK(!faults(at, true));
		CHECK(!mprotect(at, PAGE, PROT_READ));
		CHECK(!faults(at, false) && faults(at, true) && *at == 1);
		CHECK(!mprotect(at, PAGE, PROT_NONE));
		CHECK(faults(at, false) && faults(at, true));
		CHECK(!mprotect(at, PAGE, RW));
		CHECK(!faults(at, true) && *at == 1);
		CHECK(!mprotect(at, PAGE, PROT_NONE));
		CHECK(faults(at, false) && faults(at, true));
		CHECK(!mprotect(at, PAGE, RW));
	}
}

static void prepare(void)
{
	do_withdraw();
	pages = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	CHECK(pages != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		strcpy(page(i), "as it was");
	put_code(page(CODE), 1);
	CHECK(!mprotect(page(NONE), PAGE, PROT_NONE));
	CHECK(!mprotect(page(READ_ONLY), PAGE, PROT_READ));
	CHECK(!mprotect(page(CODE), PAGE, PROT_READ | PROT_EXEC));
}

static void *use_stack(void *unused)
{
	volatile char bytes[64 << 10];

	char *more = malloc(64 << 10);

	/* with glibc, of an arena of 64 MiB of its own */
	CHECK(more);
	memset(more, 2, 64 << 10);
	memset((char *)bytes, 1, sizeof(bytes));
	CHECK(bytes[100] == 1);
	free(more);
	return unused;
}

static void do_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, use_stack, &number));
	for (int i = 0; i < THREADS; i++) {
		void *result;

		CHECK(!pthread_join(threads[i], &result));
		CHECK(result == &number);
	}
}

/* A thread runs over the end of its stack. */
static void *overflow(void *unused)
{
	pthread_attr_t attributes;
	void *stack;
	size_t size;

	CHECK(!pthread_getattr_np(pthread_self(), &attributes));
	CHECK(!pthread_attr_getstack(&attributes, &stack, &size));
	((volatile char *)stack)[0] = 1;
	((volatile char *)stack)[-1] = 1;
	return unused;
}

static void do_overflow(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, overflow, NULL));
	pthread_join(thread, NULL);
}

static void do_change(void)
{
	strcpy(page(WRITABLE), "changed");
	CHECK(!mprotect(page(WRITABLE), PAGE, PROT_READ));
	CHECK(!mprotect(page(NONE), PAGE, RW));
	CHECK(!strcmp(page(NONE), "as it was"));
	strcpy(page(NONE), "changed");
	CHECK(!mprotect(page(READ_ONLY), PAGE, RW));
	strcpy(page(READ_ONLY), "changed");
	CHECK(!mprotect(page(CODE), PAGE, RW));
	put_code(page(CODE), 2);
	CHECK(!mprotect(page(CODE), PAGE, PROT_READ | PROT_EXEC));
	CHECK(call_code(page(CODE)) == 2);
}

static void do_check(void)
{
	CHECK(!strcmp(page(WRITABLE), "as it was"));
	strcpy(page(WRITABLE), "changed");
	CHECK(!strcmp(page(READ_ONLY), "as it was"));
	CHECK(call_code(page(CODE)) == 1);
}

static void do_read_none(void)
{
	printf("%c", *(volatile char *)page(NONE));
}

static void do_write_none(void)
{
	*(volatile char *)page(NONE) = 1;
}

static void do_write_read_only(void)
{
	*(volatile char *)page(READ_ONLY) = 1;
}

static void do_write_code(void)
{
	*(volatile char *)page(CODE) = 1;
}

static void do_run_data(void)
{
	put_code(page(WRITABLE), 3);
	printf("%d", call_code(page(WRITABLE)));
}

/* Code that is made in a request. */
static void do_make_code(void)
{
	char *code = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(code != MAP_FAILED);
	for (unsigned i = 10; i < 13; i++) {
		CHECK(!mprotect(code, PAGE, RW));
		put_code(code, i);
		CHECK(!mprotect(code, PAGE, PROT_READ | PROT_EXEC));
		CHECK(call_code(code) == (int)i);
	}
}

/* Shared memory is the program's alone; that of a file that may be written is refused. */
static void do_shared(void)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	const int file = memfd_create("file", 0);
	char *at = mmap(NULL, 2 * PAGE, RW, flags, -1, 0), *far;

	CHECK(at != MAP_FAILED && !at[0]);
	strcpy(at, "shared");
	CHECK(!mprotect(at, PAGE, PROT_READ) && !strcmp(at, "shared"));
	CHECK(!msync(at, 2 * PAGE, MS_SYNC) && !munmap(at, 2 * PAGE));
	far = mmap(NULL, 2 * PAGE, PROT_NONE, flags, -1, 0);
	CHECK(far != MAP_FAILED && !mprotect(far, 2 * PAGE, RW) && !far[0]);
	CHECK(file >= 0 && write(file, "text", 5) == 5);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, file, 0) == MAP_FAILED &&
	      errno == ENODEV);
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	CHECK(at != MAP_FAILED && !strcmp(at, "text"));
}

/* What the program's file has is still there when it has been dropped. */
static void do_drop(void)
{
	static const char text[PAGE] __attribute__((aligned(PAGE))) = "text";
	static char data[PAGE] __attribute__((aligned(PAGE))) = "data";
	static char zeros[3 * PAGE] __attribute__((aligned(PAGE)));
	const uintptr_t code = (uintptr_t)do_drop & ~(uintptr_t)(PAGE - 1);

	memset(zeros, 1, sizeof(zeros));
	CHECK(!madvise((void *)(uintptr_t)text, PAGE, MADV_DONTNEED));
	CHECK(!madvise(data, PAGE, MADV_DONTNEED));
	CHECK(!madvise((void *)code, PAGE, MADV_DONTNEED));
	/* the first page may be one with data */
	CHECK(!madvise(zeros + PAGE, 2 * PAGE, MADV_DONTNEED));
	CHECK(!strcmp(text, "text") && !strcmp(data, "data"));
	CHECK(!zeros[PAGE] && !zeros[3 * PAGE - 1]);
}

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	CHECK(!getrlimit(resource, &limit));
	limit.rlim_cur = value;
	CHECK(!setrlimit(resource, &limit));
}

static char *map(size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Lines of /proc/self/status, in KiB. */
static size_t mapped_size(void)
{
	char text[4096] = "", *line;
	const int file = open("/proc/self/status", O_RDONLY);

	CHECK(file >= 0 && read(file, text, sizeof(text) - 1) > 0);
	close(file);
	line = strstr(text, "VmSize:");
	CHECK(line);
	return (size_t)strtoul(line + 7, NULL, 10) << 10;
}

/* Limits hold to the page, for all calls that map. */
static void do_limit_space(void)
{
	const size_t used = mapped_size();
	char *at, *end = sbrk(0);

	set_limit(RLIMIT_AS, used + 100 * PAGE);
	CHECK(map(101 * PAGE, PROT_NONE) == MAP_FAILED && errno == ENOMEM);
	at = map(100 * PAGE, RW);
	CHECK(at != MAP_FAILED);
	CHECK(map(PAGE, RW) == MAP_FAILED && errno == ENOMEM);
	CHECK(map(PAGE, PROT_NONE) == MAP_FAILED && errno == ENOMEM);
	CHECK(sbrk(2 * PAGE) == (void *)-1 && sbrk(0) == end);
	CHECK(mremap(at, 100 * PAGE, 101 * PAGE, MREMAP_MAYMOVE) ==
		      MAP_FAILED &&
	      errno == ENOMEM);
	/* in its own place it takes no more, whatever the limit is now */
	set_limit(RLIMIT_AS, 0);
	CHECK(mmap(at, 50 * PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	set_limit(RLIMIT_AS, used + 100 * PAGE);
	CHECK(!munmap(at, PAGE) && map(PAGE, RW) != MAP_FAILED);
	CHECK(map(PAGE, RW) == MAP_FAILED);
	set_limit(RLIMIT_AS, used + 102 * PAGE);
	CHECK(map(2 * PAGE, RW) != MAP_FAILED);
}

static void do_limit_data(void)
{
	char *at = map(50 * PAGE, PROT_READ), *more;
	size_t room = 0;

	set_limit(RLIMIT_DATA, 0);
	CHECK(map(PAGE, RW) == MAP_FAILED && errno == ENOMEM);
	CHECK(sbrk(2 * PAGE) == (void *)-1);
	CHECK(mprotect(at, PAGE, RW) && errno == ENOMEM);
	CHECK(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED);
	CHECK(!mprotect(at, PAGE, PROT_NONE));
	CHECK(map(PAGE, PROT_READ) != MAP_FAILED);
	while (map(PAGE, RW) == MAP_FAILED)
		set_limit(RLIMIT_DATA, room += PAGE);
	CHECK(room > 4 * PAGE);
	set_limit(RLIMIT_DATA, room + 20 * PAGE);
	CHECK(!mprotect(at, 10 * PAGE, RW));
	CHECK(mprotect(at + 20 * PAGE, 11 * PAGE, RW) && errno == ENOMEM);
	more = map(10 * PAGE, RW);
	CHECK(more != MAP_FAILED && map(PAGE, RW) == MAP_FAILED);
	CHECK(!munmap(more, PAGE) && map(PAGE, RW) != MAP_FAILED);
}

static void do_limit_files(void)
{
	const int first = dup(0), high = fcntl(0, F_DUPFD, 100);

	CHECK(first > 2 && high == 100);
	set_limit(RLIMIT_NOFILE, (rlim_t)first + 2);
	CHECK(dup(0) == first + 1 && dup(0) < 0 && errno == EMFILE);
	CHECK(dup2(0, first + 2) < 0 && errno == EBADF);
	CHECK(fcntl(0, F_DUPFD, first + 2) < 0 && errno == EINVAL);
	CHECK(open("/dev/null", O_RDONLY) < 0 && errno == EMFILE);
	/* what is open stays so */
	CHECK(fcntl(high, F_GETFD) >= 0 && !close(high));
	set_limit(RLIMIT_NOFILE, 256);
	CHECK(dup2(0, 255) == 255 && dup2(0, 256) < 0 && errno == EBADF);
}

#define GIB ((size_t)1 << 30)
#define MIB ((size_t)1 << 20)
#define NONE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static char *reserve(size_t size)
{
	return mmap(NULL, size, PROT_NONE, NONE_FLAGS, -1, 0);
}

/* Address space takes no memory, up to its limit. */
static void do_reserve_limit(void)
{
	char *at = reserve(447 * GIB);

	CHECK(at != MAP_FAILED);
	CHECK(reserve(2 * GIB) == MAP_FAILED && errno == ENOMEM);
	CHECK(faults(at, false) && faults(at + 447 * GIB - 1, true));
	CHECK(write(1, at, 1) < 0 && errno == EFAULT);
	CHECK(!madvise(at, 447 * GIB, MADV_DONTNEED));
	CHECK(mprotect(at, 447 * GIB, RW) && errno == ENOMEM);
	CHECK(!mprotect(at, 447 * GIB, PROT_NONE));
	CHECK(!munmap(at, 447 * GIB));
	CHECK(mprotect(at, PAGE, RW) && errno == ENOMEM);
	CHECK(reserve(449 * GIB) == MAP_FAILED && errno == ENOMEM);
	/* what prepare_reserve() has taken is all that is missing */
	CHECK(reserve(448 * GIB - 64 * MIB + PAGE) == MAP_FAILED);
	at = reserve(448 * GIB - 64 * MIB);
	CHECK(at != MAP_FAILED && !munmap(at, 448 * GIB - 64 * MIB));
}

/* Memory for reservations is that of the program: here 32 MiB. */
static void do_reserve_memory(void)
{
	size_t used = 0;
	char *at = reserve(GIB);

	CHECK(at != MAP_FAILED);
	for (; !mprotect(at + used, MIB, RW); used += MIB) {
		CHECK(at[used] == 0 && at[used + MIB - 1] == 0);
		memset(at + used, 1, MIB);
	}
	CHECK(errno == ENOMEM && used > 20 * MIB && used < 32 * MIB);
	CHECK(faults(at + used, false));
	/* its memory is free again, in the reserve and outside, and zero */
	CHECK(!munmap(at, used / 2));
	CHECK(faults(at, false));
	for (int i = 0; i < 3; i++) {
		char *heap = mmap(NULL, 4 * MIB, RW,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(heap != MAP_FAILED);
		for (size_t j = 0; j < 4 * MIB; j += 64)
			CHECK(!heap[j]);
		memset(heap, 2, 4 * MIB);
		CHECK(!munmap(heap, 4 * MIB));
	}
	CHECK(!mprotect(at + 100 * MIB, 4 * MIB, RW));
	CHECK(!at[100 * MIB] && !at[104 * MIB - 1]);
	CHECK(at[used - 1] == 1);
}

/* Pages far from each other take tables; they are counted. */
static void do_reserve_tables(void)
{
	char *at = reserve(4 * GIB);
	size_t count = 0;

	CHECK(at != MAP_FAILED);
	while (!mprotect(at + count * 2 * MIB, PAGE, RW)) {
		at[count * 2 * MIB] = (char)count;
		count++;
	}
	/* 16 for 32 MiB, and 64, less what gigabytes take */
	CHECK(errno == ENOMEM && count >= 64 && count <= 80);
	for (size_t i = 0; i < count; i++)
		CHECK(at[i * 2 * MIB] == (char)i);
	/* where there are tables, there are pages */
	CHECK(!mprotect(at + PAGE, 100 * PAGE, RW));
}

/* Tables are made in an order that invocations choose; each address has its own page. */
static void do_reserve_order(void)
{
	const size_t count = 16, step = 32 * MIB;
	char *at = reserve(count * step);

	CHECK(at != MAP_FAILED);
	for (size_t i = 0; i < count; i++) {
		char *page = at + (number ? count - 1 - i : i) * step;

		CHECK(!mprotect(page, PAGE, RW) && !*page);
		*page = (char)(i + 1);
		for (size_t k = 0; k <= i; k++)
			CHECK(at[(number ? count - 1 - k : k) * step] ==
			      (char)(k + 1));
	}
}

/* What calls read and write need not lie together in memory. */
static void do_reserve_pieces(void)
{
	char *at = reserve(MIB), back[64], name[] = "/tmp/pieces";
	char *text = at + 2 * PAGE - 5;
	int file = open(name, O_RDWR | O_CREAT, 0600);

	CHECK(file >= 0 && at != MAP_FAILED);
	/* in this order, so that neighbours are not neighbours */
	CHECK(!mprotect(at + 2 * PAGE, PAGE, RW));
	CHECK(!mprotect(at + PAGE, PAGE, RW));
	CHECK(!mprotect(at + 3 * PAGE, PAGE, RW));
	strcpy(text, "/tmp/pieces");
	CHECK(!access(text, F_OK));
	CHECK(write(file, text, 11) == 11);
	CHECK(pread(file, back, 11, 0) == 11 && !memcmp(back, text, 11));
	memset(at + PAGE, 7, 3 * PAGE);
	CHECK(pwrite(file, at + PAGE, 3 * PAGE, 0) == 3 * PAGE);
	memset(at + PAGE, 0, 3 * PAGE);
	CHECK(pread(file, at + PAGE, 3 * PAGE, 0) == 3 * PAGE);
	for (int i = 0; i < 3 * PAGE; i++)
		CHECK(at[PAGE + i] == 7);
	CHECK(pread(file, at + 3 * PAGE, 2 * PAGE, 0) == PAGE ||
	      errno == EFAULT);
	CHECK(write(file, at, 2 * PAGE) < 0 && errno == EFAULT);
	/* a file in the place of a part of it */
	CHECK(mmap(at + 5 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
		   file, 0) == at + 5 * PAGE);
	CHECK(at[5 * PAGE] == 7 && at[7 * PAGE - 1] == 7);
	CHECK(mmap(at + 8 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_FIXED,
		   file, 0) == at + 8 * PAGE);
	CHECK(!mprotect(at + 8 * PAGE, PAGE, PROT_READ) && at[8 * PAGE] == 7);
	CHECK(!close(file) && !unlink(name));
}

/* What is in a page stays there while nothing may be done with it. */
static void do_reserve_keeps(void)
{
	char *at = reserve(MIB), *other;

	CHECK(at != MAP_FAILED && !mprotect(at, 4 * PAGE, RW));
	strcpy(at + PAGE, "kept");
	CHECK(!mprotect(at, 4 * PAGE, PROT_NONE));
	CHECK(faults(at + PAGE, false));
	CHECK(!mprotect(at, 4 * PAGE, PROT_READ));
	CHECK(!strcmp(at + PAGE, "kept") && faults(at + PAGE, true));
	CHECK(!mprotect(at, 4 * PAGE, PROT_NONE));
	other = mremap(at, MIB, 2 * MIB, MREMAP_MAYMOVE);
	CHECK(other != MAP_FAILED && !mprotect(other, 4 * PAGE, RW));
	CHECK(!strcmp(other + PAGE, "kept"));
	CHECK(!madvise(other, 2 * MIB, MADV_DONTNEED) && !other[PAGE]);
	strcpy(other + PAGE, "kept");
	CHECK(mmap(other, 4 * PAGE, PROT_NONE, NONE_FLAGS | MAP_FIXED, -1, 0) ==
	      other);
	CHECK(!mprotect(other, 4 * PAGE, RW) && !other[PAGE]);
	put_code(other, 4);
	CHECK(!mprotect(other, PAGE, PROT_READ | PROT_EXEC));
	CHECK(call_code(other) == 4);
	CHECK(!munmap(other, 2 * MIB) && faults(other, false));
}

/* Of before the snapshot: pages with memory, kept without access, and without memory. */
static char *early;

static void prepare_reserve(void)
{
	early = reserve(64 * MIB);
	CHECK(early != MAP_FAILED && !mprotect(early, 3 * PAGE, RW));
	for (int i = 0; i < 3; i++)
		strcpy(early + i * PAGE, "as it was");
	put_code(early + 2 * PAGE, 1);
	CHECK(!mprotect(early + PAGE, PAGE, PROT_NONE));
	CHECK(!mprotect(early + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC));
}

static void do_change_reserve(void)
{
	CHECK(!strcmp(early, "as it was"));
	strcpy(early, "changed");
	CHECK(!mprotect(early, PAGE, PROT_READ));
	CHECK(!mprotect(early + PAGE, PAGE, RW));
	CHECK(!strcmp(early + PAGE, "as it was"));
	strcpy(early + PAGE, "changed");
	CHECK(call_code(early + 2 * PAGE) == 1);
	CHECK(!mprotect(early + 2 * PAGE, PAGE, RW));
	put_code(early + 2 * PAGE, 2);
	CHECK(!mprotect(early + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC));
	CHECK(call_code(early + 2 * PAGE) == 2);
	CHECK(!mprotect(early + 40 * MIB, MIB, RW) && !early[40 * MIB]);
	memset(early + 40 * MIB, 1, MIB);
}

/* The next owner of its memory finds nothing there. */
static void do_release_reserve(void)
{
	char *heap;

	CHECK(!munmap(early, 64 * MIB));
	for (int i = 0; i < 3; i++) {
		heap = mmap(NULL, 4 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		CHECK(heap != MAP_FAILED);
		for (size_t j = 0; j < 4 * MIB; j += 64)
			CHECK(!heap[j]);
		memset(heap, 3, 4 * MIB);
	}
}

static void do_read_kept(void)
{
	printf("%c", *(volatile char *)(early + PAGE));
}

static void do_read_far(void)
{
	printf("%c", *(volatile char *)(early + 40 * MIB));
}

static void do_write_far_code(void)
{
	*(volatile char *)(early + 2 * PAGE) = 1;
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "reserve_limit", do_reserve_limit },
	{ "reserve_memory", do_reserve_memory },
	{ "reserve_tables", do_reserve_tables },
	{ "reserve_order", do_reserve_order },
	{ "reserve_pieces", do_reserve_pieces },
	{ "reserve_keeps", do_reserve_keeps },
	{ "change_reserve", do_change_reserve },
	{ "release_reserve", do_release_reserve },
	{ "read_kept", do_read_kept },
	{ "read_far", do_read_far },
	{ "write_far_code", do_write_far_code },
	{ "threads", do_threads },
	{ "overflow", do_overflow },
	{ "change", do_change },
	{ "check", do_check },
	{ "read_none", do_read_none },
	{ "write_none", do_write_none },
	{ "write_read_only", do_write_read_only },
	{ "write_code", do_write_code },
	{ "run_data", do_run_data },
	{ "make_code", do_make_code },
	{ "withdraw", do_withdraw },
	{ "drop", do_drop },
	{ "shared", do_shared },
	{ "limit_space", do_limit_space },
	{ "limit_data", do_limit_data },
	{ "limit_files", do_limit_files },
};

int main(void)
{
	char input[64] = "", name[32];
	ssize_t size;

	prepare();
	prepare_reserve();
	size = read(0, input, sizeof(input) - 1);
	if (size < 0 || sscanf(input, "%31s %ld", name, &number) < 1)
		return 5;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		commands[i].run();
		puts("good");
		return 0;
	}
	return 6;
}
