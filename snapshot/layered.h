/*
 * layered.h - snapshots of snapshots: a vm of one, its base, has done something, and is
 * frozen. Only pages that differ take memory, and are in the layer's file: vm/layer.h. The
 * base itself has no layer.
 */
#ifndef SNAPSHOT_LAYERED_H
#define SNAPSHOT_LAYERED_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "snapshot/store/format.h"

struct snapshot;
struct vm;

/*
 * Pages no further apart than this are in one extent, with what is between them, as it is
 * in the base; if there are more than LAYER_EXTENTS_MAX then, twice as far, and so on.
 */
#define LAYERED_GAP (16u << 10)

/* Of what is copied into the file, so much is in the vm as well, at most. */
#define LAYERED_GIVE_BACK (1u << 20)

/*
 * Freezes @vm, a vm of @base that has ended an invocation and was not restored: what it has
 * changed of the image's data and of the heap is in the snapshot. Its stack, registers and
 * windows are the base's. The vm gives its memory back, and is spoiled. @base may be freed
 * before the snapshot, and keeps its file in memory, or in use, as long. On success the
 * caller owns *@ret_snapshot. -ENOMEM, or from the system.
 */
int layered_create(const struct snapshot *base, struct vm *vm,
		   struct error *err, struct snapshot **ret_snapshot);

/* What a layer's file has of it, where others have what the guest has said at READY. */
struct layered_ready {
	uint8_t ready[48];	       /* struct ready, as the base's */
	uint8_t base[STORE_HASH_SIZE]; /* of the base's file, which has its bytes */
	uint64_t count;
	struct {
		uint64_t start, size;
	} extents[4];
};

_Static_assert(sizeof(struct layered_ready) == 152, "a file has it");

/* The layer of @snapshot, which has one, as a file has it. */
void layered_put(const struct snapshot *snapshot,
		 struct layered_ready *ret_ready);

/*
 * Makes @snapshot, which is new, one over @base from the @size bytes of @ready, which are
 * hostile, and @fd, which has its memory from @offset on. Its memory is mapped, and is to be
 * checked by the caller. -EBADMSG: it is no good; -ESTALE: it is over another base's bytes.
 */
int layered_open(struct snapshot *snapshot, const struct snapshot *base,
		 const void *ready, size_t size, int fd, off_t offset,
		 struct error *err);

#endif
