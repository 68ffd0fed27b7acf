/*
 * machine_memory.h - how much memory this process may have, and where the kernel
 * says that it runs short: of its cgroup and those above, or the machine.
 */
#ifndef BASE_MACHINE_MEMORY_H
#define BASE_MACHINE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define MACHINE_PATH_MAX 1024

/*
 * The memory of the machine, or of the process's cgroup (v2 or v1) or one above
 * it, whichever is least, in bytes. @root is "", or a folder that stands for /.
 */
uint64_t machine_memory(const char *root);

/* Tells when the kernel says that memory is short. */
struct machine_pressure {
	int events;  /* readable when there was pressure */
	int trigger; /* behind it */
	char path[MACHINE_PATH_MAX];
};

/*
 * Asks for events of the process's cgroup, or of the machine: whenever somebody
 * has waited for memory for a tenth of two seconds. -errno: it cannot be had.
 */
int machine_pressure_open(struct machine_pressure *pressure, const char *root,
			  struct error *err);

/* It was readable: whether that was pressure. */
bool machine_pressure_take(struct machine_pressure *pressure);

void machine_pressure_close(struct machine_pressure *pressure);

#endif
