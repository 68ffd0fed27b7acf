/*
 * thread.h - how the kernel should schedule the calling thread.
 *
 * A wish that is forbidden, or that the kernel does not know, has no effect. @name
 * is what top(1) shows, at most 15 characters.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/*
 * For a thread that runs briefly and makes others wait when it is late: when it
 * wakes, it takes the CPU from threads that have run for long. Its share of the
 * CPU stays the same. Works from Linux 6.12 on. Threads that it starts inherit it.
 */
void thread_be_prompt(const char *name);

/*
 * For a thread that nobody waits for: it has at least the niceness @nice, and does
 * not take the CPU from others when it wakes (SCHED_BATCH). Threads that it starts
 * inherit both.
 */
void thread_be_patient(const char *name, int nice);

/* For any other thread: undoes what it inherited from a prompt one. */
void thread_be_ordinary(const char *name);

/* Returns whether the calling thread has become patient. */
bool thread_is_patient(void);

#endif
