/*
 * load_target.h - the server that requests go to: its address and its protocol.
 */
#ifndef BENCH_LOAD_TARGET_H
#define BENCH_LOAD_TARGET_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "executor/client/http_address.h"

enum load_protocol {
	LOAD_HTTP,
	LOAD_FRAMES, /* the socket protocol, executor/protocol/frame.h */
};

struct load_target {
	enum load_protocol protocol;
	struct sockaddr_storage address;
	socklen_t address_size;
	char host[HTTP_AUTHORITY_MAX]; /* for HTTP's Host header */
	const char *text;	       /* the address as given; borrowed */
};

/*
 * Finds HTTP at an address as http_address_parse() reads it, without a prefix.
 * Looks names up; of several addresses it takes the first that accepts a
 * connection, and waits for each. -EINVAL: this is no such URL; -EHOSTUNREACH:
 * there is no such host; others: why it cannot connect.
 */
int load_target_find_url(const char *url, struct error *err,
			 struct load_target *ret_target);

/* Finds the socket protocol at @path. Errors as above. */
int load_target_find_socket(const char *path, struct error *err,
			    struct load_target *ret_target);

/*
 * Sets HTTP or frames at @path, where nothing has to listen yet. -ENAMETOOLONG.
 */
int load_target_set_path(struct load_target *target,
			 enum load_protocol protocol, const char *path);

/*
 * Begins to connect; @flags are SOCK_NONBLOCK or 0. Returns 0 or -EINPROGRESS,
 * and the socket; else -errno: -EAGAIN if the server is too busy now.
 */
int load_target_connect(const struct load_target *target, int flags,
			int *ret_fd);

#endif
