/* boot.h - makes a snapshot: boots an image and freezes it. See snapshot.h. */
#ifndef SNAPSHOT_BOOT_H
#define SNAPSHOT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/guest_log.h"
#include "snapshot/pause.h"
#include "vm/dirty.h"
#include "vm/layout.h"

struct image;
struct snapshot;

struct snapshot_options {
	struct layout_config layout;
	uint64_t init_timeout_ns; /* from boot to READY */
	char *const *environment; /* NULL-terminated "NAME=value"s, or NULL */
	enum dirty_backend dirty; /* for the vms made from it */
	/*
	 * Restore by giving written pages back to the kernel (MADV_DONTNEED) and
	 * protecting all again, instead of copying. To compare with.
	 */
	bool remap;
	uint32_t host_local;  /* thaw_info.host_local */
	struct guest_log log; /* of init */
	struct snapshot_pause pause;
};

/*
 * Boots @image, waits until it says READY, and freezes it. On success the
 * caller owns *@ret_snapshot; @image is borrowed for the call. Errors:
 * -ETIMEDOUT not ready in time; -ECANCELED its init function failed, exited or
 * faulted (the message says how); -EPROTO it broke the contract; -ESHUTDOWN it
 * was cancelled; others from the system.
 */
int snapshot_create(const struct image *image,
		    const struct snapshot_options *options, struct error *err,
		    struct snapshot **ret_snapshot);

#endif
