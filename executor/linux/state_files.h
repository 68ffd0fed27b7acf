/* state_files.h - descriptors in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_FILES_H
#define EXECUTOR_LINUX_STATE_FILES_H

struct linux_process;
struct state;

/* When it is read, the tmpfs is there already. */
void state_files(struct state *state, struct linux_process *process);

#endif
