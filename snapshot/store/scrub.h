/*
 * scrub.h - verifies the files of a store again, one after the other, on a thread of its
 * own: damage is found before a file is used, and what is vouched for is looked at, too.
 */
#ifndef SNAPSHOT_STORE_SCRUB_H
#define SNAPSHOT_STORE_SCRUB_H

#include <stdint.h>

#include "base/error.h"

struct scrub;
struct store;

/*
 * Starts the thread, which verifies one file every @interval_ns, in the order of their
 * names and then from the first one again. A file that is damaged is moved aside.
 * @found, which may be NULL, is told why, on that thread, and as well of one that cannot
 * be read. @store is borrowed. The caller ends *@ret_scrub by scrub_stop().
 */
int scrub_start(struct store *store, uint64_t interval_ns,
		void (*found)(void *cookie, const struct error *why),
		void *cookie, struct error *err, struct scrub **ret_scrub);

/* Ends the thread, which stops verifying. NULL is fine. */
void scrub_stop(struct scrub *scrub);

#endif
