/* process_stats.c - reads /proc/self. See process_stats.h. */
#include "executor/server/admin/process_stats.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

static bool read_resident(uint64_t *ret_bytes)
{
	cleanup_fclose FILE *file = fopen("/proc/self/statm", "re");
	uint64_t pages;

	/* the first number is the whole address space */
	if (!file || fscanf(file, "%*u %" SCNu64, &pages) != 1)
		return false;
	*ret_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static bool count_fds(uint64_t *ret_count)
{
	DIR *fds = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!fds)
		return false;
	for (const struct dirent *entry; (entry = readdir(fds));)
		count += entry->d_name[0] != '.';
	closedir(fds);
	*ret_count = count - (count > 0); /* that of @fds */
	return true;
}

void process_stats_read(struct process_stats *ret_stats)
{
	struct process_stats stats = {
		.cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID),
	};
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit))
		stats.max_fds = limit.rlim_cur;
	stats.has_resident = read_resident(&stats.resident_bytes);
	stats.has_open_fds = count_fds(&stats.open_fds);
	*ret_stats = stats;
}
