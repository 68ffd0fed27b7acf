/* state_host_files.h - the files of the host that are open, in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_HOST_FILES_H
#define EXECUTOR_LINUX_STATE_HOST_FILES_H

struct linux_process;
struct state;

/*
 * Each file once: the data of the descriptors whose kind is file_host. When it is read,
 * their flags are there already.
 */
void state_host_files(struct state *state, struct linux_process *process);

#endif
