/* hostile_refused.c - the system calls that no program may make, for hostile.c. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "hostile.h"

static const struct {
	int number;
	const char *name;
} calls[] = {
#define CALL(name)                \
	{                         \
		SYS_##name, #name \
	}
	CALL(acct),
	CALL(add_key),
	CALL(adjtimex),
	CALL(bpf),
	CALL(chroot),
	CALL(clock_adjtime),
	CALL(clock_settime),
	CALL(delete_module),
	CALL(execve),
	CALL(execveat),
	CALL(fanotify_init),
	CALL(finit_module),
	CALL(init_module),
	CALL(kexec_load),
	CALL(keyctl),
	CALL(mount),
	CALL(open_by_handle_at),
	CALL(perf_event_open),
	CALL(pivot_root),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(ptrace),
	CALL(quotactl),
	CALL(reboot),
	CALL(request_key),
	CALL(setdomainname),
	CALL(sethostname),
	CALL(setns),
	CALL(settimeofday),
	CALL(socket),
	CALL(socketpair),
	CALL(swapoff),
	CALL(swapon),
	CALL(syslog),
	CALL(umount2),
	CALL(unshare),
	CALL(userfaultfd),
	CALL(vhangup),
#ifdef SYS_fork
	CALL(fork),
	CALL(vfork),
#endif
};

/* With arguments that would do no harm, and with those that would. */
void do_refused(void)
{
	const long magic = 0xfee1dead, again = 672274793, off = 0x4321fedc;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		for (int way = 0; way < 3; way++) {
			long r = way == 0 ? syscall(calls[i].number, 0, 0, 0, 0,
						    0, 0) :
				 way == 1 ? syscall(calls[i].number, magic,
						    again, off, "/", "/", 0) :
					    syscall(calls[i].number, "/",
						    "/tmp", -1l, 1l, "x", -1l);

			if (r == -1 && errno == EPERM)
				continue;
			printf("%s: %ld, errno %d\n", calls[i].name, r, errno);
			exit(0);
		}
	}
}
