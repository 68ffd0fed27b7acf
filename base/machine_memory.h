/*
 * machine_memory.h - how much memory this process may have, and when the kernel
 * reports that it runs short: in its cgroup and those above, or in the machine.
 */
#ifndef BASE_MACHINE_MEMORY_H
#define BASE_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define MACHINE_PATH_MAX 1024

/*
 * Returns bytes: the memory of the machine, or the limit of the process's cgroup
 * (v2 or v1) or of one above it, whichever is least. @root is "", or a folder that
 * stands for / in tests. Reads files: the thread may wait.
 */
uint64_t machine_memory(const char *root);

/* An open report of the kernel. One thread at a time. */
struct machine_pressure {
	int events;  /* becomes readable when there was pressure */
	int trigger; /* what @events waits for */
	/* what tasks had waited for at the last report; UINT64_MAX: not known */
	uint64_t waited_us;
	char path[MACHINE_PATH_MAX];
};

/*
 * Asks the kernel to report when a task of the process's cgroup, or of the
 * machine, has waited for memory for a tenth of two seconds. Returns 0, or -errno
 * if the kernel does not offer that; the caller closes @pressure after 0.
 */
int machine_pressure_open(struct machine_pressure *pressure, const char *root,
			  struct error *err);

/*
 * To be called when @events is readable. Returns whether that was pressure: kernels
 * report some that was not.
 */
bool machine_pressure_take(struct machine_pressure *pressure);

void machine_pressure_close(struct machine_pressure *pressure);

#endif
