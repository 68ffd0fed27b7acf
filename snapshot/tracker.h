/*
 * tracker.h - which tracker the vms of a function get.
 *
 * The ring costs the least once pages are hot. But it has room for so many pages only, and
 * on some machines it reports no page before the next exit. Then functions that are to be
 * polled get page tables, if trials have found that these tell all that is written, and
 * in time. Others get the bitmap: asking for it takes a system call, but no longer the
 * more memory is in use.
 */
#ifndef SNAPSHOT_TRACKER_H
#define SNAPSHOT_TRACKER_H

#include <stdbool.h>

#include "base/error.h"
#include "vm/dirty.h"
#include "vm/layout.h"

/*
 * Tries, in a vm that is thrown away, whether the bits in page tables tell of every
 * write. The first call takes a few ms; others return what it has found. Any thread. 0;
 * or -EOPNOTSUPP, and the message says why they do not.
 */
int tracker_try_tables(struct error *err);

/*
 * Chooses the tracker for the vms of a function whose memory is planned by @layout, from
 * which follows whether it is to be polled. @wanted is what the user has asked for.
 * *@ret_tracker is DIRTY_AUTO for what dirty_init() chooses. 0; or -EOPNOTSUPP: what was
 * asked for by name does not work here. Any thread; the first call may take 50 ms.
 */
int tracker_choose(enum dirty_backend wanted,
		   const struct layout_config *layout, bool is_program,
		   struct error *err, enum dirty_backend *ret_tracker);

#endif
