/* start.h - makes vms of a snapshot. See snapshot.h. */
#ifndef SNAPSHOT_START_H
#define SNAPSHOT_START_H

#include "base/error.h"

struct snapshot;
struct vm;

/*
 * Makes a vm that equals the snapshot and is ready to run. The pages that the vms
 * before it have written are writable in it already. The caller owns *@ret_vm and
 * frees it by vm_free(). Any thread. Slow.
 */
int snapshot_start(struct snapshot *snapshot, struct error *err,
		   struct vm **ret_vm);

#endif
