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
struct thaw_frame;
struct vm;

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

/*
 * Makes a snapshot of a guest without an image: nothing can run there but the stubs. For
 * trials of what works on this machine. Of @options, layout and dirty are used. On
 * success the caller owns *@ret_snapshot. Errors as above.
 */
int snapshot_create_bare(const struct snapshot_options *options,
			 struct error *err, struct snapshot **ret_snapshot);

/* How a Linux program is brought to where it is frozen. Each returns 0 or -errno. */
struct snapshot_program {
	/* Puts it into @memory, which is zero, and makes its first frame. */
	int (*load)(void *cookie, uint8_t *memory, struct error *err,
		    struct thaw_frame *ret_frame);
	/* Runs it up to there, and makes the frame in which it goes on. */
	int (*run)(void *cookie, struct vm *vm, struct error *err,
		   struct thaw_frame *ret_frame);
	/*
	 * The snapshot is complete, but its memory @fd can still be changed; @vm is a
	 * copy that may run, and is thrown away.
	 */
	int (*finish)(void *cookie, struct vm *vm, int fd, struct error *err);
	void *cookie;
};

/*
 * Boots a Linux program in memory of @layout, by layout_plan_program(), and freezes
 * it. Of @options it takes dirty and remap. On success the caller owns *@ret_snapshot.
 * Errors: those of @program; others from the system.
 */
int snapshot_create_program(const struct layout *layout,
			    const struct snapshot_program *program,
			    const struct snapshot_options *options,
			    struct error *err, struct snapshot **ret_snapshot);

#endif
