/* limits.h - the limits of a Linux program's resources: getrlimit() and others. */
#ifndef EXECUTOR_LINUX_LIMITS_H
#define EXECUTOR_LINUX_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

struct layout;

struct limits {
	bool is_changed;	/* since they were made, or put back */
	bool is_memory_limited; /* more than by what memory there is */
	struct rlimit list[RLIM_NLIMITS];
};

/* Makes what holds for a program in memory of @layout, which may open @files files. */
void limits_init(struct limits *limits, const struct layout *layout,
		 rlim_t files);

#endif
