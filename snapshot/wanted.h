/*
 * wanted.h - memory in which a load makes anew what the file of a snapshot must have.
 *
 * Zero and populated when a load gets it. The process keeps one such memory from load to
 * load: mapping it, its faults and unmapping it take longer than what is made there. It
 * takes some 150 KiB. Any thread; a load that finds it in use maps another.
 */
#ifndef SNAPSHOT_WANTED_H
#define SNAPSHOT_WANTED_H

#include <stdint.h>

#include "vm/layout.h"

/* Of guests with more memory than this, none is kept. */
#define WANTED_KEPT_SIZE ((size_t)64 << 20)

/*
 * Returns as much memory as @layout says, for thaw's pages and the page tables of an
 * image's guest, which are all that may be written. NULL: there is none.
 */
uint8_t *wanted_get(const struct layout *layout);

/* Takes back what wanted_get() has returned for @layout. */
void wanted_put(uint8_t *memory, const struct layout *layout);

#endif
