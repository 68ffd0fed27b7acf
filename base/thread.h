/*
 * thread.h - what a thread asks of the kernel's scheduler, for itself alone.
 *
 * These are wishes: where they are forbidden, or the kernel does not know them, the
 * thread goes on as it is. @name is what top(1) shows, of 15 characters at most.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/*
 * For a thread that runs shortly and whose lateness others feel: when it wakes,
 * it is to take the CPU from those that have had it for long. It gets no more
 * time for that. From Linux 6.12 on. Threads that it starts inherit it.
 */
void thread_be_prompt(const char *name);

/*
 * For a thread that may take its time: it has the niceness @nice at least, and
 * never takes the CPU from others because it wakes (SCHED_BATCH). Threads that it
 * starts inherit both.
 */
void thread_be_patient(const char *name, int nice);

/* For one that need be neither: it gives back what it has inherited of the first. */
void thread_be_ordinary(const char *name);

/* Whether the calling thread is patient. */
bool thread_is_patient(void);

#endif
