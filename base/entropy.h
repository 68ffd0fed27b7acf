/* entropy.h - random bytes, mostly without a system call. Any thread. */
#ifndef BASE_ENTROPY_H
#define BASE_ENTROPY_H

#include <stddef.h>

#define ENTROPY_MAX 96

/*
 * Fills @buffer with @size random bytes, ENTROPY_MAX at most. Nobody can predict
 * them from other ones: they come from ChaCha20 with a key of the thread's own,
 * which getrandom(2) gives and which is replaced whenever bytes are made. Returns
 * 0, or -errno of getrandom(2). A child of fork(2) must not call this: its bytes
 * would be its parent's.
 */
int entropy_fill(void *buffer, size_t size);

#endif
