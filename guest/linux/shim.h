/*
 * shim.h - what the files of the shim have in common. All of it is position-independent,
 * without relocations, and uses no vector registers.
 */
#ifndef GUEST_LINUX_SHIM_H
#define GUEST_LINUX_SHIM_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "guest/abi/thaw_shim.h"

/* What the program's fstat() writes. */
#define THAW_STATUS_BYTES sizeof(struct stat)
_Static_assert(THAW_STATUS_BYTES <= THAW_STATUS_SIZE, "room");

/* Does a system call of the program; entry.S calls it. */
int shim_enter(void) __attribute__((visibility("hidden")));

/* Reads @clock; false: there is none of that number. */
bool shim_clock(clockid_t clock, struct timespec *ret_time)
	__attribute__((visibility("hidden")));

#endif
