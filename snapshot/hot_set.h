/* hot_set.h - what the vms of a snapshot write, for the vms to come. */
#ifndef SNAPSHOT_HOT_SET_H
#define SNAPSHOT_HOT_SET_H

#include <stdint.h>

struct snapshot;
struct vm;

/*
 * Learns the hot set of @vm, which has just been restored, for vms to come, unless
 * one has been learned already. Any thread. It allocates, once for each snapshot.
 */
void hot_set_learn(struct snapshot *snapshot, struct vm *vm);

/*
 * What has been learned: a count, and so many addresses, one in each page; or NULL.
 * Lives as long as the snapshot. Any thread.
 */
const uint64_t *hot_set_get(const struct snapshot *snapshot);

#endif
