/* snapshot_internal.h - struct snapshot, for the files of snapshot/. */
#ifndef SNAPSHOT_SNAPSHOT_INTERNAL_H
#define SNAPSHOT_SNAPSHOT_INTERNAL_H

#include "snapshot/snapshot.h"

struct snapshot {
	struct layout layout;
	int memory_fd;		 /* sealed memfd */
	const uint8_t *pristine; /* it, mapped read-only */
	struct vcpu_state *state;
	enum dirty_backend dirty;
	size_t page_size; /* the host's */
	size_t handler_count;
	char (*handlers)[THAW_NAME_MAX];
};

#endif
