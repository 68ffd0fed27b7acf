/*
 * routes.h - what requests on the public listeners mean: invocations, plain and in
 * AWS Lambda's way, and health.
 */
#ifndef EXECUTOR_SERVER_ROUTES_H
#define EXECUTOR_SERVER_ROUTES_H

#include "executor/server/http_connection.h"

extern const struct http_handler routes_handler;

#endif
