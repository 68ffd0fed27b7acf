/* invoke_fault.h - the reply, and the backtrace, of an invocation that has faulted. */
#ifndef EXECUTOR_INVOKE_FAULT_H
#define EXECUTOR_INVOKE_FAULT_H

struct guest_log;
struct thaw_reply;
struct vm_exit;

/*
 * Sets *@reply to how an invocation has failed that *@exit, which is neither a doorbell
 * nor the deadline, has ended. Logs a backtrace to @log if it is a fault. For invoke.c,
 * on the thread that runs the invocation, and before its vm is restored.
 */
void invoke_take_fault(struct thaw_reply *reply, const struct vm_exit *exit,
		       const struct guest_log *log);

#endif
