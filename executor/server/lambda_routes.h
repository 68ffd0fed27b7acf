/* lambda_routes.h - AWS Lambda's API, for routes.c; as struct http_handler. */
#ifndef EXECUTOR_SERVER_LAMBDA_ROUTES_H
#define EXECUTOR_SERVER_LAMBDA_ROUTES_H

#include "executor/server/exchange.h"

void lambda_route_head(struct exchange *exchange);
void lambda_route(struct exchange *exchange);
void lambda_route_refuse(struct exchange *exchange);

#endif
