/* http_connect.h - connects to an address within a deadline. */
#ifndef EXECUTOR_CLIENT_HTTP_CONNECT_H
#define EXECUTOR_CLIENT_HTTP_CONNECT_H

#include <stdint.h>

#include "executor/client/http_address.h"

/*
 * Connects until @deadline_ns of clock_now_ns(); a name may have more than one
 * address, which are tried in turn. Returns a socket that does not block, or
 * -errno after a message that does not name the address.
 */
int http_connect(const struct http_address *address, uint64_t deadline_ns,
		 struct error *err);

/*
 * Waits for @events of poll(2). Returns the events, or -ETIMEDOUT, or -EINTR
 * if a signal came.
 */
int http_wait(int fd, short events, uint64_t deadline_ns);

#endif
