/* state_tmpfs.h - the files that a program has written, in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_TMPFS_H
#define EXECUTOR_LINUX_STATE_TMPFS_H

struct linux_process;
struct state;

void state_tmpfs(struct state *state, struct linux_process *process);

#endif
