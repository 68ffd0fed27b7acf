/*
 * calls.c - the table of system calls. See calls.h; what a call does is in the other
 * calls_*.c. Numbers are the host's, whose architecture is the guest's.
 */
#include "executor/linux/calls.h"

#include <errno.h>
#include <sys/syscall.h>

#include "executor/linux/calls_change.h"
#include "executor/linux/calls_descriptor.h"
#include "executor/linux/calls_epoll.h"
#include "executor/linux/calls_event.h"
#include "executor/linux/calls_file.h"
#include "executor/linux/calls_futex.h"
#include "executor/linux/calls_identity.h"
#include "executor/linux/calls_limits.h"
#include "executor/linux/calls_memory.h"
#include "executor/linux/calls_open.h"
#include "executor/linux/calls_path.h"
#include "executor/linux/calls_pipe.h"
#include "executor/linux/calls_poll.h"
#include "executor/linux/calls_process.h"
#include "executor/linux/calls_signal.h"
#include "executor/linux/calls_socket.h"
#include "executor/linux/calls_thread.h"
#include "executor/linux/calls_timer.h"
#include "executor/linux/calls_transfer.h"
#include "executor/linux/calls_usage.h"
#include "executor/linux/signatures.h"
#include "executor/linux/trace.h"

#define CALL(name, call) [SYS_##name] = { #name, call }

/* clang-format off */
static const struct linux_call_entry calls[LINUX_NUMBERS_MAX] = {
	CALL(brk, call_brk),
	CALL(madvise, call_madvise),
	CALL(getrlimit, call_getrlimit),
	CALL(mincore, call_mincore),
	CALL(mlock, call_mlock),
	CALL(mlock2, call_mlock),
	CALL(mlockall, call_nothing),
	CALL(mmap, call_mmap),
	CALL(mprotect, call_mprotect),
	CALL(mremap, call_mremap),
	CALL(msync, call_msync),
	CALL(munlock, call_mlock),
	CALL(munlockall, call_nothing),
	CALL(munmap, call_munmap),
	CALL(prlimit64, call_prlimit64),
	CALL(setrlimit, call_setrlimit),

	CALL(fstat, call_fstat),
	CALL(getdents64, call_getdents64),
	CALL(lseek, call_lseek),

	CALL(pread64, call_pread64),
	CALL(preadv, call_preadv),
	CALL(preadv2, call_preadv2),
	CALL(pwrite64, call_pwrite64),
	CALL(pwritev, call_pwritev),
	CALL(pwritev2, call_pwritev2),
	CALL(read, call_read),
	CALL(readv, call_readv),
	CALL(write, call_write),
	CALL(writev, call_writev),

	/* files that have paths */
	CALL(chdir, call_chdir),
	CALL(fadvise64, call_fadvise64),
	CALL(faccessat, call_faccessat),
	CALL(faccessat2, call_faccessat2),
	CALL(fallocate, call_fallocate),
	CALL(fchdir, call_fchdir),
	CALL(fchmod, call_fchmod),
	CALL(fchmodat, call_fchmodat),
	CALL(fchown, call_fchown),
	CALL(fchownat, call_fchownat),
	CALL(fdatasync, call_fsync),
	CALL(fstatfs, call_fstatfs),
	CALL(fsync, call_fsync),
	CALL(ftruncate, call_ftruncate),
	CALL(getcwd, call_getcwd),
	CALL(linkat, call_linkat),
	CALL(memfd_create, call_memfd_create),
	CALL(mkdirat, call_mkdirat),
	CALL(mknodat, call_mknodat),
	CALL(newfstatat, call_newfstatat),
	CALL(openat, call_openat),
	CALL(openat2, call_openat2),
	CALL(readahead, call_readahead),
	CALL(readlinkat, call_readlinkat),
	CALL(renameat, call_renameat),
	CALL(renameat2, call_renameat2),
	CALL(statfs, call_statfs),
	CALL(statx, call_statx),
	CALL(symlinkat, call_symlinkat),
	CALL(sync, call_nothing),
	CALL(sync_file_range, call_fsync),
	CALL(syncfs, call_fsync),
	CALL(truncate, call_truncate),
	CALL(umask, call_umask),
	CALL(unlinkat, call_unlinkat),
	CALL(utimensat, call_utimensat),
#ifdef SYS_open
	CALL(access, call_access),
	CALL(chmod, call_chmod),
	CALL(chown, call_chown),
	CALL(creat, call_creat),
	CALL(lchown, call_lchown),
	CALL(link, call_link),
	CALL(lstat, call_lstat),
	CALL(mkdir, call_mkdir),
	CALL(mknod, call_mknod),
	CALL(open, call_open),
	CALL(readlink, call_readlink),
	CALL(rename, call_rename),
	CALL(rmdir, call_rmdir),
	CALL(stat, call_stat),
	CALL(symlink, call_symlink),
	CALL(unlink, call_unlink),
#endif

	CALL(clock_getres, call_clock_getres),
	CALL(clock_gettime, call_clock_gettime),
	CALL(clock_nanosleep, call_clock_nanosleep),
	CALL(exit_group, call_exit_group),
	CALL(getegid, call_getuid),
	CALL(geteuid, call_getuid),
	CALL(getgid, call_getuid),
	CALL(getgroups, call_getgroups),
	CALL(getpgid, call_getpgid),
	CALL(getpid, call_getpid),
	CALL(getppid, call_getppid),
	CALL(getpriority, call_getpriority),
	CALL(getrandom, call_getrandom),
	CALL(getresgid, call_getresuid),
	CALL(getresuid, call_getresuid),
	CALL(getrusage, call_getrusage),
	CALL(getsid, call_getpgid),
	CALL(gettimeofday, call_gettimeofday),
	CALL(getuid, call_getuid),
	CALL(nanosleep, call_nanosleep),
	CALL(prctl, call_prctl),
	CALL(setfsgid, call_setfsuid),
	CALL(setfsuid, call_setfsuid),
	CALL(setgid, call_setuid),
	CALL(setpriority, call_setpriority),
	CALL(setregid, call_setreuid),
	CALL(setresgid, call_setresuid),
	CALL(setresuid, call_setresuid),
	CALL(setreuid, call_setreuid),
	CALL(setuid, call_setuid),
	CALL(sysinfo, call_sysinfo),
	CALL(times, call_times),
	CALL(uname, call_uname),
	/* without it the C library does without: a vcpu is never moved */
	CALL(rseq, call_absent),

	CALL(clone, call_clone),
	CALL(clone3, call_clone3),
	CALL(exit, call_exit),
	CALL(futex, call_futex),
	CALL(get_robust_list, call_get_robust_list),
	CALL(getcpu, call_getcpu),
	CALL(gettid, call_gettid),
	CALL(membarrier, call_membarrier),
	CALL(sched_get_priority_max, call_sched_get_priority_max),
	CALL(sched_get_priority_min, call_sched_get_priority_min),
	CALL(sched_getaffinity, call_sched_getaffinity),
	CALL(sched_getparam, call_sched_getparam),
	CALL(sched_getscheduler, call_sched_getscheduler),
	CALL(sched_rr_get_interval, call_sched_rr_get_interval),
	CALL(sched_setaffinity, call_sched_setaffinity),
	CALL(sched_setparam, call_sched_setparam),
	CALL(sched_setscheduler, call_sched_setscheduler),
	CALL(sched_yield, call_sched_yield),
	CALL(set_robust_list, call_set_robust_list),
	CALL(set_tid_address, call_set_tid_address),

	CALL(kill, call_kill),
	CALL(restart_syscall, call_restart_syscall),
	CALL(rt_sigaction, call_rt_sigaction),
	CALL(rt_sigpending, call_rt_sigpending),
	CALL(rt_sigprocmask, call_rt_sigprocmask),
	CALL(rt_sigqueueinfo, call_rt_sigqueueinfo),
	CALL(rt_sigreturn, call_rt_sigreturn),
	CALL(rt_sigsuspend, call_rt_sigsuspend),
	CALL(rt_sigtimedwait, call_rt_sigtimedwait),
	CALL(rt_tgsigqueueinfo, call_rt_tgsigqueueinfo),
	CALL(sigaltstack, call_sigaltstack),
	CALL(tgkill, call_tgkill),
	CALL(tkill, call_tkill),

	CALL(getitimer, call_getitimer),
	CALL(setitimer, call_setitimer),
	CALL(timer_create, call_timer_create),
	CALL(timer_delete, call_timer_delete),
	CALL(timer_getoverrun, call_timer_getoverrun),
	CALL(timer_gettime, call_timer_gettime),
	CALL(timer_settime, call_timer_settime),

	CALL(execve, call_refused),
	CALL(wait4, call_no_child),
	CALL(waitid, call_no_child),

	/* no file has any */
	CALL(fgetxattr, call_no_attributes),
	CALL(flistxattr, call_no_attributes),
	CALL(fremovexattr, call_no_attributes),
	CALL(fsetxattr, call_no_attributes),
	CALL(getxattr, call_no_attributes),
	CALL(lgetxattr, call_no_attributes),
	CALL(listxattr, call_no_attributes),
	CALL(llistxattr, call_no_attributes),
	CALL(lremovexattr, call_no_attributes),
	CALL(lsetxattr, call_no_attributes),
	CALL(removexattr, call_no_attributes),
	CALL(setxattr, call_no_attributes),

	CALL(close, call_close),
	CALL(close_range, call_close_range),
	CALL(dup, call_dup),
	CALL(dup3, call_dup3),
	CALL(epoll_create1, call_epoll_create1),
	CALL(epoll_ctl, call_epoll_ctl),
	CALL(epoll_pwait, call_epoll_pwait),
	CALL(epoll_pwait2, call_epoll_pwait2),
	CALL(eventfd2, call_eventfd2),
	CALL(fcntl, call_fcntl),
	CALL(flock, call_flock),
	CALL(ioctl, call_ioctl),
	CALL(pipe2, call_pipe2),
	CALL(ppoll, call_ppoll),
	CALL(pselect6, call_pselect6),
	CALL(timerfd_create, call_timerfd_create),
	CALL(timerfd_gettime, call_timerfd_gettime),
	CALL(timerfd_settime, call_timerfd_settime),

	/* libraries read and write instead */
	CALL(copy_file_range, call_not_spliced),
	CALL(sendfile, call_not_spliced),
	CALL(splice, call_not_spliced),
	CALL(tee, call_not_spliced),
	CALL(vmsplice, call_not_spliced),

	/* there is no network */
	CALL(accept, call_no_socket),
	CALL(accept4, call_no_socket),
	CALL(bind, call_no_socket),
	CALL(connect, call_no_socket),
	CALL(getpeername, call_no_socket),
	CALL(getsockname, call_no_socket),
	CALL(getsockopt, call_no_socket),
	CALL(listen, call_no_socket),
	CALL(recvfrom, call_no_socket),
	CALL(recvmmsg, call_no_socket),
	CALL(recvmsg, call_no_socket),
	CALL(sendmmsg, call_no_socket),
	CALL(sendmsg, call_no_socket),
	CALL(sendto, call_no_socket),
	CALL(setsockopt, call_no_socket),
	CALL(shutdown, call_no_socket),
	CALL(socket, call_refused),
	CALL(socketpair, call_refused),

	/* these see or change the machine, or other programs */
	CALL(acct, call_refused),
	CALL(add_key, call_refused),
	CALL(adjtimex, call_refused),
	CALL(bpf, call_refused),
	CALL(chroot, call_refused),
	CALL(clock_adjtime, call_refused),
	CALL(clock_settime, call_refused),
	CALL(delete_module, call_refused),
	CALL(execveat, call_refused),
	CALL(fanotify_init, call_refused),
	CALL(finit_module, call_refused),
	CALL(init_module, call_refused),
	CALL(kexec_load, call_refused),
	CALL(keyctl, call_refused),
	CALL(mount, call_refused),
	CALL(open_by_handle_at, call_refused),
	CALL(perf_event_open, call_refused),
	CALL(pivot_root, call_refused),
	CALL(process_vm_readv, call_refused),
	CALL(process_vm_writev, call_refused),
	CALL(ptrace, call_refused),
	CALL(quotactl, call_refused),
	CALL(reboot, call_refused),
	CALL(request_key, call_refused),
	CALL(setdomainname, call_refused),
	CALL(setgroups, call_refused),
	CALL(sethostname, call_refused),
	CALL(setns, call_refused),
	CALL(setpgid, call_refused),
	CALL(setsid, call_refused),
	CALL(settimeofday, call_refused),
	CALL(swapoff, call_refused),
	CALL(swapon, call_refused),
	CALL(syslog, call_refused),
	CALL(umount2, call_refused),
	CALL(unshare, call_refused),
	CALL(userfaultfd, call_refused),
	CALL(vhangup, call_refused),

	/* programs do without, as on kernels that do not have them */
	CALL(inotify_init1, call_absent),
	CALL(io_setup, call_absent),
	CALL(io_uring_setup, call_absent),
	CALL(pidfd_open, call_absent),
	CALL(signalfd4, call_absent),

	/* what only older architectures have */
#ifdef SYS_alarm
	CALL(alarm, call_alarm),
#endif
#ifdef SYS_arch_prctl
	CALL(arch_prctl, call_arch_prctl),
#endif
#ifdef SYS_dup2
	CALL(dup2, call_dup2),
#endif
#ifdef SYS_epoll_create
	CALL(epoll_create, call_epoll_create),
	CALL(epoll_wait, call_epoll_wait),
	CALL(eventfd, call_eventfd),
	CALL(inotify_init, call_absent),
	CALL(pipe, call_pipe),
	CALL(select, call_select),
	CALL(signalfd, call_absent),
#endif
#ifdef SYS_fork
	CALL(fork, call_refused),
	CALL(vfork, call_refused),
#endif
#ifdef SYS_getpgrp
	CALL(getpgrp, call_getpid),
#endif
#ifdef SYS_pause
	CALL(pause, call_pause),
#endif
#ifdef SYS_poll
	CALL(poll, call_poll),
#endif
#ifdef SYS_time
	CALL(time, call_time),
#endif
};
/* clang-format on */

const struct linux_call_entry *linux_call_find(uint64_t number)
{
	return number < LINUX_NUMBERS_MAX && calls[number].name ?
		       &calls[number] :
		       NULL;
}

/* Logs, once for each process and number, that there is no such call. */
static int64_t call_missing(struct linux_process *process, uint64_t number)
{
	const struct linux_signature *signature = linux_signature_find(number);
	const uint64_t bit = UINT64_C(1) << number % 64;
	uint64_t *word =
		&process->missing[number / 64 % (LINUX_NUMBERS_MAX / 64)];

	if (!(*word & bit))
		linux_process_say(process,
				  "system call %llu (%s) is not supported: "
				  "the program gets ENOSYS",
				  (unsigned long long)number,
				  signature ? signature->name : "unknown");
	*word |= bit;
	return -ENOSYS;
}

int64_t linux_call_dispatch(struct linux_process *process)
{
	const struct vm_call *call = &process->threads.current->wait.call;
	const struct linux_call_entry *entry = linux_call_find(call->number);
	int64_t result;

	process->step = LINUX_GO_ON;
	result = entry ? entry->call(process, call->args) :
			 call_missing(process, call->number);
	/* one that waits is not done */
	if (process->program->trace.line && process->step != LINUX_WAIT)
		linux_trace_call(process, call, result);
	return result;
}
