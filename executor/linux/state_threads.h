/* state_threads.h - the threads in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_THREADS_H
#define EXECUTOR_LINUX_STATE_THREADS_H

struct linux_process;
struct state;

void state_threads(struct state *state, struct linux_process *process);

#endif
