/*
 * vouch.h - which files have been verified already.
 *
 * A small file beside a snapshot's file vouches for it: that the memory of the file with
 * this identity (device, inode, size, times) and this header has been compared with its
 * hashes. Any write to the file changes the identity. Whoever can forge such a file owns
 * the directory, and so could write the snapshot's file itself, hashes included. Its
 * time is when the snapshot was used last.
 */
#ifndef SNAPSHOT_STORE_VOUCH_H
#define SNAPSHOT_STORE_VOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/store/format.h"

/* Whether the file @name in @dir vouches for the snapshot's file @fd with that header. */
bool vouch_is_there(int dir, const char *name, int fd,
		    const uint8_t header_hash[STORE_HASH_SIZE]);

/*
 * Writes that file; waits for a tick of the clock if the snapshot's file has just been
 * changed. 0 or -errno; without it the snapshot is only verified once more.
 */
int vouch_write(int dir, const char *name, int fd,
		const uint8_t header_hash[STORE_HASH_SIZE]);

/* Notes that the snapshot is used now. A directory that is read-only stays as it is. */
void vouch_touch(int dir, const char *name);

#endif
