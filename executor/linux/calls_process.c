/* calls_process.c - see calls_process.h. */
#include "executor/linux/calls_process.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "executor/linux/gunyah.h"
#include "executor/linux/process.h"
#include "executor/linux/shim.h"
#include "executor/linux/version.h"
#include "executor/linux/wait.h"
#include "vm/layout.h"

/* The process that runs. */
#define PROCESS_ID 1
/* So many bytes are never fewer than asked for; getrandom(2) says so, too. */
#define RANDOM_MAX 256

#define ARCH_SET_GS_CODE 0x1001
#define ARCH_SET_FS_CODE 0x1002
#define ARCH_GET_FS_CODE 0x1003

static int put_bytes(struct linux_process *process, uint64_t to,
		     const void *bytes, size_t size)
{
	return space_write(&process->space, to, bytes, size);
}

int64_t call_exit_group(struct linux_process *process, const uint64_t *args)
{
	if (gunyah_exits(process, SYS_exit_group, args[0]))
		return 0;
	process->step = LINUX_EXIT;
	process->status = (int)(args[0] & 0xff);
	return 0;
}

int64_t call_arch_prctl(struct linux_process *process, const uint64_t *args)
{
	switch (args[0]) {
	case ARCH_SET_FS_CODE:
		if (args[1] >> 47)
			return -EPERM;
		process->threads.current->pointer = args[1];
		return vm_set_thread(process->space.vm, args[1]);
	case ARCH_GET_FS_CODE:
		return put_bytes(process, args[1],
				 &process->threads.current->pointer,
				 sizeof(uint64_t));
	}
	return -EINVAL;
}

int64_t call_getrandom(struct linux_process *process, const uint64_t *args)
{
	uint8_t bytes[RANDOM_MAX];
	const uint64_t size = args[1] < RANDOM_MAX ? args[1] : RANDOM_MAX;
	uint64_t done = 0;
	int r = 0;

	if (args[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (done < size && !r) {
		const uint64_t left = size - done;
		const uint64_t part = left < ENTROPY_MAX ? left : ENTROPY_MAX;

		r = entropy_fill(bytes + done, part);
		done += part;
	}
	if (!r)
		r = put_bytes(process, args[0], bytes, size);
	return r ? r : (int64_t)size;
}

int64_t call_uname(struct linux_process *process, const uint64_t *args)
{
	struct utsname name, host;

	uname(&host);
	memset(&name, 0, sizeof(name));
	strcpy(name.sysname, "Linux");
	strcpy(name.nodename, LINUX_NODE);
	strcpy(name.release, LINUX_RELEASE);
	strcpy(name.version, LINUX_VERSION);
	strcpy(name.machine, host.machine);
	return put_bytes(process, args[0], &name, sizeof(name));
}

int64_t call_sysinfo(struct linux_process *process, const uint64_t *args)
{
	const size_t memory = process->space.layout->memory_size;
	struct sysinfo info;

	memset(&info, 0, sizeof(info));
	info.uptime = 1;
	info.totalram = memory;
	info.freeram = memory / 2;
	info.procs = 1;
	info.mem_unit = 1;
	return put_bytes(process, args[0], &info, sizeof(info));
}

/*
 * The clock @id; that of the CPU time of one process or thread, which has its id in it,
 * becomes CLOCK_PROCESS_CPUTIME_ID. The kernel's interface has ~id in bits 3 up, whether
 * it is of a thread in bit 2, and which of three clocks in bits 0 and 1.
 */
static uint64_t find_clock(const struct linux_process *process, uint64_t id)
{
	const int32_t clock = (int32_t)id,
		      owner = (int32_t)(~(uint32_t)id >> 3);
	const bool is_thread = clock & 4;

	if (clock >= 0)
		return (uint64_t)clock;
	if ((clock & 3) == 3)
		return UINT64_MAX;
	if (owner &&
	    !(is_thread ? threads_find(&process->threads, owner) != NULL :
			  owner == PROCESS_ID))
		return UINT64_MAX;
	return CLOCK_PROCESS_CPUTIME_ID;
}

int64_t call_clock_gettime(struct linux_process *process, const uint64_t *args)
{
	const uint64_t id = find_clock(process, args[0]);
	struct timespec now;
	uint64_t ns;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		ns = linux_clock_ns(process, (clockid_t)id);
		break;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		ns = shim_cpu_time_ns(process);
		break;
	default:
		return -EINVAL;
	}
	now.tv_sec = (time_t)(ns / NS_PER_S);
	now.tv_nsec = (long)(ns % NS_PER_S);
	return put_bytes(process, args[1], &now, sizeof(now));
}

int64_t call_clock_getres(struct linux_process *process, const uint64_t *args)
{
	const struct timespec resolution = { 0, 1 };

	if (find_clock(process, args[0]) > CLOCK_TAI)
		return -EINVAL;
	return args[1] ? put_bytes(process, args[1], &resolution,
				   sizeof(resolution)) :
			 0;
}

int64_t call_gettimeofday(struct linux_process *process, const uint64_t *args)
{
	const uint64_t now_ns = clock_read_ns(CLOCK_REALTIME);
	const uint64_t now[2] = { now_ns / NS_PER_S,
				  now_ns % NS_PER_S / NS_PER_US };
	const int32_t zone[2] = { 0, 0 };

	if (args[0] && put_bytes(process, args[0], now, sizeof(now)))
		return -EFAULT;
	return args[1] ? put_bytes(process, args[1], zone, sizeof(zone)) : 0;
}

int64_t call_time(struct linux_process *process, const uint64_t *args)
{
	const int64_t now = (int64_t)(clock_read_ns(CLOCK_REALTIME) / NS_PER_S);

	if (args[0] && put_bytes(process, args[0], &now, sizeof(now)))
		return -EFAULT;
	return now;
}

/* Sleeps until @until_ns, CLOCK_MONOTONIC. */
static int64_t sleep_until(struct linux_process *process, uint64_t until_ns)
{
	if (linux_wait_is_over(process) || until_ns <= clock_now_ns())
		return 0;
	return linux_wait(process, until_ns);
}

int64_t call_nanosleep(struct linux_process *process, const uint64_t *args)
{
	uint64_t at_ns;
	int r;

	if (linux_wait_is_begun(process))
		return sleep_until(process, LINUX_WAIT_FOREVER);
	r = linux_wait_read_time(process, args[0], &at_ns);
	return r ? r :
		   sleep_until(process, linux_wait_end(process, CLOCK_MONOTONIC,
						       true, at_ns));
}

int64_t call_clock_nanosleep(struct linux_process *process,
			     const uint64_t *args)
{
	const bool is_relative = !(args[1] & TIMER_ABSTIME);
	uint64_t at_ns;
	int r;

	if (args[0] != CLOCK_REALTIME && args[0] != CLOCK_MONOTONIC)
		return -EINVAL;
	if (linux_wait_is_begun(process))
		return sleep_until(process, LINUX_WAIT_FOREVER);
	r = linux_wait_read_time(process, args[2], &at_ns);
	return r ? r :
		   sleep_until(process,
			       linux_wait_end(process, (clockid_t)args[0],
					      is_relative, at_ns));
}

/* Takes a thread's name, cut to its size, as Linux does. */
static int64_t set_name(struct linux_process *process, uint64_t from)
{
	char *name = process->threads.current->name;
	char text[LINUX_THREAD_NAME_SIZE];
	int r = space_read_string(&process->space, from, text, sizeof(text));

	if (r < 0 && r != -ENAMETOOLONG)
		return r;
	text[sizeof(text) - 1] = '\0';
	strcpy(name, text);
	return 0;
}

int64_t call_prctl(struct linux_process *process, const uint64_t *args)
{
	switch (args[0]) {
	case PR_SET_NAME:
		return set_name(process, args[1]);
	case PR_SET_DUMPABLE:
	case PR_SET_PDEATHSIG:
	case PR_SET_NO_NEW_PRIVS:
		return 0;
	case PR_GET_NAME:
		return put_bytes(process, args[1],
				 process->threads.current->name,
				 LINUX_THREAD_NAME_SIZE);
	}
	return -EINVAL;
}

int64_t call_nothing(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return 0;
}

int64_t call_absent(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return -ENOSYS;
}

int64_t call_refused(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return -EPERM;
}

int64_t call_no_attributes(struct linux_process *process, const uint64_t *args)
{
	(void)process;
	(void)args;
	return -EOPNOTSUPP;
}
