/* hot_set.h - what the vms of a snapshot write, for the vms to come. */
#ifndef SNAPSHOT_HOT_SET_H
#define SNAPSHOT_HOT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct snapshot;
struct vm;

/*
 * Learns the hot set of @vm, which has just been restored, for vms to come, unless
 * one has been learned already. Any thread. It allocates, once for each snapshot. Whether
 * it did.
 */
bool hot_set_learn(struct snapshot *snapshot, struct vm *vm);

/* That of @vm: a count and addresses, as hot_set_get() has them; on the heap, or NULL. */
uint64_t *hot_set_read(const struct snapshot *snapshot, struct vm *vm);

/*
 * Begins with @count guest pages, in ascending order and below the memory's end, that were
 * learned before; what vms of this snapshot teach takes their place. There are no vms yet.
 * 0; -ENOMEM; -EBADMSG: the guest cannot write to one of them.
 */
int hot_set_advise(struct snapshot *snapshot, const uint32_t *pages,
		   size_t count, struct error *err);

/*
 * The same of a vm that has run what is expected of others, before there are any: what
 * is learned from others later takes its place.
 */
void hot_set_expect(struct snapshot *snapshot, struct vm *vm);

/*
 * What has been learned: a count, and so many addresses, one in each page; or NULL.
 * Lives as long as the snapshot. Any thread.
 */
const uint64_t *hot_set_get(const struct snapshot *snapshot);

/*
 * Gives @vm these pages, and the one that the host writes first, for its own. The guest's
 * first write still has to find that they are writable.
 */
void hot_set_own(const struct snapshot *snapshot, struct vm *vm);

/* Gives those back that @vm, which was restored, does not track: 0 or -errno. */
int hot_set_disown(const struct snapshot *snapshot, struct vm *vm);

#endif
