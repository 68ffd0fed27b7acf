/* calls_identity.h - system calls about who the program is; see calls.h. */
#ifndef EXECUTOR_LINUX_CALLS_IDENTITY_H
#define EXECUTOR_LINUX_CALLS_IDENTITY_H

#include <stdint.h>

struct linux_process;

/* The ids of users and of groups are the same number, so are the calls. */
int64_t call_getuid(struct linux_process *process, const uint64_t *args);
int64_t call_getresuid(struct linux_process *process, const uint64_t *args);
int64_t call_getgroups(struct linux_process *process, const uint64_t *args);

/* They set the identity that it has, or fail with EPERM. */
int64_t call_setuid(struct linux_process *process, const uint64_t *args);
int64_t call_setreuid(struct linux_process *process, const uint64_t *args);
int64_t call_setresuid(struct linux_process *process, const uint64_t *args);
/* Returns the identity, which stays as it is, and never an error. */
int64_t call_setfsuid(struct linux_process *process, const uint64_t *args);

int64_t call_getpid(struct linux_process *process, const uint64_t *args);
int64_t call_getppid(struct linux_process *process, const uint64_t *args);
/* The group, or the session, of the process that is named: it is alone in it. */
int64_t call_getpgid(struct linux_process *process, const uint64_t *args);

/* Waits for a child: there is none. */
int64_t call_no_child(struct linux_process *process, const uint64_t *args);

#endif
