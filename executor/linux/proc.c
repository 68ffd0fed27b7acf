/* proc.c - see proc.h. Reference: proc(5). */
#include "executor/linux/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "executor/linux/process.h"
#include "executor/linux/version.h"
#include "guest/abi/thaw_abi.h"
#include "vm/image/program.h"
#include "vm/layout.h"

#define COMM_MAX 15

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void write_comm(struct linux_process *process, struct buffer *text)
{
	buffer_printf(text, "%.*s\n", COMM_MAX, base_name(process->executable));
}

static void write_strings(char *const *strings, struct buffer *text)
{
	for (; strings && *strings; strings++)
		buffer_append(text, *strings, strlen(*strings) + 1);
}

static void write_arguments(struct linux_process *process, struct buffer *text)
{
	write_strings(process->arguments, text);
}

static void write_environment(struct linux_process *process,
			      struct buffer *text)
{
	write_strings(process->program->environment, text);
}

/* The C library looks for the stack of the first thread here. */
static void write_maps(struct linux_process *process, struct buffer *text)
{
	const struct space *space = &process->space;
	const struct layout_range *stack = &space->layout->stack;

	for (size_t i = 0; i < space->areas.count; i++) {
		const struct area *area = &space->areas.list[i];
		const char *name = "";

		if (area->prot == AREA_FRAMES)
			continue;
		if (area->end == stack->start + stack->size)
			name = "                          [stack]";
		else if (area->start <= space->break_start &&
			 space->break_start < area->end)
			name = "                          [heap]";
		buffer_printf(text,
			      "%08" PRIx64 "-%08" PRIx64
			      " %c%c%cp 00000000 00:00 0 %s\n",
			      area->start, area->end,
			      area->prot & IMAGE_PROT_READ ? 'r' : '-',
			      area->prot & IMAGE_PROT_WRITE ? 'w' : '-',
			      area->prot & IMAGE_PROT_EXECUTE ? 'x' : '-',
			      name);
	}
}

static void write_status(struct linux_process *process, struct buffer *text)
{
	const uint64_t size = space_mapped(&process->space, 0) >> 10;

	buffer_printf(text,
		      "Name:\t%.*s\nUmask:\t%04o\nState:\tR (running)\n"
		      "Tgid:\t1\nNgid:\t0\nPid:\t1\nPPid:\t0\nTracerPid:\t0\n"
		      "Uid:\t65534\t65534\t65534\t65534\n"
		      "Gid:\t65534\t65534\t65534\t65534\n"
		      "FDSize:\t%d\nGroups:\t\n"
		      "VmPeak:\t%8" PRIu64 " kB\nVmSize:\t%8" PRIu64 " kB\n"
		      "VmHWM:\t%8" PRIu64 " kB\nVmRSS:\t%8" PRIu64 " kB\n"
		      "VmData:\t%8" PRIu64 " kB\nVmStk:\t%8zu kB\n"
		      "VmSwap:\t       0 kB\nThreads:\t%u\n"
		      "NoNewPrivs:\t1\nSeccomp:\t0\n"
		      "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n"
		      "Mems_allowed:\t1\nMems_allowed_list:\t0\n",
		      COMM_MAX, base_name(process->executable),
		      (unsigned)process->creation_mask, FILES_MAX, size, size,
		      size, size, size,
		      (size_t)process->space.layout->stack.size >> 10,
		      process->threads.count);
}

/* Times and sizes of which the program can learn nothing are 0. */
static void write_stat(struct linux_process *process, struct buffer *text)
{
	const struct layout_range *stack = &process->space.layout->stack;
	const uint64_t size = space_mapped(&process->space, 0);

	buffer_printf(text,
		      "1 (%.*s) R 0 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 %u 0 0 "
		      "%" PRIu64 " %" PRIu64 " 18446744073709551615 0 0 "
		      "%" PRIu64
		      " 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 %" PRIu64
		      " 0 0 0 0 0\n",
		      COMM_MAX, base_name(process->executable),
		      process->threads.count, size, size / THAW_PAGE_SIZE,
		      (uint64_t)(stack->start + stack->size),
		      process->space.break_start);
}

static void write_statm(struct linux_process *process, struct buffer *text)
{
	const uint64_t pages =
		space_mapped(&process->space, 0) / THAW_PAGE_SIZE;

	buffer_printf(text, "%" PRIu64 " %" PRIu64 " 0 0 0 %" PRIu64 " 0\n",
		      pages, pages, pages);
}

static void write_vector(struct linux_process *process, struct buffer *text)
{
	const void *bytes = space_view(&process->space, process->vector,
				       process->vector_size);

	if (bytes)
		buffer_append(text, bytes, process->vector_size);
}

static void write_limit(struct linux_process *process, struct buffer *text,
			const char *name, int resource, const char *unit)
{
	const struct rlimit *limit = &process->limits.list[resource];

	buffer_printf(text, "%-25s ", name);
	if (limit->rlim_cur == RLIM_INFINITY)
		buffer_printf(text, "%-20s %-20s ", "unlimited", "unlimited");
	else
		buffer_printf(text, "%-20" PRIu64 " %-20" PRIu64 " ",
			      (uint64_t)limit->rlim_cur,
			      (uint64_t)limit->rlim_max);
	buffer_printf(text, "%-10s\n", unit);
}

static void write_limits(struct linux_process *process, struct buffer *text)
{
	buffer_printf(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
		      "Hard Limit", "Units");
	write_limit(process, text, "Max data size", RLIMIT_DATA, "bytes");
	write_limit(process, text, "Max stack size", RLIMIT_STACK, "bytes");
	write_limit(process, text, "Max core file size", RLIMIT_CORE, "bytes");
	write_limit(process, text, "Max processes", RLIMIT_NPROC, "processes");
	write_limit(process, text, "Max open files", RLIMIT_NOFILE, "files");
	write_limit(process, text, "Max address space", RLIMIT_AS, "bytes");
}

static void write_mounts(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "rootfs / rootfs ro 0 0\n"
			  "tmpfs /tmp tmpfs rw,nosuid,nodev 0 0\n"
			  "tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0\n"
			  "proc /proc proc ro 0 0\n");
}

static void write_memory(struct linux_process *process, struct buffer *text)
{
	const uint64_t total = process->space.layout->memory_size >> 10;
	const uint64_t used = space_mapped(&process->space, 0) >> 10;
	const uint64_t left = total > used ? total - used : 0;

	buffer_printf(
		text,
		"MemTotal:       %8" PRIu64 " kB\n"
		"MemFree:        %8" PRIu64 " kB\n"
		"MemAvailable:   %8" PRIu64 " kB\n"
		"Buffers:               0 kB\nCached:                0 kB\n"
		"SwapTotal:             0 kB\nSwapFree:              0 kB\n",
		total, left, left);
}

static void write_cpus(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "processor\t: 0\n\n");
}

static void write_cpu_times(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_printf(text,
		      "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"
		      "ctxt 0\nbtime %" PRId64
		      "\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
		      (int64_t)time(NULL));
}

static void write_uptime(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "1.00 0.00\n");
}

static void write_version(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "Linux version " LINUX_RELEASE
			  " (thaw) " LINUX_VERSION "\n");
}

static void write_release(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, LINUX_RELEASE "\n");
}

static void write_file_systems(struct linux_process *process,
			       struct buffer *text)
{
	(void)process;
	buffer_text(text, "nodev\ttmpfs\nnodev\tproc\n");
}

static void write_zero(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "0\n");
}

static void write_overcommit(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "2\n"); /* what is mapped is there */
}

static void write_map_count(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_printf(text, "%d\n", AREAS_MAX);
}

static void write_pid_max(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, "32768\n");
}

static void write_host_name(struct linux_process *process, struct buffer *text)
{
	(void)process;
	buffer_text(text, LINUX_NODE "\n");
}

static const struct {
	const char *path;
	void (*write)(struct linux_process *process, struct buffer *text);
} files[] = {
	{ "/proc/cpuinfo", write_cpus },
	{ "/proc/filesystems", write_file_systems },
	{ "/proc/meminfo", write_memory },
	{ "/proc/mounts", write_mounts },
	{ "/proc/self/auxv", write_vector },
	{ "/proc/self/cmdline", write_arguments },
	{ "/proc/self/comm", write_comm },
	{ "/proc/self/environ", write_environment },
	{ "/proc/self/limits", write_limits },
	{ "/proc/self/maps", write_maps },
	{ "/proc/self/mounts", write_mounts },
	{ "/proc/self/stat", write_stat },
	{ "/proc/self/statm", write_statm },
	{ "/proc/self/status", write_status },
	{ "/proc/stat", write_cpu_times },
	{ "/proc/sys/kernel/hostname", write_host_name },
	{ "/proc/sys/kernel/osrelease", write_release },
	{ "/proc/sys/kernel/pid_max", write_pid_max },
	{ "/proc/sys/vm/max_map_count", write_map_count },
	{ "/proc/sys/vm/overcommit_memory", write_overcommit },
	{ "/proc/uptime", write_uptime },
	{ "/proc/version", write_version },
	{ "/sys/devices/system/cpu/online", write_zero },
	{ "/sys/devices/system/cpu/possible", write_zero },
	{ "/sys/devices/system/cpu/present", write_zero },
};
#define FILES (sizeof(files) / sizeof(*files))

unsigned proc_count(void)
{
	return FILES;
}

const char *proc_path(unsigned index)
{
	return files[index].path;
}

int proc_find(const char *path)
{
	for (unsigned i = 0; i < FILES; i++)
		if (!strcmp(path, files[i].path))
			return (int)i;
	return -ENOENT;
}

void proc_write(struct linux_process *process, unsigned index,
		struct buffer *text)
{
	files[index].write(process, text);
}
