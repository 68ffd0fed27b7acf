/* trace_names.c - see trace_names.h. */
#include "executor/linux/trace_names.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/random.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The C library calls it 0; the kernel's value depends on the architecture. */
#define LARGEFILE (O_NOFOLLOW == 0100000 ? 0400000u : 0100000u)

struct name {
	uint64_t value;
	const char *name;
};

#define NAME(value)           \
	{                     \
		value, #value \
	}
/* Behind the names. */
#define END             \
	{               \
		0, NULL \
	}

static const struct name open_flags[] = {
	NAME(O_RDONLY),
	NAME(O_WRONLY),
	NAME(O_RDWR),
	NAME(O_CREAT),
	NAME(O_EXCL),
	NAME(O_NOCTTY),
	NAME(O_TRUNC),
	NAME(O_APPEND),
	NAME(O_NONBLOCK),
	NAME(O_SYNC),
	NAME(O_DSYNC),
	NAME(O_DIRECT),
	{ LARGEFILE, "O_LARGEFILE" },
	NAME(O_TMPFILE),
	NAME(O_DIRECTORY),
	NAME(O_NOFOLLOW),
	NAME(O_NOATIME),
	NAME(O_CLOEXEC),
	NAME(O_PATH),
	END,
};
static const struct name fd_flags[] = {
	{ 1, "EFD_SEMAPHORE" },
	NAME(O_NONBLOCK),
	NAME(O_CLOEXEC),
	NAME(O_DIRECT),
	END,
};
static const struct name at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_REMOVEDIR),	NAME(AT_SYMLINK_FOLLOW),
	NAME(AT_NO_AUTOMOUNT),	   NAME(AT_EMPTY_PATH), END,
};
static const struct name access_modes[] = {
	NAME(F_OK), NAME(R_OK), NAME(W_OK), NAME(X_OK), END,
};
static const struct name whences[] = {
	NAME(SEEK_SET),	 NAME(SEEK_CUR),  NAME(SEEK_END),
	NAME(SEEK_DATA), NAME(SEEK_HOLE), END,
};
static const struct name fcntl_commands[] = {
	NAME(F_DUPFD),	       NAME(F_GETFD),
	NAME(F_SETFD),	       NAME(F_GETFL),
	NAME(F_SETFL),	       NAME(F_GETLK),
	NAME(F_SETLK),	       NAME(F_SETLKW),
	NAME(F_SETOWN),	       NAME(F_GETOWN),
	NAME(F_DUPFD_CLOEXEC), NAME(F_GETPIPE_SZ),
	NAME(F_SETPIPE_SZ),    END,
};
static const struct name ioctl_requests[] = {
	NAME(TCGETS),
	NAME(TCSETS),
	NAME(TCSETSW),
	NAME(TIOCGWINSZ),
	NAME(TIOCGPGRP),
	NAME(TIOCSPGRP),
	NAME(FIONREAD),
	NAME(FIONBIO),
	NAME(FIOCLEX),
	NAME(FIONCLEX),
	END,
};
static const struct name prots[] = {
	NAME(PROT_NONE),
	NAME(PROT_READ),
	NAME(PROT_WRITE),
	NAME(PROT_EXEC),
	END,
};
static const struct name map_flags[] = {
	NAME(MAP_SHARED_VALIDATE),
	NAME(MAP_SHARED),
	NAME(MAP_PRIVATE),
	NAME(MAP_FIXED),
	NAME(MAP_ANONYMOUS),
	NAME(MAP_GROWSDOWN),
	NAME(MAP_DENYWRITE),
	NAME(MAP_LOCKED),
	NAME(MAP_NORESERVE),
	NAME(MAP_POPULATE),
	NAME(MAP_NONBLOCK),
	NAME(MAP_STACK),
	NAME(MAP_HUGETLB),
	NAME(MAP_FIXED_NOREPLACE),
	END,
};
static const struct name mremap_flags[] = {
	NAME(MREMAP_MAYMOVE),
	NAME(MREMAP_FIXED),
	NAME(MREMAP_DONTUNMAP),
	END,
};
static const struct name advices[] = {
	NAME(MADV_NORMAL),
	NAME(MADV_RANDOM),
	NAME(MADV_SEQUENTIAL),
	NAME(MADV_WILLNEED),
	NAME(MADV_DONTNEED),
	NAME(MADV_FREE),
	NAME(MADV_HUGEPAGE),
	NAME(MADV_NOHUGEPAGE),
	NAME(MADV_DONTDUMP),
	NAME(MADV_DODUMP),
	END,
};
static const struct name sig_hows[] = {
	NAME(SIG_BLOCK),
	NAME(SIG_UNBLOCK),
	NAME(SIG_SETMASK),
	END,
};
static const struct name clocks[] = {
	NAME(CLOCK_REALTIME),
	NAME(CLOCK_MONOTONIC),
	NAME(CLOCK_PROCESS_CPUTIME_ID),
	NAME(CLOCK_THREAD_CPUTIME_ID),
	NAME(CLOCK_MONOTONIC_RAW),
	NAME(CLOCK_REALTIME_COARSE),
	NAME(CLOCK_MONOTONIC_COARSE),
	NAME(CLOCK_BOOTTIME),
	END,
};
static const struct name timer_flags[] = {
	{ TIMER_ABSTIME, "TIMER_ABSTIME" },
	END,
};
static const struct name itimers[] = {
	{ ITIMER_REAL, "ITIMER_REAL" },
	{ ITIMER_VIRTUAL, "ITIMER_VIRTUAL" },
	{ ITIMER_PROF, "ITIMER_PROF" },
	END,
};
static const struct name futex_operations[] = {
	NAME(FUTEX_WAIT),
	NAME(FUTEX_WAKE),
	NAME(FUTEX_REQUEUE),
	NAME(FUTEX_CMP_REQUEUE),
	NAME(FUTEX_WAKE_OP),
	NAME(FUTEX_LOCK_PI),
	NAME(FUTEX_UNLOCK_PI),
	NAME(FUTEX_TRYLOCK_PI),
	NAME(FUTEX_WAIT_BITSET),
	NAME(FUTEX_WAKE_BITSET),
	NAME(FUTEX_PRIVATE_FLAG),
	NAME(FUTEX_CLOCK_REALTIME),
	END,
};
static const struct name prctl_options[] = {
	NAME(PR_SET_PDEATHSIG),
	NAME(PR_GET_DUMPABLE),
	NAME(PR_SET_DUMPABLE),
	NAME(PR_SET_NAME),
	NAME(PR_GET_NAME),
	NAME(PR_SET_NO_NEW_PRIVS),
	NAME(PR_GET_NO_NEW_PRIVS),
	NAME(PR_CAPBSET_READ),
	NAME(PR_SET_SECCOMP),
	NAME(PR_GET_SECCOMP),
	NAME(PR_SET_TIMERSLACK),
	NAME(PR_GET_TIMERSLACK),
	{ 0x53564d41, "PR_SET_VMA" },
	END,
};
static const struct name arch_codes[] = {
	{ 0x1001, "ARCH_SET_GS" },     { 0x1002, "ARCH_SET_FS" },
	{ 0x1003, "ARCH_GET_FS" },     { 0x1004, "ARCH_GET_GS" },
	{ 0x3001, "ARCH_CET_STATUS" }, END,
};
static const struct name resources[] = {
	{ RLIMIT_CPU, "RLIMIT_CPU" },
	{ RLIMIT_FSIZE, "RLIMIT_FSIZE" },
	{ RLIMIT_DATA, "RLIMIT_DATA" },
	{ RLIMIT_STACK, "RLIMIT_STACK" },
	{ RLIMIT_CORE, "RLIMIT_CORE" },
	{ RLIMIT_RSS, "RLIMIT_RSS" },
	{ RLIMIT_NPROC, "RLIMIT_NPROC" },
	{ RLIMIT_NOFILE, "RLIMIT_NOFILE" },
	{ RLIMIT_AS, "RLIMIT_AS" },
	{ RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK" },
	{ RLIMIT_LOCKS, "RLIMIT_LOCKS" },
	{ RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING" },
	{ RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE" },
	{ RLIMIT_NICE, "RLIMIT_NICE" },
	{ RLIMIT_RTPRIO, "RLIMIT_RTPRIO" },
	{ RLIMIT_RTTIME, "RLIMIT_RTTIME" },
	END,
};
static const struct name clone_flags[] = {
	NAME(CLONE_VM),
	NAME(CLONE_FS),
	NAME(CLONE_FILES),
	NAME(CLONE_SIGHAND),
	NAME(CLONE_VFORK),
	NAME(CLONE_THREAD),
	NAME(CLONE_SYSVSEM),
	NAME(CLONE_SETTLS),
	NAME(CLONE_PARENT_SETTID),
	NAME(CLONE_CHILD_CLEARTID),
	NAME(CLONE_CHILD_SETTID),
	END,
};
static const struct name random_flags[] = {
	NAME(GRND_NONBLOCK),
	NAME(GRND_RANDOM),
	NAME(GRND_INSECURE),
	END,
};
static const struct name epoll_operations[] = {
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_DEL),
	NAME(EPOLL_CTL_MOD),
	END,
};
static const struct name families[] = {
	NAME(AF_UNIX), NAME(AF_INET), NAME(AF_INET6), NAME(AF_NETLINK), END,
};
static const struct name socket_types[] = {
	{ SOCK_STREAM, "SOCK_STREAM" },
	{ SOCK_DGRAM, "SOCK_DGRAM" },
	{ SOCK_RAW, "SOCK_RAW" },
	{ SOCK_SEQPACKET, "SOCK_SEQPACKET" },
	{ SOCK_NONBLOCK, "SOCK_NONBLOCK" },
	{ SOCK_CLOEXEC, "SOCK_CLOEXEC" },
	END,
};
static const struct name poll_events[] = {
	{ 1, "POLLIN" },
	{ 2, "POLLPRI" },
	{ 4, "POLLOUT" },
	{ 8, "POLLERR" },
	{ 16, "POLLHUP" },
	{ 32, "POLLNVAL" },
	END,
};
static const struct name signal_flags[] = {
	{ 0x04000000, "SA_RESTORER" },	  { SA_NOCLDSTOP, "SA_NOCLDSTOP" },
	{ SA_SIGINFO, "SA_SIGINFO" },	  { SA_ONSTACK, "SA_ONSTACK" },
	{ SA_RESTART, "SA_RESTART" },	  { SA_NODEFER, "SA_NODEFER" },
	{ SA_RESETHAND, "SA_RESETHAND" }, END,
};
static const struct name stack_flags[] = {
	{ 0, "0" },
	{ 1, "SS_ONSTACK" },
	{ 2, "SS_DISABLE" },
	END,
};

/*
 * What arguments with a word stand for: in the bits @low one of the names, and in the
 * others any number of names.
 */
static const struct meaning {
	const char *word;
	const struct name *names;
	uint64_t low;
} meanings[] = {
	{ "access_mode", access_modes, 0 },
	{ "advice", advices, UINT32_MAX },
	{ "arch_code", arch_codes, UINT32_MAX },
	{ "at_flags", at_flags, 0 },
	{ "clock", clocks, UINT32_MAX },
	{ "clone_flags", clone_flags, 0xff },
	{ "epoll_operation", epoll_operations, UINT32_MAX },
	{ "family", families, UINT32_MAX },
	{ "fcntl_command", fcntl_commands, UINT32_MAX },
	{ "fd_flags", fd_flags, 0 },
	{ "futex_operation", futex_operations, 0x7f },
	{ "ioctl_request", ioctl_requests, UINT32_MAX },
	{ "itimer", itimers, UINT32_MAX },
	{ "map_flags", map_flags, MAP_TYPE },
	{ "mremap_flags", mremap_flags, 0 },
	{ "open_flags", open_flags, O_ACCMODE },
	{ "poll_events", poll_events, 0 },
	{ "prctl_option", prctl_options, UINT32_MAX },
	{ "prot", prots, 0 },
	{ "random_flags", random_flags, 0 },
	{ "resource", resources, UINT32_MAX },
	{ "sig_how", sig_hows, UINT32_MAX },
	{ "signal_flags", signal_flags, 0 },
	{ "socket_type", socket_types, 0xf },
	{ "stack_flags", stack_flags, UINT32_MAX },
	{ "timer_flags", timer_flags, 0 },
	{ "whence", whences, UINT32_MAX },
};

static const struct meaning *find_meaning(const char *word)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (!strcmp(meanings[i].word, word))
			return &meanings[i];
	return NULL;
}

static const char *find_name(const struct name *names, uint64_t value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

/* Appends @name behind a bar, but for the first one. */
static void put_name(struct trace_text *text, size_t start, const char *name)
{
	trace_put(text, "%s%s", text->used > start ? "|" : "", name);
}

bool trace_put_names(struct trace_text *text, const char *word, uint64_t value)
{
	const struct meaning *meaning = find_meaning(word);
	const size_t start = text->used;
	const char *low;

	if (!meaning)
		return false;
	/* the kernel does not look at the upper half */
	value &= UINT32_MAX;
	low = find_name(meaning->names, value & meaning->low);
	if (low && (meaning->low || !value)) {
		put_name(text, start, low);
		value &= ~meaning->low;
	}
	for (const struct name *name = meaning->names; name->name; name++) {
		const uint64_t bits = name->value & ~meaning->low;

		if (!bits || (value & bits) != bits)
			continue;
		put_name(text, start, name->name);
		value &= ~bits;
	}
	if (value && text->used > start)
		trace_put(text, "|");
	if (value || text->used == start)
		trace_put(text, value ? "%#llx" : "%llu",
			  (unsigned long long)value);
	return true;
}

void trace_put_signal(struct trace_text *text, int signal)
{
	const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;

	if (name)
		trace_put(text, "SIG%s", name);
	else
		trace_put(text, "%d", signal);
}

/* Any signal may have a code of those with 0. */
static const struct {
	int signal, code;
	const char *name;
} codes[] = {
	{ 0, SI_USER, "SI_USER" },
	{ 0, SI_KERNEL, "SI_KERNEL" },
	{ 0, SI_QUEUE, "SI_QUEUE" },
	{ 0, SI_TIMER, "SI_TIMER" },
	{ 0, SI_TKILL, "SI_TKILL" },
	{ SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR" },
	{ SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR" },
	{ SIGBUS, BUS_ADRALN, "BUS_ADRALN" },
	{ SIGBUS, BUS_ADRERR, "BUS_ADRERR" },
	{ SIGFPE, FPE_INTDIV, "FPE_INTDIV" },
	{ SIGFPE, FPE_FLTDIV, "FPE_FLTDIV" },
	{ SIGFPE, FPE_FLTINV, "FPE_FLTINV" },
	{ SIGILL, ILL_ILLOPC, "ILL_ILLOPC" },
	{ SIGILL, ILL_ILLOPN, "ILL_ILLOPN" },
	{ SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT" },
};

void trace_put_code(struct trace_text *text, int signal, int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code != code ||
		    (codes[i].signal && codes[i].signal != signal))
			continue;
		trace_put(text, "%s", codes[i].name);
		return;
	}
	trace_put(text, "%d", code);
}
