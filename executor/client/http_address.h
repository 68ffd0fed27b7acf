/* http_address.h - where a server is: an address as people write it. */
#ifndef EXECUTOR_CLIENT_HTTP_ADDRESS_H
#define EXECUTOR_CLIENT_HTTP_ADDRESS_H

#include <stdbool.h>

#include "base/error.h"
#include "executor/io/runtime_dir.h"

/* Longest parts, their zero included. */
#define HTTP_HOST_MAX 256
#define HTTP_PREFIX_MAX 256
#define HTTP_AUTHORITY_MAX (HTTP_HOST_MAX + 10)

/* The forms accepted, for messages. */
#define HTTP_ADDRESS_FORMS "http://HOST:PORT, HOST:PORT or unix:PATH"

struct http_address {
	bool is_unix;
	char path[RUNTIME_PATH_MAX]; /* of the socket */

	char host[HTTP_HOST_MAX]; /* name or number, without brackets */
	char port[6];
	char prefix[HTTP_PREFIX_MAX]; /* before all paths; "" or "/..." */

	char authority[HTTP_AUTHORITY_MAX]; /* what the header Host says */
};

/*
 * Reads "http://HOST[:PORT][/PREFIX]", "HOST:PORT", "unix:PATH" or a path with
 * a slash. An IPv6 address is written in brackets. -EINVAL: none of these;
 * -EPROTONOSUPPORT: https.
 */
int http_address_parse(const char *text, struct error *err,
		       struct http_address *ret_address);

/* What messages call it: the socket's path, or "HOST:PORT". */
const char *http_address_name(const struct http_address *address);

#endif
