/*
 * entropy.h - random bytes without a system call each time.
 */
#ifndef BASE_ENTROPY_H
#define BASE_ENTROPY_H

#include <stddef.h>

#define ENTROPY_MAX 96

/*
 * Fills @buffer with @size random bytes, ENTROPY_MAX at most, that nobody can
 * predict from others: ChaCha20 with a key of the thread's own, which comes
 * from getrandom(2) and is replaced whenever bytes are made. 0, or -errno from
 * getrandom(2). Not to be used in a child of fork(2), which would share it.
 */
int entropy_fill(void *buffer, size_t size);

#endif
