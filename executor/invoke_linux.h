/* invoke_linux.h - an invocation of a Linux program. For invoke.c. */
#ifndef EXECUTOR_INVOKE_LINUX_H
#define EXECUTOR_INVOKE_LINUX_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot/guest_log.h"

struct thaw_reply;
struct vm_exit;

/*
 * Makes the program's state that of the snapshot and hands it the request, so that the
 * next run goes on behind the call that has asked for it. Lines of stderr go to @log. 0
 * or -errno.
 */
int invoke_linux_begin(struct thaw_reply *reply, struct guest_log log);

/* When the next run is to end because another thread of the program is to run. */
uint64_t invoke_linux_turn_end(const struct thaw_reply *reply);

/* Whether @exit is one that only Linux programs make, or make otherwise. */
bool invoke_linux_takes(const struct thaw_reply *reply,
			const struct vm_exit *exit);

/* Takes that exit. True: the program is to run on; false: the reply is made. */
bool invoke_linux_take(struct thaw_reply *reply, const struct vm_exit *exit,
		       struct guest_log log);

/* Takes what an invocation that was cut off has written to stderr. */
void invoke_linux_end_log(struct thaw_reply *reply, struct guest_log log);
/* Does again what has waited, if it has. Results as those of invoke_linux_take(). */
bool invoke_linux_wake(struct thaw_reply *reply, struct guest_log log);
/*
 * Whether the invocation of @reply, which has not been released, ended because a
 * program did; then @ret_status is its exit status, or 128 and the signal that ended
 * it, and @ret_output, of @ret_size bytes, what it has written to standard output,
 * valid as long as the reply.
 */
bool invoke_linux_ended(const struct thaw_reply *reply, int *ret_status,
			const void **ret_output, size_t *ret_size);

/*
 * The invocation is over and its reply was used: gives back what it has taken outside of
 * guest memory. To be called before the vm goes back to its pool.
 */
void invoke_linux_release(const struct thaw_reply *reply);

#endif
