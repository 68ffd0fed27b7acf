/* server_view.h - describes a running server, for those who ask about it. */
#ifndef EXECUTOR_SERVER_SERVER_VIEW_H
#define EXECUTOR_SERVER_SERVER_VIEW_H

#include "executor/protocol/view.h"
#include "executor/server/worker.h"

/*
 * Describes the server of @worker, with the functions as it has them, on its
 * thread. The view borrows from the server, and has memory of its own for the
 * functions, which server_view_done() frees. It has no error of a reload, which
 * only the main thread knows. 0 or -ENOMEM.
 */
int server_view(struct worker *worker, struct server_view *ret_view);
void server_view_done(struct server_view *view);

#endif
