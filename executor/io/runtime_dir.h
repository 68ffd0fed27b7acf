/*
 * runtime_dir.h - where the server's sockets are, the same for it and for those
 * who look for it.
 *
 * The first of: $THAW_RUNTIME_DIR, $RUNTIME_DIRECTORY (systemd; the first of
 * several), /run/thaw if it is there, $XDG_RUNTIME_DIR/thaw, /tmp/thaw-UID.
 */
#ifndef EXECUTOR_IO_RUNTIME_DIR_H
#define EXECUTOR_IO_RUNTIME_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Names in that folder. */
#define RUNTIME_SOCKET "thaw.sock" /* invocations: the socket protocol */
#define RUNTIME_ADMIN "admin.sock" /* administration: HTTP */

/* Longest path a unix socket may have, its zero included. */
#define RUNTIME_PATH_MAX 108

/*
 * Puts the path of @name into @path. With @make the folder is made (mode 0700)
 * if it is not there, and refused with -EPERM if another user owns it.
 */
int runtime_path(const char *name, bool make, struct error *err,
		 char path[RUNTIME_PATH_MAX]);

/*
 * For clients: whether the socket at @path is one to talk to. -EPERM: it, or a
 * folder it is in, belongs to another user than us and root, and is where every
 * user may put such a thing, as in /tmp. To be called after connect(2), so that
 * it cannot be put there in between. 0 if there is nothing, too.
 */
int runtime_check(const char *path, struct error *err);

#endif
