/*
 * catalog_watch.h - tells when a catalog's file, or an image, has changed.
 *
 * Folders are watched, not files: editors and installers rename. A folder that is
 * not there is waited for in the one above it. Symbolic links are replaced as files
 * are, so their folders are watched, too. For Linux programs, the folders of all files
 * that their boots have read are watched once they have ended. Main thread.
 */
#ifndef EXECUTOR_SERVER_CATALOG_WATCH_H
#define EXECUTOR_SERVER_CATALOG_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/timers.h"
#include "executor/io/io.h"
#include "executor/server/generation.h"

struct catalog_watch {
	/* Set by the caller, and borrowed. */
	const char *catalog; /* its path */
	struct timers *timers;
	/* Something has changed, and it has been quiet for a moment since. */
	void (*changed)(struct catalog_watch *watch);

	struct io_poll poll; /* fd 0: it is not open */
	struct timer timer;
	uint64_t since_ns; /* the first change that was not acted on */
	int newest;	   /* the newest watch of a folder */
	struct stat noted; /* of the catalog; all zero: it is not there */
};

/* Notes what file the catalog is, which is about to be read for the first time. */
void catalog_watch_note(struct catalog_watch *watch);

/*
 * Begins to watch the folders of @generation. Tells if the catalog has changed since it was
 * noted. 0 or -errno.
 */
int catalog_watch_open(struct catalog_watch *watch, struct io *io,
		       const struct generation *generation, struct error *err);

/* Fine for one that is not open. */
void catalog_watch_close(struct catalog_watch *watch);

/*
 * Adds the folders that have come with @generation. @is_serving: changes in them
 * since the files were read are told. Nothing if @watch is not open.
 */
void catalog_watch_folders(struct catalog_watch *watch,
			   const struct generation *generation,
			   bool is_serving);

/* The files are about to be read: all changes until now will be seen. */
void catalog_watch_forget(struct catalog_watch *watch);

#endif
