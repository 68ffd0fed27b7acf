/*
 * host.h - the host that a request is for: "example.com:80", "[::1]". Any thread.
 *
 * A page in a browser on this machine can send requests to a loopback address, and
 * can read the answers if the page's own name leads there (DNS rebinding). Host
 * gives such a page away, as it has the page's name.
 */
#ifndef EXECUTOR_PROTOCOL_HOST_H
#define EXECUTOR_PROTOCOL_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Borrowed. With brackets, without port and final dot; size 0: none. */
struct host {
	const char *name;
	size_t size;
};

/*
 * Reads @size bytes of uri-host [":" port] (RFC 9110, 7.2), which may be empty.
 * Returns false if they are something else.
 */
bool host_read(const char *text, size_t size, struct host *ret_host);

/* Reads the host of an origin: "https://example.com". False for "null" and such. */
bool host_read_origin(const char *text, struct host *ret_host);

/* Returns whether they are the same, whatever the case of letters. */
bool host_equal(const struct host *a, const struct host *b);

/* "localhost", 127.0.0.0/8 and [::1]: a page from elsewhere has none of these. */
bool host_is_loopback(const struct host *host);

#endif
