/*
 * cmd_doctor.c - `thaw doctor`: checks whether this machine can run functions,
 * and says what to do about each problem.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/machine_memory.h"
#include "executor/cli/cli.h"
#include "executor/cli/options.h"
#include "executor/cli/verbs.h"
#include "executor/limits.h"
#include "executor/server/server_limits.h"
#include "snapshot/tracker.h"
#include "vm/kvm.h"
#include "vm/vm.h"

#define CLOCK_SOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* A busy executor may need more file descriptors than this. */
#define FILES_ADVISED 4096

enum status {
	STATUS_OK,
	STATUS_WARN, /* works, but not as well as it could */
	STATUS_FAIL, /* functions cannot run */
};

static const char *const status_names[] = {
	[STATUS_OK] = "ok",
	[STATUS_WARN] = "warn",
	[STATUS_FAIL] = "FAIL",
};

/* The checks so far: printed one by one, or collected for JSON. */
struct report {
	json_t *checks; /* NULL: print */
	bool failed;
};

static void note(struct report *report, enum status status, const char *name,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

static void note(struct report *report, enum status status, const char *name,
		 const char *format, ...)
{
	char text[ERROR_MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (status == STATUS_FAIL)
		report->failed = true;
	if (report->checks)
		json_array_append_new(report->checks,
				      json_pack("{s:s, s:s, s:s}", "name", name,
						"status", status_names[status],
						"text", text));
	else
		printf("%-4s  %-16s  %s\n", status_names[status], name, text);
}

/*
 * Returns the rest of the first line of @path that starts with @key; "" if
 * there is none.
 */
static void read_line(const char *path, const char *key, char *text,
		      size_t size)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	size_t skip = strlen(key);

	while (file && fgets(text, (int)size, file)) {
		if (strncmp(text, key, skip) != 0)
			continue;
		skip += strspn(text + skip, "\t :");
		memmove(text, text + skip, strlen(text + skip) + 1);
		text[strcspn(text, "\n")] = '\0';
		return;
	}
	text[0] = '\0';
}

static void check_machine(struct report *report)
{
	struct utsname names = { .sysname = "" };
	char cpu[256];

	uname(&names);
	read_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	note(report, STATUS_OK, "cpu", "%s%s%s, %ld online", cpu,
	     *cpu ? ", " : "", names.machine, sysconf(_SC_NPROCESSORS_ONLN));
	note(report, STATUS_OK, "kernel", "%s %s", names.sysname,
	     names.release);
}

static void check_dirty_tracking(struct report *report,
				 const struct kvm_host *host)
{
	if (host->has_dirty_ring)
		note(report, STATUS_OK, "dirty ring", "up to %zu KiB",
		     host->dirty_ring_bytes / UNITS_KIB);
	else
		note(report, STATUS_WARN, "dirty ring",
		     "not in this KVM: the dirty bitmap is used, which costs a "
		     "system call for each invocation");
	if (host->manual_protect)
		note(report, STATUS_OK, "manual protect", "flags %#x",
		     host->manual_protect);
	else
		note(report, STATUS_WARN, "manual protect",
		     "not in this KVM: the dirty bitmap, where it is used, "
		     "protects pages again each time");
}

static void check_tables(struct report *report, const struct kvm_host *host)
{
	struct error error;

	if (tracker_try_tables(&error))
		note(report, host->has_dirty_ring ? STATUS_OK : STATUS_WARN,
		     "page tables",
		     "not used: %s: where the dirty ring cannot be used, no "
		     "function is polled",
		     error.message);
	else
		note(report, STATUS_OK, "page tables",
		     "tell what was written: polled functions use them where "
		     "the dirty ring cannot be used");
}

static const struct kvm_host *check_kvm(struct report *report)
{
	struct kvm_fact facts[KVM_FACTS_MAX];
	size_t count = kvm_facts(facts);
	const struct kvm_host *host;
	struct error error;
	int r;

	for (size_t i = 0; i < count; i++)
		note(report, facts[i].ok ? STATUS_OK : STATUS_FAIL,
		     facts[i].name, "%d%s", facts[i].answer,
		     facts[i].ok ? "" : ": missing; a newer kernel has it");
	r = kvm_open(&error, &host);
	if (r) {
		note(report, STATUS_FAIL, "kvm", "%s", error.message);
		return NULL;
	}
	note(report, STATUS_OK, "kvm", "%s", kvm_device());
	check_dirty_tracking(report, host);
	check_tables(report, host);
	return host;
}

static void check_vm(struct report *report, int memory_fd)
{
	const struct vm_config config = {
		.memory_size = LIMIT_MEMORY_MIN,
		.memory_fd = memory_fd,
		.dirty = DIRTY_AUTO,
	};
	uint64_t start_ns = clock_now_ns();
	uint32_t mult, shift;
	struct error error;
	struct vm *vm;

	if (vm_create(&config, &error, &vm)) {
		note(report, STATUS_FAIL, "vm", "%s", error.message);
		return;
	}
	note(report, STATUS_OK, "vm", "created in %.3f ms",
	     (double)(clock_now_ns() - start_ns) / NS_PER_MS);
	vm_counter_scale(vm, &mult, &shift);
	note(report, STATUS_OK, "guest clock", "%.1f MHz",
	     (double)(NS_PER_S << shift) / mult / 1e6);
	vm_free(vm);
}

/* Guest memory needs an anonymous file that can be sealed. */
static void doctor_check_memory(struct report *report, bool has_kvm)
{
	cleanup_close int fd =
		memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, LIMIT_MEMORY_MIN)) {
		note(report, STATUS_FAIL, "memfd",
		     "%s: allow memfd_create, and more memory",
		     strerror(errno));
		return;
	}
	if (has_kvm)
		check_vm(report, fd);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		note(report, STATUS_FAIL, "memfd",
		     "cannot be sealed: %s: a newer kernel can",
		     strerror(errno));
	else
		note(report, STATUS_OK, "memfd", "can be sealed");
}

static void check_io_uring(struct report *report)
{
	struct io_uring_params params = { .flags = 0 };
	cleanup_close int fd = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (fd >= 0)
		note(report, STATUS_OK, "io_uring", "features %#x",
		     params.features);
	else
		note(report, STATUS_WARN, "io_uring",
		     "%s: allow it (sysctl kernel.io_uring_disabled, or the "
		     "container's seccomp profile) to serve requests; invoke "
		     "and run do without",
		     strerror(errno));
}

static void check_clock(struct report *report)
{
	char name[64];
	bool slow;

	read_line(CLOCK_SOURCE, "", name, sizeof(name));
	slow = !strcmp(name, "hpet") || !strcmp(name, "acpi_pm");
	note(report, slow ? STATUS_WARN : STATUS_OK, "clock source", "%s%s",
	     *name ? name : "unknown",
	     slow ? ": reading time is slow; find out from the kernel's log "
		    "why it does not trust the CPU's counter" :
		    "");
}

static void check_limits(struct report *report)
{
	struct rlimit limit = { .rlim_cur = 0 };
	bool few;

	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit.rlim_cur < FILES_ADVISED;
	note(report, few ? STATUS_WARN : STATUS_OK, "open files",
	     "%ju at most%s", (uintmax_t)limit.rlim_cur,
	     few ? "; each vm takes some: raise it with ulimit -n" : "");
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		note(report, STATUS_OK, "locked memory", "unlimited");
	else
		note(report, STATUS_OK, "locked memory", "%ju KiB at most",
		     (uintmax_t)limit.rlim_cur / UNITS_KIB);
}

static void check_pressure(struct report *report)
{
	struct machine_pressure pressure;
	struct error err;

	note(report, STATUS_OK, "memory",
	     "%ju MiB for this machine or cgroup; serve gives vms %d%%",
	     (uintmax_t)machine_memory("") / UNITS_MIB, SERVER_MEMORY_PERCENT);
	if (machine_pressure_open(&pressure, "", &err))
		note(report, STATUS_WARN, "memory pressure",
		     "%s: serve does not learn that memory is short and keeps "
		     "idle vms until --vm-idle-timeout; a kernel with PSI "
		     "(psi=1) tells",
		     err.message);
	else
		note(report, STATUS_OK, "memory pressure", "%s", pressure.path);
	machine_pressure_close(&pressure);
}

struct doctor_options {
	bool json;
};

static const struct cli_option options[] = {
	CLI_OPTION_FORMAT(struct doctor_options, json),
	{ .name = NULL },
};

static int doctor_run(const struct cli_verb *verb, int argc, char **argv)
{
	struct doctor_options my = { .json = false };
	struct report report = { .checks = NULL };
	int code = cli_parse(verb, argc, argv, &my, NULL);

	if (code != CLI_GO_ON)
		return code;
	if (my.json)
		report.checks = json_array();
	check_machine(&report);
	doctor_check_memory(&report, check_kvm(&report) != NULL);
	check_clock(&report);
	check_io_uring(&report);
	check_limits(&report);
	check_pressure(&report);
	if (my.json) {
		json_auto_t *top = json_pack("{s:b, s:o}", "ok", !report.failed,
					     "checks", report.checks);

		json_dumpf(top, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	return report.failed ? CLI_ENVIRONMENT : CLI_OK;
}

const struct cli_verb cmd_doctor = {
	.name = "doctor",
	.summary = "check whether this machine can run functions",
	.about =
		"Checks what thaw needs of this machine, and prints a line for each check: ok; warn\n"
		"if something works but could work better; FAIL if functions cannot run. Exits with\n"
		"7 if a check failed. $THAW_KVM_DEVICE names another device than /dev/kvm.\n",
	.examples = "  thaw doctor\n"
		    "  thaw doctor -o json | jq '.checks[] | "
		    "select(.status == \"FAIL\")'\n",
	.options = options,
	.run = doctor_run,
};
