/* pause.h - how whoever waits for a boot is asked whether it is still needed. */
#ifndef SNAPSHOT_PAUSE_H
#define SNAPSHOT_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Called every SNAPSHOT_PAUSE_NS, on the thread that boots, while init runs or
 * sleeps, or while its memory is waited for; and now and then while a snapshot's file is
 * read. It may wait: the time it takes is not
 * init's. True: the snapshot is not needed any more, and the boot is stopped.
 */
#define SNAPSHOT_PAUSE_NS UINT64_C(20000000)
struct snapshot_pause {
	bool (*call)(void *cookie); /* NULL: nobody asks */
	void *cookie;
};

#endif
