/*
 * admin_routes.h - what requests on the admin listener mean, and those on the
 * metrics listener, which only reads. Main thread.
 */
#ifndef EXECUTOR_SERVER_ADMIN_ROUTES_H
#define EXECUTOR_SERVER_ADMIN_ROUTES_H

#include "executor/server/http_connection.h"

extern const struct http_handler admin_routes_handler;
extern const struct http_handler metrics_routes_handler;

#endif
