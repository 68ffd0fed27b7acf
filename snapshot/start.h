/* start.h - makes vms of a snapshot. See snapshot.h. */
#ifndef SNAPSHOT_START_H
#define SNAPSHOT_START_H

#include <stdbool.h>

#include "base/error.h"
#include "vm/vm.h"

struct snapshot;

/*
 * Makes a vm that equals the snapshot and is ready to run. The pages that the vms
 * before it have written are writable in it already; but if it @is_awaited, by a
 * request, few pages are left for its first invocation to fault in. The caller owns
 * *@ret_vm and frees it by vm_free(). Any thread. Slow.
 */
int snapshot_start(struct snapshot *snapshot, bool is_awaited,
		   struct error *err, struct vm **ret_vm);

/* What such a vm is made of; the snapshot has its memory by then. */
struct vm_config snapshot_vm_config(const struct snapshot *snapshot);

#endif
