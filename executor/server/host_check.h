/*
 * host_check.h - whether a request is for a host that the server answers for, and
 * comes from a page of one. See host.h for how hosts are read.
 */
#ifndef EXECUTOR_SERVER_HOST_CHECK_H
#define EXECUTOR_SERVER_HOST_CHECK_H

#include <stdbool.h>

#include "executor/server/exchange.h"
#include "executor/server/server_options.h"

/* Whether requests are checked that come in by the listening socket @fd. */
bool host_check_is_wanted(const struct server_options *options, int fd);

/*
 * For a handler's head(): false if the listener checks hosts and the request is
 * for another host, or from a page of another site; it is to be refused then.
 */
bool host_check_passes(struct exchange *exchange);

#endif
