/*
 * program.c - a Linux program for tests/contract/test_linux.c. It knows nothing of thaw.
 * It reads a line, a command with a number, and does what the command says; the reply is
 * what it writes. What it has set up before it reads must be there in every invocation,
 * and what an invocation changes must not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static char input[1 << 20];
static size_t input_size;
static long number;

static int count; /* of invocations that this copy has seen */
static __thread int thread_count;
static char *read_only, *unmapped, *heap;
static int saved_argc;
static char **saved_argv;

#define CHECK(condition)                                             \
	do {                                                         \
		if (!(condition)) {                                  \
			printf("line %d: %s (errno %d)\n", __LINE__, \
			       #condition, errno);                   \
			exit(0);                                     \
		}                                                    \
	} while (0)

static void do_echo(void)
{
	fwrite(input, 1, input_size, stdout);
}

static void do_count(void)
{
	static char page[PAGE] = { 1 };

	printf("%d %d %d %d\n", ++count, ++thread_count, ++page[0], heap[0]);
	heap[0]++;
}

static void do_arguments(void)
{
	for (int i = 0; i < saved_argc; i++)
		printf("%s|", saved_argv[i]);
	printf("%s", getenv("VARIABLE") ? getenv("VARIABLE") : "none");
}

static void do_auxiliary(void)
{
	CHECK(getauxval(AT_PAGESZ) == PAGE);
	CHECK(getauxval(AT_PHDR) && getauxval(AT_PHNUM));
	CHECK(getauxval(AT_ENTRY));
	CHECK(getauxval(AT_RANDOM));
	CHECK(((char *)getauxval(AT_EXECFN))[0] == '/');
	CHECK(getauxval(AT_UID) == getuid() && getuid() != 0);
	CHECK(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
	puts("good");
}

/* The rounding mode and a long double are in registers that XRSTOR loads. */
static void do_floats(void)
{
	volatile double one = 1, three = 3;

	printf("%d %.17g", fegetround() == FE_UPWARD, one / three);
	fesetround(FE_DOWNWARD);
}

static void do_memory(void)
{
	char *a = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *top = (char *)syscall(SYS_brk, 0), *b;

	CHECK(a != MAP_FAILED && !a[0] && !a[64 * PAGE - 1]);
	memset(a, 1, 64 * PAGE);
	CHECK(!munmap(a + 16 * PAGE, 16 * PAGE));
	b = mmap(a + 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(b == a + 16 * PAGE && !b[0] && !b[16 * PAGE - 1]);
	CHECK(a[0] == 1 && a[32 * PAGE] == 1);
	b = mmap(a, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(b == MAP_FAILED && errno == EEXIST);
	b = mmap(a, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(b == a && !a[0] && a[PAGE] == 1);
	CHECK(!munmap(a, 64 * PAGE));
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		      MAP_FAILED &&
	      errno == EINVAL);
	CHECK(mmap(NULL, 1ul << 40, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED &&
	      errno == ENOMEM);
	CHECK(mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
	      errno == EACCES);
	CHECK(syscall(SYS_brk, top + 3 * PAGE) == (long)(top + 3 * PAGE));
	memset(top, 1, 3 * PAGE);
	CHECK(syscall(SYS_brk, top) == (long)top);
	CHECK(syscall(SYS_brk, top + 3 * PAGE) == (long)(top + 3 * PAGE));
	CHECK(!top[0] && !top[PAGE] && !top[3 * PAGE - 1]);
	CHECK(syscall(SYS_brk, 1l << 40) == (long)(top + 3 * PAGE));
	for (int i = 0; i < 200; i++)
		free(memset(malloc((size_t)i * 1999), i, (size_t)i * 1999));
	puts("good");
}

static void do_allocate(void)
{
	/* a compiler may leave out memory that nobody looks at */
	char *volatile bytes = malloc((size_t)number);

	if (bytes)
		memset(bytes, 1, (size_t)number);
	/* or bytes that nobody reads */
	__asm__ volatile("" ::: "memory");
	puts(bytes ? "allocated" : strerror(errno));
}

static void do_files(void)
{
	struct pollfd fds[3] = { { 0, POLLIN, 0 },
				 { 1, POLLOUT, 0 },
				 { 99, POLLIN, 0 } };
	struct stat status;
	char c;
	int left = 1, fd;

	CHECK(read(0, &c, 1) == 0 && read(0, &c, 1) == 0);
	CHECK(ioctl(0, FIONREAD, &left) == 0 && left == 0);
	CHECK(poll(fds, 3, -1) == 3 && fds[0].revents == (POLLIN | POLLHUP) &&
	      fds[1].revents == POLLOUT && fds[2].revents == POLLNVAL);
	CHECK(!isatty(0) && errno == ENOTTY);
	CHECK(lseek(0, 0, SEEK_CUR) == -1 && errno == ESPIPE);
	CHECK(!fstat(1, &status) && S_ISFIFO(status.st_mode));
	CHECK(read(1, &c, 1) == -1 && errno == EBADF);
	CHECK(write(0, &c, 1) == -1 && errno == EBADF);
	CHECK(write(77, &c, 1) == -1 && errno == EBADF);
	CHECK(open("/etc/passwd", O_RDONLY) == -1 && errno == ENOENT);
	fd = dup(1);
	CHECK(fd == 3 && write(fd, "one ", 4) == 4 && !close(fd));
	CHECK(dup2(1, 9) == 9 && !close(1) && write(1, "x", 1) == -1);
	CHECK(dup2(9, 1) == 1 && fcntl(9, F_GETFD) == 0);
	CHECK(!close(0) && read(0, &c, 1) == -1 && errno == EBADF);
	CHECK(dup2(1, 256) == -1 && errno == EBADF);
	puts("good");
}

static void do_identity(void)
{
	struct utsname name;
	struct rlimit limit;
	struct timespec a, b;
	char path[64] = "", random[2][16];

	CHECK(getpid() == 1 && getppid() == 0 && geteuid() == getuid());
	CHECK(!uname(&name) && !strcmp(name.sysname, "Linux"));
	CHECK(readlink("/proc/self/exe", path, sizeof(path) - 1) > 1 &&
	      *path == '/');
	CHECK(!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur == 256 << 10);
	CHECK(getrandom(random[0], 16, 0) == 16);
	CHECK(getrandom(random[1], 16, 0) == 16);
	CHECK(memcmp(random[0], random[1], 16) != 0);
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &a));
	CHECK(!nanosleep(&(struct timespec){ 0, 2000000 }, NULL));
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &b));
	CHECK((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >=
	      2000000);
	CHECK(time(NULL) > 1600000000);
	CHECK(syscall(SYS_socket, 1, 1, 0) == -1 && errno == EPERM);
	CHECK(syscall(SYS_execve, "/", NULL, NULL) == -1 && errno == EPERM);
	CHECK(syscall(500) == -1 && errno == ENOSYS);
	CHECK(syscall(-1l) == -1 && errno == ENOSYS);
	puts("good");
}

static void do_signals(void)
{
	struct sigaction old;
	sigset_t set;

	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == SIG_IGN);
	CHECK(!raise(SIGUSR1));
	CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGTERM));
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGKILL);
	CHECK(!sigprocmask(SIG_SETMASK, &set, NULL));
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGTERM) && !sigismember(&set, SIGKILL));
	puts("good");
}

/* Many writes make one reply. */
static void do_writes(void)
{
	struct iovec parts[3] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };

	for (long i = 0; i < number; i++)
		CHECK(writev(1, parts, 3) == 3);
}

static void do_error(void)
{
	fprintf(stderr, "first\nlast words");
	exit((int)number);
}

static void do_abort(void)
{
	abort();
}

static void do_null(void)
{
	*(volatile char *)number = 1;
}

static void do_read_only(void)
{
	printf("%d", read_only[0]);
	fflush(stdout);
	read_only[0] = 2;
}

static void do_unmapped(void)
{
	unmapped[0] = 2;
}

/* Protections that change in a request hold at once. */
static void do_protect(void)
{
	char *a = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(a != MAP_FAILED);
	CHECK(!mprotect(a + PAGE, PAGE, PROT_READ | PROT_WRITE));
	a[PAGE] = 1;
	CHECK(!mprotect(a + PAGE, PAGE, PROT_READ));
	CHECK(a[PAGE] == 1);
	CHECK(mprotect(a + 4 * PAGE, 1ul << 30, PROT_READ) == -1 &&
	      errno == ENOMEM);
	CHECK(write(1, a, 1) == -1 && errno == EFAULT);
	CHECK(read(0, a + PAGE, 1) == 0);
	if (number)
		a[number * PAGE - PAGE] = 1;
	puts("good");
}

static long use_stack(long depth)
{
	volatile char page[PAGE];

	page[0] = (char)depth;
	return depth ? use_stack(depth + 1) + page[0] : 0;
}

static void do_overflow(void)
{
	printf("%ld", use_stack(1));
}

static void do_spin(void)
{
	for (;;)
		;
}

static void do_sleep(void)
{
	usleep((useconds_t)number * 1000);
	puts("slept");
}

/* One system call, with wild arguments in every place. */
static void do_wild(void)
{
	const long wild[] = {
		0,
		1,
		-1,
		4095,
		0x10000,
		0x13ff8,
		0x30000,
		0x100000,
		(long)do_wild,
		(long)(heap + 1),
		(long)&wild,
		(long)number,
		0x3fffffff,
		0xfffffff8,
		0x7ffffffffffff000,
		LONG_MIN,
		LONG_MIN + 0x400000,
	};
	const int count_of = sizeof(wild) / sizeof(*wild);
	long args[6];
	unsigned seed = (unsigned)number;

	for (int i = 0; i < 100; i++) {
		for (int a = 0; a < 6; a++) {
			seed = seed * 1103515245 + 12345;
			args[a] = wild[(seed >> 16) % (unsigned)count_of];
		}
		syscall(number, args[0], args[1], args[2], args[3], args[4],
			args[5]);
	}
	write(1, "over", 4);
	_exit(0);
}

static const char *path; /* what follows the command */
static int file = -1;	 /* opened before the snapshot, three bytes read */

static void put_error(void)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {
		{ ENOENT, "ENOENT" }, { EACCES, "EACCES" },
		{ EISDIR, "EISDIR" }, { ENOTDIR, "ENOTDIR" },
		{ EROFS, "EROFS" },   { ENODEV, "ENODEV" },
		{ EMFILE, "EMFILE" }, { ENAMETOOLONG, "ENAMETOOLONG" },
		{ ELOOP, "ELOOP" },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errno == errors[i].number)
			printf("%s", errors[i].name);
}

static void do_cat(void)
{
	char bytes[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (n < 0)
		put_error();
	else
		fwrite(bytes, 1, (size_t)n, stdout);
}

static void do_map(void)
{
	int fd = open(path, O_RDONLY);
	const char *bytes = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	struct stat status;

	if (bytes == MAP_FAILED || fstat(fd, &status))
		put_error();
	else
		printf("%ld %.20s %d", (long)status.st_size, bytes,
		       bytes[2 * PAGE - 1]);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void do_list(void)
{
	DIR *directory = opendir(path);
	char *names[1000];
	struct dirent *entry;
	size_t count = 0;

	if (!directory) {
		put_error();
		return;
	}
	while (count < 1000 && (entry = readdir(directory)))
		names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof(*names), compare_names);
	printf("%zu", count);
	for (size_t i = 0; i < count && i < 8; i++)
		printf(" %s", names[i]);
}

static void do_write(void)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		put_error();
	else
		printf("%zd", write(fd, "x", 1));
}

static void do_make(void)
{
	if (open(path, O_RDWR | O_CREAT, 0600) < 0)
		put_error();
	if (unlink(path))
		put_error();
}

static void do_stat(void)
{
	struct stat at, link;
	char text[64] = "";

	if (stat(path, &at) || lstat(path, &link) || access(path, R_OK)) {
		put_error();
		return;
	}
	if (S_ISLNK(link.st_mode))
		readlink(path, text, sizeof(text) - 1);
	printf("%d %d %s", S_ISREG(at.st_mode), S_ISLNK(link.st_mode), text);
}

/* The offset, and the file's bytes, are those of the snapshot. */
static void do_next(void)
{
	char bytes[4] = "", byte;

	CHECK(read(file, bytes, 3) == 3);
	CHECK(pread(file, &byte, 1, 0) == 1);
	CHECK(lseek(file, 0, SEEK_CUR) == 6);
	CHECK(lseek(file, -1, SEEK_SET) == -1 && errno == EINVAL);
	printf("%s %c %ld", bytes, byte, (long)lseek(file, 0, SEEK_END));
}

static void do_devices(void)
{
	char bytes[32] = { 1 }, more[32];
	int zero = open("/dev/zero", O_RDONLY),
	    null = open("/dev/null", O_RDWR);
	int entropy = open("/dev/urandom", O_RDONLY);

	CHECK(read(zero, bytes, 32) == 32 && !bytes[0] && !bytes[31]);
	CHECK(write(null, bytes, 32) == 32 && read(null, bytes, 32) == 0);
	CHECK(read(entropy, bytes, 32) == 32 && read(entropy, more, 32) == 32);
	CHECK(memcmp(bytes, more, 32) != 0);
	puts("good");
}

/* Opens as many files as there can be, and then one more. */
static void do_many(void)
{
	int fd, last = 2;

	while ((fd = open(path, O_RDONLY)) >= 0) {
		CHECK(fd > last);
		last = fd;
	}
	printf("%d ", last);
	put_error();
	CHECK(dup(1) == -1 && errno == EMFILE);
}

/* Leaves a file open, and another in /tmp, which may be too large for the machine. */
static void do_hold(void)
{
	static char bytes[1 << 20];
	int in = open(path, O_RDONLY);
	int out = open("/tmp/held", O_WRONLY | O_CREAT, 0600);

	printf("%s ", in >= 0 ? "open" : strerror(errno));
	CHECK(out >= 0);
	if (write(out, bytes, sizeof(bytes)) == sizeof(bytes))
		puts("written");
	else
		puts(strerror(errno));
}

static const struct {
	const char *name;
	void (*run)(void);
} commands[] = {
	{ "echo", do_echo },
	{ "count", do_count },
	{ "arguments", do_arguments },
	{ "auxiliary", do_auxiliary },
	{ "floats", do_floats },
	{ "memory", do_memory },
	{ "allocate", do_allocate },
	{ "files", do_files },
	{ "identity", do_identity },
	{ "signals", do_signals },
	{ "writes", do_writes },
	{ "error", do_error },
	{ "abort", do_abort },
	{ "null", do_null },
	{ "read_only", do_read_only },
	{ "unmapped", do_unmapped },
	{ "protect", do_protect },
	{ "overflow", do_overflow },
	{ "spin", do_spin },
	{ "sleep", do_sleep },
	{ "wild", do_wild },
	{ "cat", do_cat },
	{ "map", do_map },
	{ "list", do_list },
	{ "write", do_write },
	{ "make", do_make },
	{ "stat", do_stat },
	{ "next", do_next },
	{ "devices", do_devices },
	{ "many", do_many },
	{ "hold", do_hold },
};

/* What happens before the snapshot, as the first argument says. */
static void set_up(const char *how, const char *what)
{
	sigset_t set;

	heap = calloc(1, 100);
	heap[0] = 7;
	read_only = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only[0] = 5;
	mprotect(read_only, PAGE, PROT_READ);
	unmapped = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(unmapped, 3 * PAGE, PROT_NONE);
	unmapped += PAGE;
	fesetround(FE_UPWARD);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!strcmp(how, "early"))
		exit(4);
	if (!strcmp(how, "speak")) {
		printf("before ");
		fflush(stdout);
		fprintf(stderr, "set up\n");
	}
	if (!strcmp(how, "fault_early"))
		read_only[0] = 1;
	if (!strcmp(how, "spin_early"))
		do_spin();
	if (!strcmp(how, "file")) {
		char bytes[3];

		file = open(what, O_RDONLY);
		if (read(file, bytes, 3) != 3)
			exit(7);
	}
	if (!strcmp(how, "poll"))
		poll(&(struct pollfd){ 0, POLLIN, 0 }, 1, -1);
}

int main(int argc, char **argv)
{
	saved_argc = argc;
	saved_argv = argv;
	set_up(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
	for (ssize_t n = 1; n > 0; input_size += (size_t)n) {
		n = read(0, input + input_size, sizeof(input) - 1 - input_size);
		if (n < 0)
			return 5;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const size_t length = strlen(commands[i].name);

		if (strncmp(input, commands[i].name, length) ||
		    (input[length] && input[length] != ' '))
			continue;
		number = strtol(input + length, NULL, 0);
		path = input + length + 1;
		commands[i].run();
		return 0;
	}
	return 6;
}
