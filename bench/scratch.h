/*
 * scratch.h - temporary folders of the benchmarks, with the processes that use them.
 *
 * SIGINT, SIGTERM and SIGHUP, unless they are ignored, kill those processes and remove the
 * folders before they end this one.
 */
#ifndef BENCH_SCRATCH_H
#define BENCH_SCRATCH_H

#include <signal.h>
#include <sys/types.h>

#include "base/error.h"

/* A folder's path with its end: the path of a Unix socket in it is short enough. */
#define SCRATCH_PATH_SIZE 80
/* Folders at once. */
#define SCRATCH_MAX 16

struct scratch;

/*
 * Makes a folder in $TMPDIR, or else in /var/tmp or /tmp, for this user only. 0, and
 * scratch_remove() is due; or -errno after a message. One thread only, as for the functions below.
 */
int scratch_make(struct error *err, struct scratch **ret_scratch);

/* Valid until scratch_remove(). */
const char *scratch_path(const struct scratch *scratch);

/*
 * Has the signals wait while a child is started that uses the folder, so that none comes
 * before the child is known. *@ret_mask is the signal mask that the child is to have.
 * scratch_end_start() is due, with the child, or with 0 if there is none.
 */
void scratch_begin_start(sigset_t *ret_mask);
void scratch_end_start(struct scratch *scratch, pid_t child,
		       const sigset_t *mask);

/* Says that the child has ended. */
void scratch_child_ended(struct scratch *scratch);

/* In a child of fork() that has not executed a program yet: signals do what they do there. */
void scratch_forget(void);

/* Removes the folder, with its files and those in folders of it. NULL: does nothing. */
void scratch_remove(struct scratch *scratch);

#endif
