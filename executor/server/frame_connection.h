/* frame_connection.h - connections of the unix socket protocol (frame.h). */
#ifndef EXECUTOR_SERVER_FRAME_CONNECTION_H
#define EXECUTOR_SERVER_FRAME_CONNECTION_H

#include "executor/server/listener.h"

/* Makes a connection of @fd. On the thread of @listener's worker. */
void frame_connection_open(struct listener *listener, int fd);

#endif
