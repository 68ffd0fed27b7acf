/*
 * process_stats.h - what the process uses of the machine, by the kernel's counts.
 */
#ifndef EXECUTOR_SERVER_ADMIN_PROCESS_STATS_H
#define EXECUTOR_SERVER_ADMIN_PROCESS_STATS_H

#include <stdbool.h>
#include <stdint.h>

struct process_stats {
	uint64_t cpu_ns; /* of all threads, user and system */
	uint64_t max_fds;

	/* From /proc, if that can be read: */
	bool has_resident, has_open_fds;
	uint64_t resident_bytes;
	uint64_t open_fds;
};

/* Reads files, so the thread may wait. */
void process_stats_read(struct process_stats *ret_stats);

#endif
