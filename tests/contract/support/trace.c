/* trace.c - see trace.h */
#include "tests/contract/support/trace.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* An argument that getppid() does not have. */
#define MARK UINT64_C(0x6d61726b)
/* The exit status of a child that may not be traced. */
#define REFUSED 77

void trace_mark(void)
{
	syscall(SYS_getppid, MARK);
}

static void note(struct trace *trace, long number, unsigned long request)
{
	trace->call_count++;
	for (size_t i = 0; i < trace->kind_count; i++)
		if (trace->kinds[i].number == number &&
		    trace->kinds[i].request == request) {
			trace->kinds[i].count++;
			return;
		}
	if (trace->kind_count == TRACE_KINDS_MAX)
		return;
	trace->kinds[trace->kind_count].number = number;
	trace->kinds[trace->kind_count].request = request;
	trace->kinds[trace->kind_count++].count = 1;
}

/* The child has stopped at the beginning or the end of a system call. */
static void look(pid_t child, bool *counting, struct trace *trace)
{
	struct __ptrace_syscall_info info;
	long number;

	ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info),
				&info),
			 0);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	number = (long)info.entry.nr;
	if (number == SYS_getppid && info.entry.args[0] == MARK)
		*counting = !*counting;
	else if (*counting)
		note(trace, number,
		     number == SYS_ioctl ? info.entry.args[1] : 0);
}

/* Lets the child run to its end; returns its exit status. */
static int watch(pid_t child, struct trace *trace)
{
	bool counting = false;
	int status, stop, signal = 0;

	for (;;) {
		ptrace(PTRACE_SYSCALL, child, NULL, (long)signal);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status))
			break;
		stop = WSTOPSIG(status);
		signal = stop & 0x80 ? 0 : stop;
		if (stop & 0x80)
			look(child, &counting, trace);
	}
	ck_assert_msg(!counting, "the child did not reach its second mark");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static _Noreturn void be_traced(void (*body)(void *cookie), void *cookie)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(REFUSED);
	raise(SIGSTOP);
	body(cookie);
	_exit(EXIT_SUCCESS);
}

int trace_calls(void (*body)(void *cookie), void *cookie,
		struct trace *ret_trace)
{
	pid_t child = fork();
	int status;

	*ret_trace = (struct trace){ .call_count = 0 };
	ck_assert_int_ge(child, 0);
	if (!child)
		be_traced(body, cookie);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
		return -EPERM;
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, child, NULL,
				(long)(PTRACE_O_TRACESYSGOOD |
				       PTRACE_O_EXITKILL)),
			 0);
	ck_assert_int_eq(watch(child, ret_trace), EXIT_SUCCESS);
	return 0;
}

unsigned trace_ioctls(const struct trace *trace, unsigned long request)
{
	for (size_t i = 0; i < trace->kind_count; i++)
		if (trace->kinds[i].number == SYS_ioctl &&
		    trace->kinds[i].request == request)
			return trace->kinds[i].count;
	return 0;
}

const char *trace_text(const struct trace *trace)
{
	static char text[TRACE_KINDS_MAX * 64];
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < trace->kind_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%u of number %ld request %#lx",
					 i ? ", " : "", trace->kinds[i].count,
					 trace->kinds[i].number,
					 trace->kinds[i].request);
	return text;
}
