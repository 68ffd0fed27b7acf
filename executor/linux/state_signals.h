/* state_signals.h - signals in a state: see state.h. */
#ifndef EXECUTOR_LINUX_STATE_SIGNALS_H
#define EXECUTOR_LINUX_STATE_SIGNALS_H

struct linux_process;
struct signal_thread;
struct state;

void state_signals(struct state *state, struct linux_process *process);

/* What each thread has of its own. */
void state_signal_thread(struct state *state, struct signal_thread *thread);

#endif
