/*
 * pool.h - the vms of one snapshot: up to `max`, made when needed and kept until
 * pool_trim() frees those that nobody needs any more.
 *
 * pool_acquire() hands out a vm that equals the snapshot; pool_release() restores it
 * and keeps it for the next caller. While all vms are busy, callers wait in line: up
 * to `queue` of them, for `queue_timeout_ns` at most. A caller that has other things
 * to do meanwhile gets in line by pool_try(). Any thread.
 */
#ifndef SNAPSHOT_POOL_H
#define SNAPSHOT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/memory_budget.h"
#include "snapshot/pause.h"

struct pool;
struct restore_stats;
struct snapshot;
struct vm;
struct vm_moment;

struct pool_config {
	size_t max;   /* vms at most, at least 1 */
	size_t warm;  /* vms made at once, kept although idle, and made again */
	size_t queue; /* callers that may wait */
	uint64_t queue_timeout_ns;
	struct memory_budget *memory; /* of the vms; borrowed; or NULL */
	struct snapshot_pause pause;  /* while the warm ones wait for memory */
	bool verify; /* compare memory after each restore: abort if wrong */
};

/* Makes a pool; @snapshot is borrowed and must outlive it. */
int pool_create(struct snapshot *snapshot, const struct pool_config *config,
		struct error *err, struct pool **ret_pool);

/* Frees the pool and its vms, none of which may be out. NULL is fine. */
void pool_free(struct pool *pool);

/* Hands out a vm that is idle, or NULL: none is. */
struct vm *pool_acquire_idle(struct pool *pool);

/*
 * Hands out a vm. -EBUSY: all are busy and the queue is full; -EAGAIN: none
 * became free in time; others from making a vm.
 */
int pool_acquire(struct pool *pool, struct error *err, struct vm **ret_vm);

/* The same, but never waits: -EBUSY if all are busy. */
int pool_acquire_now(struct pool *pool, struct error *err, struct vm **ret_vm);

/* A place in the line of a pool; embedded. The caller sets only @served. */
struct pool_waiter {
	/*
	 * It is the waiter's turn: it has left the line and may call
	 * pool_take(). Called by any thread, under the pool's lock: it must be
	 * short and call nothing of the pool.
	 */
	void (*served)(struct pool_waiter *waiter);
	struct vm *vm; /* NULL: it may make one */
	struct pool_waiter *next;
	bool is_served;
	bool is_new; /* the vm: pool_grow() has made it */
};

/*
 * Hands out a vm without waiting or making one. 0: *@ret_vm is the vm, or NULL:
 * one may be made, by pool_take(). -EAGAIN: @waiter is in line and will be
 * served. -EBUSY: all are busy and the queue is full, or @waiter is NULL.
 */
int pool_try(struct pool *pool, struct pool_waiter *waiter, struct error *err,
	     struct vm **ret_vm);

/*
 * The same for a caller that can have another thread make a vm. -EINPROGRESS: one may be
 * made, and @waiter is in line meanwhile, however many wait: somebody must call
 * pool_grow(), once. The waiter is served with the first vm that is free, that one or
 * another. Without a @waiter, it is pool_try().
 */
int pool_try_growing(struct pool *pool, struct pool_waiter *waiter,
		     struct error *err, struct vm **ret_vm);

/*
 * Makes a vm, if anybody is in line still: for the first, or to be kept. If that fails,
 * the first in line may make one, and is told why not. Slow.
 */
void pool_grow(struct pool *pool);

/*
 * Makes vms until there are as many as `warm` says, idle and out together, if there is
 * memory for them that nobody uses. Returns how many. Slow.
 */
size_t pool_warm_up(struct pool *pool);

/*
 * Hands out @vm, which pool_try() or a waiter got; or, if that is NULL, makes one,
 * which is slow. -EBUSY: there is no memory for one.
 */
int pool_take(struct pool *pool, struct vm *vm, struct error *err,
	      struct vm **ret_vm);

/* Leaves the line. False: too late, it has been served. */
bool pool_leave(struct pool *pool, struct pool_waiter *waiter);

/* Gives back what pool_try() or a waiter got and the caller does not use after all. */
void pool_give_back(struct pool *pool, struct vm *vm);

/* How many vms are idle, how many are out, and how many callers wait, about now. */
void pool_count(struct pool *pool, unsigned *ret_idle, unsigned *ret_busy,
		unsigned *ret_waiting);

/*
 * Takes a vm back, @now, and restores it; see snapshot_restore() for
 * @clean and @ret_stats. A vm that cannot be restored is freed.
 */
void pool_release(struct pool *pool, struct vm *vm, bool clean,
		  const struct vm_moment *now, struct restore_stats *ret_stats);

/*
 * Has vms that have been idle since before @before_ns, and have not since then, give back
 * the memory that they have of their own: snapshot_shrink(). Not `warm` of them, unless
 * @warm_too, and not the last one while no other may be made. Meanwhile each of them
 * is out. Slow. Returns how many did.
 */
size_t pool_shrink(struct pool *pool, bool warm_too, uint64_t before_ns);

/*
 * Since when those have been idle that may be freed, the longest first: up to @count of them
 * in @ret_since_ns. Returns how many.
 */
size_t pool_list_idle(struct pool *pool, bool warm_too, uint64_t *ret_since_ns,
		      size_t count);

/*
 * Frees the vm that has been idle longest, if it has been idle since before
 * @before_ns. `warm` of the vms, idle and out together, are kept, unless @warm_too.
 * Slow, but no lock is held meanwhile. Returns whether there was such a vm.
 */
bool pool_free_oldest(struct pool *pool, bool warm_too, uint64_t before_ns);

/* Frees all of those; returns their number. */
size_t pool_trim(struct pool *pool, bool warm_too, uint64_t before_ns);

#endif
