/*
 * host.h - the host that a request is for: "example.com:80", "[::1]"; and which
 * hosts a server answers for.
 *
 * A browser on this machine has whoever made a page send requests to a loopback
 * address, and read the answers if the page's own name leads there (DNS
 * rebinding). What gives such a page away is its name, in Host.
 */
#ifndef EXECUTOR_PROTOCOL_HOST_H
#define EXECUTOR_PROTOCOL_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Borrowed; brackets included, without port and final dot; size 0: none. */
struct host {
	const char *name;
	size_t size;
};

/*
 * Reads @size bytes of uri-host [":" port] (RFC 9110, 7.2), which may be empty.
 * False: they are something else.
 */
bool host_read(const char *text, size_t size, struct host *ret_host);

/* The host of an origin, "https://example.com". False: it has none, as "null". */
bool host_read_origin(const char *text, struct host *ret_host);

/* The same host, in any case of letters. */
bool host_equal(const struct host *a, const struct host *b);

/* "localhost", 127.0.0.0/8 and [::1]: no page from elsewhere has these. */
bool host_is_loopback(const struct host *host);

#endif
