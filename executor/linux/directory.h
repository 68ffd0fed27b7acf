/* directory.h - the working directory of a Linux program. */
#ifndef EXECUTOR_LINUX_DIRECTORY_H
#define EXECUTOR_LINUX_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/linux/root.h"

/* Instead of a node: it is not in the tmpfs. */
#define DIRECTORY_NOWHERE UINT32_MAX

struct directory {
	bool is_changed;	  /* since the process was made, or put back */
	uint32_t node;		  /* in the tmpfs; or DIRECTORY_NOWHERE */
	char path[ROOT_PATH_MAX]; /* unless it is in the tmpfs */
};

#endif
