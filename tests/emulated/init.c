/*
 * init.c - the first process of an emulated machine: runs its programs.
 *
 * Linked statically and put into the initramfs by run.py, which reads what this
 * writes to the console, a line each:
 *
 *	@ready KERNEL kvm|no-kvm
 *	@start NAME
 *	| what the program printed
 *	# what the kernel said meanwhile: a segmentation fault, for one
 *	@end NAME exit N|signal N|timeout SECONDS
 *	@done
 *
 * /programs has a line for each: the name, its time limit in seconds, the
 * directory, KEY=VALUE for its environment, and from the first absolute path
 * on its arguments, with tabs between. The argument of init is how many of
 * them to pass over: those of the machine's earlier life, if it has hung.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define OUTPUT_MAX_BYTES (256 << 10) /* of one program; a console is slow */
#define FIELDS_MAX 64
#define FILES_MAX 65536
/* As in <linux/kvm.h>, which is for vm/ alone. */
#define KVM_CREATE_VM _IO(0xae, 0x01)

#define KERNEL_INFO 6 /* its level; lower is worse */

struct program {
	char *name;
	double limit;
	char *directory;
	char *environment[FIELDS_MAX];
	char *arguments[FIELDS_MAX];
};

struct output {
	char line[LINE_MAX_BYTES];
	size_t used, total;
};

static int kernel_log = -1;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* In one write, so that the kernel's own lines come between, not within. */
static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	char text[LINE_MAX_BYTES + 8];
	va_list list;
	int size;

	va_start(list, format);
	size = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (size >= (int)sizeof(text))
		size = sizeof(text) - 1;
	if (write(STDOUT_FILENO, text, (size_t)size) < 0)
		exit(1); /* which is a panic: no console, no results */
}

/* The root, which is memory, is also /tmp: the source tree may be there. */
static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "proc", "/proc" },	  { "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },	  { "tmpfs", "/dev/shm" },
		{ "devpts", "/dev/pts" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i][1], 0755);
		if (mount("none", mounts[i][1], mounts[i][0], 0, NULL) &&
		    errno != EBUSY)
			say("# mount %s: %s\n", mounts[i][1], strerror(errno));
	}
	mkdir("/tmp", 0755);
	chmod("/tmp", 01777);
	mkdir("/run", 0755);
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		say("# loopback: %s\n", strerror(errno));
	close(fd);
}

/* A fault that ends a program is to be in the kernel's log, with its address. */
static void log_faults(void)
{
	int fd = open("/proc/sys/debug/exception-trace", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		say("# exception-trace: %s\n", strerror(errno));
	close(fd);
}

/* /modules has the files, a line each, in the order of loading. */
static void load_modules(void)
{
	FILE *list = fopen("/modules", "re");
	char line[256];
	int fd;

	while (list && fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			say("# %s: %s\n", line, strerror(errno));
		close(fd);
	}
	if (list)
		fclose(list);
}

/*
 * A vm that is there for as long as the machine. With its first vm the kernel
 * patches a call into its scheduler, that of KVM's preempt notifiers, and out of
 * it with the last. QEMU, of 7.2 at least, may go on without the new
 * instruction: then a vcpu's thread loses the processor with the guest's
 * registers still in it. It comes back with the guest's TPIDR_EL0 and ends by a
 * segmentation fault at the next use of thread-local storage, or the CPU locks
 * up.
 */
static void hold_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return;
	if (ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		say("# KVM_CREATE_VM: %s\n", strerror(errno));
	close(kvm);
}

/* Prints @out's line. */
static void end_line(struct output *out)
{
	if (out->total <= OUTPUT_MAX_BYTES)
		say("| %.*s\n", (int)out->used, out->line);
	out->used = 0;
}

static void take(struct output *out, const char *data, size_t size)
{
	if (out->total <= OUTPUT_MAX_BYTES &&
	    out->total + size > OUTPUT_MAX_BYTES)
		say("| (the rest is left out)\n");
	out->total += size;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' || out->used == sizeof(out->line))
			end_line(out);
		if (data[i] != '\n')
			out->line[out->used++] = data[i];
	}
}

/* Takes what there is to read. Returns false at the end. */
static bool drain(int fd, struct output *out)
{
	char data[LINE_MAX_BYTES];
	ssize_t size = read(fd, data, sizeof(data));

	if (size > 0)
		take(out, data, (size_t)size);
	return size > 0;
}

/* Splits @line, which @ret_program then points into. */
static bool parse(char *line, struct program *ret_program)
{
	struct program program = { 0 };
	char *fields[FIELDS_MAX], *rest = line;
	size_t n = 0, i = 3, variables = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < FIELDS_MAX - 1 && (fields[n] = strsep(&rest, "\t")))
		n++;
	if (n < 4)
		return false;
	program.name = fields[0];
	program.limit = atof(fields[1]);
	program.directory = fields[2];
	while (i < n && fields[i][0] != '/')
		program.environment[variables++] = fields[i++];
	memcpy(program.arguments, fields + i, (n - i) * sizeof(*fields));
	*ret_program = program;
	return i < n;
}

static void __attribute__((noreturn))
become(const struct program *program, int output)
{
	int nothing = open("/dev/null", O_RDONLY);

	setsid();
	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(nothing);
	close(output);
	if (chdir(program->directory)) {
		perror(program->directory);
		_exit(126);
	}
	execve(program->arguments[0], program->arguments, program->environment);
	perror(program->arguments[0]);
	_exit(126);
}

/*
 * Passes the output of @pid on until it ends. Returns its status as of
 * waitpid(), or -1 if it has not ended at @deadline.
 */
static int await(pid_t pid, int output, double deadline, struct output *out)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = -1;
	struct pollfd fds[] = { { .fd = output, .events = POLLIN },
				{ .fd = pidfd, .events = POLLIN } };

	while (now() < deadline) {
		poll(fds, 2, (int)((deadline - now()) * 1e3) + 1);
		if (fds[0].revents && !drain(output, out))
			fds[0].fd = -1;
		if (fds[1].revents && !fds[0].revents) {
			waitpid(pid, &status, 0);
			break;
		}
	}
	close(pidfd);
	return status;
}

/* A record is "LEVEL,NUMBER,TIME,...;TEXT" and lines that start with blanks. */
static void pass_kernel_log_on(void)
{
	char record[LINE_MAX_BYTES], *text;
	ssize_t size;

	while ((size = read(kernel_log, record, sizeof(record) - 1)) > 0 ||
	       (size < 0 && errno == EPIPE)) {
		if (size < 0)
			continue; /* it has gone on without us */
		record[size] = '\0';
		text = strchr(record, ';');
		if (!text || (atoi(record) & 7) > KERNEL_INFO)
			continue;
		say("# %.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
	}
}

static void run(const struct program *program)
{
	struct output out = { 0 };
	double start = now();
	char how[32] = "timeout";
	int ends[2], status;
	pid_t pid;

	say("@start %s\n", program->name);
	if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
		say("@end %s exit 126 0\n", program->name);
		return;
	}
	if (!pid)
		become(program, ends[1]);
	close(ends[1]);
	status = await(pid, ends[0], start + program->limit, &out);
	if (status >= 0)
		snprintf(how, sizeof(how), "%s %d",
			 WIFEXITED(status) ? "exit" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status) :
					     WTERMSIG(status));
	/* whatever it has left behind */
	kill(-1, SIGKILL);
	while (drain(ends[0], &out))
		;
	if (out.used)
		end_line(&out);
	close(ends[0]);
	while (waitpid(-1, NULL, 0) > 0)
		;
	pass_kernel_log_on();
	say("@end %s %s %.1f\n", program->name, how, now() - start);
}

static void run_all(int pass_over)
{
	FILE *list = fopen("/programs", "re");
	static char line[1 << 14];
	struct program program;

	while (list && fgets(line, sizeof(line), list)) {
		if (pass_over-- > 0)
			continue;
		if (parse(line, &program))
			run(&program);
		else
			say("# /programs: not understood: %s\n", line);
	}
	say("@done\n");
}

int main(int argc, char **argv)
{
	const struct rlimit files = { FILES_MAX, FILES_MAX };
	struct utsname machine;

	setrlimit(RLIMIT_NOFILE, &files);
	mount_all();
	bring_loopback_up();
	log_faults();
	load_modules();
	hold_vm();
	uname(&machine);
	/* the firmware may not have ended its line */
	say("\n@ready %s %s\n", machine.release,
	    access("/dev/kvm", R_OK | W_OK) ? "no-kvm" : "kvm");
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kernel_log, 0, SEEK_END);
	run_all(argc > 1 ? atoi(argv[1]) : 0);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
